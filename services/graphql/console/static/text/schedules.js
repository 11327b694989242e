/** What a schedule means. */

/** @typedef {{text: string, gap: number}} Meaning gap: the longest wait between two runs, in ms */

/**
 * @param {{words: string | null, runs: string[]}} preview the server's reading; without text, the cron expression itself
 * @param {string} cron
 * @returns {Meaning}
 */
export function meaning({ words, runs }, cron) {
  const times = runs.map((run) => Date.parse(run));
  const gaps = times.slice(1).map((time, index) => time - times[index]);
  return { text: words ?? cron, gap: gaps.length ? Math.max(...gaps) : Infinity };
}
