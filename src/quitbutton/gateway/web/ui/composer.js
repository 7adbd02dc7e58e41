// The message box: Enter sends, drafts are kept per chat, Send becomes Stop while a reply is coming.
import { draftOf, keepDraft } from "../conversations.js";
import { send, stop } from "../turn.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";

const onTouch = matchMedia("(pointer: coarse)");

export function Composer({ id, locked, turn, t }) {
  const field = useRef();
  const [text, setText] = useState(() => draftOf(id));
  useLayoutEffect(() => setText(draftOf(id)), [id]);
  useLayoutEffect(() => {
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight + 2}px`;
  }, [text, locked]);
  const focused = useRef(false);
  useEffect(() => {
    if (locked && focused.current) document.querySelector(".ended-card")?.focus();
    focused.current = false;
  }, [locked]);
  useEffect(() => {
    if (!onTouch.matches) field.current.focus();
  }, []);

  const write = (event) => {
    setText(event.target.value);
    keepDraft(id, event.target.value);
  };
  const go = () => {
    if (locked || turn || !text.trim()) return;
    setText("");
    keepDraft(id, "");
    send(text.trim());
    field.current.focus();
  };
  const onKeyDown = (event) => {
    focused.current = true;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || onTouch.matches) return;
    event.preventDefault();
    go();
  };
  return html`
    <div class="composer" data-locked=${locked}>
      <label class="unseen" for="composer">${t.message}</label>
      <textarea id="composer" ref=${field} rows="1" dir="auto" disabled=${locked} aria-describedby="composer-hint" enterkeyhint="send"
        placeholder=${locked ? t.endedHere : t.messageHere} value=${locked ? "" : text} onInput=${write} onKeyDown=${onKeyDown}
        onFocus=${() => (focused.current = true)} onBlur=${() => (focused.current = field.current.disabled && focused.current)}></textarea>
      ${turn
        ? html`<button type="button" class="act stop" key="stop" onClick=${() => stop(id)} aria-disabled=${turn.stopping}>
            <${Icon} name="stop" /><span>${turn.stopping ? t.stopping : t.stop}</span>
          </button>`
        : html`<button type="button" class="act" key="send" aria-label=${t.send} title=${t.send}
            disabled=${locked || !text.trim()} onClick=${go}>
            <${Icon} name="send" />
          </button>`}
    </div>
    <p class="hint" id="composer-hint">${locked ? "\u00a0" : t.messageHint}</p>
  `;
}
