import { html } from "../preact.js";

/** Where to read on about a failure, outside of the console. @param {{docs: string | null | undefined}} props */
export function DocsLink({ docs }) {
  if (!docs?.startsWith("https://")) return null;
  return html`<a class="docs" href=${docs} target="_blank" rel="noopener noreferrer">Read more at ${new URL(docs).hostname}</a>`;
}
