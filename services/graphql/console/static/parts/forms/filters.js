/** Filters of lists; their values stand in the address. */
import { useObservable } from "../../data/observable.js";
import { store } from "../../data/project_store.js";
import { html } from "../../preact.js";

/** @param {{label: string, value: string, options: [string, string][], onChange: (value: string) => void}} props options: value and text of each */
export function SelectFilter({ label, value, options, onChange }) {
  return html`<label>${label}
    <select value=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
      ${options.map(([option, text]) => html`<option key=${option} value=${option} selected=${option === value}>${text}</option>`)}
    </select>
  </label>`;
}

/** @param {{value: string, onChange: (uid: string) => void}} props */
export function ProjectFilter({ value, onChange }) {
  const { projects } = useObservable(store);
  const all = [...projects.values()].sort((one, other) => one.key.localeCompare(other.key));
  const options = all.map(({ uid, key }) => /** @type {[string, string]} */ ([uid, key]));
  return html`<${SelectFilter} label="Project" value=${value} options=${[["", "all"], ...options]} onChange=${onChange} />`;
}
