// The types of what is vendored here, for the type check alone: a browser is never given this file.
export { h, html, render } from "htm/preact";
export { useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
