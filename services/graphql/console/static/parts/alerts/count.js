import { useObservable } from "../../data/observable.js";
import { alertsOf, store } from "../../data/project_store.js";
import { html } from "../../preact.js";
import { alertsAddress } from "../../route.js";

/** How many alerts of a project are open, as a way to them. @param {{uid: string}} props */
export function OpenAlerts({ uid }) {
  const { alerts } = useObservable(store);
  const count = alertsOf(alerts, uid).length;
  return count > 0 && html`<a class="below" href=${alertsAddress({ project: uid })}>${count} ${count === 1 ? "alert" : "alerts"}</a>`;
}
