/** Reading a list page by page, kept current as far as it was read. */
import { ask } from "./api.js";
import { useEffect, useRef, useState } from "./preact.js";
import { watchNews } from "./project_store.js";

const PAGE = 50;
const LEAST_PAUSE = 500; // ms between two askings of the same list
const NOTHING = { question: "", items: null, more: false, busy: false, error: null };

/**
 * @template {{cursor: string}} Item
 * @typedef {object} Listing
 * @property {Item[] | null} items null until the first answer is there
 * @property {boolean} more whether there are more
 * @property {boolean} busy
 * @property {import("./api.js").ApiError | null} error
 * @property {() => void} next reads one page more
 * @property {() => void} reload
 */

/**
 * @param {string} query its field is aliased to `page`
 * @param {object} filters
 * @param {string | null} subject whose news make the list old, see `watchNews`
 * @param {number} [every] ms after which it is asked again by itself; 0: never
 * @returns {Listing<any>}
 */
export function useList(query, filters, subject, every = 0) {
  const question = JSON.stringify([query, filters]);
  const [answer, setAnswer] = useState(/** @type {any} */ (NOTHING));
  const wanted = useRef(PAGE);
  const reload = useRef(() => {});

  useEffect(() => {
    let open = true;
    let timer = 0;
    let asked = 0;
    wanted.current = PAGE;
    const askNow = async () => {
      asked = Date.now();
      const found = await read(query, filters, wanted.current).catch((error) => ({ error }));
      if (open) setAnswer((/** @type {any} */ before) => ({ ...(before.question === question ? before : NOTHING), question, busy: false, error: null, ...found }));
    };
    reload.current = () => {
      clearTimeout(timer);
      timer = setTimeout(askNow, Math.max(0, asked + LEAST_PAUSE - Date.now()));
    };
    reload.current();
    const stop = watchNews(subject, () => reload.current());
    const clock = every && setInterval(() => document.hidden || reload.current(), every);
    return () => {
      open = false;
      clearTimeout(timer);
      clearInterval(clock);
      stop();
    };
  }, [question, subject, every]);

  const next = () => {
    setAnswer({ ...answer, busy: true });
    wanted.current = answer.items.length + PAGE;
    reload.current();
  };
  return { ...(answer.question === question ? answer : NOTHING), next, reload: () => reload.current() };
}

/**
 * At least as many as are wanted, if there are so many: what is shown stays, whatever came before it meanwhile.
 * @param {string} query
 * @param {object} filters
 * @param {number} wanted
 */
async function read(query, filters, wanted) {
  /** @type {any[]} */
  const items = [];
  for (;;) {
    const { page } = await ask(query, { ...filters, limit: PAGE, after: items.at(-1)?.cursor ?? null });
    items.push(...page);
    if (page.length < PAGE) return { items, more: false };
    if (items.length >= wanted) return { items, more: true };
  }
}
