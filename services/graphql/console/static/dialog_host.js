/** The one dialog that may be open. It lives outside the pages: a row that news takes away must not take its dialog along. */
import { observable, useObservable } from "./data/observable.js";
import { html } from "./preact.js";

/** @type {import("./data/observable.js").Observable<{Content: any, props: object} | null>} */
const opened = observable(/** @type {{Content: any, props: object} | null} */ (null));

/**
 * @param {any} Content a dialog; it gets `onClose` besides its properties
 * @param {object} [props]
 */
export function openDialog(Content, props = {}) {
  opened.set({ Content, props });
}

export function closeDialog() {
  opened.set(null);
}

export function DialogHost() {
  const dialog = useObservable(opened);
  return dialog && html`<${dialog.Content} ...${dialog.props} onClose=${closeDialog} />`;
}

addEventListener("hashchange", closeDialog);
