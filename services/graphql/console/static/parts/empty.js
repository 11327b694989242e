import { html } from "../preact.js";

/** Nothing here, and why, and what to do about it. @param {{title: string, children?: any}} props */
export function Empty({ title, children }) {
  return html`<div class="empty"><p><strong>${title}</strong></p>${children}</div>`;
}

/** While the first answer is on its way. */
export function Loading() {
  return html`<p class="loading" aria-busy="true">Loading</p>`;
}
