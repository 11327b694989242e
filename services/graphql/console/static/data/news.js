/** What is known of all projects and open alerts, and how news change it. */

/**
 * @typedef {object} Known
 * @property {Map<string, Api.Project>} projects by uid
 * @property {Map<string, Api.Alert>} alerts by id: those that are not resolved
 * @property {number} at ms of the last news
 */

/** @typedef {{projects?: Api.Project[], removed?: string[], alerts?: Api.Alert[]}} News */

/** @param {Api.Project[]} projects */
export const byUid = (projects) => new Map(projects.map((project) => [project.uid, project]));

/** @param {Api.Alert[]} alerts */
export const byId = (alerts) => new Map(alerts.map((alert) => [alert.id, alert]));

/**
 * @param {Known} known
 * @param {News} news
 * @param {number} now
 * @returns {Known}
 */
export function withNews(known, { projects = [], removed = [], alerts = [] }, now) {
  const all = new Map([...known.projects, ...byUid(projects)]);
  for (const uid of removed) all.delete(uid);
  const raised = alerts.filter(({ id }) => !known.alerts.has(id)); // comes first, the others keep their places
  const open = new Map([...byId(raised), ...known.alerts, ...byId(alerts)]);
  for (const { id, status } of alerts) if (status === "RESOLVED") open.delete(id);
  return { projects: all, alerts: open, at: now };
}
