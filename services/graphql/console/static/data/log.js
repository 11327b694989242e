/** A log that is read page by page and followed. The server alone decides what a filter lets through. */
import { useEffect } from "../preact.js";
import { ask } from "./api.js";
import { LOG_ADDED, LOGS } from "./documents.js";
import { subscribe } from "./live.js";
import { merged, newestOf, PAGE } from "./log_pages.js";
import { useObservable } from "./observable.js";
import { reader, useReader } from "./reader.js";

/** @typedef {import("./log_pages.js").Log} Log */
/** @typedef {{level: Api.SyncLogLevel | null, runId: string | null, text: string | null, warning: boolean | null}} Filters */

const DOWNLOAD_PAGE = 500;
const MOST_DOWNLOADED = 20_000; // entries; a browser keeps them all in memory
const AT_TOP = 80; // px: further down, somebody reads, and new entries wait
const LEAST_PAUSE = 250; // ms between two looks at what is new

/**
 * @param {string} uid
 * @param {Filters} filters
 * @param {boolean} following
 */
export function useLog(uid, filters, following) {
  const { state, reload, change } = useReader(JSON.stringify([uid, filters]), () =>
    reader((/** @type {Log | null} */ before) => read(uid, filters, before), {
      merge: (before, found) => merged(before, found, scrollY > AT_TOP),
      pause: LEAST_PAUSE,
    }),
  );
  useEffect(() => {
    if (!following) return undefined;
    // The cursor makes a reconnect miss nothing.
    const variables = () => ({ id: uid, after: newestOf(state.get().answer) });
    return subscribe({ document: LOG_ADDED, variables, opened: reload, next: reload, failed: () => {} });
  }, [uid, following, reload]);

  const { answer, error } = useObservable(state);
  const older = () => {
    change((log) => ({ ...log, olderRequested: true }));
    reload();
  };
  const show = () => {
    scrollTo({ top: 0 });
    change((log) => ({ ...log, entries: [...log.waiting, ...log.entries], waiting: [] }));
  };
  const { entries = null, more = false, waiting = [], olderRequested = false } = answer ?? {};
  return { entries, more, waiting: waiting.length, busy: olderRequested && !error, error, older, show, reload };
}

/**
 * @param {string} uid
 * @param {Filters} filters
 * @param {Log | null} log as far as it was read
 * @returns {Promise<import("./log_pages.js").Found>}
 */
async function read(uid, filters, log) {
  const page = async (/** @type {{after?: string, before?: string}} */ place) =>
    (await ask(LOGS, { id: uid, limit: PAGE, ...filters, ...place })).syncLogs;
  const newest = newestOf(log);
  if (!log || newest === null) return { top: await page({}) };
  const newer = await page({ after: newest });
  if (newer.length === PAGE) return { top: await page({}) }; // more than a page is new: begin at the top again
  const last = log.entries.at(-1)?.id;
  return { newer, older: log.olderRequested && last ? await page({ before: last }) : null };
}

/**
 * All entries that match, newest first, one JSON object a line, as a file.
 * @param {string} uid
 * @param {Filters} filters
 */
export async function downloadLog(uid, filters) {
  /** @type {Api.SyncLog[]} */
  const entries = [];
  for (let before = /** @type {string | undefined} */ (undefined); entries.length < MOST_DOWNLOADED; before = entries.at(-1)?.id) {
    const { syncLogs } = await ask(LOGS, { id: uid, limit: DOWNLOAD_PAGE, ...filters, before });
    entries.push(...syncLogs);
    if (syncLogs.length < DOWNLOAD_PAGE) break;
  }
  const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
  link.download = `sync-log-${uid.replace(/[^\w-]+/g, "-")}.ndjson`;
  link.click();
  URL.revokeObjectURL(link.href);
}
