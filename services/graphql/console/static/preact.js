/** The one place that names the vendored file: the rest of the console imports Preact from here. */
export { html, render, useEffect, useErrorBoundary, useMemo, useRef, useState } from "./vendor/htm-preact-3.1.1.js";
