/** What could not be read of Jira's answers: how much, and each with the reason; asked only when somebody looks. */
import { useAnswer } from "../../data/answer.js";
import { QUARANTINE, RAW_RECORD } from "../../data/documents.js";
import { useList } from "../../data/list.js";
import { html, useState } from "../../preact.js";
import { projectAddress } from "../../route.js";
import { rawText, recordsText } from "../../text/quarantine.js";
import { Badge } from "../badge.js";
import { Loading } from "../empty.js";
import { Failure } from "../failure.js";
import { Ago } from "../moments.js";

/** How many, as a way to them. @param {{project: Api.Project}} props */
export function SetAsideLink({ project }) {
  const { quarantined, uid } = project;
  return quarantined > 0 && html`<a class="below" href=${projectAddress(uid)}>${recordsText(quarantined)} set aside</a>`;
}

/** How many, at the head of the project's page. @param {{project: Api.Project}} props */
export function SetAsideBadge({ project }) {
  const { quarantined } = project;
  return quarantined > 0 && html`<${Badge} tone="warn" icon="warning">${recordsText(quarantined)} set aside<//>`;
}

/** @param {{project: Api.Project}} props */
export function Quarantine({ project }) {
  const [open, setOpen] = useState(false);
  if (!project.quarantined) return null;
  return html`<section>
    <h2>Set aside</h2>
    <p class="quiet">Jira showed this in a shape that cannot be read, or not at all. Everything else is synced, and each of these comes in by itself as soon as it can be read.</p>
    <details onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
      <summary>${recordsText(project.quarantined)}, and why</summary>
      ${open && html`<${Listing} uid=${project.uid} />`}
    </details>
  </section>`;
}

/** @param {{uid: string}} props */
function Listing({ uid }) {
  const { items, more, busy, error, next, reload } = useList(QUARANTINE, { id: uid }, uid);
  return html`
    <${Failure} error=${error} retry=${reload} />
    ${items === null && !error && html`<${Loading} />`}
    ${items !== null && html`<table class="cards set-aside" role="table">
      <caption class="hidden">Records that are set aside</caption>
      <thead role="rowgroup"><tr role="row">
        ${["Record", "Where", "Why", "Since", "Comes again"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">${items.map((record) => html`<${Row} key=${record.id} record=${record} />`)}</tbody>
    </table>`}
    ${more && html`<button type="button" class="small outline" aria-busy=${busy ? "true" : "false"} onClick=${next}>Load more records</button>`}
  `;
}

/** @param {{record: Api.QuarantinedRecord}} props */
function Row({ record }) {
  return html`<tr role="row">
    <th scope="row" role="rowheader">${record.name}</th>
    <td role="cell" data-label="Where">${record.field ? html`<code>${record.field}</code>` : html`<span class="quiet">as a whole</span>`}</td>
    <td role="cell" data-label="Why"><span>${record.why}<${Raw} record=${record} /></span></td>
    <td role="cell" data-label="Since"><${Ago} at=${record.since} /></td>
    <td role="cell" data-label="Comes again">${record.askedAgain ? "Asked for by the next runs" : "When Jira shows it again"}</td>
  </tr>`;
}

/** @param {{record: Api.QuarantinedRecord}} props */
function Raw({ record }) {
  const [open, setOpen] = useState(false);
  return html`<details onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary>As Jira showed it<span class="hidden">: ${record.name}</span></summary>
    ${open && html`<${RawText} record=${record} />`}
  </details>`;
}

/** @param {{record: Api.QuarantinedRecord}} props */
function RawText({ record }) {
  const { data, error, reload } = useAnswer(RAW_RECORD, { id: record.id }, null, record.why); // another reason, another text
  if (error) return html`<${Failure} error=${error} retry=${reload} />`;
  if (!data) return html`<${Loading} />`;
  const found = data.quarantinedRecord;
  if (!found) return html`<p class="quiet">It is not set aside any more.</p>`;
  return found.raw === null ? html`<p class="quiet">Jira showed nothing of it.</p>` : html`<pre tabindex="0">${rawText(found.raw)}</pre>`;
}
