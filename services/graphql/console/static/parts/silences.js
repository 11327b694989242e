/** What is silenced of a project, and the way to lift it. */
import { isAhead } from "../alert_words.js";
import { sendNow } from "../commands.js";
import { SILENCE } from "../documents.js";
import { html } from "../preact.js";
import { may } from "../session.js";
import { Moment } from "../time.js";
import { focusKeeper } from "./focus.js";
import { Icon } from "./icon.js";

/** @typedef {import("../types.js").Silence} Silence */

/** @param {{project: import("../types.js").Project, silences: Silence[], onChange: () => void}} props */
export function Silences({ project, silences, onChange }) {
  const present = silences.filter(({ until }) => isAhead(until));
  if (!present.length) return null;
  const lift = async (/** @type {Silence} */ { code }) => {
    const keepFocus = focusKeeper();
    await sendNow(SILENCE, { id: project.uid, code, minutes: 0 }, `The silence of ${code ?? project.key} is lifted.`);
    onChange();
    keepFocus();
  };
  return html`<ul class="silences" aria-label="Silences">
    ${present.map((silence) => html`<li key=${silence.code ?? ""}>
      <${Icon} name="mute" />
      <span>${silence.code ? html`<code>${silence.code}</code> is` : "All alerts are"} silenced until <${Moment} at=${silence.until} exact=${false} />
        <span class="quiet"> by ${silence.by}${silence.reason && `: “${silence.reason}”`}</span></span>
      ${may("OPERATOR") && html`<button type="button" class="small outline" aria-label="Lift the silence of ${silence.code ?? `all alerts of ${project.key}`}" onClick=${() => lift(silence)}>Lift</button>`}
    </li>`)}
  </ul>`;
}
