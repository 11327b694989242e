/** Errors, always with what to do about them. */
import { html } from "../preact.js";
import { Icon } from "./icon.js";

/** What kept us from an answer. @param {{error: {message: string, advice?: string | null, code?: string} | null, retry?: () => void}} props */
export function Failure({ error, retry }) {
  if (!error) return null;
  return html`<div class="note bad" role="alert">
    <${Icon} name="warning" />
    <div>
      <p>${error.message}</p>
      ${error.advice && html`<p class="advice">${error.advice}</p>`}
      ${retry && html`<button type="button" class="small outline" onClick=${retry}>Try again</button>`}
    </div>
  </div>`;
}

/** Why a sync failed. @param {{error: NonNullable<Api.SyncRun["error"]>}} props */
export function SyncFailure({ error }) {
  return html`<div class="note bad">
    <${Icon} name="cross" />
    <div>
      <p><code>${error.code}</code> ${error.message}</p>
      <p class="advice">${error.advice}</p>
    </div>
  </div>`;
}

/** Refusals that belong to no field of a form. @param {{errors: Api.UserError[], fields: string[]}} props */
export function OtherErrors({ errors, fields }) {
  const rest = errors.filter(({ field }) => !field || !fields.includes(field));
  return rest.map((error) => html`<${Failure} error=${error} />`);
}
