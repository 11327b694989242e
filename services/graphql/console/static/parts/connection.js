import { connection } from "../data/live.js";
import { useObservable } from "../data/observable.js";
import { store } from "../data/project_store.js";
import { html } from "../preact.js";
import { Moment } from "./moments.js";

/** @type {Record<import("../data/live.js").Connection, {tone: string, text: string}>} */
const STATES = {
  off: { tone: "idle", text: "off" },
  connecting: { tone: "idle", text: "connecting" },
  live: { tone: "good", text: "live" },
  reconnecting: { tone: "warn", text: "reconnecting" },
  asleep: { tone: "idle", text: "paused while hidden" },
};

/** Whether what is shown follows what happens. */
export function Connection() {
  const name = useObservable(connection);
  const { at } = useObservable(store);
  const { tone, text } = STATES[name];
  const old = name === "reconnecting" && at > 0;
  return html`<p class="connection ${tone}" role="status" aria-label="Connection">
    <span class="dot" aria-hidden="true"></span>${text}${old && html`<span class="as-of">, data of <${Moment} at=${new Date(at).toISOString()} exact=${false} /></span>`}
  </p>`;
}
