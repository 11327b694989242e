/** Choosing people: those chosen as a list with a way out, and a search for more. */
import { html } from "../../preact.js";
import { initials } from "../../text/people.js";
import { Icon } from "../icon.js";
import { Search } from "./search.js";

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.none what it means when nobody is chosen
 * @param {Api.Person[]} props.chosen
 * @param {(people: Api.Person[]) => void} props.onChange
 * @param {(search: string, after: string | null) => Promise<import("./search.js").Page<Api.Person>>} props.find
 */
export function PeoplePicker({ label, none, chosen, onChange, find }) {
  const ids = new Set(chosen.map(({ id }) => id));
  const add = (/** @type {Api.Person} */ person) => onChange([...chosen, person]);
  const remove = (/** @type {Api.Person} */ person) => onChange(chosen.filter(({ id }) => id !== person.id));
  return html`<fieldset class="people">
    <legend>${label}</legend>
    ${chosen.length === 0 && html`<p class="quiet">${none}</p>`}
    ${chosen.length > 0 && html`<ul class="chips" aria-label="Chosen">
      ${chosen.map((person) => html`<li key=${person.id}>
        <${Name} person=${person} />
        <button type="button" class="bare" aria-label="Remove ${person.displayName}" onClick=${() => remove(person)}>
          <${Icon} name="cross" />
        </button>
      </li>`)}
    </ul>`}
    <${Search} id="people-search" label="Find people" placeholder="Name" find=${find} nothing="Nobody of this name." row=${(/** @type {Api.Person} */ person) => html`
      <li key=${person.id}>
        <${Name} person=${person} />
        ${ids.has(person.id)
          ? html`<span class="quiet">chosen</span>`
          : html`<button type="button" class="small outline" aria-label="Add ${person.displayName}" onClick=${() => add(person)}>Add</button>`}
      </li>`} />
  </fieldset>`;
}

/** @param {{person: Api.Person}} props */
export function Name({ person }) {
  return html`<span class="person">
    <span class="initials" aria-hidden="true">${initials(person.displayName)}</span>
    <span>${person.displayName}${!person.active && html` <span class="quiet">(inactive)</span>`}</span>
  </span>`;
}
