/** All projects and open alerts, as fresh as the connection: read once, kept current by `consoleEvents`, read anew after a gap. */
import { ask } from "./api.js";
import { CONSOLE_EVENTS, PROJECTS } from "./documents.js";
import { connection, subscribe } from "./live.js";
import { byId, byUid, withNews } from "./news.js";
import { observable } from "./observable.js";
import { reader } from "./reader.js";
import { session } from "./session.js";

/** @typedef {import("./news.js").Known} Known */
/** @typedef {Known & {loading: boolean, error: Error | null}} Store */

/** The subject of all alerts, for those who watch; a project's is its uid. */
export const ALERTS = "alerts";

const POLL = 10_000; // ms, while no connection brings changes

/** @type {Known} */
const NOTHING = { projects: new Map(), alerts: new Map(), at: 0 };

/** @type {import("./observable.js").Observable<Store>} */
export const store = observable(/** @type {Store} */ ({ ...NOTHING, loading: true, error: null }));

/** @type {Set<{subject: string | null, changed: () => void}>} */
const watchers = new Set();
let subscribed = false;
let missed = false;

let reading = read();

/** Everything, read by whoever is signed in. */
function read() {
  const mine = reader(readAll, { pause: 0 });
  mine.state.watch(() => {
    const { answer, error } = mine.state.get();
    store.set({ ...(answer ?? NOTHING), loading: !answer && !error, error });
  });
  return mine;
}

/** @returns {Promise<Known>} */
async function readAll() {
  const { projects, alerts } = await ask(PROJECTS, {});
  if (missed) {
    missed = false;
    notify(null); // the server answers: whoever watches may ask as well
  }
  return { projects: byUid(projects), alerts: byId(alerts), at: Date.now() };
}

/** Something may have been missed: everything is read, by us and then by all who watch. */
function catchUp() {
  missed = true;
  reading.reload();
}

/** Reads everything again. */
export const refetch = () => reading.reload();

/**
 * Calls `changed` whenever there is news, and when some may have been missed.
 * @param {string | null} subject a project's uid or `ALERTS`; null: only when some may have been missed
 * @param {() => void} changed
 */
export function watchNews(subject, changed) {
  const watcher = { subject, changed };
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

/** Takes over the job that a command gave back, before the event comes. @param {Api.SyncJob | null} job */
export function adoptJob(job) {
  const project = job && store.get().projects.get(job.id);
  if (project) apply({ projects: [{ ...project, syncJob: job }] });
}

/** As `adoptJob`, of an alert. @param {Api.Alert | null} alert */
export function adoptAlert(alert) {
  if (alert) apply({ alerts: [alert] });
}

/** Of a project, the newest first. @param {Map<string, Api.Alert>} alerts @param {string} uid */
export const alertsOf = (alerts, uid) => [...alerts.values()].filter(({ projectUid }) => projectUid === uid);

subscribe({
  document: CONSOLE_EVENTS,
  opened: () => (subscribed = true),
  next: ({ consoleEvents }) => {
    if (subscribed) {
      subscribed = false; // the first event comes at once, and names nothing
      catchUp();
    }
    apply(consoleEvents);
    for (const { uid } of consoleEvents.projects) notify(uid);
    for (const uid of new Set(consoleEvents.alerts.map(({ projectUid }) => projectUid))) notify(uid);
    if (consoleEvents.alerts.length) notify(ALERTS);
  },
});

/** @param {import("./news.js").News} news */
const apply = (news) => reading.change((answer) => withNews(answer, news, Date.now()));

/** @param {string | null} subject null: everybody */
function notify(subject) {
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
  reading.stop();
  reading = read();
  store.set({ ...NOTHING, loading: true, error: null });
  if (viewer) reading.reload();
});

// Where WebSockets do not get through, the page still lives, more slowly.
setInterval(() => {
  const waiting = connection.get() === "connecting" || connection.get() === "reconnecting";
  if (session.get().viewer && waiting && !document.hidden) catchUp();
}, POLL);
