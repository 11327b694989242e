/** The last runs as bars: height says how long, colour and shape say how it ended. One tab stop, arrow keys move. */
import { html } from "../preact.js";
import { lengthInWords, localFull } from "../time.js";
import { RESULTS } from "./badge.js";

/** @typedef {import("../types.js").SyncRun} SyncRun */

const LEAST_HEIGHT = 8; // per cent, so that the shortest run can be seen and hit

/** @param {{runs: SyncRun[], chosen: string | null, onChoose: (id: string) => void}} props runs: newest first */
export function RunTimeline({ runs, chosen, onChoose }) {
  const longest = Math.max(1, ...runs.map(({ seconds }) => seconds ?? 0));
  return html`<figure class="timeline">
    <div class="bars" role="radiogroup" aria-label="Last ${runs.length} runs, oldest first">
      ${[...runs].reverse().map((run) => html`<${Bar} key=${run.id} run=${run} longest=${longest} chosen=${run.id === chosen} onChoose=${onChoose} />`)}
    </div>
    <figcaption>
      <ul class="legend" aria-label="Legend">
        ${Object.entries(RESULTS).map(([result, { words }]) => html`<li key=${result}><span class="bar ${result.toLowerCase()}"></span>${words}</li>`)}
      </ul>
      <span class="quiet">Height: duration, up to ${lengthInWords(longest)}</span>
    </figcaption>
  </figure>`;
}

/** @param {{run: SyncRun, longest: number, chosen: boolean, onChoose: (id: string) => void}} props */
function Bar({ run, longest, chosen, onChoose }) {
  const share = Math.max(LEAST_HEIGHT, (100 * (run.seconds ?? 0)) / longest);
  const words = describe(run);
  return html`<label class="slot" title=${words}>
    <input type="radio" name="run" checked=${chosen} onChange=${() => onChoose(run.id)} aria-label=${words} />
    <span class="bar ${run.result.toLowerCase()}" style=${{ height: `${share}%` }}></span>
  </label>`;
}

/** @param {SyncRun} run */
function describe(run) {
  const started = run.startedAt ? localFull(new Date(run.startedAt)) : "start unknown";
  const length = run.seconds === null ? "" : `, ${lengthInWords(run.seconds)}`;
  return `${RESULTS[run.result].words}, ${started}${length}`;
}
