import { html } from "../preact.js";
import { Empty } from "../parts/empty.js";

/** Nothing raises alerts yet, and nothing is made up: the page says where failures are seen until then. */
export function AlertsPage() {
  return html`
    <header class="page-head"><h1 tabindex="-1">Alerts</h1></header>
    <${Empty} title="No alerts">
      <p>This release does not raise alerts yet; they will be listed here once it does.</p>
      <p>Until then a failing sync shows on <a href="#/projects">Projects</a>, with its cause and what to do, and in full in the <a href="#/logs?level=ERROR">log</a>.</p>
    <//>
  `;
}
