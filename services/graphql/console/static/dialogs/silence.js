import { report, useCommand } from "../data/commands.js";
import { SILENCE } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { NoteField, Select } from "../parts/forms/field.js";
import { html, useState } from "../preact.js";

/** @type {[string, string][]} minutes, and their text */
const LENGTHS = [
  ["60", "for 1 hour"],
  ["480", "for 8 hours"],
  ["1440", "for 1 day"],
  ["10080", "for 1 week"],
  ["0", "not any more: lift the silence"],
];

/**
 * Nobody is notified for a while. The alerts themselves are raised and shown as ever.
 * @param {{uid: string, projectKey: string, code?: string | null, onDone?: () => void, onClose: () => void}} props code: of the alert at hand, if one is
 */
export function SilenceDialog({ uid, projectKey, code = null, onDone, onClose }) {
  const [one, setOne] = useState(code !== null);
  const [minutes, setMinutes] = useState("60");
  const [note, setNote] = useState("");
  const what = one ? `${code} of ${projectKey}` : `All alerts of ${projectKey}`;
  const command = useCommand(SILENCE, () => {
    report(minutes === "0" ? `${what}: the silence is lifted.` : `${what}: silenced ${LENGTHS.find(([each]) => each === minutes)?.[1]}.`);
    onDone?.();
    onClose();
  });
  const submit = () => command.send({ id: uid, code: one ? code : null, minutes: Number(minutes), reason: note.trim() || null });
  return html`<${CommandDialog} title=${`Silence alerts of ${projectKey}`} submit=${minutes === "0" ? "Lift silence" : "Silence"} command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>Nobody is notified meanwhile. Alerts are still raised and shown here, and syncs go on.</p>
    ${code !== null && html`<fieldset>
      <legend>What</legend>
      <${Choice} checked=${one} onChoose=${() => setOne(true)}>Only <code>${code}</code><//>
      <${Choice} checked=${!one} onChoose=${() => setOne(false)}>All alerts of ${projectKey}<//>
    </fieldset>`}
    <${Select} name="minutes" label="How long" value=${minutes} onChange=${setMinutes} options=${LENGTHS} />
    <${NoteField} value=${note} onInput=${setNote} example="Known maintenance until 18:00" errors=${command.errors} />
    <${OtherErrors} errors=${command.errors} fields=${["reason"]} />
  <//>`;
}

/** @param {{checked: boolean, onChoose: () => void, children: any}} props */
function Choice({ checked, onChoose, children }) {
  return html`<label class="check"><input type="radio" name="silence" checked=${checked} onChange=${onChoose} /><span>${children}</span></label>`;
}
