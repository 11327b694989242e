/** A state in words, colour and icon: never by colour alone. */
import { html } from "../preact.js";
import { Icon } from "./icon.js";

/** @param {{tone: string, icon: string, children: any}} props */
export function Badge({ tone, icon, children }) {
  return html`<span class="badge ${tone}"><${Icon} name=${icon} spin=${icon === "sync"} />${children}</span>`;
}

/** @param {{state: import("../project_state.js").State}} props */
export function StateBadge({ state }) {
  return html`<${Badge} tone=${state.tone} icon=${state.icon}>${state.words}<//>`;
}

/** @type {Record<string, {tone: string, icon: string, words: string}>} */
export const RESULTS = {
  SUCCESS: { tone: "good", icon: "check", words: "Success" },
  ERROR: { tone: "bad", icon: "cross", words: "Failed" },
  CANCELLED: { tone: "idle", icon: "pause", words: "Cancelled" },
  RUNNING: { tone: "busy", icon: "sync", words: "Running" },
};

/** How a run ended, small: for tables. @param {{result: string}} props */
export function Result({ result }) {
  const { tone, icon, words } = RESULTS[result] ?? { tone: "idle", icon: "dots", words: result };
  return html`<span class="result ${tone}"><${Icon} name=${icon} spin=${icon === "sync"} />${words}</span>`;
}
