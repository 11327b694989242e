/** What Jira changed about its fields. */
import { html } from "../../preact.js";
import { Icon } from "../icon.js";
import { Ago } from "../moments.js";

/** @param {{drifts: Api.SchemaDrift[]}} props newest first */
export function Drifts({ drifts }) {
  if (!drifts.length) return null;
  return html`<section>
    <h2>Changes of Jira's fields</h2>
    <ul class="drifts" aria-label="Changes of Jira's fields">
      ${drifts.map((drift) => html`<li key=${drift.id}><${Icon} name="warning" /><span>${driftText(drift)}, <span class="quiet"><${Ago} at=${drift.at} /></span></span></li>`)}
    </ul>
    <p class="quiet">Nothing is lost by them: what Jira sends is kept as it is. Fields that the integrator reads may need a look.</p>
  </section>`;
}

/** @param {Api.SchemaDrift} drift */
function driftText({ change, fieldId, fieldName, before, after }) {
  if (fieldId.startsWith("$")) {
    return html`${fieldName || "Jira"} answered <code>${after ?? "nothing"}</code> at <code>${fieldId}</code>, where <code>${before ?? "nothing"}</code> is documented`;
  }
  const field = html`Jira's field <strong title=${fieldId}>${fieldName || fieldId}</strong>`;
  if (change === "APPEARED") return html`${field} is new, of type ${after}`;
  if (change === "VANISHED") return html`${field} is gone; its type was ${before}`;
  if (change === "RENAMED") return html`${field} has a new name: ${after}, not ${before}`;
  return html`${field} changed its type from ${before ?? "none"} to ${after ?? "none"}`;
}
