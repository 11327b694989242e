/** Webhooks, and how late Jira's search is, as text. */
import { durationText } from "./time.js";

/** @typedef {import("../parts/badge.js").Look} Look */

/**
 * How webhooks stand, at a glance.
 * @param {Pick<Api.Webhooks, "taken" | "lastAt" | "silentSince">} webhooks
 * @returns {Look}
 */
export function hooksLook({ taken, lastAt, silentSince }) {
  if (!taken) return { tone: "idle", icon: "dots", text: "Not set up" };
  if (silentSince) return { tone: "warn", icon: "warning", text: "Silent" };
  if (!lastAt) return { tone: "idle", icon: "dots", text: "None has come yet" };
  return { tone: "good", icon: "check", text: "Heard" };
}

/** Where Jira is to send them; its last part is a secret that we do not show. @param {string} origin @param {string | null} site */
export const hookAddress = (origin, site) => `${origin}/hooks/${site ?? "<site>"}/<JIRA_HOOK_PATH>`;

/**
 * The buckets in which something was counted: "up to 30 s", "up to 1 min"; the last one has no end.
 * @param {Api.LateChanges[]} buckets shortest first
 * @returns {{text: string, number: number}[]}
 */
export const lateRows = (buckets) =>
  buckets
    .map(({ upToSeconds, number }, place) => ({
      text: place < buckets.length - 1 || place === 0 ? `up to ${durationText(upToSeconds)}` : `over ${durationText(buckets[place - 1].upToSeconds)}`,
      number,
    }))
    .filter(({ number }) => number > 0);
