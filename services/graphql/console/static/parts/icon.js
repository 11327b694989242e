/** Small line drawings. They only repeat what words beside them report, so that readers of the screen skip them. */
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
  slow: "M2.5 11.5a6 6 0 1 1 11 0M8 9.5L5 6.5M2.5 11.5h2M11.5 11.5h2",
  stop: "M5.6 2.2h4.8l3.4 3.4v4.8l-3.4 3.4H5.6l-3.4-3.4V5.6zM8 5v3.6M8 11v.01",
  info: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM8 7.4v3.4M8 5v.01",
  bell: "M3.2 11.8c1-1 1.3-2.2 1.3-4.3a3.5 3.5 0 0 1 7 0c0 2.1.3 3.3 1.3 4.3zM6.6 13.8h2.8",
  mute: "M3.2 11.8c1-1 1.3-2.2 1.3-4.3a3.5 3.5 0 0 1 7 0c0 2.1.3 3.3 1.3 4.3zM6.6 13.8h2.8M2.5 2.5l11 11",
  eye: "M1.5 8c1.6-2.9 3.8-4.3 6.5-4.3s4.9 1.4 6.5 4.3c-1.6 2.9-3.8 4.3-6.5 4.3S3.1 10.9 1.5 8zM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z",
  send: "M2.5 7.5l11-5-4.5 11-2-4.5zM7 9l6.5-6.5",
  again: "M12.8 8.5A5 5 0 1 1 11.6 4.6M12.5 2v3.2H9.3",
  bin: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
};

/** @param {{name: string, spin?: boolean}} props */
export function Icon({ name, spin = false }) {
  return html`<svg class="icon ${spin ? "spin" : ""}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}
