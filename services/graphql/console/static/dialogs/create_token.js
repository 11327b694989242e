import { useCommand } from "../data/commands.js";
import { CREATE_TOKEN } from "../data/documents.js";
import { useObservable } from "../data/observable.js";
import { store } from "../data/project_store.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog, Dialog } from "../parts/forms/dialog.js";
import { Field, Select } from "../parts/forms/field.js";
import { Icon } from "../parts/icon.js";
import { html, useRef, useState } from "../preact.js";

/** @type {[Api.Role, string][]} */
const ROLES = [
  ["READER", "Reader: may read and follow"],
  ["OPERATOR", "Operator: also start, pause, resume, sync now"],
  ["ADMIN", "Admin: also schedules, projects, watch lists, tokens"],
];
const DAYS = ["30", "90", "365", ""];

/** @param {{onDone: () => void, onClose: () => void}} props */
export function CreateTokenDialog({ onDone, onClose }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState(/** @type {Api.Role} */ ("READER"));
  const [uids, setUids] = useState(/** @type {string[]} */ ([]));
  const [days, setDays] = useState("90");
  const [secret, setSecret] = useState("");
  const command = useCommand(CREATE_TOKEN, (result) => {
    setSecret(result.secret ?? "");
    onDone();
  });
  if (secret) return html`<${SecretDialog} name=${name} secret=${secret} onClose=${onClose} />`;
  const submit = () =>
    command.send({ name: name.trim(), role, projects: uids.length ? uids : null, expiresAt: expiry(days) });
  return html`<${CommandDialog} title="Create an API token" submit="Create token" command=${command} onSubmit=${submit} onClose=${onClose}>
    <${Field} name="name" label="Name" hint="What uses it; the name stands in the history of what it changes." value=${name} onInput=${setName}
      errors=${command.errors} more=${{ required: true, maxlength: 60 }} />
    <${Select} name="role" label="Role" value=${role} onChange=${setRole} options=${ROLES} />
    <${Select} name="expiresAt" label="Expires" value=${days} onChange=${setDays} options=${DAYS.map((each) => [each, each ? `in ${each} days` : "never"])} />
    <${Projects} uids=${uids} onChange=${setUids} />
    <${OtherErrors} errors=${command.errors} fields=${["name"]} />
  <//>`;
}

/** @param {string} days "": never */
const expiry = (days) => (days ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : null);

/** @param {{uids: string[], onChange: (uids: string[]) => void}} props */
function Projects({ uids, onChange }) {
  const projects = [...useObservable(store).projects.values()];
  const toggle = (/** @type {string} */ uid) => onChange(uids.includes(uid) ? uids.filter((each) => each !== uid) : [...uids, uid]);
  return html`<fieldset>
    <legend>Projects</legend>
    <p class="quiet">${uids.length ? "Only those checked." : "None checked: all projects, also future ones."}</p>
    ${projects.map(({ uid, key, name }) => html`<label class="check" key=${uid}>
      <input type="checkbox" checked=${uids.includes(uid)} onChange=${() => toggle(uid)} /><span><strong>${key}</strong> ${name}</span>
    </label>`)}
  </fieldset>`;
}

/** The only time the secret is seen. @param {{name: string, secret: string, onClose: () => void}} props */
function SecretDialog({ name, secret, onClose }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [copied, setCopied] = useState("");
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      setCopied("Copied.");
    } catch {
      setCopied("The browser keeps us from the clipboard: the token is selected, copy it yourself.");
    }
  };
  return html`<${Dialog} title="Token “${name}”" onClose=${onClose}>
    <p>Copy it now: it is shown only this once. We keep no more than a hash of it.</p>
    <label for="secret">Secret</label>
    <div class="with-button">
      <input id="secret" class="code" ref=${field} value=${secret} readonly onFocus=${() => field.current?.select()} />
      <button type="button" onClick=${copy}><${Icon} name="copy" />Copy</button>
    </div>
    <p role="status">${copied}</p>
    <footer><button type="button" class="secondary outline" onClick=${onClose}>I have copied it</button></footer>
  <//>`;
}
