/** Moments and lengths of time as text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ageText, countdownText, durationText, localClock, relativeText, utc } from "../../../../../services/graphql/console/static/text/time.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test("how far away a moment is", () => {
  const table = [
    [0, "just now"],
    [-4 * SECOND, "just now"],
    [4 * SECOND, "in a moment"],
    [-5 * SECOND, "5 sec ago"],
    [-59 * SECOND, "59 sec ago"],
    [-MINUTE, "1 min ago"],
    [12 * MINUTE, "in 12 min"],
    [-119 * MINUTE, "1 hr ago"],
    [3 * HOUR, "in 3 hr"],
    [-DAY, "yesterday"],
    [DAY, "tomorrow"],
    [-9 * DAY, "9 days ago"],
  ];
  for (const [milliseconds, text] of table) assert.equal(relativeText(milliseconds), text);
});

test("a length of time has at most two units", () => {
  const table = [
    [0.123, "0.12 s"],
    [1.26, "1.3 s"],
    [12.4, "12 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [3_600, "1 h"],
    [7_500, "2 h 5 min"],
    [86_399, "23 h 59 min"],
    [86_400, "1 d"],
    [273_600, "3 d 4 h"],
  ];
  for (const [seconds, text] of table) assert.equal(durationText(seconds), text);
});

test("a length that is read back is short by less than the smaller unit", () => {
  const sizes = { s: 1, min: 60, h: 3_600, d: 86_400 };
  for (let seconds = 10; seconds < 40 * 86_400; seconds = Math.ceil(seconds * 1.07)) {
    const parts = [...durationText(seconds).matchAll(/(\d+) (s|min|h|d)/g)];
    const read = parts.reduce((sum, [, number, unit]) => sum + Number(number) * sizes[unit], 0);
    const unit = seconds < 3_600 ? 1 : seconds < 86_400 ? 60 : 3_600;
    assert.ok(read <= seconds && seconds - read < unit, `${seconds}: ${durationText(seconds)}`);
    for (const [, number, unit] of parts.slice(1)) assert.ok(Number(number) < { s: 60, min: 60, h: 24 }[unit]);
  }
});

test("an age is given to the minute", () => {
  const table = [
    [0, "under 1 min"],
    [59 * SECOND, "under 1 min"],
    [119 * SECOND, "1 min"],
    [2 * HOUR + 5 * MINUTE + 59 * SECOND, "2 h 5 min"],
  ];
  for (const [milliseconds, text] of table) assert.equal(ageText(milliseconds), text);
});

test("a countdown shows every second that is left", () => {
  const table = [
    [-SECOND, "due now"],
    [400, "due now"],
    [7 * SECOND, "in 0:07"],
    [10 * MINUTE, "in 10:00"],
    [HOUR + 59 * MINUTE + 12 * SECOND, "in 1:59:12"],
    [26 * HOUR, "in 26:00:00"],
  ];
  for (const [milliseconds, text] of table) assert.equal(countdownText(milliseconds), text);
  for (let left = 1; left < 3 * 86_400; left += 977) {
    const shown = countdownText(left * SECOND).slice(3).split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    assert.equal(shown, left);
  }
});

test("the day stands before the time of another day alone", () => {
  const now = new Date();
  assert.match(localClock(now), /^\d\d:\d\d( [AP]M)?$/);
  assert.match(localClock(now, { exact: true }), /^\d\d:\d\d:\d\d( [AP]M)?$/);
  assert.match(localClock(new Date(now.getTime() - 3 * DAY)), /^.+, \d\d:\d\d( [AP]M)?$/);
});

test("UTC is given without fractions", () => {
  assert.equal(utc(new Date("2026-11-24T21:15:30.987Z")), "2026-11-24 21:15:30 UTC");
});
