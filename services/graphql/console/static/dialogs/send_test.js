import { ask } from "../data/api.js";
import { useCommand } from "../data/commands.js";
import { NOTIFICATIONS, SEND_TEST } from "../data/documents.js";
import { OtherErrors } from "../parts/failure.js";
import { CommandDialog, Dialog } from "../parts/forms/dialog.js";
import { Field, Select } from "../parts/forms/field.js";
import { channelText, NotificationVerdict } from "../parts/notifications.js";
import { html, useEffect, useState } from "../preact.js";

/** @type {Api.NotificationChannel[]} */
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
  const [channel, setChannel] = useState(CHANNELS[0]);
  const [to, setTo] = useState("");
  const [sent, setSent] = useState(/** @type {Api.Notification | null} */ (null));
  const command = useCommand(SEND_TEST, (result) => {
    setSent(result.notification);
    onDone();
  }, isAskedFor);
  if (sent) return html`<${Result} first=${sent} onClose=${onClose} />`;
  const submit = () => command.send({ channel, to: channel in RECIPIENTS ? addresses(to) : null });
  return html`<${CommandDialog} title="Send a test" submit="Send test" command=${command} onSubmit=${submit} onClose=${onClose}>
    <p>One message that says it is a test, by the same way as an alert's.</p>
    <${Select} name="channel" label="Channel" value=${channel} onChange=${setChannel} options=${CHANNELS.map((each) => [each, channelText(each)])} />
    ${channel in RECIPIENTS && html`<${Field} name="to" label="To" hint=${RECIPIENTS[channel]} value=${to} onInput=${setTo} errors=${command.errors} more=${{ placeholder: "optional" }} />`}
    <${OtherErrors} errors=${command.errors} fields=${channel in RECIPIENTS ? ["to"] : []} />
  <//>`;
}

/** The server waits a while for the notifier; who waits no longer has still asked. @param {{notification: Api.Notification | null, userErrors: Api.UserError[]}} result */
const isAskedFor = ({ notification, userErrors }) => notification !== null && userErrors.every(({ code }) => code === "NO_ANSWER");

/** With commas between them; null when there is none. @param {string} typed */
function addresses(typed) {
  const all = typed.split(",").map((each) => each.trim()).filter(Boolean);
  return all.length ? all : null;
}

/** @param {{first: Api.Notification, onClose: () => void}} props first: as it was when the server answered */
function Result({ first, onClose }) {
  const [notification, setNotification] = useState(first);
  const waiting = notification.state === "REQUESTED";
  useEffect(() => {
    if (!waiting) return undefined;
    const look = async () => {
      const { page } = await ask(NOTIFICATIONS, { limit: LOOKED_AT }).catch(() => ({ page: [] })); // asked again soon
      setNotification((before) => page.find(({ id }) => id === before.id) ?? before);
    };
    const clock = setInterval(look, LOOK_EVERY);
    return () => clearInterval(clock);
  }, [waiting]);
  return html`<${Dialog} title="${channelText(notification.channel)} test" onClose=${onClose}>
    <div role="status" aria-label="Result" class="verdict">
      ${waiting
        ? html`<p aria-busy="true">The notifier has not tried it yet. Check that it runs; what comes of it will stand here, and in the list.</p>`
        : html`<${NotificationVerdict} notification=${notification} />`}
    </div>
    <footer><button type="button" class="secondary outline" onClick=${onClose}>Close</button></footer>
  <//>`;
}
