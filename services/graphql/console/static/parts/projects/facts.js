/** What a project's state is made of: freshness, last run, next run, each as text. */
import { useObservable } from "../../data/observable.js";
import { gapOf, meaningOf, meaningsKnown } from "../../data/schedules.js";
import { html } from "../../preact.js";
import { freshUntil, stateOf, waitOf } from "../../text/project_state.js";
import { durationText, relativeText } from "../../text/time.js";
import { Ago, Behind, Countdown, Moment, useNow } from "../moments.js";
import { RunProgress } from "../runs/progress.js";
import { Result, RESULTS } from "../runs/result.js";

/** @param {{project: Api.Project}} props */
export function Freshness({ project }) {
  const until = freshUntil(project);
  if (!until) return html`<span class="quiet">No data yet</span>`;
  return html`<span title="Read to the end at ${new Date(until).toLocaleString()}.">Issues <${Behind} since=${until} /> behind</span>`;
}

/** @param {{project: Api.Project}} props */
export function LastRun({ project }) {
  const job = project.syncJob;
  if (job?.running) return html`<${RunProgress} project=${project} />`;
  if (!job?.lastRunAt) return html`<span class="quiet">None yet</span>`;
  const ended = job.lastEndedAt ?? job.lastRunAt;
  return html`${job.lastResult && job.lastResult in RESULTS && html`<${Result} result=${job.lastResult} /> `}<span class="quiet"><${Ago} at=${ended} /></span>`;
}

/** @param {{project: Api.Project}} props */
export function NextRun({ project }) {
  const job = project.syncJob;
  if (!job) return null;
  if (job.status === "PAUSED") return html`<span class="quiet">None while paused</span>`;
  const probe = job.backoff?.nextRunAt;
  if (probe) return html`<span>Probe <${Countdown} to=${probe} /> <span class="quiet">at <${Moment} at=${probe} exact=${false} /></span></span>`;
  if (!job.nextRunAt) return html`<span class="quiet">Unknown</span>`;
  return html`<span><${In} at=${job.nextRunAt} /> <span class="quiet">at <${Moment} at=${job.nextRunAt} exact=${false} /></span></span>`;
}

/** "in 12 min". @param {{at: string}} props */
function In({ at }) {
  const left = Date.parse(at) - useNow();
  return html`${left > 0 ? relativeText(left) : "due now"}`;
}

/** @param {{project: Api.Project}} props */
export function Schedule({ project }) {
  useObservable(meaningsKnown);
  const job = project.syncJob;
  if (!job) return null;
  const text = job.backoff
    ? `Every ${durationText(job.backoff.seconds)} for now`
    : job.stretch
      ? `Every ${durationText(job.stretch.seconds)} while webhooks are alive`
      : scheduleText(job);
  return html`<span title="${job.cronSchedule} (${job.timezone})">${text}</span>`;
}

/** The schedule that people set: "Every 15 minutes". @param {Api.SyncJob} job */
export function scheduleText(job) {
  const text = meaningOf(job)?.text ?? job.cronSchedule;
  return job.timezone === "UTC" ? text : `${text} (${job.timezone})`;
}

/** @param {Api.Project} project */
export function useStateOf(project) {
  useObservable(meaningsKnown);
  return stateOf(project, useNow(10_000), gapOf(project));
}

/** @param {Api.Project} project */
export const useWaitOf = (project) => waitOf(project, useNow(10_000));
