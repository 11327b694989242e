/** Notifications: what was sent where and when, or why not and what to do about it. */
import { html } from "../preact.js";
import { Countdown, Moment } from "../time.js";
import { Badge } from "./badge.js";

/** @typedef {import("../types.js").Notice} Notice */

/** @type {Record<string, string>} */
const CHANNELS = { email: "Email", slack: "Slack", whatsapp: "WhatsApp" };

/** @param {string} channel */
export const channelInWords = (channel) => CHANNELS[channel.toLowerCase()] ?? channel;

/** @type {Record<Notice["state"], {tone: string, icon: string, words: string}>} */
export const NOTICE_STATES = {
  SENT: { tone: "good", icon: "check", words: "Sent" },
  RETRYING: { tone: "warn", icon: "again", words: "Retrying" },
  DEAD: { tone: "bad", icon: "cross", words: "Not delivered" },
  REQUESTED: { tone: "busy", icon: "dots", words: "Requested" },
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

/** @param {{notices: Notice[], label: string, act?: (notice: Notice) => any}} props act: what can be done, a column of its own */
export function Notices({ notices, label, act }) {
  return html`<table class="cards notices" role="table">
    <caption class="hidden">${label}</caption>
    <thead role="rowgroup"><tr role="row">
      ${["When", "Channel", "Message", "State"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      ${act && html`<th scope="col" role="columnheader"><span class="hidden">Actions</span></th>`}
    </tr></thead>
    <tbody role="rowgroup">${notices.map((notice) => html`<${Row} key=${notice.id} notice=${notice} act=${act} />`)}</tbody>
  </table>`;
}

/** @param {{notice: Notice, act?: (notice: Notice) => any}} props */
function Row({ notice, act }) {
  const { tone } = NOTICE_STATES[notice.state];
  return html`<tr role="row" class=${tone}>
    <td role="cell" data-label="When"><${Moment} at=${notice.lastAttemptAt ?? notice.createdAt} /></td>
    <td role="cell" data-label="Channel">${channelInWords(notice.channel)}</td>
    <td role="cell" data-label="Message" class="message"><span>
      ${notice.subject || html`<span class="quiet">Not written yet</span>`}
      <span class="sub">${REASONS[notice.reason] ?? notice.reason.toLowerCase()}${notice.recipients.length > 0 && ` · to ${notice.recipients.join(", ")}`}</span>
    </span></td>
    <td role="cell" data-label="State" class="verdict"><div><${NoticeVerdict} notice=${notice} /></div></td>
    ${act && html`<td role="cell" class="actions">${act(notice)}</td>`}
  </tr>`;
}

/** What became of it so far. @param {{notice: Notice}} props */
export function NoticeVerdict({ notice }) {
  const { tone, icon, words } = NOTICE_STATES[notice.state];
  const { failure } = notice;
  const attempts = notice.attempts > 1 ? ` after ${notice.attempts} attempts` : "";
  const next = notice.state === "RETRYING" && notice.nextAttemptAt;
  return html`
    <${Badge} tone=${tone} icon=${icon}>${words}<//>
    <span class="quiet">${attempts}${attempts && next && ","}${next && html` next <${Countdown} to=${next} />`}</span>
    ${notice.state === "SENT" && notice.providerMessageId && html`<span class="sub">Taken as <span class="code">${notice.providerMessageId}</span></span>`}
    ${notice.refused.length > 0 && html`<ul class="note warn" aria-label="Refused recipients">${notice.refused.map((words) => html`<li>${words}</li>`)}</ul>`}
    ${notice.state !== "SENT" && failure && html`<p class="failure"><code>${failure.code}</code>${failure.providerCode && html` <span class="quiet">(${failure.providerCode})</span>`} ${failure.message}
      ${failure.advice && html`<span class="advice"> ${failure.advice}</span>`}</p>`}
    ${notice.attempts > 1 && html`<${Attempts} notice=${notice} />`}
  `;
}

/** @param {{notice: Notice}} props */
function Attempts({ notice }) {
  return html`<details>
    <summary>Attempts</summary>
    <ol reversed class="runs">${notice.lastAttempts.map(({ at, sent, code, message }) => html`<li key=${at}><${Moment} at=${at} /> ${sent ? "sent" : html`${code && html`<code>${code}</code> `}${message}`}</li>`)}</ol>
  </details>`;
}
