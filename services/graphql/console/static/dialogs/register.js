import { ask } from "../data/api.js";
import { report, useCommand } from "../data/commands.js";
import { JIRA_PROJECTS, REGISTER } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { ReasonField } from "../parts/forms/field.js";
import { ScheduleFields } from "../parts/forms/schedule_fields.js";
import { Search } from "../parts/forms/search.js";
import { html, useState } from "../preact.js";

const DEFAULT_CRON = "*/15 * * * *";

/** @param {string} search @param {string | null} after */
const find = async (search, after) => (await ask(JIRA_PROJECTS, { search, after })).jiraProjectOptions;

/** A project of Jira becomes one of ours: it gets a schedule, and its first full sync at once. @param {{onClose: () => void}} props */
export function RegisterDialog({ onClose }) {
  const [chosen, setChosen] = useState(/** @type {Api.JiraProjectOption | null} */ (null));
  const [schedule, setSchedule] = useState({ cron: DEFAULT_CRON, timezone: "UTC" });
  const [reason, setReason] = useState("");
  const command = useCommand(REGISTER, () => {
    report(`${chosen?.key} is registered; its first sync begins.`);
    onClose();
  });
  const submit = () => chosen && command.send({ jiraKey: chosen.key, ...schedule, reason: reason.trim() || null });
  const change = (/** @type {string} */ cron, /** @type {string} */ timezone) => setSchedule({ cron, timezone });
  return html`<${CommandDialog} title="Register a project" submit=${chosen ? `Register ${chosen.key}` : "Register"}
      wide ready=${chosen !== null} command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>It is synced in full at once, and from then on by its schedule.</p>
    <${Search} id="project-search" label="Jira project" placeholder="Key or name" find=${find}
      nothing="Jira shows us no such project. The account that we ask with may lack the right to browse it."
      row=${(/** @type {Api.JiraProjectOption} */ option) => html`<${Choice} key=${option.id} option=${option} chosen=${chosen} onChoose=${setChosen} />`} />
    <${ScheduleFields} ...${schedule} onChange=${change} errors=${command.errors} />
    <${ReasonField} value=${reason} onInput=${setReason} example="optional" />
    <${OtherErrors} errors=${command.errors} fields=${["cron", "timezone"]} />
  <//>`;
}

/** @param {{option: Api.JiraProjectOption, chosen: Api.JiraProjectOption | null, onChoose: (option: Api.JiraProjectOption) => void}} props */
function Choice({ option, chosen, onChoose }) {
  return html`<li>
    <label class="check">
      <input type="radio" name="jira-project" checked=${chosen?.key === option.key} disabled=${option.registered} onChange=${() => onChoose(option)} />
      <span><strong>${option.key}</strong> ${option.name}</span>
    </label>
    ${option.registered && html`<span class="quiet">registered${option.registeredAs !== option.key && ` as ${option.registeredAs}`}</span>`}
  </li>`;
}
