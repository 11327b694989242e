/** Notifications: what was sent where and when, or why not and what to do about it. */
import { html } from "../preact.js";
import { Badge } from "./badge.js";
import { Countdown, Moment } from "./moments.js";

/** @type {Record<string, string>} */
const CHANNELS = { email: "Email", slack: "Slack", whatsapp: "WhatsApp" };

/** @param {string} channel */
export const channelText = (channel) => CHANNELS[channel.toLowerCase()] ?? channel;

/** @type {Record<Api.Notification["state"], import("./badge.js").Look>} */
export const NOTIFICATION_STATES = {
  SENT: { tone: "good", icon: "check", text: "Sent" },
  RETRYING: { tone: "warn", icon: "again", text: "Retrying" },
  DEAD: { tone: "bad", icon: "cross", text: "Not delivered" },
  REQUESTED: { tone: "busy", icon: "dots", text: "Requested" },
};

/** @type {Record<string, string>} */
const REASONS = {
  FIRST: "first notice",
  MORE: "more alerts",
  DIGEST: "several at once",
  REPEAT: "reminder",
  RESOLVED: "resolved",
  TEST: "test",
};

/** @param {{notifications: Api.Notification[], label: string, act?: (notification: Api.Notification) => any}} props act: what can be done, a column of its own */
export function NotificationTable({ notifications, label, act }) {
  return html`<table class="cards notifications" role="table">
    <caption class="hidden">${label}</caption>
    <thead role="rowgroup"><tr role="row">
      ${["When", "Channel", "Message", "State"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      ${act && html`<th scope="col" role="columnheader"><span class="hidden">Actions</span></th>`}
    </tr></thead>
    <tbody role="rowgroup">${notifications.map((notification) => html`<${Row} key=${notification.id} notification=${notification} act=${act} />`)}</tbody>
  </table>`;
}

/** @param {{notification: Api.Notification, act?: (notification: Api.Notification) => any}} props */
function Row({ notification, act }) {
  const { tone } = NOTIFICATION_STATES[notification.state];
  return html`<tr role="row" class=${tone}>
    <td role="cell" data-label="When"><${Moment} at=${notification.lastAttemptAt ?? notification.createdAt} /></td>
    <td role="cell" data-label="Channel">${channelText(notification.channel)}</td>
    <td role="cell" data-label="Message" class="message"><span>
      ${notification.subject || html`<span class="quiet">Not written yet</span>`}
      <span class="sub">${REASONS[notification.reason] ?? notification.reason.toLowerCase()}${notification.recipients.length > 0 && ` · to ${notification.recipients.join(", ")}`}</span>
    </span></td>
    <td role="cell" data-label="State" class="verdict"><div><${NotificationVerdict} notification=${notification} /></div></td>
    ${act && html`<td role="cell" class="actions">${act(notification)}</td>`}
  </tr>`;
}

/** What became of it so far. @param {{notification: Api.Notification}} props */
export function NotificationVerdict({ notification }) {
  const { tone, icon, text } = NOTIFICATION_STATES[notification.state];
  const { failure } = notification;
  const attempts = notification.attempts > 1 ? ` after ${notification.attempts} attempts` : "";
  const next = notification.state === "RETRYING" && notification.nextAttemptAt;
  return html`
    <${Badge} tone=${tone} icon=${icon}>${text}<//>
    <span class="quiet">${attempts}${attempts && next && ","}${next && html` next <${Countdown} to=${next} />`}</span>
    ${notification.state === "SENT" && notification.providerMessageId && html`<span class="sub">Taken as <span class="code">${notification.providerMessageId}</span></span>`}
    ${notification.refused.length > 0 && html`<ul class="note warn" aria-label="Refused recipients">${notification.refused.map((text) => html`<li>${text}</li>`)}</ul>`}
    ${notification.state !== "SENT" && failure && html`<p class="failure"><code>${failure.code}</code>${failure.providerCode && html` <span class="quiet">(${failure.providerCode})</span>`} ${failure.message}
      ${failure.advice && html`<span class="advice"> ${failure.advice}</span>`}</p>`}
    ${notification.attempts > 1 && html`<${Attempts} notification=${notification} />`}
  `;
}

/** @param {{notification: Api.Notification}} props */
function Attempts({ notification }) {
  return html`<details>
    <summary>Attempts</summary>
    <ol reversed class="runs">${notification.lastAttempts.map(({ at, sent, code, message }) => html`<li key=${at}><${Moment} at=${at} /> ${sent ? "sent" : html`${code && html`<code>${code}</code> `}${message}`}</li>`)}</ol>
  </details>`;
}
