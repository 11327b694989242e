import { ask } from "../api.js";
import { useCommand } from "../commands.js";
import { NOTIFICATIONS, SEND_TEST } from "../documents.js";
import { html, useEffect, useState } from "../preact.js";
import { CommandDialog, Dialog } from "../parts/dialog.js";
import { OtherErrors } from "../parts/failure.js";
import { Field, Select } from "../parts/field.js";
import { NoticeVerdict, channelInWords } from "../parts/notices.js";

/** @typedef {import("../types.js").Notice} Notice */

const CHANNELS = ["EMAIL", "SLACK", "WHATSAPP"];
/** @type {Record<string, string>} */
const RECIPIENTS = {
  EMAIL: "Addresses, with commas. Empty: those whom the channel is set up for.",
  WHATSAPP: "Numbers with country code, with commas. Empty: those whom the channel is set up for.",
};
const LOOK_EVERY = 2_000; // ms
const LOOKED_AT = 50; // a test that was just asked for is among the newest notifications

/** Tries a channel out, and shows what came of it. @param {{onDone: () => void, onClose: () => void}} props */
export function SendTestDialog({ onDone, onClose }) {
  const [channel, setChannel] = useState("EMAIL");
  const [to, setTo] = useState("");
  const [sent, setSent] = useState(/** @type {Notice | null} */ (null));
  const command = useCommand((result) => {
    setSent(result.notification);
    onDone();
  }, isAskedFor);
  if (sent) return html`<${Result} first=${sent} onClose=${onClose} />`;
  const submit = () => command.send(SEND_TEST, { channel, to: channel in RECIPIENTS ? addresses(to) : null });
  return html`<${CommandDialog} title="Send a test" submit="Send test" command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>One message that says it is a test, by the same way as an alert's.</p>
    <${Select} name="channel" label="Channel" value=${channel} onChange=${setChannel} options=${CHANNELS.map((each) => [each, channelInWords(each)])} />
    ${channel in RECIPIENTS && html`<${Field} name="to" label="To" hint=${RECIPIENTS[channel]} value=${to} onInput=${setTo} errors=${command.errors} more=${{ placeholder: "optional" }} />`}
    <${OtherErrors} errors=${command.errors} fields=${channel in RECIPIENTS ? ["to"] : []} />
  <//>`;
}

/** The server waits a while for the notifier; who waits no longer has still asked. @param {{notification: Notice | null, userErrors: import("../types.js").UserError[]}} result */
const isAskedFor = ({ notification, userErrors }) => notification !== null && userErrors.every(({ code }) => code === "NO_ANSWER");

/** With commas between them; null when there is none. @param {string} typed */
function addresses(typed) {
  const all = typed.split(",").map((each) => each.trim()).filter(Boolean);
  return all.length ? all : null;
}

/** @param {{first: Notice, onClose: () => void}} props first: as it was when the server answered */
function Result({ first, onClose }) {
  const [notice, setNotice] = useState(first);
  const waiting = notice.state === "REQUESTED";
  useEffect(() => {
    if (!waiting) return undefined;
    const look = async () => {
      const { page } = await ask(NOTIFICATIONS, { limit: LOOKED_AT }).catch(() => ({ page: [] })); // asked again soon
      setNotice((/** @type {Notice} */ before) => page.find((/** @type {Notice} */ { id }) => id === before.id) ?? before);
    };
    const clock = setInterval(look, LOOK_EVERY);
    return () => clearInterval(clock);
  }, [waiting]);
  return html`<${Dialog} title="${channelInWords(notice.channel)} test" onClose=${onClose}>
    <div role="status" aria-label="Result" class="verdict">
      ${waiting
        ? html`<p aria-busy="true">The notifier has not tried it yet. Check that it runs; what comes of it will stand here, and in the list.</p>`
        : html`<${NoticeVerdict} notice=${notice} />`}
    </div>
    <footer><button type="button" class="secondary outline" onClick=${onClose}>Close</button></footer>
  <//>`;
}
