import { ask } from "../data/api.js";
import { report, useCommand } from "../data/commands.js";
import { KNOWN_USERS, START, TRIGGER } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { ReasonField } from "../parts/forms/field.js";
import { PeoplePicker } from "../parts/forms/people_picker.js";
import { html, useRef, useState } from "../preact.js";

const FULL = html`<strong>Full sync</strong>: read every issue again, not only what changed`;

/** One run now; the schedule stays as it is. @param {{project: Api.Project, onClose: () => void}} props */
export function SyncDialog({ project, onClose }) {
  const [full, setFull] = useState(false);
  const [people, setPeople] = useState(/** @type {Api.Person[]} */ ([]));
  const [reason, setReason] = useState("");
  const known = useKnownPeople(project.uid);
  const command = useCommand(TRIGGER, () => {
    report(`A sync of ${project.key} is asked for.`);
    onClose();
  });
  const submit = () => {
    const accountIds = people.length ? people.map(({ id }) => id) : null;
    command.send({ id: project.uid, full, accountIds, reason: reason.trim() || null });
  };
  return html`<${CommandDialog} title="Sync ${project.key} now" submit="Sync now" command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>${moment(project)} The schedule stays as it is.</p>
    <${Check} checked=${full} onChange=${setFull}>${FULL}<//>
    <details>
      <summary>Only issues of some people${people.length ? ` (${people.length})` : ""}</summary>
      <${PeoplePicker} label="Limit to" none="Nobody chosen: issues of everybody." chosen=${people} onChange=${setPeople} find=${known} />
    </details>
    <${ReasonField} value=${reason} onInput=${setReason} example="optional" />
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}

/** Resume and run at once. @param {{project: Api.Project, onClose: () => void}} props */
export function StartDialog({ project, onClose }) {
  const [full, setFull] = useState(false);
  const [reason, setReason] = useState("");
  const command = useCommand(START, () => {
    report(`${project.key} is started.`);
    onClose();
  });
  const submit = () => command.send({ id: project.uid, full, reason: reason.trim() || null });
  return html`<${CommandDialog} title="Start ${project.key}" submit="Start" command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>Resumes the schedule and runs a sync at once.</p>
    <${Check} checked=${full} onChange=${setFull}>${FULL}<//>
    <${ReasonField} value=${reason} onInput=${setReason} example="optional" />
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}

/** @param {{checked: boolean, onChange: (checked: boolean) => void, children: any}} props */
function Check({ checked, onChange, children }) {
  const change = (/** @type {any} */ event) => onChange(event.target.checked);
  return html`<label class="check"><input type="checkbox" checked=${checked} onChange=${change} /><span>${children}</span></label>`;
}

/** @param {Api.Project} project */
function moment(project) {
  return project.syncJob?.running ? "A sync runs at the moment; this one starts right after it." : "One sync starts at once.";
}

/** Those who have a part in the stored issues: searched here, since operators may not ask Jira. @param {string} uid */
function useKnownPeople(uid) {
  const answer = useRef(/** @type {Promise<Api.Operations["KnownUsers"]["data"]> | null} */ (null));
  return async (/** @type {string} */ search) => {
    answer.current ??= ask(KNOWN_USERS, { id: uid });
    const { users } = await answer.current.catch((error) => {
      answer.current = null;
      throw error;
    });
    const searched = search.trim().toLowerCase();
    return { nodes: users.filter(({ displayName }) => displayName.toLowerCase().includes(searched)).slice(0, 50) };
  };
}
