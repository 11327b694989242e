import { report, useCommand } from "../data/commands.js";
import { RESCHEDULE } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog } from "../parts/forms/dialog.js";
import { ReasonField } from "../parts/forms/field.js";
import { ScheduleFields } from "../parts/forms/schedule_fields.js";
import { html, useState } from "../preact.js";

/** @param {{project: Api.Project, onClose: () => void}} props */
export function RescheduleDialog({ project, onClose }) {
  const job = project.syncJob;
  const [cron, setCron] = useState(job?.cronSchedule ?? "*/15 * * * *");
  const [timezone, setTimezone] = useState(job?.timezone ?? "UTC");
  const [reason, setReason] = useState("");
  const command = useCommand(RESCHEDULE, () => {
    report(`${project.key} has a new schedule.`);
    onClose();
  });
  const change = (/** @type {string} */ nextCron, /** @type {string} */ nextZone) => {
    setCron(nextCron);
    setTimezone(nextZone);
  };
  const submit = () => command.send({ id: project.uid, cron, timezone, reason: reason.trim() || null });
  return html`<${CommandDialog} title="Reschedule ${project.key}" submit="Reschedule" wide command=${command} onSubmit=${submit} onClose=${onClose}>
    ${job?.status === "PAUSED" && html`<p>The project is paused and stays so: the new schedule counts once it is resumed.</p>`}
    <${ScheduleFields} cron=${cron} timezone=${timezone} onChange=${change} errors=${command.errors} />
    <${ReasonField} value=${reason} onInput=${setReason} example="optional" />
    <${OtherErrors} errors=${command.errors} fields=${["cron", "timezone"]} />
  <//>`;
}
