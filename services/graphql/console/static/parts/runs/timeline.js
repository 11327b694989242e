/** The last runs as bars: height says how long, colour and shape say how it ended. One tab stop, arrow keys move. */
import { html } from "../../preact.js";
import { durationText, localFull } from "../../text/time.js";
import { RESULTS } from "./result.js";

const LEAST_HEIGHT = 8; // per cent, so that the shortest run can be seen and hit

/** @param {{runs: Api.SyncRun[], chosen: string | null, onChoose: (id: string) => void}} props runs: newest first */
export function RunTimeline({ runs, chosen, onChoose }) {
  const longest = Math.max(1, ...runs.map(({ seconds }) => seconds ?? 0));
  return html`<figure class="timeline">
    <div class="bars" role="radiogroup" aria-label="Last ${runs.length} runs, oldest first">
      ${[...runs].reverse().map((run) => html`<${Bar} key=${run.id} run=${run} longest=${longest} chosen=${run.id === chosen} onChoose=${onChoose} />`)}
    </div>
    <figcaption>
      <ul class="legend" aria-label="Legend">
        ${Object.entries(RESULTS).map(([result, { text }]) => html`<li key=${result}><span class="bar ${result.toLowerCase()}"></span>${text}</li>`)}
      </ul>
      <span class="quiet">Height: duration, up to ${durationText(longest)}</span>
    </figcaption>
  </figure>`;
}

/** @param {{run: Api.SyncRun, longest: number, chosen: boolean, onChoose: (id: string) => void}} props */
function Bar({ run, longest, chosen, onChoose }) {
  const share = Math.max(LEAST_HEIGHT, (100 * (run.seconds ?? 0)) / longest);
  const text = describe(run);
  return html`<label class="slot" title=${text}>
    <input type="radio" name="run" checked=${chosen} onChange=${() => onChoose(run.id)} aria-label=${text} />
    <span class="bar ${run.result.toLowerCase()}" style=${{ height: `${share}%` }}></span>
  </label>`;
}

/** @param {Api.SyncRun} run */
function describe(run) {
  const started = run.startedAt ? localFull(new Date(run.startedAt)) : "start unknown";
  const length = run.seconds === null ? "" : `, ${durationText(run.seconds)}`;
  return `${RESULTS[run.result].text}, ${started}${length}`;
}
