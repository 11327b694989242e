/** Who is signed in: from a token to a cookie, and back to nobody. */
import { ApiError, ask, closeSession, onUnauthenticated, openSession } from "./api.js";
import { VIEWER } from "./documents.js";
import { startLive, stopLive } from "./live.js";
import { observable } from "./observable.js";

/** @typedef {import("./types.js").Viewer} Viewer */

/**
 * `viewer` is null while nobody is signed in, `undefined` until we know; `notice` is shown on the sign-in page.
 * @type {import("./observable.js").Observable<{viewer?: Viewer | null, notice?: string, error?: ApiError}>}
 */
export const session = observable({});

const ORDER = ["READER", "OPERATOR", "ADMIN"];

/**
 * Whether the person signed in may do what needs this role. The server decides; this only hides what it would refuse.
 * @param {import("./types.js").Role} role
 */
export function may(role) {
  const mine = session.get().viewer?.role;
  return mine !== undefined && ORDER.indexOf(mine) >= ORDER.indexOf(role);
}

/** The token of a `#token=…` address, taken out of the address bar and the history at once. */
export function takeTokenFromAddress() {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, "", location.pathname + location.search + "#/");
  return decodeURIComponent(found[1]);
}

/** On start and whenever the address changes: a token in it opens a session, else the cookie may know us. */
export async function begin() {
  const token = takeTokenFromAddress();
  if (!token) return enter();
  try {
    await signIn(token);
  } catch (error) {
    const reason = error instanceof ApiError ? [error.message, error.advice].filter(Boolean).join(" ") : String(error);
    session.set({ viewer: null, notice: `The link's token was not accepted. ${reason}` });
  }
}

/**
 * @param {string} token
 * @throws {ApiError}
 */
export async function signIn(token) {
  stopLive();
  await openSession(token);
  await enter();
}

export async function signOut() {
  stopLive();
  let notice = "You are signed out.";
  try {
    await closeSession();
  } catch {
    notice = "The server does not answer, so your session still stands there: reload the page and sign out again.";
  }
  session.set({ viewer: null, notice });
}

/** Asks who we are; the answer 401 leads to the sign-in page. */
async function enter() {
  try {
    const { viewer } = await ask(VIEWER);
    session.set({ viewer });
    startLive({ onDoubt: () => ask(VIEWER).catch(() => {}) });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return;
    session.set({ error: /** @type {ApiError} */ (error) });
  }
}

onUnauthenticated.call = () => {
  const { viewer, notice } = session.get();
  stopLive();
  session.set({ viewer: null, notice: viewer ? "Your session has ended. Sign in again." : notice });
};
