/**
 * Where the focus goes when what had it may be gone, as "Pause" is once a project is paused: to the element itself, else
 * to its neighbour, else to the page's heading; never nowhere.
 */

/** @param {Element | null} element that has the focus now */
export function focusKeeper(element = document.activeElement) {
  const before = /** @type {HTMLElement | null} */ (element === document.body ? null : element);
  const group = before?.closest("[role=group]");
  return () =>
    requestAnimationFrame(() => {
      if (document.activeElement && document.activeElement !== document.body) return;
      const neighbour = group?.isConnected ? group.querySelector("button:not(:disabled)") : null;
      const target = before?.isConnected ? before : (neighbour ?? document.querySelector("main h1"));
      /** @type {HTMLElement | null} */ (target)?.focus();
    });
}
