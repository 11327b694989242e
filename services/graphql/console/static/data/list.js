/** A list that is read page by page, kept current as far as it was read. */
import { useEffect } from "../preact.js";
import { ask } from "./api.js";
import { useObservable } from "./observable.js";
import { watchNews } from "./project_store.js";
import { reader, useReader } from "./reader.js";

const PAGE = 50;

/** Operations whose field is aliased to `page`. @typedef {"Absences" | "Alerts" | "Notifications" | "Quarantine"} Lists */

/**
 * @template {Lists} Name
 * @typedef {Api.Operations[Name]["data"]["page"][number]} Item
 */

/**
 * @template {Lists} Name
 * @typedef {Omit<Api.Operations[Name]["variables"], "limit" | "after">} Filters
 */

/**
 * @template {Lists} Name
 * @typedef {{items: Item<Name>[], more: boolean, requested: number}} Listing requested: at least as many are shown, if there are so many
 */

/**
 * @template {Lists} Name
 * @param {Api.Document<Name>} document
 * @param {Filters<Name>} filters
 * @param {string | null} subject whose news make the list old, see `watchNews`
 * @param {number} [every] ms after which it is read again by itself; 0: never
 */
export function useList(document, filters, subject, every = 0) {
  const { state, reload, change } = useReader(JSON.stringify([document, filters]), () =>
    reader((/** @type {Listing<Name> | null} */ before) => readPages(document, filters, before?.requested ?? PAGE)),
  );
  useEffect(() => watchNews(subject, reload), [subject, reload]);
  useEffect(() => {
    if (!every) return undefined;
    const clock = setInterval(() => hidden() || reload(), every);
    return () => clearInterval(clock);
  }, [every, reload]);

  const { answer, error } = useObservable(state);
  const { items = null, more = false, requested = 0 } = answer ?? {};
  /** Reads one page more. */
  const next = () => {
    change((listing) => ({ ...listing, requested: listing.items.length + PAGE }));
    reload();
  };
  return { items, more, busy: more && !error && requested > (items?.length ?? 0), error, next, reload };
}

const hidden = () => document.hidden;

/**
 * From the top, so that what is shown stays, whatever came before it meanwhile.
 * @template {Lists} Name
 * @param {Api.Document<Name>} document
 * @param {Filters<Name>} filters
 * @param {number} requested
 * @returns {Promise<Listing<Name>>}
 */
async function readPages(document, filters, requested) {
  /** @type {Item<Name>[]} */
  const items = [];
  for (;;) {
    const { page } = await ask(document, { ...filters, limit: PAGE, after: items.at(-1)?.cursor ?? null });
    items.push(...page);
    if (page.length < PAGE) return { items, more: false, requested };
    if (items.length >= requested) return { items, more: true, requested };
  }
}
