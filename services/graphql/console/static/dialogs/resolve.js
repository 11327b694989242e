import { report, useCommand } from "../data/commands.js";
import { RESOLVE } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { NoteField } from "../parts/forms/field.js";
import { html, useState } from "../preact.js";
import { alertName } from "../text/alerts.js";

/** @param {{alert: Api.Alert, onClose: () => void}} props */
export function ResolveDialog({ alert, onClose }) {
  const [note, setNote] = useState("");
  const command = useCommand(RESOLVE, () => {
    report(`${alertName(alert)} is resolved.`);
    onClose();
  });
  const submit = () => command.send({ id: alert.id, reason: note.trim() || null });
  return html`<${CommandDialog} title="Resolve ${alertName(alert)}" submit="Resolve" command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>Closes this alert. It is also closed by itself once a sync succeeds; if the trouble goes on, it is raised anew.</p>
    <${NoteField} value=${note} onInput=${setNote} example="The invoice is paid" errors=${command.errors} />
    <${OtherErrors} errors=${command.errors} fields=${["reason"]} />
  <//>`;
}
