import { useAnswer } from "../answer.js";
import { openDialog } from "../dialog_host.js";
import { WatchListDialog } from "../dialogs/watch_list.js";
import { PROJECT, UPCOMING_RUNS } from "../documents.js";
import { useObservable } from "../observable.js";
import { html, useState } from "../preact.js";
import { errorOf } from "../project_state.js";
import { store } from "../project_store.js";
import { logsAddress } from "../route.js";
import { may } from "../session.js";
import { Behind, Moment, inWords, useNow } from "../time.js";
import { Absences } from "../parts/absences.js";
import { Actions } from "../parts/actions.js";
import { Badge, StateBadges } from "../parts/badge.js";
import { Changes } from "../parts/changes.js";
import { Empty, Loading } from "../parts/empty.js";
import { Failure } from "../parts/failure.js";
import { Drifts } from "../parts/drifts.js";
import { Freshness, LastRun, NextRun, Schedule, useStateOf } from "../parts/facts.js";
import { Icon } from "../parts/icon.js";
import { Name } from "../parts/people_picker.js";
import { RunDetail } from "../parts/run_detail.js";
import { ProjectAlerts } from "../parts/project_alerts.js";
import { RunTimeline } from "../parts/run_timeline.js";
import { Why } from "../parts/why.js";

/** @typedef {import("../types.js").Project} Project */
/** @typedef {import("../types.js").SyncState} SyncState */

/** @param {{uid: string}} props */
export function ProjectPage({ uid }) {
  const { loading, projects } = useObservable(store);
  const project = projects.get(uid);
  if (project) return html`<${Known} key=${uid} project=${project} />`;
  return html`<header class="page-head"><h1 tabindex="-1">Project</h1></header>
    ${loading
      ? html`<${Loading} />`
      : html`<${Empty} title="This project is not registered"><p>Or your token does not see it. <a href="#/projects">All projects</a></p><//>`}`;
}

/** @param {{project: Project}} props */
function Known({ project }) {
  const state = useStateOf(project);
  const { data, error, reload } = useAnswer(PROJECT, { id: project.uid }, project.uid);
  const detail = data?.project;
  return html`
    <header class="page-head">
      <div>
        <p class="crumbs"><a href="#/projects">Projects</a> / ${project.site}</p>
        <h1 tabindex="-1">${project.key} <span class="quiet">${project.name !== project.key && project.name}</span> <${StateBadges} project=${project} state=${state} /></h1>
      </div>
      <${Actions} project=${project} all />
    </header>
    <${Why} project=${project} />
    <dl class="headline">
      <div><dt>Freshness</dt><dd><${Freshness} project=${project} /></dd></div>
      <div><dt>Last run</dt><dd><${LastRun} project=${project} /></dd></div>
      <div><dt>Next run</dt><dd><${NextRun} project=${project} /></dd></div>
      <div><dt>Schedule</dt><dd><${Schedule} project=${project} /></dd></div>
    </dl>
    <${Failure} error=${error} retry=${reload} />
    <${ProjectAlerts} project=${project} silences=${detail?.silences ?? []} onChange=${reload} />
    <${Entities} project=${project} />
    ${detail ? html`<${Detail} project=${project} detail=${detail} drifts=${data.schemaDrifts} />` : !error && html`<${Loading} />`}
  `;
}

/** @param {{project: Project, detail: any, drifts: import("../types.js").SchemaDrift[]}} props */
function Detail({ project, detail, drifts }) {
  return html`
    <${Runs} project=${project} runs=${detail.syncRuns} />
    <div class="columns">
      <${Upcoming} project=${project} />
      <${WatchList} project=${project} people=${detail.trackedUsers} />
    </div>
    <${Drifts} drifts=${drifts} />
    <${Changes} changes=${detail.changes} />
    <${Absences} project=${project} />
  `;
}

/** @type {Record<string, {tone: string, icon: string, words: string}>} */
const STATUSES = {
  SUCCESS: { tone: "good", icon: "check", words: "Synced" },
  RUNNING: { tone: "busy", icon: "sync", words: "Syncing" },
  FAILED: { tone: "bad", icon: "cross", words: "Failed" },
  IDLE: { tone: "idle", icon: "dots", words: "Waiting" },
};

const ORDER = ["issue", "comment", "worklog", "sprint", "user"];

