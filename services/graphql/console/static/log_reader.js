/** Reading a log page by page, and following it. The server alone decides what a filter lets through. */
import { ask } from "./api.js";
import { LOGS, LOG_ADDED } from "./documents.js";
import { subscribe } from "./live.js";
import { useEffect, useRef, useState } from "./preact.js";

/** @typedef {import("./types.js").SyncLog} SyncLog */
/** @typedef {{level: string | null, runId: string | null, text: string | null, warning: boolean | null}} Filters */

const PAGE = 100;
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
  const question = JSON.stringify([uid, filters]);
  const [page, setPage] = useState(/** @type {any} */ ({ entries: null, more: false, error: null, busy: false, held: [] }));
  const newest = useRef(/** @type {string | null} */ (null));
  const change = (/** @type {object} */ changed) => setPage((/** @type {any} */ before) => ({ ...before, ...changed }));

  const load = async () => {
    try {
      const { syncLogs } = await ask(LOGS, { id: uid, limit: PAGE, ...filters });
      newest.current = syncLogs[0]?.id ?? null;
      change({ entries: syncLogs, more: syncLogs.length === PAGE, error: null, held: [] });
    } catch (error) {
      change({ error });
    }
  };
  useEffect(() => {
    change({ entries: null, error: null, held: [] });
    newest.current = null;
    load();
  }, [question]);

  const lookForNew = async () => {
    if (newest.current === null) return load();
    const { syncLogs } = await ask(LOGS, { id: uid, limit: PAGE, ...filters, after: newest.current });
    if (syncLogs.length === PAGE) return load(); // more than a page is new: begin at the top again
    if (!syncLogs.length) return undefined;
    newest.current = syncLogs[0].id;
    const reading = scrollY > AT_TOP;
    return setPage((/** @type {any} */ before) => reading
      ? { ...before, held: [...syncLogs, ...before.held] }
      : { ...before, entries: [...syncLogs, ...before.held, ...(before.entries ?? [])], held: [] });
  };
  useFollow(uid, following, question, newest, lookForNew);

  const older = async () => {
    change({ busy: true });
    try {
      const { syncLogs } = await ask(LOGS, { id: uid, limit: PAGE, ...filters, before: page.entries.at(-1).id });
      setPage((/** @type {any} */ before) => ({ ...before, entries: [...before.entries, ...syncLogs], more: syncLogs.length === PAGE, busy: false }));
    } catch (error) {
      change({ error, busy: false });
    }
  };
  const show = () => {
    scrollTo({ top: 0 });
    setPage((/** @type {any} */ before) => ({ ...before, entries: [...before.held, ...before.entries], held: [] }));
  };
  return { ...page, held: page.held.length, older, show, reload: load };
}

/**
 * Looks for what is new whenever the server says that something is; the cursor makes a reconnect miss nothing.
 * @param {string} uid
 * @param {boolean} following
 * @param {string} question
 * @param {{current: string | null}} newest
 * @param {() => Promise<any>} lookForNew
 */
function useFollow(uid, following, question, newest, lookForNew) {
  const look = useRef(lookForNew);
  look.current = lookForNew;
  useEffect(() => {
    if (!following) return undefined;
    let timer = 0;
    let looking = false;
    let again = false;
    const soon = () => {
      if (looking || timer) {
        again = looking;
        return;
      }
      timer = setTimeout(async () => {
        timer = 0;
        looking = true;
        await look.current().catch(() => {}); // the next entry or the reconnect tries again
        looking = false;
        if (again) soon();
        again = false;
      }, LEAST_PAUSE);
    };
    const stop = subscribe({ query: LOG_ADDED, variables: () => ({ id: uid, after: newest.current }), opened: soon, next: soon, failed: () => {} });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [question, following]);
}

/**
 * All entries that match, newest first, one JSON object a line, as a file.
 * @param {string} uid
 * @param {Filters} filters
 */
export async function downloadLog(uid, filters) {
  /** @type {SyncLog[]} */
  const entries = [];
  for (let before = null; entries.length < MOST_DOWNLOADED; before = entries.at(-1)?.id) {
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
