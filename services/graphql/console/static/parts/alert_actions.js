/** What the person signed in may do about an alert, as buttons. */
import { alertName } from "../alert_words.js";
import { openDialog } from "../dialog_host.js";
import { AcknowledgeDialog } from "../dialogs/acknowledge.js";
import { ResolveDialog } from "../dialogs/resolve.js";
import { SilenceDialog } from "../dialogs/silence.js";
import { html } from "../preact.js";
import { may } from "../session.js";
import { Icon } from "./icon.js";

/** @typedef {import("../types.js").Alert} Alert */

/** @param {{alert: Alert}} props */
export function AlertActions({ alert }) {
  if (!may("OPERATOR") || alert.status === "RESOLVED") return null;
  const name = alertName(alert);
  const button = (/** @type {string} */ icon, /** @type {string} */ words, /** @type {() => void} */ onClick) => html`
    <button type="button" key=${words} class="small outline" aria-label="${words} ${name}" onClick=${onClick}><${Icon} name=${icon} />${words}</button>`;
  return html`<div class="actions" role="group" aria-label="Actions for ${name}">
    ${alert.status === "OPEN" && button("eye", "Acknowledge", () => openDialog(AcknowledgeDialog, { alert }))}
    ${button("mute", "Silence", () => openDialog(SilenceDialog, { uid: alert.projectUid, projectKey: alert.projectKey, code: alert.code }))}
    ${button("check", "Resolve", () => openDialog(ResolveDialog, { alert }))}
  </div>`;
}
