import { command, report } from "../data/commands.js";
import { PAUSE } from "../data/documents.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { ReasonField } from "../parts/forms/field.js";
import { html, useState } from "../preact.js";

/** One command a project: what was refused stays in the dialog, the others are paused. @param {{projects: Api.Project[], onDone: () => void, onClose: () => void}} props */
export function BulkPauseDialog({ projects, onDone, onClose }) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState(/** @type {string[]} */ ([]));
  const submit = async () => {
    setBusy(true);
    const refusals = await Promise.all(projects.map((project) => pause(project, reason.trim())));
    setBusy(false);
    const found = refusals.filter(Boolean);
    setRefused(found);
    if (found.length) return;
    report(`${projects.length} projects are paused.`);
    onDone();
    onClose();
  };
  const keys = projects.map(({ key }) => key).join(", ");
  return html`<${CommandDialog} title="Pause ${projects.length} projects" submit="Pause ${projects.length}" command=${{ busy, failure: null }}
      onSubmit=${submit} onClose=${onClose}>
    <p>${keys}</p>
    <p>No run starts until somebody resumes them. Runs in progress go on to their end.</p>
    <${ReasonField} value=${reason} onInput=${setReason} example="Jira maintenance until 18:00" more=${{ required: true }} />
    ${refused.length > 0 && html`<div class="note bad" role="alert"><ul>${refused.map((text) => html`<li>${text}</li>`)}</ul></div>`}
  <//>`;
}

/**
 * @param {Api.Project} project
 * @param {string} reason
 * @returns {Promise<string>} why it was refused; "" when it was not
 */
async function pause(project, reason) {
  try {
    const { userErrors } = await command(PAUSE, { id: project.uid, reason });
    return userErrors.map(({ message }) => `${project.key}: ${message}`).join(" ");
  } catch (error) {
    return `${project.key}: ${/** @type {Error} */ (error).message}`;
  }
}
