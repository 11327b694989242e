/** What a page asks: once when it opens, and again when the project changed or something may have been missed. */
import { useEffect } from "../preact.js";
import { ask } from "./api.js";
import { useObservable } from "./observable.js";
import { watchNews } from "./project_store.js";
import { reader, useReader } from "./reader.js";

/**
 * @template {keyof Api.Operations} Name
 * @param {Api.Document<Name>} document
 * @param {Api.Operations[Name]["variables"]} variables
 * @param {string | null} subject whose news make the answer old, see `watchNews`
 * @param {string} [version] another version is another question
 * @returns {{data: Api.Operations[Name]["data"] | null, error: import("./api.js").ApiError | null, reload: () => void}}
 */
export function useAnswer(document, variables, subject, version = "") {
  const { state, reload } = useReader(JSON.stringify([document, variables, version]), () => reader(() => ask(document, variables)));
  useEffect(() => watchNews(subject, reload), [subject, reload]);
  const { answer, error } = useObservable(state);
  return { data: answer, error, reload };
}
