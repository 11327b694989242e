/** What the person signed in may do with a project, as buttons; the dialogs they open. */
import { sendNow } from "../../data/commands.js";
import { RESUME } from "../../data/documents.js";
import { may } from "../../data/session.js";
import { openDialog } from "../../dialog_host.js";
import { PauseDialog } from "../../dialogs/pause.js";
import { RescheduleDialog } from "../../dialogs/reschedule.js";
import { StartDialog, SyncDialog } from "../../dialogs/sync.js";
import { UnregisterDialog } from "../../dialogs/unregister.js";
import { html } from "../../preact.js";
import { focusKeeper } from "../focus.js";
import { Icon } from "../icon.js";

/** @param {{project: Api.Project, all?: boolean}} props all: with what is too rare for a list of projects */
export function Actions({ project, all = false }) {
  if (!may("OPERATOR") || !project.syncJob) return null;
  const paused = project.syncJob.status === "PAUSED";
  const button = (/** @type {string} */ icon, /** @type {string} */ text, /** @type {any} */ Dialog, kind = "outline") => html`
    <${Action} key=${text} project=${project} icon=${icon} text=${text} kind=${kind} onClick=${() => openDialog(Dialog, { project })} />`;
  const resume = async () => {
    const keepFocus = focusKeeper();
    await sendNow(RESUME, { id: project.uid }, `${project.key} is resumed.`);
    keepFocus();
  };
  return html`
    <div class="actions" role="group" aria-label="Actions for ${project.key}">
      ${paused && button("play", "Start", StartDialog)}
      ${paused && html`<${Action} key="Resume" project=${project} icon="resume" text="Resume" kind="outline" onClick=${resume} />`}
      ${!paused && button("pause", "Pause", PauseDialog)}
      ${(all || !paused) && button("sync", "Sync now", SyncDialog)}
      ${may("ADMIN") && button("calendar", "Reschedule", RescheduleDialog)}
      ${all && may("ADMIN") && button("bin", "Unregister", UnregisterDialog, "outline danger")}
    </div>
  `;
}

/** @param {{project: Api.Project, icon: string, text: string, kind: string, onClick: () => void}} props */
function Action({ project, icon, text, kind, onClick }) {
  return html`<button type="button" class="small ${kind}" aria-label="${text} ${project.key}" onClick=${onClick}>
    <${Icon} name=${icon} />${text}
  </button>`;
}
