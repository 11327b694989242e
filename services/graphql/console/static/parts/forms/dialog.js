/** The native modal dialog with a form in it. Escape closes it; the focus goes back to where it was. */
import { html, useEffect, useRef } from "../../preact.js";
import { Failure } from "../failure.js";
import { focusKeeper } from "../focus.js";

let numbers = 0;

/** @param {{title: string, onClose: () => void, wide?: boolean, children: any}} props */
export function Dialog({ title, onClose, wide = false, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useRef(`dialog-${++numbers}`);
  useEffect(() => {
    const giveBackFocus = focusKeeper();
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      giveBackFocus();
    };
  }, []);
  const cancel = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${dialog} class=${wide ? "wide" : ""} aria-labelledby=${id.current} onCancel=${cancel}>
    <article>
      <header><h2 id=${id.current}>${title}</h2></header>
      ${children}
    </article>
  </dialog>`;
}

/**
 * A dialog that sends one command.
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.submit the text of the button
 * @param {boolean} [props.danger]
 * @param {boolean} [props.ready] whether it can be sent
 * @param {boolean} [props.wide]
 * @param {{busy: boolean, failure: import("../../data/api.js").ApiError | null}} props.command
 * @param {() => void} props.onSubmit
 * @param {() => void} props.onClose
 * @param {any} props.children
 */
export function CommandDialog({ title, submit, danger = false, ready = true, wide, command, onSubmit, onClose, children }) {
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (ready) onSubmit();
  };
  return html`<${Dialog} title=${title} onClose=${onClose} wide=${wide}>
    <form onSubmit=${send}>
      ${children}
      <${Failure} error=${command.failure} />
      <footer>
        <button type="button" class="secondary outline" onClick=${onClose}>Cancel</button>
        <button type="submit" class=${danger ? "danger" : ""} aria-busy=${command.busy ? "true" : "false"} disabled=${command.busy || !ready}>
          ${submit}
        </button>
      </footer>
    </form>
  <//>`;
}
