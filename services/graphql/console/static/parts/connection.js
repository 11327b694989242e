import { connection } from "../live.js";
import { useObservable } from "../observable.js";
import { html } from "../preact.js";
import { store } from "../project_store.js";
import { Moment } from "../time.js";

/** @type {Record<import("../live.js").Connection, {tone: string, words: string}>} */
const STATES = {
  off: { tone: "idle", words: "off" },
  connecting: { tone: "idle", words: "connecting" },
  live: { tone: "good", words: "live" },
  reconnecting: { tone: "warn", words: "reconnecting" },
  asleep: { tone: "idle", words: "paused while hidden" },
};

/** Whether what is shown follows what happens. */
export function Connection() {
  const name = useObservable(connection);
  const { at } = useObservable(store);
  const { tone, words } = STATES[name];
  const old = name === "reconnecting" && at > 0;
  return html`<p class="connection ${tone}" role="status" aria-label="Connection">
    <span class="dot" aria-hidden="true"></span>${words}${old && html`<span class="as-of">, data of <${Moment} at=${new Date(at).toISOString()} exact=${false} /></span>`}
  </p>`;
}
