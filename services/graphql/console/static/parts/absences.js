import { ask } from "../api.js";
import { ABSENCES } from "../documents.js";
import { html, useState } from "../preact.js";
import { Moment } from "../time.js";
import { Failure } from "./failure.js";

/** @typedef {import("../types.js").Absence} Absence */

const PAGE = 100; // as the document asks

/** What is no longer there, or no longer watched; asked only when somebody looks. @param {{project: import("../types.js").Project}} props */
export function Absences({ project }) {
  const [found, setFound] = useState(/** @type {Absence[] | null} */ (null));
  const [more, setMore] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const load = async (/** @type {Absence[]} */ before) => {
    try {
      const { absences } = await ask(ABSENCES, { id: project.uid, after: before.at(-1)?.cursor ?? null });
      setFound([...before, ...absences]);
      setMore(absences.length === PAGE);
      setError(null);
    } catch (failure) {
      setError(failure);
    }
  };
  const open = (/** @type {any} */ event) => event.target.open && load([]);
  return html`<section>
    <h2>Absences</h2>
    <details onToggle=${open}>
      <summary>Deleted, moved, hidden or no longer watched</summary>
      <${Failure} error=${error} retry=${() => load([])} />
      ${found?.length === 0 && html`<p class="quiet">None.</p>`}
      ${found !== null && found.length > 0 && html`<table>
        <caption class="hidden">Absences</caption>
        <thead><tr><th scope="col">Entity</th><th scope="col">Jira's id</th><th scope="col">Reason</th><th scope="col">Since</th></tr></thead>
        <tbody>${found.map((/** @type {Absence} */ absence) => html`<tr key=${`${absence.entity} ${absence.id}`}>
          <td>${absence.entity}</td><td class="code">${absence.id}</td><td>${absence.reason}</td><td><${Moment} at=${absence.at} /></td>
        </tr>`)}</tbody>
      </table>`}
      ${more && html`<button type="button" class="small outline" onClick=${() => load(found ?? [])}>Load more absences</button>`}
    </details>
  </section>`;
}
