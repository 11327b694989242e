import { sendNow } from "../data/commands.js";
import { RESUME } from "../data/documents.js";
import { useObservable } from "../data/observable.js";
import { refetch, store } from "../data/project_store.js";
import { gapOf, meaningsKnown } from "../data/schedules.js";
import { may } from "../data/session.js";
import { openDialog } from "../dialog_host.js";
import { BulkPauseDialog } from "../dialogs/bulk_pause.js";
import { RegisterDialog } from "../dialogs/register.js";
import { OpenAlerts } from "../parts/alerts/count.js";
import { Empty, Loading } from "../parts/empty.js";
import { Failure } from "../parts/failure.js";
import { Icon } from "../parts/icon.js";
import { useNow } from "../parts/moments.js";
import { Actions } from "../parts/projects/actions.js";
import { Freshness, LastRun, NextRun, Schedule, useStateOf, useWaitOf } from "../parts/projects/facts.js";
import { ClosedGate } from "../parts/projects/gate.js";
import { FromJira } from "../parts/projects/hooks.js";
import { Proof, ProofTrouble } from "../parts/projects/proof.js";
import { SetAsideLink } from "../parts/projects/quarantine.js";
import { StateBadges } from "../parts/projects/state_badges.js";
import { Why } from "../parts/projects/why.js";
import { html, useState } from "../preact.js";
import { projectAddress } from "../route.js";
import { asksForPeople } from "../text/completeness.js";
import { errorOf, stateOf, STATES } from "../text/project_state.js";

export function ProjectsPage() {
  const { loading, projects, error } = useObservable(store);
  const all = [...projects.values()].sort((one, other) => one.key.localeCompare(other.key));
  return html`
    <header class="page-head">
      <h1 tabindex="-1">Projects</h1>
      ${may("ADMIN") && html`<button type="button" onClick=${() => openDialog(RegisterDialog)}><${Icon} name="plus" />Register project</button>`}
    </header>
    <${Failure} error=${error} retry=${refetch} />
    <${ClosedGate} />
    ${loading && html`<${Loading} />`}
    ${!loading && !error && all.length === 0 && html`<${NoProjects} />`}
    ${all.length > 0 && html`<${Listing} all=${all} /><${FromJira} />`}
  `;
}

function NoProjects() {
  return html`<${Empty} title="No project is registered">
    ${may("ADMIN")
      ? html`<p>Register a project of your Jira: its issues, comments, worklogs and sprints are synced from then on.</p>`
      : html`<p>Either none is registered, or your token sees none. Ask an admin.</p>`}
  <//>`;
}

