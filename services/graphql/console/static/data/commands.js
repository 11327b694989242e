/** Sending commands, and saying what came of them. */
import { useRef, useState } from "../preact.js";
import { ApiError, ask } from "./api.js";
import { observable } from "./observable.js";
import { adoptAlert, adoptJob } from "./project_store.js";

/** What was done last, for the status line at the bottom. @type {import("./observable.js").Observable<{text: string, bad: boolean} | null>} */
export const outcome = observable(/** @type {{text: string, bad: boolean} | null} */ (null));

const SHOWN_FOR = 6_000; // ms
let timer = 0;

/**
 * @param {string} text
 * @param {boolean} [bad] stays until the next outcome
 */
export function report(text, bad = false) {
  clearTimeout(timer);
  outcome.set({ text, bad });
  if (!bad) timer = setTimeout(() => outcome.set(null), SHOWN_FOR);
}

/**
 * What a command takes, without the key that makes it safe to repeat.
 * @template {Api.Mutation} Name
 * @typedef {Omit<Api.Operations[Name]["variables"], "key">} Variables
 */

/**
 * What a command gives: each mutation aliases its field to `result`.
 * @template {Api.Mutation} Name
 * @typedef {Api.Operations[Name]["data"]["result"]} Result
 */

/**
 * Sends a command.
 * @template {Api.Mutation} Name
 * @param {Api.Document<Name>} document
 * @param {Variables<Name>} variables
 * @param {string} [key] the same key again is carried out once
 * @returns {Promise<Result<Name>>} its `userErrors` may be filled
 */
export async function command(document, variables, key = newKey()) {
  const { result } = await ask(document, /** @type {Api.Operations[Name]["variables"]} */ ({ ...variables, key }));
  if (result.userErrors.length) return result;
  if ("syncJob" in result) adoptJob(result.syncJob);
  if ("alert" in result) adoptAlert(result.alert);
  return result;
}

const newKey = () => crypto.randomUUID();

/**
 * A form's way to send one command: busy while it is under way, its errors, and one idempotency key until it succeeds,
 * so that pressing the button again after a lost answer repeats nothing.
 * @template {Api.Mutation} Name
 * @param {Api.Document<Name>} document
 * @param {(result: Result<Name>) => void} done
 * @param {(result: Result<Name>) => boolean} [isDone] whether it was carried out
 */
export function useCommand(document, done, isDone = ({ userErrors }) => !userErrors.length) {
  const key = useRef(newKey());
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState(/** @type {Api.UserError[]} */ ([]));
  const [failure, setFailure] = useState(/** @type {ApiError | null} */ (null));

  /** @param {Variables<Name>} variables */
  async function send(variables) {
    if (busy) return;
    setBusy(true);
    setErrors([]);
    setFailure(null);
    try {
      const result = await command(document, variables, key.current);
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
 * @template {Api.Mutation} Name
 * @param {Api.Document<Name>} document
 * @param {Variables<Name>} variables
 * @param {string} success
 */
export async function sendNow(document, variables, success) {
  try {
    const { userErrors } = await command(document, variables);
    if (userErrors.length) report(userErrors.map(({ message }) => message).join(" "), true);
    else report(success);
  } catch (error) {
    const { message, advice } = /** @type {ApiError} */ (error);
    report([message, advice].filter(Boolean).join(" "), true);
  }
}
