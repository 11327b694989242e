/** Alerts, people, schedules, webhooks and records that are set aside, as text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { alertName, endText, isAhead, runsText } from "../../../../../services/graphql/console/static/text/alerts.js";
import { hookAddress, hooksLook, lateRows } from "../../../../../services/graphql/console/static/text/hooks.js";
import { initials } from "../../../../../services/graphql/console/static/text/people.js";
import { rawText, recordsText } from "../../../../../services/graphql/console/static/text/quarantine.js";
import { meaning } from "../../../../../services/graphql/console/static/text/schedules.js";

test("an alert is named by its code and project", () => {
  assert.equal(alertName({ code: "AUTH_EXPIRED", projectKey: "DEMO" }), "AUTH_EXPIRED of DEMO");
});

test("runs are counted", () => {
  for (const [count, text] of [[0, "0 runs"], [1, "1 run"], [2, "2 runs"]]) assert.equal(runsText(count), text);
});

test("how an alert ended: by whom, else by what", () => {
  const table = [
    [{ resolution: "BY_HAND", resolvedBy: "alice" }, "Resolved by alice"],
    [{ resolution: "RECOVERED", resolvedBy: null }, "Recovered by itself"],
    [{ resolution: "SUPERSEDED", resolvedBy: null }, "Superseded by another failure"],
    [{ resolution: "UNREGISTERED", resolvedBy: null }, "Over with the project, which was unregistered"],
    [{ resolution: "OF A LATER RELEASE", resolvedBy: null }, "Resolved"],
    [{ resolution: null, resolvedBy: null }, "Resolved"],
  ];
  for (const [alert, text] of table) assert.equal(endText(alert), text);
});

test("a silence counts until its end", () => {
  assert.equal(isAhead(null), false);
  assert.equal(isAhead(new Date(Date.now() - 1_000).toISOString()), false);
  assert.equal(isAhead(new Date(Date.now() + 60_000).toISOString()), true);
});

test("how webhooks stand is told by what is known of them", () => {
  const at = "2026-01-01T00:00:00Z";
  const table = [
    [{ taken: false, lastAt: null, silentSince: null }, "Not set up"],
    [{ taken: false, lastAt: at, silentSince: at }, "Not set up"],
    [{ taken: true, lastAt: null, silentSince: null }, "None has come yet"],
    [{ taken: true, lastAt: at, silentSince: null }, "Heard"],
    [{ taken: true, lastAt: at, silentSince: at }, "Silent"],
  ];
  for (const [webhooks, text] of table) assert.equal(hooksLook(webhooks).text, text);
});

test("the address of a webhook names the site, and no secret", () => {
  assert.equal(hookAddress("https://jdi.test", "acme"), "https://jdi.test/hooks/acme/<JIRA_HOOK_PATH>");
  assert.equal(hookAddress("https://jdi.test", null), "https://jdi.test/hooks/<site>/<JIRA_HOOK_PATH>");
});

test("late changes are counted up to the end of each bucket, and beyond the last but one", () => {
  const buckets = [[30, 2], [60, 0], [86_400, 1]].map(([upToSeconds, number]) => ({ upToSeconds, number }));
  assert.deepEqual(lateRows(buckets), [{ text: "up to 30 s", number: 2 }, { text: "over 1 min", number: 1 }]);
  assert.deepEqual(lateRows([]), []);
});

test("initials are those of the first and the last name", () => {
  const table = [
    ["Ada Lovelace", "AL"],
    ["Ada King Lovelace", "AL"],
    ["  ada  ", "A"],
    ["", ""],
  ];
  for (const [name, text] of table) assert.equal(initials(name), text);
});

test("the gap of a schedule is the longest wait between two of its next runs", () => {
  for (let round = 0; round < 200; round += 1) {
    const gaps = Array.from({ length: 1 + (round % 6) }, () => Math.ceil(Math.random() * 1e8));
    let at = Date.parse("2026-03-01T00:00:00Z");
    const runs = [at, ...gaps.map((gap) => (at += gap))].map((time) => new Date(time).toISOString());
    assert.equal(meaning({ words: "Now and then", runs }, "* * * * *").gap, Math.max(...gaps));
  }
});

test("a schedule without a second run is never late, and without text shows its cron", () => {
  assert.deepEqual(meaning({ words: null, runs: ["2026-02-28T00:00:00Z"] }, "0 0 28 2 *"), { text: "0 0 28 2 *", gap: Infinity });
  assert.equal(meaning({ words: "Every minute", runs: [] }, "* * * * *").text, "Every minute");
});

test("records are counted", () => {
  for (const [count, text] of [[0, "0 records"], [1, "1 record"], [2, "2 records"]]) assert.equal(recordsText(count), text);
});

test("a whole record is laid out, one that was cut is shown as it is", () => {
  assert.equal(rawText('{"id":7}'), '{\n  "id": 7\n}');
  assert.equal(rawText('{"id":7,"bo'), '{"id":7,"bo');
});
