/** All projects, as fresh as the connection: fetched once, kept current by `consoleEvents`, fetched anew after a gap. */
import { ask } from "./api.js";
import { CONSOLE_EVENTS, PROJECTS } from "./documents.js";
import { connection, subscribe } from "./live.js";
import { observable } from "./observable.js";
import { session } from "./session.js";

/** @typedef {import("./types.js").Project} Project */
/** @typedef {import("./types.js").SyncJob} SyncJob */
/** @typedef {{loading: boolean, projects: Map<string, Project>, error: Error | null, at: number}} Store at: ms of the last news */

const POLL = 10_000; // ms, while no connection brings changes

/** @type {Store} */
const EMPTY = { loading: true, projects: new Map(), error: null, at: 0 };
export const store = observable(EMPTY);

/** @type {Set<{uid: string | null, changed: () => void}>} */
const watchers = new Set();
let fetching = false;
let again = false;
let missed = false;

/**
 * Calls `changed` whenever a project changed, and when changes may have been missed.
 * @param {string | null} uid null: only when changes may have been missed
 * @param {() => void} changed
 */
export function watchProject(uid, changed) {
  const watcher = { uid, changed };
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Takes over the job that a command gave back, before the event comes. @param {SyncJob | null} job */
export function adoptJob(job) {
  const project = job && store.get().projects.get(job.id);
  if (project) apply([{ ...project, syncJob: job }], []);
}

subscribe({
  query: CONSOLE_EVENTS,
  opened: () => (missed = true),
  next: ({ consoleEvents }) => {
    if (missed) {
      missed = false;
      refetch();
      tell(null);
    }
    apply(consoleEvents.projects, consoleEvents.removed);
    for (const { uid } of consoleEvents.projects) tell(uid);
  },
});

/** Fetches everything; once more when something changed meanwhile, since the answer may be older than the change. */
export async function refetch() {
  again = fetching;
  if (fetching) return;
  fetching = true;
  try {
    do {
      again = false;
      const { projects } = await ask(PROJECTS);
      const found = new Map(projects.map((/** @type {Project} */ project) => [project.uid, project]));
      store.set({ loading: false, projects: found, error: null, at: Date.now() });
    } while (again);
  } catch (error) {
    store.set({ ...store.get(), loading: false, error: /** @type {Error} */ (error) });
  } finally {
    fetching = false;
  }
}

/**
 * @param {Project[]} changed
 * @param {string[]} removed
 */
function apply(changed, removed) {
  again = fetching;
  const projects = new Map(store.get().projects);
  for (const project of changed) projects.set(project.uid, project);
  for (const uid of removed) projects.delete(uid);
  store.set({ ...store.get(), projects, at: Date.now() });
}

/** @param {string | null} uid null: everybody */
function tell(uid) {
  for (const watcher of watchers) {
    if (uid === null || watcher.uid === uid) watcher.changed();
  }
}

// Another person sees other projects.
let name = /** @type {string | undefined} */ (undefined);
session.watch(() => {
  const viewer = session.get().viewer;
  if (viewer?.name === name) return;
  name = viewer?.name;
  store.set(EMPTY);
  if (viewer) refetch();
});

// Where WebSockets do not get through, the page still lives, more slowly.
setInterval(() => {
  const waiting = connection.get() === "connecting" || connection.get() === "reconnecting";
  if (session.get().viewer && waiting && !document.hidden) refetch().then(() => store.get().error ?? tell(null));
}, POLL);
