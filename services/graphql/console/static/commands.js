/** Sending commands, and saying what came of them. */
import { ApiError, ask } from "./api.js";
import { useRef, useState } from "./preact.js";
import { observable } from "./observable.js";
import { adoptAlert, adoptJob } from "./project_store.js";

/** @typedef {import("./types.js").UserError} UserError */

/** What was done last, for the status line at the bottom. @type {import("./observable.js").Observable<{text: string, bad: boolean} | null>} */
export const outcome = observable(/** @type {{text: string, bad: boolean} | null} */ (null));

const SHOWN_FOR = 6_000; // ms
let timer = 0;

/**
 * @param {string} text
 * @param {boolean} [bad] stays until the next outcome
 */
export function say(text, bad = false) {
  clearTimeout(timer);
  outcome.set({ text, bad });
  if (!bad) timer = setTimeout(() => outcome.set(null), SHOWN_FOR);
}

/**
 * Sends a mutation whose field is aliased to `result`.
 * @param {string} mutation
 * @param {object} variables
 * @returns {Promise<any>} the payload; its `userErrors` may be filled
 */
export async function command(mutation, variables) {
  const { result } = await ask(mutation, variables);
  if (result.userErrors.length) return result;
  if ("syncJob" in result) adoptJob(result.syncJob);
  if ("alert" in result) adoptAlert(result.alert);
  return result;
}

/** A key that makes a command happen once, however often it is sent. */
export const newKey = () => crypto.randomUUID();

/**
 * A form's way to send one command: busy while it is under way, its errors, and one idempotency key until it succeeds,
 * so that pressing the button again after a lost answer repeats nothing.
 * @param {(result: any) => void} done
 * @param {(result: any) => boolean} [isDone] whether it was carried out
 */
export function useCommand(done, isDone = ({ userErrors }) => !userErrors.length) {
  const key = useRef(newKey());
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState(/** @type {UserError[]} */ ([]));
  const [failure, setFailure] = useState(/** @type {ApiError | null} */ (null));

  /**
   * @param {string} mutation
   * @param {object} variables
   */
  async function send(mutation, variables) {
    if (busy) return;
    setBusy(true);
    setErrors([]);
    setFailure(null);
    try {
      const result = await command(mutation, { ...variables, key: key.current });
      if (isDone(result)) return done(result);
      key.current = newKey(); // refused: what is sent next is another command
      setErrors(result.userErrors);
    } catch (error) {
      setFailure(/** @type {ApiError} */ (error));
    } finally {
      setBusy(false);
    }
  }

  return { send, busy, errors, failure };
}

/**
 * A command without a form, such as resume: what came of it goes to the status line.
 * @param {string} mutation
 * @param {object} variables
 * @param {string} success
 */
export async function sendNow(mutation, variables, success) {
  try {
    const { userErrors } = await command(mutation, { key: newKey(), ...variables });
    if (userErrors.length) say(userErrors.map((/** @type {UserError} */ { message }) => message).join(" "), true);
    else say(success);
  } catch (error) {
    say([/** @type {ApiError} */ (error).message, /** @type {ApiError} */ (error).advice].filter(Boolean).join(" "), true);
  }
}
