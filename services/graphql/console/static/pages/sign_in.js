import { useObservable } from "../data/observable.js";
import { session, signIn } from "../data/session.js";
import { Failure } from "../parts/failure.js";
import { Logo } from "../parts/logo.js";
import { html, useEffect, useState } from "../preact.js";

export function SignInPage() {
  const { message } = useObservable(session);
  const [token, setToken] = useState("");
  const [error, setError] = useState(/** @type {import("../data/api.js").ApiError | null} */ (null));
  const [busy, setBusy] = useState(false);
  useEffect(() => document.getElementById("token")?.focus(), []);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    await signIn(token.trim()).catch(setError);
    setBusy(false);
  };
  return html`<main id="main" class="sign-in">
    <article>
      <${Logo} size="40" />
      <h1 tabindex="-1">Jira Data Integrator</h1>
      ${message && html`<p role="status" class="note"><span>${message}</span></p>`}
      <form onSubmit=${submit}>
        <label for="token">API token</label>
        <input id="token" type="password" class="code" autocomplete="off" spellcheck="false" required placeholder="jdi_…"
          value=${token} onInput=${(/** @type {any} */ event) => setToken(event.target.value)} />
        <${Failure} error=${error} />
        <button type="submit" aria-busy=${busy ? "true" : "false"} disabled=${busy}>Sign in</button>
      </form>
      <p class="quiet">No token? <code>jdi token create NAME --role admin</code> on the server makes one. It is exchanged for a session and kept nowhere in this browser.</p>
    </article>
  </main>`;
}
