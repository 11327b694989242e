/** Moments that stay true while the page is open: relative for the eye, local when looked at closer, UTC on hover. */
import { html, useEffect, useState } from "../preact.js";
import { ageText, countdownText, localClock, localFull, relativeText, utc } from "../text/time.js";

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
    return () => void watchers.delete(tick);
  }, [step]);
  return Date.now();
}

/** A moment of the local clock. @param {{at: string, exact?: boolean}} props exact: with seconds */
export function Moment({ at, exact = true }) {
  return html`<${Time} at=${at}>${localClock(new Date(at), { exact })}<//>`;
}

/** "3 min ago". @param {{at: string}} props */
export function Ago({ at }) {
  return html`<${Time} at=${at}>${relativeText(Date.parse(at) - useNow())}<//>`;
}

/** "in 1:59:12", ticking. @param {{to: string}} props */
export function Countdown({ to }) {
  return html`<${Time} at=${to} name="countdown">${countdownText(Date.parse(to) - useNow())}<//>`;
}

/** How long ago, as a length: "2 min". @param {{since: string}} props */
export function Behind({ since }) {
  return html`${ageText(Math.max(0, useNow() - Date.parse(since)))}`;
}

/** @param {{at: string, name?: string, children: any}} props name: a class */
function Time({ at, name, children }) {
  const moment = new Date(at);
  return html`<time class=${name} datetime=${at} title="${localFull(moment)} · ${utc(moment)}">${children}</time>`;
}
