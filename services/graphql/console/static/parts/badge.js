/** A state in words, colour and icon: never by colour alone. */
import { html } from "../preact.js";
import { STATES } from "../project_state.js";
import { Icon } from "./icon.js";

/** @param {{tone: string, icon: string, children: any}} props */
export function Badge({ tone, icon, children }) {
  return html`<span class="badge ${tone}"><${Icon} name=${icon} spin=${icon === "sync"} />${children}</span>`;
}

/** How a project stands; that it is slowed down also while a run is in progress. @param {{project: import("../types.js").Project, state: import("../project_state.js").State}} props */
export function StateBadges({ project, state }) {
  const both = state === STATES.busy && project.syncJob?.backoff ? [state, STATES.slowed] : [state];
  return both.map(({ name, tone, icon, words }) => html`<${Badge} key=${name} tone=${tone} icon=${icon}>${words}<//> `);
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
