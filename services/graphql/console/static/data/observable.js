/** Values that several parts of a page look at. */
import { useEffect, useState } from "../preact.js";

/**
 * @template T
 * @typedef {object} Observable
 * @property {() => T} get
 * @property {(next: T) => void} set
 * @property {(watcher: () => void) => (() => void)} watch returns how to stop watching
 */

/**
 * @template T
 * @param {T} value
 * @returns {Observable<T>}
 */
export function observable(value) {
  const watchers = new Set();
  return {
    get: () => value,
    set(next) {
      if (next === value) return;
      value = next;
      for (const watcher of [...watchers]) watcher();
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

/**
 * The value, and a redraw whenever it changes.
 * @template T
 * @param {Observable<T>} observed
 * @returns {T}
 */
export function useObservable(observed) {
  const [, redraw] = useState(observed.get());
  useEffect(() => {
    const look = () => redraw(() => observed.get());
    look(); // it may have changed between the drawing and this effect
    return observed.watch(look);
  }, [observed]);
  return observed.get();
}
