/** Reading that stays current: the last good answer is kept, errors are reported, and news make it read again. */
import { useEffect, useMemo } from "../preact.js";
import { observable } from "./observable.js";

/**
 * @template Answer
 * @typedef {object} Reading
 * @property {Answer | null} answer the last good one; null before the first
 * @property {import("./api.js").ApiError | null} error why the last attempt failed; null after a good one
 */

/**
 * @template Answer
 * @typedef {object} Reader
 * @property {import("./observable.js").Observable<Reading<Answer>>} state
 * @property {() => void} reload reads again soon; while a reading is under way, once more after it
 * @property {(amend: (answer: Answer) => Answer) => void} change what we know by another way; a reading under way may not know it, so it is followed by another
 * @property {() => void} stop what is under way is forgotten
 */

const LEAST_PAUSE = 500; // ms from the begin of one reading to the next

/**
 * One reading at a time, so that an older answer never replaces a newer one.
 * @template Found, [Answer=Found]
 * @param {(before: Answer | null) => Promise<Found>} read
 * @param {object} [options]
 * @param {(before: Answer | null, found: Found) => Answer} [options.merge] without it, what is found is the answer
 * @param {number} [options.pause] ms
 * @returns {Reader<Answer>}
 */
export function reader(read, { merge = (_, found) => /** @type {any} */ (found), pause = LEAST_PAUSE } = {}) {
  const state = observable(/** @type {Reading<Answer>} */ ({ answer: null, error: null }));
  let timer = 0;
  let began = -Infinity;
  let reading = false;
  let again = false;
  let stopped = false;

  const readNow = async () => {
    timer = 0;
    began = Date.now();
    reading = true;
    again = false;
    const outcome = await read(state.get().answer).then(
      (found) => () => ({ answer: merge(state.get().answer, found), error: null }),
      (error) => () => ({ ...state.get(), error }),
    );
    if (stopped) return;
    reading = false;
    state.set(outcome());
    if (again) reload();
  };

  const reload = () => {
    if (reading) again = true;
    else if (!timer && !stopped) timer = setTimeout(readNow, Math.max(0, began + pause - Date.now()));
  };

  return {
    state,
    reload,
    change(amend) {
      const { answer, error } = state.get();
      if (answer !== null) state.set({ answer: amend(answer), error });
      again = reading;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/**
 * A reader for as long as the question stays the same; another question begins with no answer.
 * @template Answer
 * @param {string} question
 * @param {() => Reader<Answer>} make
 * @returns {Reader<Answer>}
 */
export function useReader(question, make) {
  const mine = useMemo(make, [question]);
  useEffect(() => {
    mine.reload();
    return mine.stop;
  }, [mine]);
  return mine;
}
