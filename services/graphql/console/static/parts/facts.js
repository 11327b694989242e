/** What a project's state is made of: freshness, last run, next run, each in words. */
import { html } from "../preact.js";
import { errorOf, freshUntil, stateOf } from "../project_state.js";
import { meaningOf, meaningsKnown } from "../schedules.js";
import { useObservable } from "../observable.js";
import { Ago, Behind, Moment, inWords, useNow } from "../time.js";
import { Result, RESULTS } from "./badge.js";
import { RunProgress } from "./run_progress.js";

/** @typedef {import("../types.js").Project} Project */

/** @param {{project: Project}} props */
export function Freshness({ project }) {
  const until = freshUntil(project);
  if (!until) return html`<span class="quiet">No data yet</span>`;
  return html`<span title="Read to the end at ${new Date(until).toLocaleString()}.">Issues <${Behind} since=${until} /> behind</span>`;
}

/** @param {{project: Project}} props */
export function LastRun({ project }) {
  const job = project.syncJob;
  if (job?.running) return html`<${RunProgress} project=${project} />`;
  if (!job?.lastRunAt) return html`<span class="quiet">None yet</span>`;
  const ended = job.lastEndedAt ?? job.lastRunAt;
  return html`${job.lastResult && job.lastResult in RESULTS && html`<${Result} result=${job.lastResult} /> `}<span class="quiet"><${Ago} at=${ended} /></span>`;
}

/** @param {{project: Project}} props */
export function NextRun({ project }) {
  const job = project.syncJob;
  if (!job) return null;
  if (job.status === "PAUSED") return html`<span class="quiet">None while paused</span>`;
  if (!job.nextRunAt) return html`<span class="quiet">Unknown</span>`;
  return html`<span><${In} at=${job.nextRunAt} /> <span class="quiet">at <${Moment} at=${job.nextRunAt} exact=${false} /></span></span>`;
}

/** "in 12 min". @param {{at: string}} props */
function In({ at }) {
  const left = Date.parse(at) - useNow();
  return html`${left > 0 ? inWords(left) : "due now"}`;
}

/** @param {{project: Project}} props */
export function Schedule({ project }) {
  useObservable(meaningsKnown);
  const job = project.syncJob;
  if (!job) return null;
  const words = meaningOf(job.cronSchedule, job.timezone)?.words ?? job.cronSchedule;
  return html`<span title="${job.cronSchedule} (${job.timezone})">${words}${job.timezone !== "UTC" && ` (${job.timezone})`}</span>`;
}

/** @param {Project} project */
export function useStateOf(project) {
  useObservable(meaningsKnown);
  return stateOf(project, useNow(10_000));
}

/** Why data is not fresh, in a sentence or two; null when it is. @param {{project: Project}} props */
export function Why({ project }) {
  const state = useStateOf(project);
  const job = project.syncJob;
  const error = errorOf(project);
  if (state.name === "paused" && job) return html`<${Paused} job=${job} />`;
  if (error) return html`<p class="why bad"><code>${error.code}</code> ${error.message} <span class="advice">${error.advice}</span></p>`;
  if (state.name === "late") return html`<p class="why warn">No sync has ended for longer than the schedule allows. Check that the ingestor and Temporal run.</p>`;
  return null;
}

/** @param {{job: import("../types.js").SyncJob}} props */
function Paused({ job }) {
  const by = job.pausedBy ? ` by ${job.pausedBy}` : "";
  return html`<p class="why idle">Paused${by}${job.pausedAt && html` <${Ago} at=${job.pausedAt} />`}${job.pauseReason && html`: “${job.pauseReason}”`}</p>`;
}
