/** A state as text, colour and icon: never by colour alone. */
import { html } from "../preact.js";
import { Icon } from "./icon.js";

/** @typedef {{tone: string, icon: string, text: string}} Look tone: a class that gives the colour */

/** @param {{tone: string, icon: string, children: any}} props */
export function Badge({ tone, icon, children }) {
  return html`<span class="badge ${tone}"><${Icon} name=${icon} spin=${icon === "sync"} />${children}</span>`;
}
