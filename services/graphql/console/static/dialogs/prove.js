import { report, useCommand } from "../data/commands.js";
import { PROVE } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { ReasonField } from "../parts/forms/field.js";
import { html, useState } from "../preact.js";
import { manyText } from "../text/completeness.js";

/** A census now. @param {{project: Api.Project, onClose: () => void}} props */
export function ProveDialog({ project, onClose }) {
  const [reason, setReason] = useState("");
  const command = useCommand(PROVE, () => {
    report(`A census of ${project.key} is asked for.`);
    onClose();
  });
  const submit = () => command.send({ id: project.uid, accept: false, reason: reason.trim() || null });
  return html`<${CommandDialog} title="Prove ${project.key} now" submit="Prove now" command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>All ids that Jira lists are compared with what is stored: what is missing is fetched, what is gone is recorded as gone. Where so much seems gone that it may be a mistake, nothing is removed.</p>
    <${ReasonField} value=${reason} onInput=${setReason} example="optional" />
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}

/** Lets go what was held back. Who says so says why. @param {{project: Api.Project, held: Api.Difference | null, onClose: () => void}} props */
export function AcceptDialog({ project, held, onClose }) {
  const [reason, setReason] = useState("");
  const command = useCommand(PROVE, () => {
    report(`The removal in ${project.key} is accepted; a census carries it out.`);
    onClose();
  });
  const submit = () => command.send({ id: project.uid, accept: true, reason: reason.trim() });
  const number = project.census.heldBack;
  return html`<${CommandDialog} title="Accept the removal in ${project.key}" submit="Accept the removal" danger command=${command} onSubmit=${submit} onClose=${onClose}>
    <p><strong>${manyText(number, "issue")}</strong> with their comments and worklogs will not be shown any more${held?.keys.length ? `, among them ${held.keys.slice(0, 5).join(", ")}` : ""}. They stay in the event log, and whatever Jira shows again returns.</p>
    <p>A new census looks once more before anything goes, and lets go as many as now, no more.</p>
    <${ReasonField} value=${reason} onInput=${setReason} example="We archived the old components" more=${{ required: true }} />
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}
