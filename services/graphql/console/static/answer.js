/** Questions of a page: asked when it opens, asked again when the project changed or something may have been missed. */
import { ask } from "./api.js";
import { useEffect, useRef, useState } from "./preact.js";
import { watchNews } from "./project_store.js";

const LEAST_PAUSE = 500; // ms between two askings of the same question

/**
 * @param {string} query
 * @param {object} variables
 * @param {string | null} subject whose news make the answer old, see `watchNews`
 * @param {string} [version] another version is another question
 * @returns {{data: any, error: import("./api.js").ApiError | null, reload: () => void}}
 */
export function useAnswer(query, variables, subject, version = "") {
  const question = JSON.stringify([query, variables, version]);
  const [answer, setAnswer] = useState(/** @type {any} */ ({ question: "", data: null, error: null }));
  const reload = useRef(() => {});

  useEffect(() => {
    let open = true;
    let timer = 0;
    let asked = 0;
    const askNow = async () => {
      asked = Date.now();
      try {
        const data = await ask(query, variables);
        if (open) setAnswer({ question, data, error: null });
      } catch (error) {
        if (open) setAnswer((/** @type {any} */ before) => ({ ...(before.question === question && before), question, error }));
      }
    };
    reload.current = () => {
      clearTimeout(timer);
      timer = setTimeout(askNow, Math.max(0, asked + LEAST_PAUSE - Date.now()));
    };
    reload.current();
    const stop = watchNews(subject, () => reload.current());
    return () => {
      open = false;
      clearTimeout(timer);
      stop();
    };
  }, [question, subject]);

  const mine = answer.question === question;
  return { data: mine ? answer.data ?? null : null, error: mine ? answer.error : null, reload: () => reload.current() };
}
