import { useAnswer } from "../data/answer.js";
import { PROJECT, UPCOMING_RUNS } from "../data/documents.js";
import { useObservable } from "../data/observable.js";
import { store } from "../data/project_store.js";
import { may } from "../data/session.js";
import { openDialog } from "../dialog_host.js";
import { WatchListDialog } from "../dialogs/watch_list.js";
import { ProjectAlerts } from "../parts/alerts/of_project.js";
import { Badge } from "../parts/badge.js";
import { Empty, Loading } from "../parts/empty.js";
import { Failure } from "../parts/failure.js";
import { Name } from "../parts/forms/people_picker.js";
import { Icon } from "../parts/icon.js";
import { Behind, Moment, useNow } from "../parts/moments.js";
import { Absences } from "../parts/projects/absences.js";
import { Actions } from "../parts/projects/actions.js";
import { Changes } from "../parts/projects/changes.js";
import { Drifts } from "../parts/projects/drifts.js";
import { Freshness, LastRun, NextRun, Schedule, useStateOf } from "../parts/projects/facts.js";
import { Completeness, Proof, ProofTrouble } from "../parts/projects/proof.js";
import { Quarantine, SetAsideBadge } from "../parts/projects/quarantine.js";
import { StateBadges } from "../parts/projects/state_badges.js";
import { Why } from "../parts/projects/why.js";
import { RunDetail } from "../parts/runs/detail.js";
import { RunTimeline } from "../parts/runs/timeline.js";
import { html, useState } from "../preact.js";
import { logsAddress } from "../route.js";
import { errorOf } from "../text/project_state.js";
import { relativeText } from "../text/time.js";

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

/** @param {{project: Api.Project}} props */
function Known({ project }) {
  const state = useStateOf(project);
  const { data, error, reload } = useAnswer(PROJECT, { id: project.uid }, project.uid);
  const detail = data?.project;
  return html`
    <header class="page-head">
      <div>
        <p class="crumbs"><a href="#/projects">Projects</a> / ${project.site}</p>
        <h1 tabindex="-1">${project.key} ${project.jiraKey !== project.key && html`<span class="quiet">now ${project.jiraKey} in Jira</span>`} <span class="quiet">${project.name !== project.key && project.name}</span> <${StateBadges} project=${project} state=${state} /><${SetAsideBadge} project=${project} /></h1>
      </div>
      <${Actions} project=${project} all />
    </header>
    <${Why} project=${project} /><${ProofTrouble} project=${project} page />
    <dl class="headline">
      <div><dt>Freshness</dt><dd><${Freshness} project=${project} /></dd></div>
      <div><dt>Issues here</dt><dd><${Proof} project=${project} /></dd></div>
      <div><dt>Last run</dt><dd><${LastRun} project=${project} /></dd></div>
      <div><dt>Next run</dt><dd><${NextRun} project=${project} /></dd></div>
      <div><dt>Schedule</dt><dd><${Schedule} project=${project} /></dd></div>
    </dl>
    <${Failure} error=${error} retry=${reload} />
    <${ProjectAlerts} project=${project} silences=${detail?.silences ?? []} onChange=${reload} />
    <${Quarantine} project=${project} />
    <${Completeness} project=${project} />
    <${Entities} project=${project} />
    ${detail ? html`<${Detail} project=${project} detail=${detail} drifts=${data.schemaDrifts} />` : !error && html`<${Loading} />`}
  `;
}

/** @param {{project: Api.Project, detail: NonNullable<Api.Operations["ProjectPage"]["data"]["project"]>, drifts: Api.SchemaDrift[]}} props */
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

/** @type {Record<string, import("../parts/badge.js").Look>} */
const STATUSES = {
  SUCCESS: { tone: "good", icon: "check", text: "Synced" },
  RUNNING: { tone: "busy", icon: "sync", text: "Syncing" },
  FAILED: { tone: "bad", icon: "cross", text: "Failed" },
  IDLE: { tone: "idle", icon: "dots", text: "Waiting" },
};

const ORDER = ["issue", "comment", "worklog", "sprint", "user"];

/** @param {{project: Api.Project}} props */
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
      <tbody role="rowgroup">${states.map((state) => html`<${Entity} key=${state.entity} state=${state} shown=${errorOf(project)} />`)}</tbody>
    </table>
  </section>`;
}

/** @param {{state: Api.SyncState, shown: import("../text/project_state.js").SyncError | null}} props shown: the error that the page shows above */
function Entity({ state, shown }) {
  const { tone, icon, text } = STATUSES[state.status] ?? { ...STATUSES.IDLE, text: state.status };
  const ever = Date.parse(state.lastSyncTime) > 0; // 1970 means never
  return html`<tr role="row">
    <th scope="row" role="rowheader">${state.entity}</th>
    <td role="cell" data-label="State">
      <span>
        <${Badge} tone=${tone} icon=${icon}>${text}<//>${state.error && html` <code>${state.error.code}</code>`}
        ${state.error && state.error.message !== shown?.message && html`<span class="sub">${state.error.message} ${state.error.advice}</span>`}
      </span>
    </td>
    <td role="cell" data-label="Behind">${ever ? html`<${Behind} since=${state.lastSyncTime} />` : "–"}</td>
    <td role="cell" data-label="Last success">${ever ? html`<${Moment} at=${state.lastSyncTime} />` : "never"}</td>
    <td role="cell" data-label="Watermark">${state.watermark ? html`<${Moment} at=${state.watermark} />` : "–"}</td>
    <td role="cell" data-label="Rows read" class="count">${state.rows.toLocaleString()}</td>
  </tr>`;
}

/** @param {{project: Api.Project, runs: Api.SyncRun[]}} props runs: newest first */
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

/** What Temporal will do, which is not always what the cron says. @param {{project: Api.Project}} props */
function Upcoming({ project }) {
  const job = project.syncJob;
  const version = [job?.cronSchedule, job?.timezone, job?.status, job?.lastRunAt, job?.backoff?.level, job?.stretch?.seconds].join(" ");
  const { data, error, reload } = useAnswer(UPCOMING_RUNS, { id: project.uid }, null, version);
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
    ${runs.map((run) => html`<li key=${run}><${Moment} at=${run} /> <span class="quiet">${relativeText(Date.parse(run) - now)}</span></li>`)}
  </ol><p class="quiet">As Temporal says.</p>`;
}

/** @param {{project: Api.Project, people: Api.Person[]}} props */
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
