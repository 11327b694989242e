/** GraphQL over HTTP, and the session that stands behind it. */

const PATIENCE = 60_000; // ms; the server itself gives up sooner on what it asks of others

/** A refusal or a failure, in words for the person at the screen. */
export class ApiError extends Error {
  /**
   * @param {string} message what happened
   * @param {{code?: string, advice?: string | null, status?: number}} [more] advice says what to do
   */
  constructor(message, { code = "UNKNOWN", advice = null, status = 0 } = {}) {
    super(message);
    this.code = code;
    this.advice = advice;
    this.status = status;
  }
}

/** Called when the server no longer knows us. Set by `session.js`. */
export const onUnauthenticated = { call: () => {} };

/**
 * Ask the API.
 * @template {keyof Api.Operations} Name
 * @param {Api.Document<Name>} document
 * @param {Api.Operations[Name]["variables"]} variables
 * @returns {Promise<Api.Operations[Name]["data"]>}
 * @throws {ApiError}
 */
export async function ask(document, variables) {
  const answer = await post("/graphql", { query: document, variables });
  const body = await answer.json().catch(() => null);
  if (answer.status === 401) onUnauthenticated.call();
  const error = body?.errors?.[0];
  if (error) {
    const { code, advice } = error.extensions ?? {};
    throw new ApiError(error.message, { code, advice, status: answer.status });
  }
  if (!body?.data) throw new ApiError(`The server answered ${answer.status} without data.`, { status: answer.status });
  return body.data;
}

/**
 * Exchange an API token for a session cookie; the token is kept nowhere.
 * @param {string} token
 * @throws {ApiError}
 */
export async function openSession(token) {
  const answer = await post("/console/session", { token });
  if (answer.ok) return;
  const body = await answer.json().catch(() => null);
  const wait = answer.headers.get("Retry-After");
  const message = body?.errors?.[0]?.message ?? `The server answered ${answer.status}.`;
  throw new ApiError(message, { status: answer.status, advice: wait ? `Try again in ${wait} seconds.` : null });
}

/** Ends the session on the server, which also forgets the cookie. */
export async function closeSession() {
  const answer = await send("/console/session", { method: "DELETE" });
  if (!answer.ok && answer.status !== 401) throw new ApiError(`The server answered ${answer.status}.`, { status: answer.status });
}

/**
 * @param {string} path
 * @param {object} body
 */
function post(path, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json" };
  return send(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/**
 * @param {string} path
 * @param {RequestInit} request
 */
async function send(path, request) {
  try {
    return await fetch(path, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE), ...request });
  } catch {
    throw new ApiError("The server does not answer.", {
      code: "NO_CONNECTION",
      advice: "Check that the graphql service runs and that this machine reaches it.",
    });
  }
}
