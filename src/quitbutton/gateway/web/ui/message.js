// One message of the user's, or one reply, with what can be done about it.
import { update } from "../conversations.js";
import { renderInto } from "../markdown.js";
import { store } from "../store.js";
import { withChoice } from "../tree.js";
import { edit, retry, send } from "../turn.js";
import { CopyButton } from "./copy.js";
import { ReplyFeedback } from "./feedback.js";
import { html, memo, useLayoutEffect, useRef, useState } from "./html.js";
import { Icon, IconButton } from "./icons.js";
import { ErrorNote, isAllInCard, Note, Receipt, SupportCard } from "./notes.js";

export const UserMessage = memo((props) => {
  const { id, node, t, busy, editing } = props;
  if (editing) return html`<${Editor} id=${id} node=${node} busy=${busy} t=${t} />`;
  return html`
    <article class="message user" aria-label=${t.you}>
      <h2 class="unseen">${t.you}</h2>
      <div class="bubble" dir="auto">${node.text}</div>
      ${node.ended && html`<p class="ended-mark"><${Icon} name="lock" />${t.endedMark}</p>`}
      ${node.reopened && html`<p class="ended-mark"><${Icon} name="check" />${t.reopened}</p>`}
      <div class="actions">
        <${Versions} ...${props} />
        <${CopyButton} text=${node.text} t=${t} />
        <${IconButton} icon="pencil" label=${t.edit} data-edit=${node.id} aria-disabled=${busy}
          onClick=${() => busy || startEditing(node.id)} />
      </div>
    </article>
  `;
});

export const startEditing = (nodeId) => store.set({ editing: nodeId });

function stopEditing(nodeId) {
  store.set({ editing: null });
  requestAnimationFrame(() => document.querySelector(`[data-edit="${nodeId}"]`)?.focus());
}

function Editor({ id, node, busy, t }) {
  const field = useRef();
  const [text, setText] = useState(node.text);
  useLayoutEffect(() => {
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight + 2}px`;
  }, [text]);
  useLayoutEffect(() => {
    field.current.focus(); // before it can be seen: later, the cursor would leap while somebody types
    field.current.setSelectionRange(text.length, text.length);
    field.current.closest("article").scrollIntoView({ block: "center" });
  }, []);
  const changed = text.trim() && text.trim() !== node.text && !busy;
  const save = () => {
    if (!changed) return;
    edit(id, node.id, text.trim());
    document.getElementById("composer")?.focus();
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      stopEditing(node.id);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save();
    }
  };
  return html`
    <article class="message user editor" aria-label=${t.editLabel}>
      <label class="unseen" for="editor">${t.editLabel}</label>
      <textarea id="editor" ref=${field} rows="2" value=${text} aria-describedby="editor-hint" onKeyDown=${onKeyDown}
        onInput=${(event) => setText(event.target.value)}></textarea>
      <p class="hint" id="editor-hint">${t.editHint}</p>
      <div class="choices">
        <button type="button" class="button" onClick=${() => stopEditing(node.id)}>${t.cancel}</button>
        <button type="button" class="button primary" disabled=${!changed} onClick=${save}>${t.editSend}</button>
      </div>
    </article>
  `;
}

export const Reply = memo((props) => {
  const { id, node, t, busy, locked, last, calm, card } = props;
  const streaming = node.status === "streaming";
  const again = () => busy || retry(id, node.id);
  return html`
    <article class="message reply" aria-label=${t.reply} aria-busy=${streaming} data-last=${last}>
      <h2 class="unseen">${t.reply}</h2>
      <${Note} quitbutton=${node.qb} calm=${calm} t=${t} />
      ${node.text && !(card && isAllInCard(node)) && html`<${Markdown} text=${node.text} />`}
      ${streaming &&
      html`<p class="writing">
        <span class="dots" aria-hidden="true"><i></i><i></i><i></i></span><span class="unseen">${t.writing}</span>
      </p>`}
      ${card && html`<${SupportCard} node=${node} folded=${card === "folded"} t=${t} />`}
      <${Receipt} node=${node} t=${t} last=${last && !busy && !locked} onContinue=${() => send(t.continueText)} />
      ${node.status === "error" && html`<${ErrorNote} node=${node} t=${t} busy=${busy || locked} onRetry=${again} />`}
      ${!streaming &&
      html`<div class="actions">
        <${Versions} ...${props} />
        ${node.text && html`<${CopyButton} text=${node.text} t=${t} />`}
        ${!locked && node.status !== "error" &&
        html`<${IconButton} icon="retry" label=${t.retryReply} aria-disabled=${busy} onClick=${again} />`}
        ${node.requestId && node.text && !node.qb?.end_id &&
        html`<${ReplyFeedback} key=${node.id} id=${id} node=${node} t=${t} />`}
      </div>`}
    </article>
  `;
});

function Markdown({ text }) {
  const place = useRef();
  useLayoutEffect(() => renderInto(place.current, text), [text]);
  return html`<div class="prose" ref=${place} dir="auto"></div>`;
}

function Versions({ id, index, count, previous, next, t, busy }) {
  if (count < 2) return null;
  const go = (target) => () => {
    if (!target || busy) return;
    store.set({ editing: null, said: t.versions(index + (target === next ? 2 : 0), count) });
    update(id, (conversation) => withChoice(conversation, target));
  };
  return html`<div class="versions" role="group" aria-label=${t.versions(index + 1, count)}>
    <${IconButton} icon="left" label=${t.previous} aria-disabled=${busy || !previous} onClick=${go(previous)} />
    <span aria-hidden="true">${index + 1}/${count}</span>
    <${IconButton} icon="right" label=${t.next} aria-disabled=${busy || !next} onClick=${go(next)} />
  </div>`;
}
