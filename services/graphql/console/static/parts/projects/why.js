/** Why data is not fresh, what a run waits for, and what happens next. */
import { html } from "../../preact.js";
import { runsText } from "../../text/alerts.js";
import { errorOf } from "../../text/project_state.js";
import { durationText } from "../../text/time.js";
import { DocsLink } from "../docs_link.js";
import { Ago, Behind, Moment } from "../moments.js";
import { scheduleText, useStateOf, useWaitOf } from "./facts.js";

/** In a sentence or two each; nothing when data is fresh and no run waits. @param {{project: Api.Project}} props */
export function Why({ project }) {
  const wait = useWaitOf(project);
  return html`${wait && html`<${Waiting} wait=${wait} />`}<${NotFresh} project=${project} />`;
}

/** @param {{wait: import("../../text/project_state.js").Wait}} props */
function Waiting({ wait }) {
  const { until, whom, code, why } = wait;
  return html`<div class="why warn"><p>Waits for ${whom}${code && ` (${code})`} until <${Moment} at=${until} exact=${false} />. <span class="advice">${why}</span></p></div>`;
}

/** @param {{project: Api.Project}} props */
function NotFresh({ project }) {
  const state = useStateOf(project);
  const job = project.syncJob;
  const error = errorOf(project);
  if (state.name === "paused" && job) return html`<${Paused} job=${job} />`;
  if (error) return html`<${Failing} error=${error} job=${job} />`;
  if (state.name === "late") return html`<p class="why warn">No sync has ended for longer than the schedule allows. Check that the ingestor and Temporal run.</p>`;
  return null;
}

/** @param {{error: import("../../text/project_state.js").SyncError, job: Api.SyncJob | null}} props */
function Failing({ error, job }) {
  const backoff = job?.backoff;
  return html`<div class="why bad">
    <p><code>${error.code}</code> ${error.message} <span class="advice">${error.advice} <${DocsLink} docs=${error.docs} /></span></p>
    ${(error.since || backoff) && html`<p class="quiet">
      ${error.since && html`Failing for <${Behind} since=${error.since} />, ${inARow(error.attempts ?? backoff?.failures ?? 1)}. `}
      ${job && backoff && html`Slowed down to level ${backoff.level}: one run every ${durationText(backoff.seconds)} until one succeeds, then ${inSentence(scheduleText(job))} again.`}
    </p>`}
  </div>`;
}

/** @param {string} text that begin a sentence */
const inSentence = (text) => text[0].toLowerCase() + text.slice(1);

/** @param {number} runs */
const inARow = (runs) => (runs > 1 ? `${runsText(runs)} in a row` : "1 run so far");

/** @param {{job: Api.SyncJob}} props */
function Paused({ job }) {
  const by = job.pausedBy ? ` by ${job.pausedBy}` : "";
  return html`<p class="why idle">Paused${by}${job.pausedAt && html` <${Ago} at=${job.pausedAt} />`}${job.pauseReason && html`: “${job.pauseReason}”`}</p>`;
}
