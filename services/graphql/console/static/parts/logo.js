import { html } from "../preact.js";

const ADDRESS = new URL("../logo.svg", import.meta.url).href;

/** The name stands beside it. @param {{size: number}} props in px */
export const Logo = ({ size }) => html`<img src=${ADDRESS} alt="" width=${size} height=${size} />`;
