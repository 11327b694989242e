/** How a run ended. */
import { html } from "../../preact.js";
import { Icon } from "../icon.js";

/** @type {Record<Api.SyncRunResult, import("../badge.js").Look>} */
export const RESULTS = {
  SUCCESS: { tone: "good", icon: "check", text: "Success" },
  ERROR: { tone: "bad", icon: "cross", text: "Failed" },
  CANCELLED: { tone: "idle", icon: "pause", text: "Cancelled" },
  RUNNING: { tone: "busy", icon: "sync", text: "Running" },
};

/** Small: for tables. @param {{result: Api.SyncRunResult}} props */
export function Result({ result }) {
  const { tone, icon, text } = RESULTS[result];
  return html`<span class="result ${tone}"><${Icon} name=${icon} spin=${icon === "sync"} />${text}</span>`;
}
