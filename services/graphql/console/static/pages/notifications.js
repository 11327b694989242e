import { sendNow } from "../data/commands.js";
import { NOTIFICATIONS, REDRIVE } from "../data/documents.js";
import { useList } from "../data/list.js";
import { ALERTS } from "../data/project_store.js";
import { may } from "../data/session.js";
import { openDialog } from "../dialog_host.js";
import { SendTestDialog } from "../dialogs/send_test.js";
import { Empty, Loading } from "../parts/empty.js";
import { Failure } from "../parts/failure.js";
import { focusKeeper } from "../parts/focus.js";
import { ProjectFilter, SelectFilter } from "../parts/forms/filters.js";
import { Icon } from "../parts/icon.js";
import { NOTIFICATION_STATES, NotificationTable } from "../parts/notifications.js";
import { html, useState } from "../preact.js";
import { notificationsAddress, replaceAddress } from "../route.js";

const LOOK_EVERY = 5_000; // ms: an attempt changes no project, so that nothing tells of it

/** @param {{search: URLSearchParams}} props */
export function NotificationsPage({ search }) {
  if (!may("ADMIN")) {
    return html`<header class="page-head"><h1 tabindex="-1">Notifications</h1></header>
      <${Empty} title="Only admins see all notifications"><p>Those of an alert stand at the alert. <a href="#/alerts">Alerts</a></p><//>`;
  }
  return html`<${Deliveries} search=${search} />`;
}

/** @type {[string, string][]} */
const STATES = [["", "all"], ...Object.entries(NOTIFICATION_STATES).map(([state, { text }]) => /** @type {[string, string]} */ ([state, text]))];

/** @param {{search: URLSearchParams}} props */
function Deliveries({ search }) {
  const filters = { state: /** @type {Api.NotificationState | null} */ (search.get("state") || null), projectId: search.get("project") || null };
  const list = useList(NOTIFICATIONS, filters, ALERTS, LOOK_EVERY);
  const change = (/** @type {Record<string, string>} */ changed) => replaceAddress(notificationsAddress({ ...Object.fromEntries(search), ...changed }));
  const act = (/** @type {Api.Notification} */ notification) => notification.state === "DEAD" && html`<${Redrive} notification=${notification} onDone=${list.reload} />`;
  return html`
    <header class="page-head">
      <h1 tabindex="-1">Notifications</h1>
      <button type="button" onClick=${() => openDialog(SendTestDialog, { onDone: list.reload })}><${Icon} name="send" />Send a test</button>
    </header>
    <form class="toolbar" aria-label="Filter notifications" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${SelectFilter} label="State" value=${filters.state ?? ""} options=${STATES} onChange=${(/** @type {string} */ state) => change({ state })} />
      <${ProjectFilter} value=${filters.projectId ?? ""} onChange=${(/** @type {string} */ project) => change({ project })} />
    </form>
    <${Failure} error=${list.error} retry=${list.reload} />
    ${list.items === null && !list.error && html`<${Loading} />`}
    ${list.items?.length === 0 && html`<${Empty} title="No notifications"><p>${filters.state || filters.projectId ? "None matches these filters." : "Nothing was worth telling anybody yet."}</p><//>`}
    ${list.items !== null && list.items.length > 0 && html`<${NotificationTable} notifications=${list.items} label="Notifications, newest first" act=${act} />`}
    ${list.more && html`<p class="center"><button type="button" class="outline" aria-busy=${list.busy ? "true" : "false"} onClick=${list.next}>Load older</button></p>`}
  `;
}

/** @param {{notification: Api.Notification, onDone: () => void}} props */
function Redrive({ notification, onDone }) {
  const [busy, setBusy] = useState(false);
  const redrive = async () => {
    const keepFocus = focusKeeper();
    setBusy(true);
    await sendNow(REDRIVE, { id: notification.id }, `“${notification.subject}” was tried again.`);
    setBusy(false);
    onDone();
    keepFocus();
  };
  return html`<button type="button" class="small outline" aria-label="Redrive “${notification.subject}”" aria-busy=${busy ? "true" : "false"} disabled=${busy} onClick=${redrive}><${Icon} name="again" />Redrive</button>`;
}
