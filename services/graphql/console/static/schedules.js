/** What schedules mean: their words and the gaps between their runs, asked once for each cron and zone. */
import { ask } from "./api.js";
import { CRON_PREVIEW } from "./documents.js";
import { observable } from "./observable.js";

/** @typedef {{words: string, gap: number}} Meaning gap: the longest wait between two runs, in ms */

const RETRY = 30_000; // ms

/** @type {Map<string, Meaning | null>} */
const known = new Map();

/** Grows with each new meaning, so that who shows one draws it. */
export const meaningsKnown = observable(0);

/**
 * @param {string} cron
 * @param {string} timezone
 * @returns {Meaning | null} null until the answer is there
 */
export function meaningOf(cron, timezone) {
  const name = `${cron} ${timezone}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  known.set(name, null);
  ask(CRON_PREVIEW, { cron, timezone }).then(
    ({ cronPreview }) => {
      known.set(name, meaning(cronPreview, cron));
      meaningsKnown.set(meaningsKnown.get() + 1);
    },
    () => setTimeout(() => known.delete(name), RETRY), // asked again with the next drawing
  );
  return null;
}

/**
 * @param {import("./types.js").CronPreview} preview
 * @param {string} cron
 * @returns {Meaning}
 */
function meaning({ words, runs }, cron) {
  const times = runs.map((run) => Date.parse(run));
  const gaps = times.slice(1).map((time, index) => time - times[index]);
  return { words: words ?? cron, gap: gaps.length ? Math.max(...gaps) : Infinity };
}
