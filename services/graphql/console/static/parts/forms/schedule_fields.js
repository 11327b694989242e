/** A cron expression and its time zone, with what they mean in words and the next runs, as the server reads them. */
import { ask } from "../../data/api.js";
import { CRON_PREVIEW } from "../../data/documents.js";
import { html, useEffect, useState } from "../../preact.js";
import { localClock } from "../../text/time.js";
import { Failure } from "../failure.js";
import { Field } from "./field.js";

const TYPING_PAUSE = 200; // ms without a key before the preview is asked
const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
const HINT = "Five fields: minute, hour, day of month, month, day of week.";

/**
 * @param {object} props
 * @param {string} props.cron
 * @param {string} props.timezone
 * @param {(cron: string, timezone: string) => void} props.onChange
 * @param {Api.UserError[]} props.errors refusals of the command
 */
export function ScheduleFields({ cron, timezone, onChange, errors }) {
  const { preview, error } = usePreview(cron, timezone);
  const refusals = [...(preview?.userErrors ?? []), ...errors];
  const zones = { list: "zones", spellcheck: false };
  return html`
    <div class="pair">
      <${Field} name="cron" label="Cron" value=${cron} onInput=${(/** @type {string} */ next) => onChange(next, timezone)}
        hint=${HINT} errors=${once(refusals)} more=${{ required: true, spellcheck: false, class: "code" }} />
      <${Field} name="timezone" label="Time zone" value=${timezone} onInput=${(/** @type {string} */ next) => onChange(cron, next)}
        hint="Such as UTC or Europe/Berlin." errors=${once(refusals)} more=${zones} />
    </div>
    <datalist id="zones">${ZONES.map((zone) => html`<option value=${zone} />`)}</datalist>
    <${Failure} error=${error} />
    <div class="preview" role="status" aria-label="Preview">
      ${preview?.valid ? html`<${Meaning} preview=${preview} timezone=${timezone} />` : html`<p class="quiet">${waiting(preview)}</p>`}
    </div>
  `;
}

/** @param {Api.CronPreview | null} preview */
const waiting = (preview) => (preview ? "No preview until the schedule is valid." : "Asking what this means…");

/** @param {{preview: Api.CronPreview, timezone: string}} props */
function Meaning({ preview, timezone }) {
  const inZone = zoneFormat(timezone);
  const here = zoneFormat(Intl.DateTimeFormat().resolvedOptions().timeZone);
  return html`
    <p><strong>${preview.words}</strong> <span class="quiet">(${timezone})</span></p>
    <ol class="runs" aria-label="Next five runs">
      ${preview.runs.map((run) => html`<li key=${run}>
        <time datetime=${run}>${inZone.format(new Date(run))}</time>
        ${inZone.format(new Date(run)) !== here.format(new Date(run)) && html`<span class="quiet"> · ${localClock(new Date(run))} your time</span>`}
      </li>`)}
    </ol>
    ${preview.notes.map((note) => html`<p class="advice">${note}</p>`)}
  `;
}

/** @param {string} timeZone */
function zoneFormat(timeZone) {
  const shape = /** @type {const} */ ({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  try {
    return new Intl.DateTimeFormat(undefined, { ...shape, timeZone, timeZoneName: "short" });
  } catch {
    return new Intl.DateTimeFormat(undefined, shape); // the server knows a zone that this browser does not
  }
}

/** The preview and the command may refuse the same thing: say it once. @param {Api.UserError[]} errors */
function once(errors) {
  return errors.filter(({ message }, index) => errors.findIndex((other) => other.message === message) === index);
}

/** @typedef {{preview: Api.CronPreview | null, error: import("../../data/api.js").ApiError | null}} Shown */

/**
 * @param {string} cron
 * @param {string} timezone
 * @returns {Shown}
 */
function usePreview(cron, timezone) {
  const [shown, setShown] = useState(/** @type {Shown} */ ({ preview: null, error: null }));
  useEffect(() => {
    let open = true;
    const look = async () => {
      try {
        const { cronPreview } = await ask(CRON_PREVIEW, { cron, timezone });
        if (open) setShown({ preview: cronPreview, error: null });
      } catch (error) {
        if (open) setShown({ preview: null, error: /** @type {import("../../data/api.js").ApiError} */ (error) });
      }
    };
    const timer = setTimeout(look, shown.preview ? TYPING_PAUSE : 0);
    return () => {
      open = false;
      clearTimeout(timer);
    };
  }, [cron, timezone]);
  return shown;
}
