/** How a project stands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { STATES, errorOf, freshUntil, stateOf, waitOf } from "../../../../../services/graphql/console/static/text/project_state.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const MINUTE = 60_000;
const GAP = 15 * MINUTE;
const ago = (minutes) => new Date(NOW - minutes * MINUTE).toISOString();

const job = (changed = {}) => ({
  status: "ACTIVE",
  running: false,
  lastResult: "SUCCESS",
  lastRunAt: ago(5),
  lastEndedAt: ago(4),
  backoff: null,
  ...changed,
});
const project = (syncJob, lastSyncTime = ago(4), error = null) => ({ syncJob, syncStates: [{ entity: "issue", lastSyncTime, error }] });
const nameOf = (given, gap = GAP) => stateOf(given, NOW, gap).name;

test("the first that holds is the state", () => {
  const backoff = { seconds: 3_600 };
  const table = [
    [project(null), "waiting"],
    [project(job()), "good"],
    [project(job({ running: true, status: "PAUSED" })), "busy"],
    [project(job({ status: "PAUSED", lastResult: "ERROR" })), "paused"],
    [project(job({ lastResult: "ERROR" })), "failing"],
    [project(job({ status: "ERROR" })), "failing"],
    [project(job({ lastResult: "ERROR", backoff })), "slowed"],
    [project(job({ lastRunAt: null, lastEndedAt: null, lastResult: null })), "waiting"],
  ];
  for (const [given, name] of table) assert.equal(nameOf(given), name);
});

test("late is what neither the longest gap nor a quarter of it more explains", () => {
  const last = (minutes) => project(job({ lastRunAt: ago(minutes), lastEndedAt: ago(minutes) }), ago(minutes));
  for (let minutes = 0; minutes < 60; minutes += 1) {
    assert.equal(nameOf(last(minutes)), minutes > 18.75 ? "late" : "good", `${minutes} min`);
  }
});

test("the grace is two minutes at least", () => {
  const last = (minutes) => project(job({ lastRunAt: ago(minutes), lastEndedAt: ago(minutes) }), ago(minutes));
  assert.equal(nameOf(last(2.9), MINUTE), "good");
  assert.equal(nameOf(last(3.1), MINUTE), "late");
});

test("nothing is late while the schedule is not known, or when it never runs again", () => {
  const old = project(job({ lastRunAt: ago(9_999), lastEndedAt: ago(9_999) }), ago(9_999));
  assert.equal(nameOf(old, null), "good");
  assert.equal(nameOf(old, Infinity), "good");
});

test("while it is slowed down, the longer gap counts", () => {
  const slowed = (minutes) => project(job({ backoff: { seconds: 3_600 }, lastRunAt: ago(minutes), lastEndedAt: ago(minutes) }), ago(9_999));
  assert.equal(nameOf(slowed(74)), "slowed");
  assert.equal(nameOf(slowed(76)), "late");
});

test("a project that was never read to the end is not fresh", () => {
  assert.equal(freshUntil(project(job(), "1970-01-01T00:00:00Z")), null);
  assert.equal(freshUntil({ syncJob: job(), syncStates: [{ entity: "user", lastSyncTime: ago(1), error: null }] }), null);
  assert.equal(freshUntil(project(job(), ago(7))), ago(7));
});

test("the error of a project is the first of its entities", () => {
  const error = { code: "TIMEOUT" };
  assert.equal(errorOf(project(job(), ago(1), error)), error);
  assert.equal(errorOf(project(job())), null);
});

test("every state has a name of its own", () => {
  for (const [name, state] of Object.entries(STATES)) assert.equal(state.name, name);
  assert.equal(new Set(Object.values(STATES).map(({ text }) => text)).size, Object.keys(STATES).length);
});

test("a run waits until the moment has come, for Jira or for the database", () => {
  const wait = (minutes, waitingCode) => waitOf(project(job({ waitingUntil: ago(-minutes), waitingCode, waitingFor: "Slower." })), NOW);
  assert.deepEqual(wait(5, "RATE_LIMIT"), { until: ago(-5), whom: "Jira", code: "rate limit", why: "Slower." });
  assert.equal(wait(5, "STORE_DOWN").whom, "the database");
  assert.equal(wait(0, "RATE_LIMIT"), null);
  assert.equal(wait(-5, "RATE_LIMIT"), null);
  assert.equal(waitOf(project(job({ waitingUntil: null })), NOW), null);
  assert.equal(waitOf(project(null), NOW), null);
});
