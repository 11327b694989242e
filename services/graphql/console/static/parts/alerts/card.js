/** An alert in a list: what is wrong, what to do, how it stands. */
import { html } from "../../preact.js";
import { alertAddress, projectAddress } from "../../route.js";
import { alertName, endText, isAhead, runsText, whereText } from "../../text/alerts.js";
import { DocsLink } from "../docs_link.js";
import { Icon } from "../icon.js";
import { Ago, Moment } from "../moments.js";
import { AlertActions } from "./actions.js";
import { Severity, severityOf, Status } from "./severity.js";

/** @param {{label: string, alerts: Api.Alert[], withProject?: boolean, shown?: string}} props shown: the code that the page shows above */
export function AlertList({ label, alerts, withProject = true, shown }) {
  return html`<ul class="alerts" aria-label=${label}>
    ${alerts.map((alert) => html`<li key=${alert.id} class=${alert.status === "RESOLVED" ? "over" : severityOf(alert).tone}>
      <${AlertCard} alert=${alert} withProject=${withProject} brief=${alert.code === shown} />
    </li>`)}
  </ul>`;
}

/** @param {{alert: Api.Alert, withProject: boolean, brief: boolean}} props */
function AlertCard({ alert, withProject, brief }) {
  return html`<article class="alert" aria-label=${alertName(alert)}>
    <header>
      <${Severity} alert=${alert} />
      ${alert.status !== "OPEN" && html`<${Status} alert=${alert} />`}
      <a class="code" href=${alertAddress(alert.id)} aria-label="Details of ${alertName(alert)}">${alert.code}</a>
      ${withProject && (alert.projectKey ? html`<a href=${projectAddress(alert.projectUid)}>${alert.projectKey}</a>` : whereText(alert))}
    </header>
    ${!brief && html`<${AlertText} alert=${alert} />`}
    <${Course} alert=${alert} />
    <${AlertActions} alert=${alert} />
  </article>`;
}

/** What happened, and what to do unless it is over. @param {{alert: Api.Alert}} props */
export function AlertText({ alert }) {
  return html`<div class="alert-text">
    <p>${alert.message}</p>
    ${alert.status !== "RESOLVED" && html`<p class="advice">${alert.advice} <${DocsLink} docs=${alert.docs} /></p>`}
  </div>`;
}

/** How often and how long, and who did what about it. @param {{alert: Api.Alert}} props */
function Course({ alert }) {
  const { acknowledgedBy, acknowledgedAt, acknowledgement, silencedUntil, resolvedAt } = alert;
  return html`<ul class="course" aria-label="Course">
    <li>${alert.projectKey && html`<strong>${runsText(alert.count)}</strong>, `}first <${Ago} at=${alert.firstSeen} />${alert.count > 1 && html`, last <${Ago} at=${alert.lastSeen} />`}</li>
    ${acknowledgedBy && html`<li><${Icon} name="eye" />Acknowledged by ${acknowledgedBy}${acknowledgedAt && html` <${Ago} at=${acknowledgedAt} />`}${acknowledgement && `: “${acknowledgement}”`}</li>`}
    ${isAhead(silencedUntil) && html`<li><${Icon} name="mute" />Silenced until <${Moment} at=${silencedUntil} exact=${false} /></li>`}
    ${resolvedAt && html`<li><${Icon} name="check" />${endText(alert)} <${Ago} at=${resolvedAt} />${alert.resolutionNote && `: “${alert.resolutionNote}”`}</li>`}
  </ul>`;
}