/** @param {{project: Project}} props */
function Entities({ project }) {
  if (!project.syncStates.length) {
    return html`<section><h2>Entities</h2><${Empty} title="Nothing synced yet"><p>The first run fills this table.</p><//></section>`;
  }
  const states = [...project.syncStates].sort((one, other) => ORDER.indexOf(one.entity) - ORDER.indexOf(other.entity));
  return html`<section>
    <h2>Entities</h2>
    <table class="cards" role="table">
      <caption class="hidden">How fresh each kind of entity is</caption>
      <thead role="rowgroup"><tr role="row">
        ${["Entity", "State", "Behind", "Last success", "Watermark"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
        <th scope="col" role="columnheader" class="count">Rows read</th>
      </tr></thead>
      <tbody role="rowgroup">${states.map((state) => html`<${Entity} key=${state.entity} state=${state} told=${errorOf(project)} />`)}</tbody>
    </table>
  </section>`;
}

/** @param {{state: SyncState, told: import("../types.js").SyncError | null}} props told: the error that the page tells above */
function Entity({ state, told }) {
  const { tone, icon, words } = STATUSES[state.status] ?? { ...STATUSES.IDLE, words: state.status };
  const ever = Date.parse(state.lastSyncTime) > 0; // 1970 means never
  return html`<tr role="row">
    <th scope="row" role="rowheader">${state.entity}</th>
    <td role="cell" data-label="State">
      <span>
        <${Badge} tone=${tone} icon=${icon}>${words}<//>${state.error && html` <code>${state.error.code}</code>`}
        ${state.error && state.error.message !== told?.message && html`<span class="sub">${state.error.message} ${state.error.advice}</span>`}
      </span>
    </td>
    <td role="cell" data-label="Behind">${ever ? html`<${Behind} since=${state.lastSyncTime} />` : "–"}</td>
    <td role="cell" data-label="Last success">${ever ? html`<${Moment} at=${state.lastSyncTime} />` : "never"}</td>
    <td role="cell" data-label="Watermark">${state.watermark ? html`<${Moment} at=${state.watermark} />` : "–"}</td>
    <td role="cell" data-label="Rows read" class="count">${state.rows.toLocaleString()}</td>
  </tr>`;
}

/** @param {{project: Project, runs: import("../types.js").SyncRun[]}} props runs: newest first */
function Runs({ project, runs }) {
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  const run = runs.find(({ id }) => id === chosen) ?? runs[0];
  return html`<section>
    <header class="section-head"><h2>Runs</h2><a href=${logsAddress({ project: project.uid })}><${Icon} name="logs" />Log</a></header>
    ${run
      ? html`<div class="runs-box">
          <${RunTimeline} runs=${runs} chosen=${run.id} onChoose=${setChosen} />
          <${RunDetail} run=${run} uid=${project.uid} />
        </div>`
      : html`<${Empty} title="No runs yet"><p>The first starts when the schedule says so, or with “Sync now”.</p><//>`}
  </section>`;
}

/** What Temporal will do, which is not always what the cron says. @param {{project: Project}} props */
function Upcoming({ project }) {
  const job = project.syncJob;
  const version = [job?.cronSchedule, job?.timezone, job?.status, job?.lastRunAt, job?.backoff?.level].join(" ");
  const { data, error, reload } = useAnswer(UPCOMING_RUNS, { id: project.uid }, null, version);
  /** @type {string[]} */
  const runs = data?.project?.syncJob?.upcomingRuns ?? [];
  return html`<section>
    <h2>Upcoming runs</h2>
    <${Failure} error=${error} retry=${reload} />
    ${data && (runs.length ? html`<${Runlist} runs=${runs} />` : html`<p class="quiet">${job?.status === "PAUSED" ? "None while paused." : "Temporal plans none."}</p>`)}
    ${!data && !error && html`<${Loading} />`}
  </section>`;
}

/** @param {{runs: string[]}} props */
function Runlist({ runs }) {
  const now = useNow();
  return html`<ol class="runs" aria-label="Upcoming runs">
    ${runs.map((run) => html`<li key=${run}><${Moment} at=${run} /> <span class="quiet">${inWords(Date.parse(run) - now)}</span></li>`)}
  </ol><p class="quiet">As Temporal says.</p>`;
}

/** @param {{project: Project, people: import("../types.js").Person[]}} props */
function WatchList({ project, people }) {
  return html`<section>
    <header class="section-head">
      <h2>Watch list</h2>
      ${may("ADMIN") && html`<button type="button" class="small outline" aria-label="Edit watch list of ${project.key}" onClick=${() => openDialog(WatchListDialog, { project, people })}><${Icon} name="people" />Edit watch list</button>`}
    </header>
    ${people.length
      ? html`<ul class="chips" aria-label="Watched people">${people.map((person) => html`<li key=${person.id}><${Name} person=${person} /></li>`)}</ul>`
      : html`<p class="quiet">Nobody: every issue of the project is synced.</p>`}
  </section>`;
}
