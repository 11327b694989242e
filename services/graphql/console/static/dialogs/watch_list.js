import { ask } from "../data/api.js";
import { report, useCommand } from "../data/commands.js";
import { JIRA_USERS, SET_TRACKED_USERS } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { ReasonField } from "../parts/forms/field.js";
import { PeoplePicker } from "../parts/forms/people_picker.js";
import { html, useState } from "../preact.js";

/** @param {{project: Api.Project, people: Api.Person[], onClose: () => void}} props people: those watched now */
export function WatchListDialog({ project, people, onClose }) {
  const [chosen, setChosen] = useState(people);
  const [reason, setReason] = useState("");
  const command = useCommand(SET_TRACKED_USERS, () => {
    report(`The watch list of ${project.key} is changed; a full sync begins.`);
    onClose();
  });
  const find = async (/** @type {string} */ search, /** @type {string | null} */ after) =>
    (await ask(JIRA_USERS, { id: project.uid, search, after })).jiraProjectUserOptions;
  const submit = () => {
    const accountIds = chosen.map(({ id }) => id);
    command.send({ id: project.uid, accountIds, reason: reason.trim() || null });
  };
  return html`<${CommandDialog} title="Watch list of ${project.key}" submit="Save and resync" wide ready=${differs(people, chosen)}
      command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>Only issues in which one of these people has a part (as assignee, reporter or author of a worklog) are synced.</p>
    <${PeoplePicker} label="Watched" none="Nobody: every issue of the project is synced." chosen=${chosen} onChange=${setChosen} find=${find} />
    <${Consequences} before=${people} after=${chosen} />
    <${ReasonField} value=${reason} onInput=${setReason} example="optional" />
    <${OtherErrors} errors=${command.errors} fields=${[]} />
  <//>`;
}

/** @param {{before: Api.Person[], after: Api.Person[]}} props */
function Consequences({ before, after }) {
  if (!differs(before, after)) return null;
  const added = without(after, before);
  const removed = without(before, after);
  return html`<div class="note" role="status"><ul>
    ${added.length > 0 && html`<li>All old issues of ${names(added)} are fetched.</li>`}
    ${removed.length > 0 && after.length > 0 && html`<li>Issues that only ${names(removed)} had a part in are marked UNTRACKED, not deleted.</li>`}
    ${after.length === 0 && html`<li>The list becomes empty: every issue of the project is fetched.</li>`}
  </ul></div>`;
}

/** @param {Api.Person[]} some @param {Api.Person[]} others */
const without = (some, others) => some.filter(({ id }) => !others.some((other) => other.id === id));

/** @param {Api.Person[]} people */
const names = (people) => people.map(({ displayName }) => displayName).join(", ");

/** @param {Api.Person[]} before @param {Api.Person[]} after */
const differs = (before, after) => without(before, after).length + without(after, before).length > 0;
