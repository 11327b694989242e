/** What the person signed in may do about an alert, as buttons. */
import { may } from "../../data/session.js";
import { openDialog } from "../../dialog_host.js";
import { AcknowledgeDialog } from "../../dialogs/acknowledge.js";
import { ResolveDialog } from "../../dialogs/resolve.js";
import { SilenceDialog } from "../../dialogs/silence.js";
import { html } from "../../preact.js";
import { alertName } from "../../text/alerts.js";
import { Icon } from "../icon.js";

/** @param {{alert: Api.Alert}} props */
export function AlertActions({ alert }) {
  if (!may("OPERATOR") || alert.status === "RESOLVED") return null;
  const name = alertName(alert);
  const button = (/** @type {string} */ icon, /** @type {string} */ text, /** @type {() => void} */ onClick) => html`
    <button type="button" key=${text} class="small outline" aria-label="${text} ${name}" onClick=${onClick}><${Icon} name=${icon} />${text}</button>`;
  return html`<div class="actions" role="group" aria-label="Actions for ${name}">
    ${alert.status === "OPEN" && button("eye", "Acknowledge", () => openDialog(AcknowledgeDialog, { alert }))}
    ${alert.projectKey && button("mute", "Silence", () => openDialog(SilenceDialog, { uid: alert.projectUid, projectKey: alert.projectKey, code: alert.code }))}
    ${button("check", "Resolve", () => openDialog(ResolveDialog, { alert }))}
  </div>`;
}
