/** Whether a project's data is fresh and, if not, why: pure decisions over what the API says. */

/** @typedef {NonNullable<Api.SyncState["error"]>} SyncError */
/** @typedef {"good" | "busy" | "late" | "slowed" | "failing" | "paused" | "waiting"} StateName */
/** @typedef {import("../parts/badge.js").Look & {name: StateName}} State */

/** @type {Record<StateName, State>} */
export const STATES = {
  failing: { name: "failing", text: "Failing", tone: "bad", icon: "cross" },
  slowed: { name: "slowed", text: "Slowed down", tone: "warn", icon: "slow" },
  late: { name: "late", text: "Late", tone: "warn", icon: "clock" },
  paused: { name: "paused", text: "Paused", tone: "idle", icon: "pause" },
  busy: { name: "busy", text: "Syncing", tone: "busy", icon: "sync" },
  waiting: { name: "waiting", text: "Never synced", tone: "idle", icon: "dots" },
  good: { name: "good", text: "On schedule", tone: "good", icon: "check" },
};

const LEAST_GRACE = 2 * 60_000; // ms that a run may take, or Temporal be late, before we call a project late
const SHARE_OF_GAP = 0.25;

/**
 * @param {Api.Project} project
 * @param {number} now ms
 * @param {number | null} gap the longest wait between two runs by its cron, in ms; null while it is not known
 * @returns {State}
 */
export function stateOf(project, now, gap) {
  const job = project.syncJob;
  if (!job) return STATES.waiting;
  if (job.running) return STATES.busy;
  if (job.status === "PAUSED") return STATES.paused;
  if (job.backoff) return isLate(project, now, job.backoff.seconds * 1000) ? STATES.late : STATES.slowed;
  if (job.status === "ERROR" || job.lastResult === "ERROR") return STATES.failing;
  if (!job.lastRunAt) return STATES.waiting;
  return isLate(project, now, gap) ? STATES.late : STATES.good;
}

/**
 * When the project's issues were last read to the end; null before the first sync. The watermark lies some minutes
 * before it, because Jira's search shows changes late: what counts for freshness is when we last looked.
 * @param {Api.Project} project
 */
export function freshUntil(project) {
  const issues = project.syncStates.find(({ entity }) => entity === "issue");
  return issues && Date.parse(issues.lastSyncTime) > 0 ? issues.lastSyncTime : null;
}

/** The error of the last run, if it failed. @param {Api.Project} project */
export function errorOf(project) {
  return project.syncStates.find(({ error }) => error)?.error ?? null;
}

/** @typedef {{until: string, whom: string, code: string, why: string}} Wait code: in words */

/**
 * What a run waits for; null when none does, and once the moment has come.
 * @param {Api.Project} project
 * @param {number} now ms
 * @returns {Wait | null}
 */
export function waitOf(project, now) {
  const { waitingUntil, waitingCode, waitingFor } = project.syncJob ?? {};
  if (!waitingUntil || Date.parse(waitingUntil) <= now) return null;
  const code = waitingCode ?? "";
  const whom = code.startsWith("STORE_") ? "the database" : "Jira";
  return { until: waitingUntil, whom, code: code.toLowerCase().replaceAll("_", " "), why: waitingFor ?? "" };
}

/**
 * Late: no run for longer than the longest gap between two and some grace explain.
 * @param {Api.Project} project
 * @param {number} now
 * @param {number | null} gap
 */
function isLate(project, now, gap) {
  const { lastRunAt, lastEndedAt } = project.syncJob ?? {};
  const last = Math.max(...[freshUntil(project), lastRunAt, lastEndedAt].map((at) => (at ? Date.parse(at) : 0)));
  return gap !== null && last > 0 && now - last > gap + Math.max(LEAST_GRACE, gap * SHARE_OF_GAP);
}
