import { report, useCommand } from "../data/commands.js";
import { PAUSE } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { ReasonField } from "../parts/forms/field.js";
import { html, useState } from "../preact.js";

/** Pause asks for a reason: whoever finds the project paused must know why. @param {{project: Api.Project, onClose: () => void}} props */
export function PauseDialog({ project, onClose }) {
  const [reason, setReason] = useState("");
  const command = useCommand(PAUSE, () => {
    report(`${project.key} is paused.`);
    onClose();
  });
  const submit = () => command.send({ id: project.uid, reason: reason.trim() });
  return html`<${CommandDialog} title="Pause ${project.key}" submit="Pause" command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>No run starts until somebody resumes it. A run in progress goes on to its end.</p>
    <${ReasonField} value=${reason} onInput=${setReason} example="Jira maintenance until 18:00" more=${{ required: true }} />
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}
