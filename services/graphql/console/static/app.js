/** The console: who is signed in, which page, and the frame around it. */
import { outcome, report } from "./data/commands.js";
import { useObservable } from "./data/observable.js";
import { store } from "./data/project_store.js";
import { begin, may, session, signOut } from "./data/session.js";
import { closeDialog, DialogHost } from "./dialog_host.js";
import { AlertPage } from "./pages/alert.js";
import { AlertsPage } from "./pages/alerts.js";
import { LogsPage } from "./pages/logs.js";
import { NotificationsPage } from "./pages/notifications.js";
import { ProjectPage } from "./pages/project.js";
import { ProjectsPage } from "./pages/projects.js";
import { SignInPage } from "./pages/sign_in.js";
import { TokensPage } from "./pages/tokens.js";
import { Connection } from "./parts/connection.js";
import { Empty, Loading } from "./parts/empty.js";
import { Failure } from "./parts/failure.js";
import { Icon } from "./parts/icon.js";
import { Logo } from "./parts/logo.js";
import { html, render, useEffect, useErrorBoundary, useRef } from "./preact.js";
import { useRoute } from "./route.js";

/** Which page stands behind the first part of the address. @type {Record<string, {title: string, draw: (route: import("./route.js").Route) => any}>} */
const PAGES = {
  projects: { title: "Projects", draw: () => html`<${ProjectsPage} />` },
  project: { title: "Project", draw: ({ id }) => html`<${ProjectPage} uid=${id} />` },
  logs: { title: "Logs", draw: ({ search }) => html`<${LogsPage} search=${search} />` },
  alerts: { title: "Alerts", draw: ({ search }) => html`<${AlertsPage} search=${search} />` },
  alert: { title: "Alert", draw: ({ id }) => html`<${AlertPage} id=${id} />` },
  notifications: { title: "Notifications", draw: ({ search }) => html`<${NotificationsPage} search=${search} />` },
  tokens: { title: "API tokens", draw: () => html`<${TokensPage} />` },
};

function App() {
  const { viewer, error } = useObservable(session);
  if (viewer === null) return html`<${SignInPage} />`;
  if (error) return html`<main class="sign-in"><article><h1 tabindex="-1">Jira Data Integrator</h1><${Failure} error=${error} retry=${begin} /></article></main>`;
  if (!viewer) return html`<main class="sign-in"><${Loading} /></main>`;
  return html`<${Frame} viewer=${viewer} />`;
}

/** @param {{viewer: Api.Viewer}} props */
function Frame({ viewer }) {
  const route = useRoute();
  const page = PAGES[route.page];
  useTitleAndFocus(`${page?.title ?? "Not found"}${route.page === "project" ? ` ${route.id}` : ""}`, `${route.page}/${route.id}`);
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to content</a>
    <header class="top">
      <a class="brand" href="#/projects"><${Logo} size="22" /><span>Jira Data Integrator</span></a>
      <${Navigation} page=${route.page} />
      <${Connection} />
      <div class="who">
        <span class="quiet"><strong>${viewer.name}</strong> ${viewer.role.toLowerCase()}</span>
        <button type="button" class="small outline secondary" onClick=${signOut}><${Icon} name="leave" />Sign out</button>
      </div>
    </header>
    <main id="main">
      <${Guarded} key=${`${route.page}/${route.id}`}>
        ${page ? page.draw(route) : html`<header class="page-head"><h1 tabindex="-1">Not found</h1></header><${Empty} title="There is no such page"><p><a href="#/projects">Projects</a></p><//>`}
      <//>
    </main>
    <${DialogHost} />
    <${Outcome} />
  `;
}

/** The hash is our route, so that the link cannot be a plain anchor. @param {Event} event */
function skip(event) {
  event.preventDefault();
  /** @type {HTMLElement | null} */ (document.querySelector("main h1"))?.focus();
}

/** @param {{page: string}} props */
function Navigation({ page }) {
  const names = ["projects", "logs", "alerts", ...(may("ADMIN") ? ["notifications", "tokens"] : [])];
  const current = { project: "projects", alert: "alerts" }[page] ?? page;
  return html`<nav aria-label="Pages"><ul>
    ${names.map((name) => html`<li key=${name}><a href="#/${name}" aria-current=${name === current ? "page" : undefined}>${PAGES[name].title}${name === "alerts" && html`<${OpenCount} />`}</a></li>`)}
  </ul></nav>`;
}

/** How many alerts nobody has taken up yet. */
function OpenCount() {
  const { alerts } = useObservable(store);
  const count = [...alerts.values()].filter(({ status }) => status === "OPEN").length;
  return count > 0 && html` <span class="count-badge">${count}<span class="hidden"> open</span></span>`;
}

/** What was done last; read out by screen readers. */
function Outcome() {
  const last = useObservable(outcome);
  return html`<div class="outcome" role="status" aria-label="Outcome">
    ${last && html`<p class=${last.bad ? "bad" : "good"}>
      <${Icon} name=${last.bad ? "warning" : "check"} /><span>${last.text}</span>
      ${last.bad && html`<button type="button" class="bare" aria-label="Dismiss" onClick=${() => outcome.set(null)}><${Icon} name="cross" /></button>`}
    </p>`}
  </div>`;
}

/** A mistake of ours on one page leaves the others usable. @param {{children: any}} props */
function Guarded({ children }) {
  const [error, reset] = useErrorBoundary((/** @type {unknown} */ thrown) => console.error(thrown));
  if (!error) return children;
  const failure = { message: `This page could not be drawn: ${error.message ?? error}`, advice: "Reload the page; if it stays, report it." };
  return html`<h1 tabindex="-1">Error</h1><${Failure} error=${failure} retry=${reset} />`;
}

/**
 * A new page is announced as one: by the title, and by the focus on its heading.
 * @param {string} title
 * @param {string} place
 */
function useTitleAndFocus(title, place) {
  const before = useRef(place);
  useEffect(() => {
    document.title = `${title} · Jira Data Integrator`;
    if (before.current === place) return;
    before.current = place;
    scrollTo(0, 0);
    /** @type {HTMLElement | null} */ (document.querySelector("main h1"))?.focus();
  }, [title, place]);
}

addEventListener("unhandledrejection", ({ reason }) => report(`Something went wrong: ${reason?.message ?? reason}`, true));
session.watch(closeDialog);
addEventListener("hashchange", () => location.hash.startsWith("#token=") && begin());
begin();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
