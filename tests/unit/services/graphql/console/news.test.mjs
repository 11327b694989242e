/** How news change what is known. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withNews } from "../../../../../services/graphql/console/static/data/news.js";
import { merged } from "../../../../../services/graphql/console/static/data/log_pages.js";

const entries = (...ids) => ids.map((id) => ({ id: String(id) }));
const ids = (list) => list.map(({ id }) => Number(id));
const log = (changed = {}) => ({ entries: entries(3, 2, 1), waiting: [], more: true, olderRequested: false, ...changed });
const descending = (from, count) => entries(...Array.from({ length: count }, (_, index) => from - index));

test("the newest page replaces everything", () => {
  const found = merged(log({ waiting: entries(4) }), { top: descending(900, 100) }, true);
  assert.deepEqual([found.entries.length, found.waiting, found.more], [100, [], true]);
  assert.equal(merged(null, { top: entries(1) }, false).more, false);
});

test("new entries appear at the top, and wait while somebody reads further down", () => {
  const found = { newer: entries(5, 4), older: null };
  assert.deepEqual(ids(merged(log(), found, false).entries), [5, 4, 3, 2, 1]);
  const reading = merged(log(), found, true);
  assert.deepEqual([ids(reading.entries), ids(reading.waiting)], [[3, 2, 1], [5, 4]]);
  const later = merged(reading, { newer: entries(6), older: null }, false);
  assert.deepEqual([ids(later.entries), ids(later.waiting)], [[6, 5, 4, 3, 2, 1], []]);
});

test("entries that wait do so until somebody asks or something newer comes", () => {
  const found = merged(log({ waiting: entries(4) }), { newer: [], older: null }, false);
  assert.deepEqual([ids(found.entries), ids(found.waiting)], [[3, 2, 1], [4]]);
});

test("older entries come below, and the last page is the last", () => {
  const found = merged(log({ olderRequested: true }), { newer: entries(4), older: entries(0) }, false);
  assert.deepEqual([ids(found.entries), found.more, found.olderRequested], [[4, 3, 2, 1, 0], false, false]);
});

test("older entries that were asked for meanwhile are still to be read", () => {
  assert.equal(merged(log({ olderRequested: true }), { newer: [], older: null }, false).olderRequested, true);
});

test("however entries come in, none is lost, doubled or out of order", () => {
  for (let round = 0; round < 200; round += 1) {
    let state = log({ entries: entries(50), more: true });
    let newest = 50;
    let oldest = 50;
    for (let step = 0; step < 12; step += 1) {
      const newer = descending(newest + (step % 4), step % 4);
      newest += newer.length;
      const older = step % 3 ? null : descending(oldest - 1, 2);
      oldest -= older?.length ?? 0;
      state = merged(state, { newer, older }, Math.random() < 0.5);
    }
    const all = ids([...state.waiting, ...state.entries]);
    assert.deepEqual(all, Array.from({ length: newest - oldest + 1 }, (_, index) => newest - index));
  }
});

const alert = (id, status = "OPEN", changed = {}) => ({ id, status, ...changed });
const answer = (projects, alerts) => ({
  projects: new Map(projects.map((uid) => [uid, { uid }])),
  alerts: new Map(alerts.map((id) => [id, alert(id)])),
  at: 1,
});

test("a raised alert comes first, a known one keeps its place, one that is over goes", () => {
  const { alerts, at } = withNews(answer([], ["a", "b", "c"]), { alerts: [alert("b", "ACKNOWLEDGED"), alert("d"), alert("c", "RESOLVED")] }, 2);
  assert.deepEqual([...alerts.keys()], ["d", "a", "b"]);
  assert.deepEqual([alerts.get("b").status, at], ["ACKNOWLEDGED", 2]);
});

test("projects are replaced, added and taken away; what was known before is left alone", () => {
  const before = answer(["p", "q"], []);
  const { projects } = withNews(before, { projects: [{ uid: "p", name: "new" }, { uid: "r" }], removed: ["q"] }, 2);
  assert.deepEqual([...projects.keys()], ["p", "r"]);
  assert.equal(projects.get("p").name, "new");
  assert.deepEqual([...before.projects.keys()], ["p", "q"]);
});
