/** A search over something paged: what is typed is asked after a pause, and more pages on demand. */
import { html, useEffect, useRef, useState } from "../../preact.js";
import { Failure } from "../failure.js";

const TYPING_PAUSE = 250; // ms

/**
 * @template T
 * @typedef {{nodes: T[], endCursor?: string | null, hasNextPage?: boolean}} Page
 */

/**
 * @template T
 * @typedef {{nodes: T[], more: boolean, cursor: string | null, error: import("../../data/api.js").ApiError | null, busy: boolean}} Findings
 */

/**
 * @template T
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {string} props.placeholder
 * @param {(search: string, after: string | null) => Promise<Page<T>>} props.find
 * @param {(node: T) => any} props.row what stands for one finding
 * @param {string} props.nothing said when nothing is found
 */
export function Search({ id, label, placeholder, find, row, nothing }) {
  const [search, setSearch] = useState("");
  const { nodes, more, busy, error, next } = useFindings(search, find);
  return html`<div class="search">
    <label for=${id}>${label}</label>
    <input id=${id} type="search" value=${search} placeholder=${placeholder} autocomplete="off"
      onInput=${(/** @type {any} */ event) => setSearch(event.target.value)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && event.preventDefault()} />
    <${Failure} error=${error} />
    <p class="hidden" role="status">${busy ? "Searching" : `${nodes.length} found`}</p>
    ${!error && html`<ul class="findings" aria-label="${label}: results" aria-busy=${busy ? "true" : "false"} tabindex="0">
      ${nodes.map(row)}
      ${!busy && !nodes.length && html`<li class="quiet">${nothing}</li>`}
    </ul>`}
    ${more && html`<button type="button" class="small outline" onClick=${next} disabled=${busy}>Show more</button>`}
  </div>`;
}

/**
 * @template T
 * @param {string} search
 * @param {(search: string, after: string | null) => Promise<Page<T>>} find
 */
function useFindings(search, find) {
  const [page, setPage] = useState(/** @type {Findings<T>} */ ({ nodes: [], more: false, cursor: null, error: null, busy: true }));
  const asked = useRef(0);

  const look = async (/** @type {string | null} */ after) => {
    const mine = ++asked.current;
    setPage((before) => ({ ...before, busy: true }));
    try {
      const { nodes, endCursor = null, hasNextPage = false } = await find(search, after);
      if (mine !== asked.current) return; // something newer was typed
      const kept = after === null ? [] : page.nodes;
      setPage({ nodes: [...kept, ...nodes], more: hasNextPage, cursor: endCursor, error: null, busy: false });
    } catch (error) {
      if (mine === asked.current) setPage({ nodes: [], more: false, cursor: null, error: /** @type {import("../../data/api.js").ApiError} */ (error), busy: false });
    }
  };

  useEffect(() => {
    const timer = setTimeout(() => look(null), search ? TYPING_PAUSE : 0);
    return () => clearTimeout(timer);
  }, [search]);
  useEffect(() => () => void asked.current++, []);

  return { ...page, next: () => look(page.cursor) };
}
