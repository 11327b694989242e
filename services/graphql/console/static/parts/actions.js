/** What the person signed in may do with a project, as buttons; the dialogs they open. */
import { sendNow } from "../commands.js";
import { PauseDialog } from "../dialogs/pause.js";
import { RescheduleDialog } from "../dialogs/reschedule.js";
import { StartDialog, SyncDialog } from "../dialogs/sync.js";
import { UnregisterDialog } from "../dialogs/unregister.js";
import { RESUME } from "../documents.js";
import { html, useState } from "../preact.js";
import { may } from "../session.js";
import { Icon } from "./icon.js";

/** @typedef {import("../types.js").Project} Project */

/** @type {Record<string, any>} */
const DIALOGS = {
  sync: SyncDialog,
  pause: PauseDialog,
  start: StartDialog,
  reschedule: RescheduleDialog,
  unregister: UnregisterDialog,
};

/** @param {{project: Project, all?: boolean}} props all: with what is too rare for a list of projects */
export function Actions({ project, all = false }) {
  const [open, setOpen] = useState("");
  if (!may("OPERATOR") || !project.syncJob) return null;
  const paused = project.syncJob.status === "PAUSED";
  const Open = DIALOGS[open];
  const button = (/** @type {string} */ name, /** @type {string} */ icon, /** @type {string} */ words, kind = "outline") => html`
    <${Action} key=${name} project=${project} icon=${icon} words=${words} kind=${kind} onClick=${() => setOpen(name)} />`;
  const resume = () => sendNow(RESUME, { id: project.uid }, `${project.key} is resumed.`);
  return html`
    <div class="actions" role="group" aria-label="Actions for ${project.key}">
      ${paused && button("start", "play", "Start")}
      ${paused
        ? html`<${Action} key="pause" project=${project} icon="resume" words="Resume" kind="outline" onClick=${resume} />`
        : button("pause", "pause", "Pause")}
      ${button("sync", "sync", "Sync now")}
      ${may("ADMIN") && button("reschedule", "calendar", "Reschedule")}
      ${all && may("ADMIN") && button("unregister", "bin", "Unregister", "outline danger")}
    </div>
    ${Open && html`<${Open} project=${project} onClose=${() => setOpen("")} />`}
  `;
}

/** @param {{project: Project, icon: string, words: string, kind: string, onClick: () => void}} props */
function Action({ project, icon, words, kind, onClick }) {
  return html`<button type="button" class="small ${kind}" aria-label="${words} ${project.key}" onClick=${onClick}>
    <${Icon} name=${icon} />${words}
  </button>`;
}
