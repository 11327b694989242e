import { ALERTS as DOCUMENT } from "../data/documents.js";
import { useList } from "../data/list.js";
import { ALERTS } from "../data/project_store.js";
import { AlertList } from "../parts/alerts/card.js";
import { Empty, Loading } from "../parts/empty.js";
import { Failure } from "../parts/failure.js";
import { ProjectFilter, SelectFilter } from "../parts/forms/filters.js";
import { html } from "../preact.js";
import { alertsAddress, replaceAddress } from "../route.js";
import { CODES } from "../text/alerts.js";

/** @type {[string, string][]} */
const STATUSES = [
  ["", "all"],
  ["OPEN", "open"],
  ["ACKNOWLEDGED", "acknowledged"],
  ["RESOLVED", "resolved"],
];

/** @type {[string, string][]} */
const CODE_OPTIONS = [["", "all"], ...CODES.map((code) => /** @type {[string, string]} */ ([code, code]))];

/** What is wrong now, then what was. @param {{search: URLSearchParams}} props */
export function AlertsPage({ search }) {
  const status = /** @type {Api.AlertStatus | ""} */ (search.get("status") ?? "");
  const filters = { projectId: search.get("project") || null, code: search.get("code") || null };
  const change = (/** @type {Record<string, string>} */ changed) => replaceAddress(alertsAddress({ ...Object.fromEntries(search), ...changed }));
  return html`
    <header class="page-head"><h1 tabindex="-1">Alerts</h1></header>
    <form class="toolbar" aria-label="Filter alerts" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${SelectFilter} label="Status" value=${status} options=${STATUSES} onChange=${(/** @type {string} */ next) => change({ status: next })} />
      <${ProjectFilter} value=${filters.projectId ?? ""} onChange=${(/** @type {string} */ project) => change({ project })} />
      <${SelectFilter} label="Code" value=${filters.code ?? ""} options=${CODE_OPTIONS} onChange=${(/** @type {string} */ code) => change({ code })} />
    </form>
    ${status !== "RESOLVED" && html`<${Part} title="Open" filters=${{ ...filters, status: status ? [status] : ["OPEN", "ACKNOWLEDGED"] }} nothing="Nothing needs attention." />`}
    ${(status === "" || status === "RESOLVED") && html`<${Part} title="Resolved" filters=${{ ...filters, status: ["RESOLVED"] }} nothing="No alert is over yet." />`}
  `;
}

/** @param {{title: string, filters: {projectId: string | null, code: string | null, status: Api.AlertStatus[]}, nothing: string}} props */
function Part({ title, filters, nothing }) {
  const list = useList(DOCUMENT, filters, ALERTS);
  const narrowed = filters.projectId ?? filters.code;
  return html`<section>
    <h2>${title}</h2>
    <${Failure} error=${list.error} retry=${list.reload} />
    ${list.items === null && !list.error && html`<${Loading} />`}
    ${list.items?.length === 0 && html`<${Empty} title="None"><p>${narrowed ? "None matches these filters." : nothing}</p><//>`}
    ${list.items !== null && list.items.length > 0 && html`<${AlertList} label="${title} alerts" alerts=${list.items} />`}
    ${list.more && html`<p class="center"><button type="button" class="outline" aria-busy=${list.busy ? "true" : "false"} onClick=${list.next}>Load older</button></p>`}
  </section>`;
}
