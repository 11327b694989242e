import { html } from "../../preact.js";
import { logsAddress } from "../../route.js";
import { durationText } from "../../text/time.js";
import { SyncFailure } from "../failure.js";
import { Moment } from "../moments.js";
import { Result } from "./result.js";

const COUNTS = /** @type {const} */ (["issues", "comments", "worklogs", "sprints", "users", "appended", "quarantined", "requests"]);

/** Everything one run left behind. @param {{run: Api.SyncRun, uid: string}} props */
export function RunDetail({ run, uid }) {
  return html`<section class="run-detail" aria-label="Run">
    <header>
      <h3><${Result} result=${run.result} /> ${run.startedAt && html`<${Moment} at=${run.startedAt} />`}</h3>
      <a href=${logsAddress({ project: uid, run: run.id })}>Log of this run</a>
    </header>
    <dl class="grid-facts">
      <${Fact} name="Mode">${run.mode ? run.mode.toLowerCase() : "–"}<//>
      <${Fact} name="Why">${run.reason || "–"}<//>
      <${Fact} name="Took">${run.seconds === null ? "–" : durationText(run.seconds)}<//>
      <${Fact} name="Pages">${run.pagesTotal === null ? run.pagesDone : `${run.pagesDone} of ${run.pagesTotal}`}<//>
      ${COUNTS.map((name) => html`<${Fact} key=${name} name=${NAMES[name] ?? name}>${run[name].toLocaleString()}<//>`)}
      ${run.late > 0 && html`<${Fact} name="Late in Jira's index">${run.late.toLocaleString()}, the latest by ${durationText(run.latestSeconds ?? 0)}<//>`}
      ${run.overlapSeconds !== null && html`<${Fact} name="Looks back">${durationText(run.overlapSeconds)}<//>`}
      ${run.attempts !== null && html`<${Fact} name="Attempts">${run.attempts}<//>`}
    </dl>
    ${run.note && html`<p class="note">${run.note}</p>`}
    ${run.error && html`<${SyncFailure} error=${run.error} />`}
    ${run.warnings.length > 0 && html`<ul class="note warn" aria-label="Warnings">${run.warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}
    ${run.quarantine.length > 0 && html`<ul class="note warn" aria-label="Set aside when it ended">${run.quarantine.map((record) => html`<li>${record}</li>`)}</ul>`}
    ${run.details && html`<details><summary>Evidence</summary><pre tabindex="0">${JSON.stringify(run.details, null, 2)}</pre></details>`}
    <p class="quiet code">${run.id}</p>
  </section>`;
}

/** @type {Record<string, string>} */
const NAMES = {
  issues: "Issues",
  comments: "Comments",
  worklogs: "Worklogs",
  sprints: "Sprints",
  users: "Users",
  appended: "New events",
  quarantined: "Set aside",
  requests: "Jira requests",
};

/** @param {{name: string, children: any}} props */
function Fact({ name, children }) {
  return html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
}
