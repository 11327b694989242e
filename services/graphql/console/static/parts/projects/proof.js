/** Whether all of a project is here: at a glance, in full, and what people can do about it. */
import { useAnswer } from "../../data/answer.js";
import { COMPLETENESS } from "../../data/documents.js";
import { may } from "../../data/session.js";
import { openDialog } from "../../dialog_host.js";
import { AcceptDialog, ProveDialog } from "../../dialogs/prove.js";
import { html } from "../../preact.js";
import { CAUSES, countText, heldBackOf, manyText, provedText, REASONS, STANDINGS } from "../../text/completeness.js";
import { durationText } from "../../text/time.js";
import { Badge } from "../badge.js";
import { Loading } from "../empty.js";
import { Failure } from "../failure.js";
import { Icon } from "../icon.js";
import { Ago, Moment } from "../moments.js";

/** In a line: "1,204 of 1,204, proved 3 min ago". @param {{project: Api.Project}} props */
export function Proof({ project }) {
  const { status, provedAt } = project.census;
  const counted = countText(project.completeness[0]);
  if (status === "NEVER_SYNCED") return html`<span class="quiet">Never synced</span>`;
  if (status === "NEVER_PROVED" || (!counted && status !== "PROVED")) return html`<${Standing} status=${status} />`;
  const proved = provedAt ? html`${provedText(status)} <${Ago} at=${provedAt} />` : "never proved";
  if (status === "PROVED") return html`<span class="good"><${Icon} name="check" /> ${counted ?? "None, as in Jira"}, ${proved}</span>`;
  return html`<span>${counted}, ${proved}</span><span class="below"><${Standing} status=${status} /></span>`;
}

/** @param {{status: Api.CompletenessStatus}} props */
function Standing({ status }) {
  const { tone, icon, text } = STANDINGS[status];
  return html`<${Badge} tone=${tone} icon=${icon}>${text}<//>`;
}

/** What people must know of it, as part of why a project wants attention. @param {{project: Api.Project, page?: boolean}} props page: on the project's own, which says the rest below */
export function ProofTrouble({ project, page = false }) {
  const { status, brake, heldBack, error } = project.census;
  if (status === "HELD_BACK" && !page)
    return html`<p class="why bad">Nothing was removed: ${brake} ${heldBack > 0 && html`<span class="advice">Look at what would go, and accept it on the project's page, or mend what hides it.</span>`}</p>`;
  if (status === "UNEXPLAINED")
    return html`<p class="why bad">Jira and what is stored differ, and nobody knows why. <span class="advice">${page ? "The records are named below." : "The project's page names the records."}</span></p>`;
  if (status === "FAILED" && error)
    return html`<p class="why warn">The last census failed, and proved nothing: <code>${error.code}</code> ${error.message} <span class="advice">${error.advice}</span></p>`;
  return null;
}

/** The whole of it. @param {{project: Api.Project}} props */
export function Completeness({ project }) {
  const { census, syncJob } = project;
  const version = [census.takenAt, census.error?.at, census.requestedAt, syncJob?.lastEndedAt].join(" ");
  const { data, error, reload } = useAnswer(COMPLETENESS, { id: project.uid }, null, version);
  const held = data && heldBackOf(data.completeness);
  return html`<section>
    <header class="section-head">
      <h2>Completeness</h2>
      ${may("OPERATOR") && html`<button type="button" class="small outline" aria-label="Prove ${project.key} now" onClick=${() => openDialog(ProveDialog, { project })}><${Icon} name="check" />Prove now</button>`}
    </header>
    <p class="quiet">${every(census.everySeconds)} ${project.key} is compared with all that Jira lists of it, id by id.
      ${" "}${census.takenAt ? html`Last compared <${Ago} at=${census.takenAt} />.` : "That has not happened yet."}
      ${census.requestedAt && isLater(census.requestedAt, census.takenAt, census.error?.at) ? html` A census was asked for <${Ago} at=${census.requestedAt} />.` : ""}</p>
    ${census.status === "HELD_BACK" && html`<${Held} project=${project} held=${held} />`}
    <${Failure} error=${error} retry=${reload} />
    ${data ? html`<${Compared} found=${data.completeness} />` : !error && html`<${Loading} />`}
    ${data && census.takenAt && html`<${Done} census=${data.census} />`}
  </section>`;
}

/** @param {number} seconds */
const every = (seconds) => (seconds ? `Every ${durationText(seconds)}` : "When somebody asks for it,");

