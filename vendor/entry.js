// What the pages take from third parties; bundled into one module by rebuild.py.
export { h, render, Component, Fragment, createRef } from "preact";
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { default as htm } from "htm";
export { Marked } from "marked";
export { default as DOMPurify } from "dompurify";
