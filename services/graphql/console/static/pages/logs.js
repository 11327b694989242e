import { downloadLog, useLog } from "../data/log.js";
import { useObservable } from "../data/observable.js";
import { store } from "../data/project_store.js";
import { Badge } from "../parts/badge.js";
import { Empty, Loading } from "../parts/empty.js";
import { Failure } from "../parts/failure.js";
import { Icon } from "../parts/icon.js";
import { Moment } from "../parts/moments.js";
import { html, useEffect, useState } from "../preact.js";
import { logsAddress, projectAddress, replaceAddress } from "../route.js";

const TYPING_PAUSE = 250; // ms

/** @param {{search: URLSearchParams}} props */
export function LogsPage({ search }) {
  const { loading, projects } = useObservable(store);
  const all = [...projects.values()].sort((one, other) => one.key.localeCompare(other.key));
  const uid = search.get("project") ?? all[0]?.uid;
  return html`
    <header class="page-head"><h1 tabindex="-1">Logs</h1></header>
    ${loading && html`<${Loading} />`}
    ${!loading && !uid && html`<${Empty} title="No project, no log"><p>A log begins with the first registered project.</p><//>`}
    ${!loading && uid && html`<${Log} key=${uid} uid=${uid} all=${all} search=${search} />`}
  `;
}

/** @param {{uid: string, all: Api.Project[], search: URLSearchParams}} props */
function Log({ uid, all, search }) {
  const filters = {
    level: /** @type {Api.SyncLogLevel | null} */ (search.get("level") || null),
    runId: search.get("run") || null,
    text: search.get("text") || null,
    warning: search.get("warnings") ? true : null,
  };
  const [following, setFollowing] = useState(true);
  const log = useLog(uid, filters, following);
  const change = (/** @type {Record<string, string>} */ changed) => {
    const given = Object.fromEntries(search);
    replaceAddress(logsAddress({ ...given, project: uid, ...changed }));
  };
  return html`
    <${Filters} uid=${uid} all=${all} search=${search} onChange=${change} />
    <div class="toolbar">
      <label class="check"><input type="checkbox" role="switch" checked=${following} onChange=${() => setFollowing(!following)} />Follow</label>
      <${FollowState} following=${following} waiting=${log.waiting} onShow=${log.show} />
      <${Download} uid=${uid} filters=${filters} />
    </div>
    <${Failure} error=${log.error} retry=${log.reload} />
    ${log.entries === null && !log.error && html`<${Loading} />`}
    ${log.entries?.length === 0 && html`<${Empty} title="No entries"><p>Nothing was logged that matches these filters.</p><//>`}
    ${log.entries !== null && log.entries.length > 0 && html`<${Entries} uid=${uid} entries=${log.entries} />`}
    ${log.more && html`<p class="center"><button type="button" class="outline" aria-busy=${log.busy ? "true" : "false"} onClick=${log.older}>Load older</button></p>`}
  `;
}

/** @param {{uid: string, all: Api.Project[], search: URLSearchParams, onChange: (changed: Record<string, string>) => void}} props */
function Filters({ uid, all, search, onChange }) {
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => onChange({ [name]: event.target.value });
  const run = search.get("run");
  return html`<form class="toolbar" aria-label="Filter the log" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <label>Project
      <select value=${uid} onChange=${(/** @type {any} */ event) => onChange({ project: event.target.value, run: "" })}>
        ${all.map((project) => html`<option key=${project.uid} value=${project.uid} selected=${project.uid === uid}>${project.key}</option>`)}
      </select>
    </label>
    <label>Level
      <select value=${search.get("level") ?? ""} onChange=${set("level")}>
        ${["", "ERROR", "INFO", "DEBUG"].map((level) => html`<option value=${level} selected=${level === (search.get("level") ?? "")}>${level || "all"}</option>`)}
      </select>
    </label>
    <${TextFilter} value=${search.get("text") ?? ""} onChange=${(/** @type {string} */ text) => onChange({ text })} />
    <label class="check"><input type="checkbox" checked=${Boolean(search.get("warnings"))}
      onChange=${(/** @type {any} */ event) => onChange({ warnings: event.target.checked ? "1" : "" })} />Only warnings</label>
    ${run && html`<span class="chip"><span class="code">run ${run.slice(-8)}</span>
      <button type="button" class="bare" aria-label="Show all runs" onClick=${() => onChange({ run: "" })}><${Icon} name="cross" /></button></span>`}
  </form>`;
}

/** @param {{value: string, onChange: (text: string) => void}} props */
function TextFilter({ value, onChange }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => onChange(typed), TYPING_PAUSE);
    return () => clearTimeout(timer);
  }, [typed]);
  return html`<label>Text
    <input type="search" value=${typed} placeholder="Found in the message" onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} />
  </label>`;
}

/** @param {{following: boolean, waiting: number, onShow: () => void}} props */
function FollowState({ following, waiting, onShow }) {
  const text = following ? "New entries appear at the top." : "New entries are not shown.";
  return html`<p class="quiet grow" role="status">
    ${waiting > 0 ? html`<button type="button" class="small" onClick=${onShow}>Show ${waiting} new ${waiting === 1 ? "entry" : "entries"}</button>` : text}
  </p>`;
}

/** @param {{uid: string, filters: import("../data/log.js").Filters}} props */
function Download({ uid, filters }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {import("../data/api.js").ApiError | null} */ (null));
  const download = async () => {
    setBusy(true);
    setError(null);
    await downloadLog(uid, filters).catch(setError);
    setBusy(false);
  };
  return html`<button type="button" class="small outline" aria-busy=${busy ? "true" : "false"} disabled=${busy} onClick=${download}>
      <${Icon} name="download" />Download NDJSON</button><${Failure} error=${error} />`;
}

/** @param {{uid: string, entries: Api.SyncLog[]}} props */
function Entries({ uid, entries }) {
  return html`<table class="log cards" role="table">
    <caption class="hidden">Log, newest first</caption>
    <thead role="rowgroup"><tr role="row">
      ${["Time", "Level", "Entry", "Run"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
    </tr></thead>
    <tbody role="rowgroup">${entries.map((entry) => html`<${Entry} key=${entry.id} uid=${uid} entry=${entry} />`)}</tbody>
  </table>`;
}

/** @param {{uid: string, entry: Api.SyncLog}} props */
function Entry({ uid, entry }) {
  const { code, advice } = /** @type {{code?: string, advice?: string}} */ (entry.details ?? {});
  return html`<tr role="row" class=${entry.level.toLowerCase()}>
    <td role="cell" data-label="Time"><${Moment} at=${entry.createdAt} /></td>
    <td role="cell" data-label="Level"><${Level} entry=${entry} /></td>
    <td role="cell" class="entry">
      <div>
        <div>
          <p>${code && html`<code>${code}</code> `}${entry.message}</p>
          ${advice && html`<p class="advice">${advice} <a href=${projectAddress(uid)}>State of the project</a></p>`}
        </div>
        ${hasDetails(entry) && html`<details><summary>Details</summary><pre tabindex="0">${JSON.stringify(entry.details, null, 2)}</pre></details>`}
      </div>
    </td>
    <td role="cell" data-label="Run">
      ${entry.runId && html`<a class="code" href=${logsAddress({ project: uid, run: entry.runId })} aria-label="Entries of run ${entry.runId}">${entry.runId.slice(-8)}</a>`}
    </td>
  </tr>`;
}

/** @param {Api.SyncLog} entry */
const hasDetails = ({ details }) => details && Object.keys(details).length > 0;

/** @param {{entry: Api.SyncLog}} props */
function Level({ entry }) {
  if (entry.level === "ERROR") return html`<${Badge} tone="bad" icon="cross">Error<//>`;
  if (entry.warning) return html`<${Badge} tone="warn" icon="warning">Warning<//>`;
  return html`<span class="quiet">${entry.level === "DEBUG" ? "Debug" : "Info"}</span>`;
}
