/** What is silenced of a project, and the way to lift it. */
import { sendNow } from "../../data/commands.js";
import { SILENCE } from "../../data/documents.js";
import { may } from "../../data/session.js";
import { html } from "../../preact.js";
import { isAhead } from "../../text/alerts.js";
import { focusKeeper } from "../focus.js";
import { Icon } from "../icon.js";
import { Moment } from "../moments.js";

/** @param {{project: Api.Project, silences: Api.Silence[], onChange: () => void}} props */
export function Silences({ project, silences, onChange }) {
  const present = silences.filter(({ until }) => isAhead(until));
  if (!present.length) return null;
  const lift = async (/** @type {Api.Silence} */ { code }) => {
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