/** @param {{all: Api.Project[]}} props */
function Listing({ all }) {
  useObservable(meaningsKnown);
  const now = useNow(10_000);
  const [search, setSearch] = useState("");
  const [state, setState] = useState("");
  const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
  const counts = count(all, now);
  const searched = search.trim().toLowerCase();
  const found = all.filter(
    (project) =>
      `${project.key} ${project.jiraKey} ${project.name} ${project.site}`.toLowerCase().includes(searched) &&
      (!state || stateOf(project, now, gapOf(project)).name === state),
  );
  const picked = all.filter(({ uid }) => chosen.has(uid));
  return html`
    <div class="toolbar">
      <input type="search" aria-label="Search projects" placeholder="Search key, name or site" value=${search}
        onInput=${(/** @type {any} */ event) => setSearch(event.target.value)} />
      <${StateFilter} counts=${counts} total=${all.length} state=${state} onChange=${setState} />
    </div>
    ${picked.length > 0 && html`<${Bulk} picked=${picked} onDone=${() => setChosen(new Set())} />`}
    ${found.length > 0
      ? html`<${Table} projects=${found} chosen=${chosen} onChoose=${setChosen} />`
      : html`<${Empty} title="No project matches">
          <button type="button" class="small outline" onClick=${() => (setSearch(""), setState(""))}>Show all</button>
        <//>`}
  `;
}

/**
 * @param {Api.Project[]} projects
 * @param {number} now
 * @returns {Record<string, number>} how many are in each state
 */
function count(projects, now) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const project of projects) {
    const { name } = stateOf(project, now, gapOf(project));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** @param {{counts: Record<string, number>, total: number, state: string, onChange: (state: string) => void}} props */
function StateFilter({ counts, total, state, onChange }) {
  const choice = (/** @type {string} */ name, /** @type {string} */ text, /** @type {number} */ number, tone = "", icon = "") => html`
    <button type="button" key=${name} class="chip ${tone}" aria-pressed=${state === name ? "true" : "false"} onClick=${() => onChange(name)}>
      ${icon && html`<${Icon} name=${icon} />`}${text} <span class="number">${number}</span>
    </button>`;
  const present = Object.values(STATES).filter(({ name }) => counts[name] || name === state);
  return html`<div class="chips-row" role="group" aria-label="Filter by state">
    ${choice("", "All", total)}
    ${present.map(({ name, text, tone, icon }) => choice(name, text, counts[name] ?? 0, tone, icon))}
  </div>`;
}

/** @param {{picked: Api.Project[], onDone: () => void}} props */
function Bulk({ picked, onDone }) {
  const paused = picked.filter(({ syncJob }) => syncJob?.status === "PAUSED");
  const active = picked.filter(({ syncJob }) => syncJob && syncJob.status !== "PAUSED");
  const resume = async () => {
    await Promise.all(paused.map(({ uid, key }) => sendNow(RESUME, { id: uid }, `${key} is resumed.`)));
    onDone();
  };
  return html`<div class="bulk" role="group" aria-label="Selected projects">
    <strong>${picked.length} selected</strong>
    <button type="button" class="small" disabled=${!active.length} onClick=${() => openDialog(BulkPauseDialog, { projects: active, onDone })}><${Icon} name="pause" />Pause ${active.length || ""}</button>
    <button type="button" class="small" disabled=${!paused.length} onClick=${resume}><${Icon} name="resume" />Resume ${paused.length || ""}</button>
    <button type="button" class="small outline" onClick=${onDone}>Clear selection</button>
  </div>`;
}

/** @param {{projects: Api.Project[], chosen: Set<string>, onChoose: (chosen: Set<string>) => void}} props */
function Table({ projects, chosen, onChoose }) {
  const operates = may("OPERATOR");
  const every = projects.every(({ uid }) => chosen.has(uid));
  const toggleAll = () => onChoose(every ? new Set() : new Set(projects.map(({ uid }) => uid)));
  const toggle = (/** @type {string} */ uid) => {
    const next = new Set(chosen);
    next.delete(uid) || next.add(uid);
    onChoose(next);
  };
  return html`<table class="cards projects" role="table">
    <caption class="hidden">Projects and how fresh they are</caption>
    <thead role="rowgroup"><tr role="row">
      ${operates && html`<th scope="col" role="columnheader" class="pick"><input type="checkbox" aria-label="Select all" checked=${every} onChange=${toggleAll} /></th>`}
      ${["Project", "State", "Freshness", "Last run", "Next run"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      ${operates && html`<th scope="col" role="columnheader"><span class="hidden">Actions</span></th>`}
    </tr></thead>
    ${projects.map((project) => html`<${Row} key=${project.uid} project=${project} operates=${operates}
      chosen=${chosen.has(project.uid)} onToggle=${() => toggle(project.uid)} />`)}
  </table>`;
}

/** One body a project: its row and, when its data is not fresh, the row that says why. @param {{project: Api.Project, operates: boolean, chosen: boolean, onToggle: () => void}} props */
function Row({ project, operates, chosen, onToggle }) {
  const state = useStateOf(project);
  const waits = useWaitOf(project) !== null;
  const explained = waits || state.name === "paused" || state.name === "late" || errorOf(project) !== null || asksForPeople(project.census.status);
  return html`<tbody role="rowgroup" class="project ${state.tone}">
    <tr role="row">
      ${operates && html`<td role="cell" class="pick"><input type="checkbox" aria-label="Select ${project.key}" checked=${chosen} onChange=${onToggle} /></td>`}
      <th scope="row" role="rowheader" class="name">
        <a href=${projectAddress(project.uid)}>${project.key}</a>${project.jiraKey !== project.key && html` <span class="quiet">now ${project.jiraKey}</span>`}
        <span class="sub">${project.name !== project.key && `${project.name} · `}${project.site}</span>
      </th>
      <td role="cell" data-label="State"><span><${StateBadges} project=${project} state=${state} /><${OpenAlerts} uid=${project.uid} /><${SetAsideLink} project=${project} /></span></td>
      <td role="cell" data-label="Freshness"><span><${Freshness} project=${project} /><span class="sub"><${Proof} project=${project} /></span></span></td>
      <td role="cell" data-label="Last run"><${LastRun} project=${project} /></td>
      <td role="cell" data-label="Next run"><span><${NextRun} project=${project} /><span class="sub"><${Schedule} project=${project} /></span></span></td>
      ${operates && html`<td role="cell" class="actions-cell"><${Actions} project=${project} /></td>`}
    </tr>
    ${explained && html`<tr role="row" class="explanation">${operates && html`<td role="cell"></td>`}<td role="cell" colspan=${operates ? 6 : 5}><${Why} project=${project} />${asksForPeople(project.census.status) && html`<${ProofTrouble} project=${project} />`}</td></tr>`}
  </tbody>`;
}
