// The whole page: the list of chats beside the open one, dialogs above, announcements for screen readers.
import { current } from "../conversations.js";
import { words } from "../i18n.js";
import { store, useStore } from "../store.js";
import { stop } from "../turn.js";
import { Chat } from "./chat.js";
import { Dialogs } from "./dialogs.js";
import { closeDrawer } from "./drawer.js";
import { html, useEffect } from "./html.js";
import { Sidebar } from "./sidebar.js";

function onKey(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (document.querySelector("dialog[open], :popover-open")) return;
  if (store.state.drawer) closeDrawer();
  else if (store.state.running[store.state.current]) stop(store.state.current);
}

export function App() {
  const state = useStore();
  const t = words();
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const title = current()?.title;
  useEffect(() => {
    document.title = title ? `${title} · quitbutton` : "quitbutton";
  }, [title]);
  return html`
    <div class="page" data-drawer=${state.drawer ? "open" : "closed"}>
      <a class="skip" href="#composer" onClick=${skip} inert=${state.drawer}>${t.skip}</a>
      <${Sidebar} state=${state} t=${t} />
      ${state.drawer && html`<div class="backdrop" onClick=${closeDrawer}></div>`}
      <${Chat} state=${state} t=${t} />
      <${Dialogs} state=${state} t=${t} />
      <div class="unseen" role="status">${state.said}</div>
    </div>
  `;
}

function skip(event) {
  event.preventDefault();
  const target = document.getElementById("composer");
  (target.disabled ? document.querySelector(".ended-card") : target)?.focus();
}
