/** Moments and lengths of time as text. */

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const minutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
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

/**
 * "3 min ago", "in 12 min".
 * @param {number} milliseconds negative: in the past
 */
export function relativeText(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  if (Math.abs(seconds) < 5) return seconds > 0 ? "in a moment" : "just now";
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS[3];
  return relative.format(Math.trunc(seconds / size), unit).replace(".", "");
}

/**
 * A length of time: "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
 * @param {number} seconds
 */
export function durationText(seconds) {
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
 * How long ago, to the minute: "under 1 min", "2 min".
 * @param {number} milliseconds
 */
export function ageText(milliseconds) {
  const whole = Math.floor(milliseconds / 60_000) * 60;
  return whole > 0 ? durationText(whole) : "under 1 min";
}

/**
 * "in 1:59:12", "in 0:07"; "due now" when nothing is left.
 * @param {number} milliseconds
 */
export function countdownText(milliseconds) {
  const left = Math.round(milliseconds / 1000);
  if (left <= 0) return "due now";
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const hours = Math.floor(left / 3_600);
  const minutes = Math.floor(left / 60) % 60;
  return `in ${hours ? `${hours}:${two(minutes)}` : minutes}:${two(left % 60)}`;
}

/**
 * "21:15" of today, "Nov 24, 21:15" of another day.
 * @param {Date} moment
 * @param {{exact?: boolean}} [options] exact: with seconds
 */
export function localClock(moment, { exact = false } = {}) {
  const clock = (exact ? seconds : minutes).format(moment);
  const today = moment.toDateString() === new Date().toDateString();
  return today ? clock : `${day.format(moment)}, ${clock}`;
}

/** @param {Date} moment */
export const localFull = (moment) => full.format(moment);

/** @param {Date} moment */
export const utc = (moment) => moment.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
