/** What is known of a log, and how what is read goes into it. */

/**
 * @typedef {object} Log
 * @property {Api.SyncLog[]} entries newest first
 * @property {Api.SyncLog[]} waiting newer ones, kept back while somebody reads further down
 * @property {boolean} more whether there are older ones
 * @property {boolean} olderRequested
 */

/** @typedef {{top: Api.SyncLog[]} | {newer: Api.SyncLog[], older: Api.SyncLog[] | null}} Found the newest page anew, or what the log lacks */

export const PAGE = 100;

/** @param {Log | null} log */
export const newestOf = (log) => (log?.waiting[0] ?? log?.entries[0])?.id ?? null;

/**
 * @param {Log | null} log
 * @param {Found} found
 * @param {boolean} reading somebody reads further down, and is not disturbed by new entries
 * @returns {Log}
 */
export function merged(log, found, reading) {
  if ("top" in found || !log) {
    const entries = "top" in found ? found.top : found.newer;
    return { entries, waiting: [], more: entries.length === PAGE, olderRequested: false };
  }
  const fresh = [...found.newer, ...log.waiting];
  const waits = reading || !found.newer.length;
  return {
    entries: [...(waits ? [] : fresh), ...log.entries, ...(found.older ?? [])],
    waiting: waits ? fresh : [],
    more: found.older ? found.older.length === PAGE : log.more,
    olderRequested: log.olderRequested && !found.older,
  };
}
