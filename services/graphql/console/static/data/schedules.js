/** What schedules mean, asked once for each cron expression and time zone. */
import { meaning } from "../text/schedules.js";
import { ask } from "./api.js";
import { CRON_PREVIEW } from "./documents.js";
import { observable } from "./observable.js";

/** @typedef {import("../text/schedules.js").Meaning} Meaning */

const RETRY = 30_000; // ms

/** @type {Map<string, Meaning | null>} */
const known = new Map();

/** Grows with each new meaning, so that who shows one draws it. */
export const meaningsKnown = observable(0);

/**
 * By its cron, also while the job is slowed down.
 * @param {Api.SyncJob} job
 * @returns {Meaning | null} null until the answer is there
 */
export function meaningOf({ cronSchedule: cron, timezone }) {
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
 * The longest wait between two runs by the project's cron, or as webhooks stretch it, in ms; null while it is not known.
 * @param {Api.Project} project
 */
export function gapOf({ syncJob }) {
  const gap = (syncJob && meaningOf(syncJob)?.gap) ?? null;
  return gap === null ? null : Math.max(gap, (syncJob?.stretch?.seconds ?? 0) * 1000);
}
