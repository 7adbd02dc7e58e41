// The open chat: its heading, the messages of the chosen branch, and the composer below.
import { current } from "../conversations.js";
import { keep } from "../storage.js";
import { store } from "../store.js";
import { endedNode, pathOf } from "../tree.js";
import { ChatMenu } from "./chat-menu.js";
import { Composer } from "./composer.js";
import { openDrawer } from "./drawer.js";
import { EndedCard } from "./ended.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { Icon, IconButton } from "./icons.js";
import { Reply, UserMessage } from "./message.js";
import { DemoNote, Notice } from "./notes.js";

const NEAR_END_PX = 120;

/** "open", "folded" or null: the newest help in full stays open; what was told again is at hand in the newest reply alone. */
function cardAt(path, position) {
  const supportOf = ({ node }) => node.qb?.support;
  const support = supportOf(path[position]);
  if (!support) return null;
  if (support.folded) return position === path.findLastIndex(supportOf) ? "folded" : null;
  return position === path.findLastIndex((entry) => supportOf(entry) && !supportOf(entry).folded) ? "open" : "folded";
}

export function Chat({ state, t }) {
  const conversation = current();
  const path = conversation ? pathOf(conversation) : [];
  const turn = state.running[state.current] ?? null;
  const ended = endedNode(path);
  const lastSupport = path.findLastIndex(({ node }) => node.qb?.support);
  const following = useFollowing(state.current, path.at(-1)?.node);
  const showDemo = state.about?.demonstration && !state.noteDismissed && lastSupport < 0;
  const dismiss = () => {
    keep("noteDismissed", true);
    store.set({ noteDismissed: true });
    document.getElementById("composer")?.focus();
  };
  return html`
    <main class="chat" inert=${state.drawer}>
      <${Heading} conversation=${conversation} path=${path} state=${state} ended=${ended} calm=${lastSupport >= 0} t=${t} />
      <div class="messages">
        ${state.unsaved && html`<${Notice} icon="info" text=${t.unsaved} />`}
        ${showDemo && html`<${DemoNote} t=${t} onDismiss=${dismiss} />`}
        ${state.ready && path.length === 0 && html`<${Welcome} t=${t} />`}
        ${path.map((entry, position) => {
          const last = position === path.length - 1;
          const shared = {
            key: position,
            t,
            id: conversation.id,
            node: entry.node,
            index: entry.index,
            count: entry.versions.length,
            previous: entry.versions[entry.index - 1],
            next: entry.versions[entry.index + 1],
            busy: Boolean(turn),
            locked: Boolean(ended),
            last,
          };
          if (entry.node.role === "user") {
            return html`<${UserMessage} ...${shared} editing=${state.editing === entry.node.id} />`;
          }
          const card = cardAt(path, position);
          return html`<${Reply} ...${shared} calm=${position <= lastSupport} card=${card} />`;
        })}
        ${ended &&
        html`<${EndedCard} conversation=${conversation} path=${path} node=${ended} busy=${Boolean(turn)} t=${t}
          language=${state.language} />`}
      </div>
      <div class="dock">
        ${!following.near &&
        html`<button type="button" class="to-latest" aria-label=${t.toLatest} title=${t.toLatest} onClick=${following.jump}>
          <${Icon} name="down" />
        </button>`}
        <${Composer} id=${state.current} locked=${Boolean(ended)} turn=${turn} t=${t} />
      </div>
    </main>
  `;
}

function Heading({ conversation, path, state, ended, calm, t }) {
  const standing = path.findLast(({ node }) => node.qb?.state)?.node.qb.state;
  const shown = ended ? "ended" : standing === "warned" && !calm ? "warned" : null;
  const showModels = state.models.length > 0;
  const choose = (event) => {
    keep("model", event.target.value);
    store.set({ model: event.target.value });
  };
  return html`
    <header class="heading">
      <span class="only-narrow">
        <${IconButton} id="open-list" icon="menu" label=${t.openList} aria-expanded=${state.drawer}
          onClick=${openDrawer} />
      </span>
      <h1>${conversation?.title || t.newChat}</h1>
      ${shown &&
      html`<span class="standing ${shown}">
        <${Icon} name=${shown === "ended" ? "lock" : "warning"} />${t.standings[shown]}
      </span>`}
      <span class="spring"></span>
      ${showModels && state.models.length === 1 && html`<span class="model" title=${t.model}>${state.models[0]}</span>`}
      ${state.models.length > 1 &&
      html`<select class="model" aria-label=${t.model} value=${state.model} onChange=${choose}>
        ${state.models.map((model) => html`<option key=${model} value=${model}>${model}</option>`)}
      </select>`}
      ${conversation && html`<${ChatMenu} key=${conversation.id} conversation=${conversation} t=${t} place="head" />`}
    </header>
  `;
}

function Welcome({ t }) {
  return html`<div class="welcome">
    <img src="/web/favicon.svg" alt="" width="52" height="52" />
    <h2>${t.welcome}</h2>
    <p>${t.welcomeText}</p>
  </div>`;
}

/** Keeps the newest words in sight, unless the reader has scrolled away from them. */
function useFollowing(id, newest) {
  const [near, setNear] = useState(true);
  const follow = useRef(true);
  const root = document.scrollingElement;
  const look = () => {
    follow.current = root.scrollHeight - root.scrollTop - innerHeight < NEAR_END_PX;
    setNear(follow.current);
  };
  useEffect(() => {
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, []);
  const jump = () => {
    follow.current = true;
    root.scrollTo({ top: root.scrollHeight });
  };
  useLayoutEffect(jump, [id]);
  const own = useRef();
  useLayoutEffect(() => {
    // A reply that begins is something the reader has asked for.
    const begins = newest?.status === "streaming" && own.current !== newest.id;
    own.current = newest?.id;
    if (begins || follow.current) jump();
    look(); // a branch may be so short that nothing scrolls
  }, [newest]);
  return { near, jump };
}
