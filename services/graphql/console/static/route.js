/** Which page the address bar names: `#/projects`, `#/project/<uid>`, `#/logs?project=…`. */
import { useEffect, useState } from "./preact.js";

/** @typedef {{page: string, id: string, search: URLSearchParams}} Route */

/** @param {string} hash @returns {Route} */
export function routeOf(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page, ...rest] = path.split("/");
  return { page: page || "projects", id: decodeURIComponent(rest.join("/")), search: new URLSearchParams(query) };
}

/** @returns {Route} */
export function useRoute() {
  const [route, setRoute] = useState(routeOf(location.hash));
  useEffect(() => {
    const look = () => setRoute(routeOf(location.hash));
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return route;
}

/** @param {string} uid */
export const projectAddress = (uid) => `#/project/${encodeURIComponent(uid)}`;

/** @typedef {Record<string, string | null | undefined>} Filters empty ones are left out */

/** @param {Filters} filters */
export const logsAddress = (filters) => withFilters("#/logs", filters);

/** @param {Filters} filters */
export const alertsAddress = (filters) => withFilters("#/alerts", filters);

/** @param {Filters} filters */
export const notificationsAddress = (filters) => withFilters("#/notifications", filters);

/** @param {string} id */
export const alertAddress = (id) => `#/alert/${encodeURIComponent(id)}`;

/** @param {string} page @param {Filters} filters */
function withFilters(page, filters) {
  const given = Object.entries(filters).filter(([, value]) => value);
  return given.length ? `${page}?${new URLSearchParams(/** @type {[string, string][]} */ (given))}` : page;
}

/** Changes the address without a new entry in the history: filters are no places to go back to. @param {string} address */
export function replaceAddress(address) {
  history.replaceState(null, "", address);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
