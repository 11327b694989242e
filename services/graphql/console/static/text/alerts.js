/** Alerts in words: pure functions over what the API says. */

/** What a failure can be called. A test holds this against the classifier. */
export const CODES = [
  "SUSPENDED_PAYMENT",
  "SITE_SUSPENDED",
  "AUTH_EXPIRED",
  "OAUTH_REFUSED",
  "FORBIDDEN",
  "NOT_FOUND_OR_HIDDEN",
  "BAD_REQUEST",
  "API_GONE",
  "RATE_LIMIT",
  "QUOTA_EXHAUSTED",
  "NETWORK_GLITCH",
  "TIMEOUT",
  "UPSTREAM_ERROR",
  "BAD_RESPONSE",
  "TLS_INVALID",
  "STORE_DOWN",
  "STORE_FULL",
  "INGESTOR_DOWN",
  "RUN_LOST",
  "POISON_EVENT",
  "SLOW_SUCCESS",
  "FOREIGN_MESSAGE",
  "STREAM_GAP",
  "LOG_BEHIND_STREAM",
  "FORGED_COMMAND",
  "MASS_REMOVAL",
  "UNPROVED",
  "WEBHOOKS_SILENT",
  "WEBHOOKS_REFUSED",
  "UNEXPLAINED_DIFFERENCE",
  "UNKNOWN",
];

/** Whom an alert is about: the project, or the site as a whole. @param {Pick<Api.Alert, "projectKey" | "site">} alert */
export const whereText = ({ projectKey, site }) => projectKey || `site ${site}`;

/** "AUTH_EXPIRED of DEMO": how actions and dialogs name an alert. @param {Api.Alert} alert */
export const alertName = (alert) => `${alert.code} of ${whereText(alert)}`;

/** "7 runs", "1 run". @param {number} count */
export const runsText = (count) => `${count.toLocaleString()} ${count === 1 ? "run" : "runs"}`;

/** @type {Record<string, string>} */
const ENDS = {
  RECOVERED: "Recovered by itself",
  SUPERSEDED: "Superseded by another failure",
  UNREGISTERED: "Over with the project, which was unregistered",
};

/** @param {Api.Alert} alert */
export const endText = ({ resolution, resolvedBy }) => (resolvedBy ? `Resolved by ${resolvedBy}` : (ENDS[resolution ?? ""] ?? "Resolved"));

/** @param {string | null} moment */
export const isAhead = (moment) => moment !== null && Date.parse(moment) > Date.now();
