import { useAnswer } from "../data/answer.js";
import { ONE_ALERT } from "../data/documents.js";
import { ALERTS } from "../data/project_store.js";
import { AlertActions } from "../parts/alerts/actions.js";
import { AlertText } from "../parts/alerts/card.js";
import { Severity, severityOf, Status } from "../parts/alerts/severity.js";
import { Empty, Loading } from "../parts/empty.js";
import { Failure } from "../parts/failure.js";
import { Ago, Moment } from "../parts/moments.js";
import { NotificationTable } from "../parts/notifications.js";
import { html } from "../preact.js";
import { alertsAddress, logsAddress, projectAddress } from "../route.js";
import { endText, isAhead, runsText, whereText } from "../text/alerts.js";

/** @param {{id: string}} props */
export function AlertPage({ id }) {
  const { data, error, reload } = useAnswer(ONE_ALERT, { id }, ALERTS);
  const alert = data?.alert;
  if (alert) return html`<${Known} alert=${alert} />`;
  return html`<header class="page-head"><h1 tabindex="-1">Alert</h1></header>
    <${Failure} error=${error} retry=${reload} />
    ${!error && (data
      ? html`<${Empty} title="There is no such alert"><p>Or your token does not see its project. <a href="#/alerts">All alerts</a></p><//>`
      : html`<${Loading} />`)}`;
}

/** @param {{alert: Api.Alert & {notifications: Api.Notification[]}}} props */
function Known({ alert }) {
  return html`
    <header class="page-head">
      <div>
        <p class="crumbs"><a href="#/alerts">Alerts</a> / ${alert.projectKey ? html`<a href=${projectAddress(alert.projectUid)}>${alert.projectKey}</a>` : whereText(alert)}</p>
        <h1 tabindex="-1"><span class="code">${alert.code}</span> <${Severity} alert=${alert} /> <${Status} alert=${alert} /></h1>
      </div>
      <${AlertActions} alert=${alert} />
    </header>
    <div class="why ${alert.status === "RESOLVED" ? "idle" : severityOf(alert).tone}"><${AlertText} alert=${alert} /></div>
    <dl class="headline">
      ${alert.projectKey && html`<div><dt>Seen</dt><dd>${runsText(alert.count)}</dd></div>`}
      <div><dt>First seen</dt><dd><${Ago} at=${alert.firstSeen} /> <span class="quiet">at <${Moment} at=${alert.firstSeen} exact=${false} /></span></dd></div>
      <div><dt>Last seen</dt><dd><${Ago} at=${alert.lastSeen} /> <span class="quiet">at <${Moment} at=${alert.lastSeen} exact=${false} /></span></dd></div>
      <div><dt>Category</dt><dd>${alert.category}</dd></div>
    </dl>
    <${Doings} alert=${alert} />
    <section>
      <h2>Notifications</h2>
      ${alert.notifications.length
        ? html`<${NotificationTable} notifications=${alert.notifications} label="Notifications of this alert" />`
        : html`<p class="quiet">Nobody was notified of it.</p>`}
    </section>
    <p>${alert.projectKey
      ? html`<a href=${alertsAddress({ code: alert.code, project: alert.projectUid })}>All ${alert.code} alerts of ${alert.projectKey}</a>`
      : html`<a href=${alertsAddress({ code: alert.code })}>All ${alert.code} alerts</a>`}${alert.runId && html` · <a href=${logsAddress({ project: alert.projectUid, run: alert.runId })}>Log of the last run that showed it</a>`}</p>
  `;
}

/** Who did what about it. @param {{alert: Api.Alert}} props */
function Doings({ alert }) {
  const done = [
    alert.acknowledgedBy && html`<li key="ack">Acknowledged by <strong>${alert.acknowledgedBy}</strong>${alert.acknowledgedAt && html` at <${Moment} at=${alert.acknowledgedAt} />`}${alert.acknowledgement && `: “${alert.acknowledgement}”`}</li>`,
    isAhead(alert.silencedUntil) && html`<li key="mute">Silenced until <${Moment} at=${alert.silencedUntil} exact=${false} />: nobody is notified meanwhile.</li>`,
    alert.resolvedAt && html`<li key="end">${endText(alert)} at <${Moment} at=${alert.resolvedAt} />${alert.resolutionNote && `: “${alert.resolutionNote}”`}</li>`,
  ].filter(Boolean);
  if (!done.length) return null;
  return html`<section><h2>What was done</h2><ul class="doings">${done}</ul></section>`;
}
