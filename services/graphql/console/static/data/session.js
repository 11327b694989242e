/** Who is signed in: from a token to a cookie, and back to nobody. */
import { ApiError, ask, closeSession, onUnauthenticated, openSession } from "./api.js";
import { VIEWER } from "./documents.js";
import { startLive, stopLive } from "./live.js";
import { observable } from "./observable.js";

/**
 * `viewer` is null while nobody is signed in, `undefined` until we know; `message` is shown on the sign-in page.
 * @type {import("./observable.js").Observable<{viewer?: Api.Viewer | null, message?: string, error?: ApiError}>}
 */
export const session = observable({});

const ORDER = ["READER", "OPERATOR", "ADMIN"];

/**
 * Whether the person signed in may do what needs this role. The server decides; this only hides what it would refuse.
 * @param {Api.Role} role
 */
export function may(role) {
  const mine = session.get().viewer?.role;
  return mine !== undefined && ORDER.indexOf(mine) >= ORDER.indexOf(role);
}

/** The token of a `#token=…` address, taken out of the address bar and the history at once. */
function takeTokenFromAddress() {
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
    session.set({ viewer: null, message: `The link's token was not accepted. ${reason}` });
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
  let message = "You are signed out.";
  try {
    await closeSession();
  } catch {
    message = "The server does not answer, so your session still stands there: reload the page and sign out again.";
  }
  session.set({ viewer: null, message });
}

/** Asks who we are; the answer 401 leads to the sign-in page. */
async function enter() {
  try {
    const { viewer } = await ask(VIEWER, {});
    session.set({ viewer });
    startLive({ onDoubt: () => ask(VIEWER, {}).catch(() => {}) });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return;
    session.set({ error: /** @type {ApiError} */ (error) });
  }
}

onUnauthenticated.call = () => {
  const { viewer, message } = session.get();
  stopLive();
  session.set({ viewer: null, message: viewer ? "Your session has ended. Sign in again." : message });
};
