/** Moments in words: relative for the eye, local when looked at closer, UTC on hover. */
import { html, useEffect, useState } from "./preact.js";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** Watchers of the one clock of the tab; it stands still while the tab is hidden. */
const watchers = new Set();
setInterval(() => document.hidden || watchers.forEach((watcher) => watcher()), 1_000);
document.addEventListener("visibilitychange", () => document.hidden || watchers.forEach((watcher) => watcher()));

/**
 * The present, in ms; a redraw each time it moves on by `step` ms.
 * @param {number} [step]
 */
export function useNow(step = 1_000) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const tick = () => redraw(Math.floor(Date.now() / step));
    watchers.add(tick);
    return () => watchers.delete(tick);
  }, [step]);
  return Date.now();
}

/**
 * "3 min. ago", "in 12 min.".
 * @param {number} milliseconds negative: in the past
 */
export function inWords(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  if (Math.abs(seconds) < 5) return seconds > 0 ? "in a moment" : "just now";
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS[3];
  return relative.format(Math.trunc(seconds / size), unit).replace(".", "");
}

/**
 * A length of time: "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
 * @param {number} seconds
 */
export function lengthInWords(seconds) {
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 86_400) return pair(Math.floor(whole / 3_600), "h", Math.floor((whole % 3_600) / 60), "min");
  return pair(Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3_600), "h");
}

const pair = (/** @type {number} */ big, /** @type {string} */ one, /** @type {number} */ small, /** @type {string} */ two) =>
  small ? `${big} ${one} ${small} ${two}` : `${big} ${one}`;

/**
 * "21:15" of today, "Nov 24, 21:15" of another day.
 * @param {Date} moment
 * @param {Intl.DateTimeFormat} [format]
 */
export function localClock(moment, format = clock) {
  const today = moment.toDateString() === new Date().toDateString();
  return today ? format.format(moment) : `${day.format(moment)}, ${format.format(moment)}`;
}

/** @param {Date} moment */
export const localFull = (moment) => full.format(moment);

/** @param {Date} moment */
export const utc = (moment) => moment.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");

/** A moment of the local clock; in full and in UTC on hover. @param {{at: string, exact?: boolean}} props exact: with seconds */
export function Moment({ at, exact = true }) {
  const moment = new Date(at);
  return html`<time datetime=${at} title="${localFull(moment)} · ${utc(moment)}">${localClock(moment, exact ? seconds : clock)}</time>`;
}

/** "3 min ago" that stays true. @param {{at: string}} props */
export function Ago({ at }) {
  const moment = new Date(at);
  const now = useNow();
  return html`<time datetime=${at} title="${localFull(moment)} · ${utc(moment)}">${inWords(moment.getTime() - now)}</time>`;
}

/** "in 1:59:12", ticking. @param {{to: string}} props */
export function Countdown({ to }) {
  const moment = new Date(to);
  const left = Math.round((moment.getTime() - useNow()) / 1000);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const hours = Math.floor(left / 3_600);
  const words = `in ${hours ? `${hours}:${two(Math.floor(left / 60) % 60)}` : Math.floor(left / 60)}:${two(left % 60)}`;
  return html`<time class="countdown" datetime=${to} title="${localFull(moment)} · ${utc(moment)}">${left > 0 ? words : "due now"}</time>`;
}

/** How long ago, as a length: "2 min". @param {{since: string}} props */
export function Behind({ since }) {
  const now = useNow();
  const behind = Math.max(0, (now - Date.parse(since)) / 1000);
  return html`${behind < 60 ? "under 1 min" : lengthInWords(Math.floor(behind / 60) * 60)}`;
}
