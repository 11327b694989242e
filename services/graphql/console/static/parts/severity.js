/** How much an alert matters, and how it stands. */
import { html } from "../preact.js";
import { Badge } from "./badge.js";

/** @typedef {import("../types.js").Alert} Alert */

/** @type {Record<string, {tone: string, icon: string, words: string}>} */
const SEVERITIES = {
  critical: { tone: "bad", icon: "stop", words: "Critical" },
  warning: { tone: "warn", icon: "warning", words: "Warning" },
  info: { tone: "busy", icon: "info", words: "Info" },
};

/** @param {{severity: string}} alert */
export const severityOf = ({ severity }) => SEVERITIES[severity.toLowerCase()] ?? { tone: "idle", icon: "dots", words: severity };

/** What an alert that is over does not shout any more. @param {{alert: Alert}} props */
export function Severity({ alert }) {
  const { tone, icon, words } = severityOf(alert);
  return html`<${Badge} tone=${alert.status === "RESOLVED" ? "idle" : tone} icon=${icon}>${words}<//>`;
}

/** @param {{alert: Alert}} props */
export function Status({ alert }) {
  if (alert.status === "RESOLVED") return html`<${Badge} tone="good" icon="check">Resolved<//>`;
  if (alert.status === "ACKNOWLEDGED") return html`<${Badge} tone="busy" icon="eye">Acknowledged<//>`;
  return html`<${Badge} tone="warn" icon="bell">Open<//>`;
}
