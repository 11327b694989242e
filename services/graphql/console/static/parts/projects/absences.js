import { ABSENCES } from "../../data/documents.js";
import { useList } from "../../data/list.js";
import { html, useState } from "../../preact.js";
import { Failure } from "../failure.js";
import { Moment } from "../moments.js";

/** What is no longer there, or no longer watched; asked only when somebody looks. @param {{project: Api.Project}} props */
export function Absences({ project }) {
  const [open, setOpen] = useState(false);
  return html`<section>
    <h2>Absences</h2>
    <details onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
      <summary>Deleted, moved, hidden or no longer watched</summary>
      ${open && html`<${Listing} uid=${project.uid} />`}
    </details>
  </section>`;
}

/** @param {{uid: string}} props */
function Listing({ uid }) {
  const { items, more, busy, error, next, reload } = useList(ABSENCES, { id: uid }, null);
  return html`
    <${Failure} error=${error} retry=${reload} />
    ${items?.length === 0 && html`<p class="quiet">None.</p>`}
    ${items !== null && items.length > 0 && html`<table>
      <caption class="hidden">Absences</caption>
      <thead><tr><th scope="col">Entity</th><th scope="col">Which</th><th scope="col">Reason</th><th scope="col">Since</th></tr></thead>
      <tbody>${items.map((absence) => html`<tr key=${`${absence.entity} ${absence.id}`}>
        <td>${absence.entity}</td><td class="code">${absence.formerKey ?? absence.id}${absence.key && html` <span class="quiet">now ${absence.key}</span>`}</td><td>${absence.reason}${absence.doubtful && html` <span class="quiet">or ${absence.reason === "DELETED" ? "HIDDEN" : "DELETED"}: Jira does not tell</span>`}</td><td><${Moment} at=${absence.at} /></td>
      </tr>`)}</tbody>
    </table>`}
    ${more && html`<button type="button" class="small outline" aria-busy=${busy ? "true" : "false"} onClick=${next}>Load more absences</button>`}
  `;
}
