/** A labelled field with a hint, and the refusal that is about it. */
import { html } from "../../preact.js";

/**
 * @param {object} props
 * @param {string} props.name
 * @param {string} props.label
 * @param {string} props.value
 * @param {(value: string) => void} props.onInput
 * @param {string} [props.hint]
 * @param {Api.UserError[]} [props.errors] those of this field are shown at it
 * @param {string[]} [props.fields] names of the arguments it stands for, if not its own name
 * @param {object} [props.more] attributes of the input
 */
export function Field({ name, label, value, onInput, hint, errors = [], fields = [name], more = {} }) {
  const mine = errors.filter(({ field }) => field && fields.includes(field));
  const described = [hint && `${name}-hint`, mine.length && `${name}-error`].filter(Boolean).join(" ");
  const invalid = mine.length ? { "aria-invalid": "true" } : {};
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <input
      id=${name}
      name=${name}
      value=${value}
      onInput=${(/** @type {any} */ event) => onInput(event.target.value)}
      aria-describedby=${described || undefined}
      autocomplete="off"
      ...${invalid}
      ...${more}
    />
    ${hint && html`<small id="${name}-hint">${hint}</small>`}
    ${mine.length > 0 && html`<small id="${name}-error" class="error" role="alert">${mine.map(({ message }) => message).join(" ")}</small>`}
  </div>`;
}

/** Why somebody does something: kept in the history for those who come after. @param {{value: string, onInput: (value: string) => void, example?: string, more?: object}} props */
export function ReasonField({ value, onInput, example = "", more = {} }) {
  const attributes = { placeholder: example, maxlength: 500, ...more };
  return html`<${Field} name="reason" label="Reason" hint="Kept in the project's history." value=${value} onInput=${onInput} more=${attributes} />`;
}

/** What somebody says about an alert. @param {{value: string, onInput: (value: string) => void, example: string, errors: Api.UserError[]}} props */
export function NoteField({ value, onInput, example, errors }) {
  const attributes = { placeholder: `Optional: ${example}`, maxlength: 500 };
  return html`<${Field} name="note" label="Note" hint="Shown to everybody with your name." value=${value} onInput=${onInput}
    errors=${errors} fields=${["reason"]} more=${attributes} />`;
}

/** @param {{name: string, label: string, value: string, onChange: (value: any) => void, options: string[][]}} props options: value and text of each */
export function Select({ name, label, value, onChange, options }) {
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <select id=${name} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
      ${options.map(([option, text]) => html`<option value=${option} selected=${option === value}>${text}</option>`)}
    </select>
  </div>`;
}
