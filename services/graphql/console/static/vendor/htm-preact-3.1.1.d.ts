// The types of what is vendored here, for the type check alone: a browser is never given this file.
export { html, render } from "htm/preact";
export { useEffect, useErrorBoundary, useMemo, useRef, useState } from "preact/hooks";
