/** Small line drawings. They only repeat what words beside them say, so that readers of the screen skip them. */
import { html } from "../preact.js";

/** @type {Record<string, string>} paths in a box of 16 by 16 */
const PATHS = {
  check: "M3 8.5l3.2 3.2L13 5",
  cross: "M4 4l8 8M12 4l-8 8",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6l7.5-4.8z",
  resume: "M3.5 3.5v9M7 3.5v9l6-4.5z",
  sync: "M13 3v3.4H9.6M3 13V9.6h3.4M12.6 6.2A5 5 0 0 0 4 5M3.4 9.8A5 5 0 0 0 12 11",
  clock: "M8 4.5V8l2.4 1.6M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
  dots: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  calendar: "M2.5 4h11v9.5h-11zM2.5 7h11M5.5 2.5v3M10.5 2.5v3",
  warning: "M8 2.2l6.3 11.3H1.7zM8 6.5v3.2M8 11.6v.01",
  plus: "M8 3v10M3 8h10",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  people: "M6 7.5a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8zM1.8 13.3c.3-2.6 2-3.9 4.2-3.9s3.9 1.3 4.2 3.9M10.6 3a2.3 2.3 0 0 1 0 4.4M12 9.8c1.3.6 2.1 1.8 2.3 3.5",
  download: "M8 2.5v7.5M4.8 7l3.2 3.2L11.2 7M3 13.5h10",
  logs: "M3 4h10M3 8h10M3 12h6",
  leave: "M9.5 3H3.5v10h6M7 8h6.5M11 5.5L13.5 8 11 10.5",
  bin: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
};

/** @param {{name: string, spin?: boolean}} props */
export function Icon({ name, spin = false }) {
  return html`<svg class="icon ${spin ? "spin" : ""}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}
