/** What comes from Jira beside the schedule: its webhooks; and how late its search shows what has changed. */
import { useAnswer } from "../../data/answer.js";
import { LATENESS, WEBHOOKS } from "../../data/documents.js";
import { may } from "../../data/session.js";
import { html, useEffect } from "../../preact.js";
import { manyText } from "../../text/completeness.js";
import { hookAddress, hooksLook, lateRows } from "../../text/hooks.js";
import { durationText } from "../../text/time.js";
import { Badge } from "../badge.js";
import { Loading } from "../empty.js";
import { Failure } from "../failure.js";
import { Ago } from "../moments.js";

const LOOK_EVERY = 60_000; // ms: nothing tells of a webhook that changed nothing

/** For operators. */
export function FromJira() {
  return may("OPERATOR") ? html`<div class="columns beside"><${Hooks} /><${Lateness} /></div>` : null;
}

function Hooks() {
  const { data, error, reload } = useAnswer(WEBHOOKS, {}, null);
  useEffect(() => {
    const clock = setInterval(() => document.hidden || reload(), LOOK_EVERY);
    return () => clearInterval(clock);
  }, [reload]);
  const look = data && hooksLook(data.webhooks);
  return html`<section aria-label="Webhooks">
    <header class="section-head"><h2>Webhooks</h2>${look && html`<${Badge} tone=${look.tone} icon=${look.icon}>${look.text}<//>`}</header>
    <${Failure} error=${error} retry=${reload} />
    ${data ? html`<${Heard} webhooks=${data.webhooks} />` : !error && html`<${Loading} />`}
  </section>`;
}

/** @param {{webhooks: Api.Webhooks}} props */
function Heard({ webhooks }) {
  const { taken, site, lastAt, lastEvent, lastSigned, waiting, waitingSince, refused, lastRefusal, lastRefusedAt, silentSince } = webhooks;
  return html`
    ${silentSince && html`<p class="why warn">Syncs have found changes that no webhook told of, since <${Ago} at=${silentSince} />. <span class="advice">See in Jira whether the webhook is enabled and its address right, and whether Jira reaches it.</span></p>`}
    ${(lastAt || refused > 0 || waiting > 0) && html`<dl class="grid-facts">
      <div><dt>Last heard</dt><dd>${lastAt ? html`<${Ago} at=${lastAt} />` : "never"}</dd></div>
      <div><dt>Waiting</dt><dd>${manyText(waiting, "hint")}</dd></div>
      <div><dt>Refused</dt><dd>${refused.toLocaleString("en")}</dd></div>
    </dl>`}
    ${lastAt && html`<p class="quiet">The last one was <span class="code">${lastEvent || "nothing that we know"}</span>, ${lastSigned ? "signed" : "not signed"}.${waitingSince && html` The first that waits came <${Ago} at=${waitingSince} />.`}</p>`}
    ${lastRefusal && lastRefusedAt && html`<p class="quiet">Refused <${Ago} at=${lastRefusedAt} />: ${lastRefusal}</p>`}
    ${!taken && html`<p class="quiet">Every change is found by the next sync. With webhooks it is seen about a second after it is made: set <code>JIRA_HOOK_PATH</code> and <code>JIRA_HOOK_SECRET</code> of the graphql service. The page <em>Webhooks</em> of the documentation (<code>docs/webhooks.md</code>) says how.</p>`}
    ${taken && !lastAt && html`<p class="quiet">In Jira, <em>Settings → System → WebHooks</em>, create one for <code>${hookAddress(location.origin, site)}</code> with the secret of <code>JIRA_HOOK_SECRET</code>. The page <em>Webhooks</em> of the documentation (<code>docs/webhooks.md</code>) says which events, and what an app does.</p>`}
  `;
}

function Lateness() {
  const { data, error, reload } = useAnswer(LATENESS, {}, null);
  const late = data?.searchLateness;
  return html`<section aria-label="Jira's search">
    <header class="section-head"><h2>Jira's search</h2></header>
    <${Failure} error=${error} retry=${reload} />
    ${late ? html`<${Late} late=${late} />` : !error && !data && html`<${Loading} />`}
  </section>`;
}

/** @param {{late: Api.SearchLateness}} props */
function Late({ late }) {
  const { number, latestSeconds, overlapSeconds, buckets } = late;
  return html`
    <dl class="grid-facts">
      <div><dt>Syncs look back</dt><dd>${durationText(overlapSeconds)}</dd></div>
      <div><dt>Shown late</dt><dd>${number.toLocaleString("en")}</dd></div>
      ${latestSeconds !== null && html`<div><dt>The latest by</dt><dd>${durationText(latestSeconds)}</dd></div>`}
    </dl>
    ${number === 0
      ? html`<p class="quiet">No change was shown later than the sync after it.</p>`
      : html`<details>
          <summary>How late</summary>
          <table class="late">
            <caption class="hidden">Changes by how late they were shown</caption>
            <thead class="hidden"><tr><th scope="col">Late by</th><th scope="col">Changes</th></tr></thead>
            <tbody>${lateRows(buckets).map((row) => html`<tr key=${row.text}><th scope="row">${row.text}</th><td class="count">${row.number.toLocaleString("en")}</td></tr>`)}</tbody>
          </table>
          <p class="quiet">Each week half of them are forgotten.</p>
        </details>`}
  `;
}