/** @param {string} moment @param {(string | null | undefined)[]} others */
const isLater = (moment, ...others) => others.every((other) => !other || Date.parse(other) < Date.parse(moment));

/** What would go, and the way to let it go. @param {{project: Api.Project, held: Api.Difference | null}} props */
function Held({ project, held }) {
  const { brake, heldBack: number } = project.census;
  return html`<div class="note bad" role="status">
    <${Icon} name="warning" />
    <div>
      <p>${number > 0 && html`<strong>${manyText(number, "issue")} would go.</strong> `}Nothing was removed: ${brake}</p>
      ${number > 0 && html`<p class="advice">Look at them in Jira with the integrator's account. If they are really gone, accept it; if not, give the account its permission back: the next census then finds them.</p>`}
      ${held && html`<${Ids} difference=${held} summary="What would go" />`}
      ${number > 0 && may("OPERATOR") && html`<button type="button" class="small outline danger" aria-label="Accept the removal in ${project.key}" onClick=${() => openDialog(AcceptDialog, { project, held })}><${Icon} name="bin" />Accept the removal</button>`}
    </div>
  </div>`;
}

/** @param {{found: Api.Compared[]}} props */
function Compared({ found }) {
  return html`<table class="cards" role="table">
    <caption class="hidden">What is here, compared with Jira</caption>
    <thead role="rowgroup"><tr role="row">
      <th scope="col" role="columnheader">Entity</th><th scope="col" role="columnheader">State</th>
      <th scope="col" role="columnheader">Here, of Jira's</th><th scope="col" role="columnheader" class="count">Here now</th>
      <th scope="col" role="columnheader">What differs</th><th scope="col" role="columnheader">Proved</th>
    </tr></thead>
    <tbody role="rowgroup">${found.map((each) => html`<tr role="row" key=${each.entity}>
      <th scope="row" role="rowheader">${each.entity}</th>
      <td role="cell" data-label="State"><${Standing} status=${each.status} /></td>
      <td role="cell" data-label="Here, of Jira's">${countText(each) ?? html`<span class="quiet">${each.hereThen === null ? "–" : each.status === "PROVED" ? "Jira shows none" : "Jira does not say"}</span>`}</td>
      <td role="cell" data-label="Here now" class="count">${each.here.toLocaleString("en")}</td>
      <td role="cell" data-label="What differs"><span>${each.differences.length ? each.differences.map((one) => html`<${Ids} key=${one.cause} difference=${one} />`) : html`<span class="quiet">–</span>`}</span></td>
      <td role="cell" data-label="Proved">${each.provedAt ? html`<${Moment} at=${each.provedAt} />` : "never"}</td>
    </tr>`)}</tbody>
  </table>`;
}

/** How many, and which on demand. @param {{difference: Api.Difference, summary?: string}} props */
function Ids({ difference, summary }) {
  const { cause, number, ids, keys } = difference;
  const text = summary ?? `${number.toLocaleString("en")} ${CAUSES[cause] ?? cause}`;
  if (!ids.length) return html`<span>${text}</span>`;
  const shown = keys.length === ids.length ? keys : [...keys, ...ids.slice(keys.length)];
  return html`<details>
    <summary>${text}</summary>
    <ul class="chips" aria-label=${text}>${shown.map((name) => html`<li key=${name}><span class="code">${name}</span></li>`)}${number > ids.length && html`<li>and ${(number - ids.length).toLocaleString("en")} more</li>`}</ul>
  </details>`;
}

/** What the last census changed. @param {{census: Api.Operations["Completeness"]["data"]["census"]}} props */
function Done({ census }) {
  const gone = census.gone.map(({ reason, number }) => `${number.toLocaleString("en")} ${REASONS[reason] ?? reason}`).join(", ");
  const done = [
    gone && `Gone: ${gone}.`,
    census.returned && `Shown again: ${manyText(census.returned, "issue")}.`,
    census.fetched && `Fetched, as it was missing: ${manyText(census.fetched, "issue")}.`,
    census.acceptedBy && `Accepted by ${census.acceptedBy}.`,
  ].filter(Boolean);
  return html`<p class="quiet">The last one took ${manyText(census.requests, "request")}${census.seconds !== null && ` and ${durationText(census.seconds)}`}. ${done.length ? done.join(" ") : "It changed nothing."}</p>`;
}
