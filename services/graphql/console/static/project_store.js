/** All projects and open alerts, as fresh as the connection: fetched once, kept current by `consoleEvents`, fetched anew after a gap. */
import { ask } from "./api.js";
import { CONSOLE_EVENTS, PROJECTS } from "./documents.js";
import { connection, subscribe } from "./live.js";
import { observable } from "./observable.js";
import { session } from "./session.js";

/** @typedef {import("./types.js").Project} Project */
/** @typedef {import("./types.js").SyncJob} SyncJob */
/** @typedef {import("./types.js").Alert} Alert */
/**
 * @typedef {object} Store
 * @property {boolean} loading
 * @property {Map<string, Project>} projects by uid
 * @property {Map<string, Alert>} alerts by id: those that are not resolved
 * @property {Error | null} error
 * @property {number} at ms of the last news
 */

/** The subject of all alerts, for those who watch; a project's is its uid. */
export const ALERTS = "alerts";

const POLL = 10_000; // ms, while no connection brings changes

/** @type {Store} */
const EMPTY = { loading: true, projects: new Map(), alerts: new Map(), error: null, at: 0 };
export const store = observable(EMPTY);

/** @type {Set<{subject: string | null, changed: () => void}>} */
const watchers = new Set();
let fetching = false;
let again = false;
let missed = false;

/**
 * Calls `changed` whenever there is news, and when some may have been missed.
 * @param {string | null} subject a project's uid or `ALERTS`; null: only when some may have been missed
 * @param {() => void} changed
 */
export function watchNews(subject, changed) {
  const watcher = { subject, changed };
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Takes over the job that a command gave back, before the event comes. @param {SyncJob | null} job */
export function adoptJob(job) {
  const project = job && store.get().projects.get(job.id);
  if (project) apply({ projects: [{ ...project, syncJob: job }] });
}

/** As `adoptJob`, of an alert. @param {Alert | null} alert */
export function adoptAlert(alert) {
  if (alert) apply({ alerts: [alert] });
}

/** Of a project, the newest first. @param {Map<string, Alert>} alerts @param {string} uid */
export const alertsOf = (alerts, uid) => [...alerts.values()].filter(({ projectUid }) => projectUid === uid);

subscribe({
  query: CONSOLE_EVENTS,
  opened: () => (missed = true),
  next: ({ consoleEvents }) => {
    if (missed) {
      missed = false;
      refetch();
      tell(null);
    }
    apply(consoleEvents);
    for (const { uid } of consoleEvents.projects) tell(uid);
    for (const uid of new Set(consoleEvents.alerts.map((/** @type {Alert} */ { projectUid }) => projectUid))) tell(uid);
    if (consoleEvents.alerts.length) tell(ALERTS);
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
      const { projects, alerts } = await ask(PROJECTS);
      store.set({ loading: false, projects: by("uid", projects), alerts: by("id", alerts), error: null, at: Date.now() });
    } while (again);
  } catch (error) {
    store.set({ ...store.get(), loading: false, error: /** @type {Error} */ (error) });
  } finally {
    fetching = false;
  }
}

/** @param {string} name @param {any[]} values */
const by = (name, values) => new Map(values.map((value) => [value[name], value]));

/** @param {{projects?: Project[], removed?: string[], alerts?: Alert[]}} news */
function apply({ projects = [], removed = [], alerts = [] }) {
  again = fetching;
  const before = store.get();
  const known = new Map([...before.projects, ...by("uid", projects)]);
  for (const uid of removed) known.delete(uid);
  const raised = alerts.filter(({ id }) => !before.alerts.has(id)); // comes first, the others keep their places
  const open = new Map([...by("id", raised), ...before.alerts, ...by("id", alerts)]);
  for (const { id, status } of alerts) status === "RESOLVED" && open.delete(id);
  store.set({ ...before, projects: known, alerts: open, at: Date.now() });
}

/** @param {string | null} subject null: everybody */
function tell(subject) {
  for (const watcher of watchers) {
    if (subject === null || watcher.subject === subject) watcher.changed();
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
