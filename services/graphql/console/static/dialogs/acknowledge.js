import { report, useCommand } from "../data/commands.js";
import { ACKNOWLEDGE } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { NoteField } from "../parts/forms/field.js";
import { html, useState } from "../preact.js";
import { alertName } from "../text/alerts.js";

/** @param {{alert: Api.Alert, onClose: () => void}} props */
export function AcknowledgeDialog({ alert, onClose }) {
  const [note, setNote] = useState("");
  const command = useCommand(ACKNOWLEDGE, () => {
    report(`${alertName(alert)} is acknowledged.`);
    onClose();
  });
  const submit = () => command.send({ id: alert.id, reason: note.trim() || null });
  return html`<${CommandDialog} title="Acknowledge ${alertName(alert)}" submit="Acknowledge" command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>Tells the others that you are at it: nobody is reminded of this alert any more. It stays open until the trouble is over.</p>
    <${NoteField} value=${note} onInput=${setNote} example="Asked the billing admin" errors=${command.errors} />
    <${OtherErrors} errors=${command.errors} fields=${["reason"]} />
  <//>`;
}
