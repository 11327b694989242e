/** An alert in a list: what is wrong, what to do, how it stands. */
import { alertName, endInWords, isAhead, runsInWords } from "../alert_words.js";
import { html } from "../preact.js";
import { alertAddress, projectAddress } from "../route.js";
import { Ago, Moment } from "../time.js";
import { AlertActions } from "./alert_actions.js";
import { DocsLink } from "./docs_link.js";
import { Icon } from "./icon.js";
import { Severity, Status, severityOf } from "./severity.js";

/** @typedef {import("../types.js").Alert} Alert */

/** @param {{label: string, alerts: Alert[], withProject?: boolean, told?: string}} props told: the code that the page tells above */
export function AlertList({ label, alerts, withProject = true, told }) {
  return html`<ul class="alerts" aria-label=${label}>
    ${alerts.map((alert) => html`<li key=${alert.id} class=${alert.status === "RESOLVED" ? "over" : severityOf(alert).tone}>
      <${AlertCard} alert=${alert} withProject=${withProject} brief=${alert.code === told} />
    </li>`)}
  </ul>`;
}

/** @param {{alert: Alert, withProject: boolean, brief: boolean}} props */
function AlertCard({ alert, withProject, brief }) {
  return html`<article class="alert" aria-label=${alertName(alert)}>
    <header>
      <${Severity} alert=${alert} />
      ${alert.status !== "OPEN" && html`<${Status} alert=${alert} />`}
      <a class="code" href=${alertAddress(alert.id)} aria-label="Details of ${alertName(alert)}">${alert.code}</a>
      ${withProject && html`<a href=${projectAddress(alert.projectUid)}>${alert.projectKey}</a>`}
    </header>
    ${!brief && html`<${Told} alert=${alert} />`}
    <${Course} alert=${alert} />
    <${AlertActions} alert=${alert} />
  </article>`;
}

/** What happened, and what to do unless it is over. @param {{alert: Alert}} props */
export function Told({ alert }) {
  return html`<div class="told">
    <p>${alert.message}</p>
    ${alert.status !== "RESOLVED" && html`<p class="advice">${alert.advice} <${DocsLink} docs=${alert.docs} /></p>`}
  </div>`;
}

/** How often and how long, and who did what about it. @param {{alert: Alert}} props */
function Course({ alert }) {
  const { acknowledgedBy, acknowledgedAt, acknowledgement, silencedUntil, resolvedAt } = alert;
  return html`<ul class="course" aria-label="Course">
    <li><strong>${runsInWords(alert.count)}</strong>, first <${Ago} at=${alert.firstSeen} />${alert.count > 1 && html`, last <${Ago} at=${alert.lastSeen} />`}</li>
    ${acknowledgedBy && html`<li><${Icon} name="eye" />Acknowledged by ${acknowledgedBy}${acknowledgedAt && html` <${Ago} at=${acknowledgedAt} />`}${acknowledgement && `: “${acknowledgement}”`}</li>`}
    ${isAhead(silencedUntil) && html`<li><${Icon} name="mute" />Silenced until <${Moment} at=${silencedUntil} exact=${false} /></li>`}
    ${resolvedAt && html`<li><${Icon} name="check" />${endInWords(alert)} <${Ago} at=${resolvedAt} />${alert.resolutionNote && `: “${alert.resolutionNote}”`}</li>`}
  </ul>`;
}
