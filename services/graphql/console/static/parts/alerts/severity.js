/** How much an alert matters, and how it stands. */
import { html } from "../../preact.js";
import { Badge } from "../badge.js";

/** @type {Record<string, import("../badge.js").Look>} */
const SEVERITIES = {
  critical: { tone: "bad", icon: "stop", text: "Critical" },
  warning: { tone: "warn", icon: "warning", text: "Warning" },
  info: { tone: "busy", icon: "info", text: "Info" },
};

/** @param {{severity: string}} alert */
export const severityOf = ({ severity }) => SEVERITIES[severity.toLowerCase()] ?? { tone: "idle", icon: "dots", text: severity };

/** What an alert that is over does not shout any more. @param {{alert: Api.Alert}} props */
export function Severity({ alert }) {
  const { tone, icon, text } = severityOf(alert);
  return html`<${Badge} tone=${alert.status === "RESOLVED" ? "idle" : tone} icon=${icon}>${text}<//>`;
}

/** @param {{alert: Api.Alert}} props */
export function Status({ alert }) {
  if (alert.status === "RESOLVED") return html`<${Badge} tone="good" icon="check">Resolved<//>`;
  if (alert.status === "ACKNOWLEDGED") return html`<${Badge} tone="busy" icon="eye">Acknowledged<//>`;
  return html`<${Badge} tone="warn" icon="bell">Open<//>`;
}
