// The page's icons: small line drawings that take the colour of the text; always beside words or a label.
import { html } from "./html.js";

const PATHS = {
  plus: "M12 5v14M5 12h14",
  menu: "M4 7h16M4 12h16M4 17h10",
  close: "M6 6l12 12M18 6L6 18",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  send: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  left: "M14.500 6l-6 6 6 6",
  right: "M9.500 6l6 6-6 6",
  pencil: "M4 20l1-4L16 5l3 3L8 19l-4 1zM14 7l3 3",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  check: "M5 12.500l4.500 4.500L19 7.500",
  retry: "M19 6v5h-5M5 18v-5h5M18.500 11A7 7 0 0 0 6.300 8M5.500 13a7 7 0 0 0 12.200 3",
  up: "M7 11v9H4v-9zM7 11l4-7c1.500 0 2.500 1 2.300 2.500L13 10h5.500c1.200 0 2 1 1.800 2.200l-1.100 6c-.2 1-1 1.800-2.100 1.800H7",
  thumbDown:
    "M7 13V4H4v9zM7 13l4 7c1.500 0 2.500-1 2.300-2.500L13 14h5.500c1.200 0 2-1 1.800-2.200l-1.100-6C19 4.800 18.200 4 17.100 4H7",
  redirect: "M5 19v-6a4 4 0 0 1 4-4h10M15 5l4 4-4 4",
  warning: "M12 4l9 16H3zM12 10v4.500M12 17.300h.01",
  question: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .8-1 1.700M12 16.800h.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.800h.01",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  heart: "M12 20s-7.500-4.600-7.500-10A4.200 4.200 0 0 1 12 7.500 4.200 4.200 0 0 1 19.500 10c0 5.400-7.500 10-7.500 10z",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16.200 16.200L20 20",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  branch: "M7 4v16M7 14c0-4 10-2 10-7M17 4.500v2",
  chart: "M5 20V11M12 20V4M19 20v-6M3 20h18",
  list: "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
  scale: "M12 4v16M8 20h8M5 7h14M5 7l-3 6h6zM19 7l-3 6h6z",
  key: "M8 12a4 4 0 1 0 0 .01M12 12h9M18 12v4",
  outside: "M13 5h6v6M19 5l-9 9M10 5H5v14h14v-5",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    ${name === "stop" ? html`<rect x="7" y="7" width="10" height="10" rx="2" class="filled" />` : html`<path d=${PATHS[name]} />`}
  </svg>`;
}

export function IconButton({ icon, label, ...rest }) {
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label} ...${rest}>
    <${Icon} name=${icon} />
  </button>`;
}
