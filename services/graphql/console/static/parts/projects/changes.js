import { html, useState } from "../../preact.js";
import { Icon } from "../icon.js";
import { Moment } from "../moments.js";

/** @type {Record<string, string>} */
const ICONS = {
  REGISTERED: "plus",
  UNREGISTERED: "bin",
  WATCH_LIST: "people",
  SCHEDULE: "calendar",
  PAUSED: "pause",
  RESUMED: "resume",
  SYNC_REQUESTED: "sync",
  CENSUS_REQUESTED: "check",
  BACKOFF: "slow",
  BACKOFF_ENDED: "check",
  STRETCHED: "slow",
  STRETCH_ENDED: "check",
  ALERT_ACKNOWLEDGED: "eye",
  ALERT_RESOLVED: "check",
  ALERTS_SILENCED: "mute",
  ALERTS_UNSILENCED: "bell",
};

const FIRST = 10; // shown until somebody asks for the rest

/** Who changed what, when and why. @param {{changes: Api.ProjectChange[]}} props newest first */
export function Changes({ changes }) {
  const [all, setAll] = useState(false);
  const shown = all ? changes : changes.slice(0, FIRST);
  return html`<section>
    <h2>Settings history</h2>
    ${changes.length === 0 && html`<p class="quiet">Nothing was changed yet.</p>`}
    ${changes.length > 0 && html`<table class="cards" role="table">
      <caption class="hidden">Changes of this project's settings, newest first</caption>
      <thead role="rowgroup"><tr role="row">
        ${["When", "Who", "What", "Why"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">${shown.map((change) => html`<tr role="row" key=${change.id}>
        <td role="cell" data-label="When"><${Moment} at=${change.at} /></td>
        <td role="cell" data-label="Who">${change.actor}</td>
        <td role="cell" data-label="What"><span class="with-icon"><${Icon} name=${ICONS[change.kind] ?? "dots"} />${change.summary}</span></td>
        <td role="cell" data-label="Why">${change.reason || html`<span class="quiet">–</span>`}</td>
      </tr>`)}</tbody>
    </table>`}
    ${shown.length < changes.length && html`<p class="center"><button type="button" class="small outline" onClick=${() => setAll(true)}>Show older changes</button></p>`}
  </section>`;
}
