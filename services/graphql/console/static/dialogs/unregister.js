import { report, useCommand } from "../data/commands.js";
import { UNREGISTER } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { Field, ReasonField } from "../parts/forms/field.js";
import { html, useState } from "../preact.js";

/** The one command that takes something away asks for the key to be typed. @param {{project: Api.Project, onClose: () => void}} props */
export function UnregisterDialog({ project, onClose }) {
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const command = useCommand(UNREGISTER, () => {
    report(`${project.key} is unregistered.`);
    onClose();
    location.hash = "#/projects";
  });
  const submit = () => command.send({ id: project.uid, reason: reason.trim() });
  const sure = typed.trim().toUpperCase() === project.key.toUpperCase();
  return html`<${CommandDialog} title="Unregister ${project.key}" submit="Unregister" danger ready=${sure && reason.trim() !== ""}
      command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>Its schedule and its watch list go away, and nothing of it is synced any more. What was stored stays in the event log; registering it again goes on from there.</p>
    <${ReasonField} value=${reason} onInput=${setReason} example="The team has moved to another site" more=${{ required: true }} />
    <${Field} name="confirm" label="Type ${project.key} to confirm" value=${typed} onInput=${setTyped} more=${{ spellcheck: false, required: true }} />
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}
