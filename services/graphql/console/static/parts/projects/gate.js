/** What keeps every sync waiting: the gate to Jira, closed because Jira asked for a pause. */
import { useAnswer } from "../../data/answer.js";
import { sendNow } from "../../data/commands.js";
import { CLOSINGS, OPEN_GATE } from "../../data/documents.js";
import { may } from "../../data/session.js";
import { html, useEffect, useState } from "../../preact.js";
import { Icon } from "../icon.js";
import { Countdown } from "../moments.js";

const LOOK_EVERY = 60_000; // ms: the ingestor is asked, and nothing else tells of it

/** For operators. Where the ingestor does not answer nothing is shown: that has words of its own elsewhere. */
export function ClosedGate() {
  return may("OPERATOR") ? html`<${Closings} />` : null;
}

function Closings() {
  const { data, error, reload } = useAnswer(CLOSINGS, {}, null);
  useEffect(() => {
    const clock = setInterval(() => document.hidden || reload(), LOOK_EVERY);
    return () => clearInterval(clock);
  }, [reload]);
  if (!data || error) return null;
  return data.jiraClosings.map((closing) => html`<${Closing} key=${closing.endpoint ?? ""} closing=${closing} onDone=${reload} />`);
}

/** @param {{closing: Api.JiraClosing, onDone: () => void}} props */
function Closing({ closing, onDone }) {
  const [busy, setBusy] = useState(false);
  const where = closing.endpoint ?? "the whole site";
  const open = async () => {
    setBusy(true);
    await sendNow(OPEN_GATE, { endpoint: closing.endpoint }, `Requests to Jira go out again: ${where}.`);
    setBusy(false);
    onDone();
  };
  return html`<div class="note warn" role="status">
    <${Icon} name="pause" />
    <div>
      <p>No request goes to Jira for <span class="code">${where}</span>, because it asked for a pause:
        ${" "}${closing.until ? html`requests go out again <${Countdown} to=${closing.until} />` : "the next request asks whether it is over"}.</p>
      <p><code>${closing.code}</code> ${closing.message}</p>
      <p class="advice">${closing.advice}</p>
      ${may("ADMIN") && html`<button type="button" class="small outline" aria-label="Ask Jira again now: ${where}" aria-busy=${busy ? "true" : "false"} disabled=${busy} onClick=${open}><${Icon} name="play" />Ask Jira again now</button>`}
    </div>
  </div>`;
}
