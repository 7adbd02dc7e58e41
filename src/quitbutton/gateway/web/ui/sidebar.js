// The list of chats, their search, and the two preferences; a drawer on narrow screens.
import { open } from "../conversations.js";
import { chooseLanguage, LANGUAGES } from "../i18n.js";
import { keep } from "../storage.js";
import { store } from "../store.js";
import { endedNode, pathOf } from "../tree.js";
import { ChatMenu } from "./chat-menu.js";
import { closeDrawer } from "./drawer.js";
import { html, memo, useEffect, useRef, useState } from "./html.js";
import { Icon, IconButton } from "./icons.js";

const SEARCH_FROM = 6;
const DAY_MS = 86_400_000;

export function Sidebar({ state, t }) {
  const panel = useRef();
  const [query, setQuery] = useState("");
  const narrow = useNarrow();
  useEffect(() => {
    if (state.drawer) panel.current.querySelector("button").focus();
  }, [state.drawer]);
  const all = Object.values(state.conversations).sort((a, b) => b.updatedAt - a.updatedAt);
  const found = all.filter((conversation) => matches(conversation, query));
  const start = () => {
    open(null);
    requestAnimationFrame(() => document.getElementById("composer")?.focus());
  };
  return html`
    <nav class="sidebar" aria-label=${t.chats} ref=${panel} inert=${narrow && !state.drawer}>
      <div class="brand">
        <img src="/web/favicon.svg" alt="" width="28" height="28" />
        <span>quitbutton</span>
        <span class="only-narrow"><${IconButton} icon="close" label=${t.closeList} onClick=${closeDrawer} /></span>
      </div>
      <button type="button" class="button wide" onClick=${start}><${Icon} name="plus" /> ${t.newChat}</button>
      ${all.length >= SEARCH_FROM &&
      html`<label class="search">
        <${Icon} name="search" />
        <input type="search" aria-label=${t.search} placeholder=${t.search} value=${query}
          onInput=${(event) => setQuery(event.target.value)} />
      </label>`}
      <div class="chats">
        ${all.length === 0 && state.ready && html`<p class="quiet">${t.noChats}</p>`}
        ${all.length > 0 && found.length === 0 && html`<p class="quiet">${t.noMatch}</p>`}
        ${grouped(found).map(
          ([group, members]) => html`
            <h2 key=${group}>${t.groups[group]}</h2>
            <ul key=${`${group}-list`}>
              ${members.map(
                (conversation) => html`<${Item} key=${conversation.id} conversation=${conversation} t=${t}
                  selected=${conversation.id === state.current} />`,
              )}
            </ul>
          `,
        )}
      </div>
      <${Preferences} state=${state} t=${t} />
    </nav>
  `;
}

const Item = memo(({ conversation, selected, t }) => {
  const ended = endedNode(pathOf(conversation));
  return html`
    <li class=${selected ? "selected" : ""}>
      <button type="button" class="open" aria-current=${selected ? "page" : undefined} onClick=${() => open(conversation.id)}>
        <span class="title">${conversation.title || t.untitled}</span>
        ${ended &&
        html`<span class="mark" title=${t.standings.ended}>
          <${Icon} name="lock" /><span class="unseen">${t.standings.ended}</span>
        </span>`}
      </button>
      <${ChatMenu} conversation=${conversation} t=${t} place="list" />
    </li>
  `;
});

function Preferences({ state, t }) {
  const setTheme = (theme) => {
    keep("theme", theme);
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    store.set({ theme });
  };
  return html`
    <div class="preferences">
      <label>
        <span>${t.language}</span>
        <select value=${state.language} onChange=${(event) => chooseLanguage(event.target.value)}>
          ${Object.entries(LANGUAGES).map(
            ([code, { name }]) => html`<option key=${code} value=${code} lang=${code}>${name}</option>`,
          )}
        </select>
      </label>
      <label>
        <span>${t.theme}</span>
        <select value=${state.theme} onChange=${(event) => setTheme(event.target.value)}>
          ${Object.entries(t.themes).map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}
        </select>
      </label>
    </div>
  `;
}

function useNarrow() {
  const media = useRef(matchMedia("(max-width: 50rem)")).current;
  const [narrow, setNarrow] = useState(media.matches);
  useEffect(() => {
    const listener = () => setNarrow(media.matches);
    media.addEventListener("change", listener);
    return () => media.removeEventListener("change", listener);
  }, []);
  return narrow;
}

function matches(conversation, query) {
  const wanted = query.trim().toLowerCase();
  if (!wanted || conversation.title.toLowerCase().includes(wanted)) return true;
  return Object.values(conversation.nodes).some((node) => node.text.toLowerCase().includes(wanted));
}

function grouped(conversations) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const groupOf = ({ updatedAt }) =>
    updatedAt >= midnight ? "today" : updatedAt >= midnight - 6 * DAY_MS ? "week" : "older";
  const groups = { today: [], week: [], older: [] };
  for (const conversation of conversations) groups[groupOf(conversation)].push(conversation);
  return Object.entries(groups).filter(([, members]) => members.length > 0);
}
