// The two questions that the page asks in a dialog: a new name, and whether to delete.
import { remove, rename } from "../conversations.js";
import { store } from "../store.js";
import { html, useEffect, useRef } from "./html.js";

export function Dialogs({ state, t }) {
  const conversation = state.conversations[state.dialog?.id];
  if (!conversation) return null;
  const Kind = state.dialog.kind === "rename" ? Rename : Delete;
  return html`<${Kind} conversation=${conversation} t=${t} key=${state.dialog.kind + conversation.id} />`;
}

const close = () => store.set({ dialog: null });

function Dialog({ title, children }) {
  const dialog = useRef();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => (before?.isConnected ? before : document.getElementById("composer"))?.focus();
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${close}>
    <h2 id="dialog-title">${title}</h2>
    ${children}
  </dialog>`;
}

function Rename({ conversation, t }) {
  const field = useRef();
  const save = () => {
    rename(conversation.id, field.current.value);
    close();
  };
  const onKeyDown = (event) => event.key === "Enter" && !event.isComposing && save();
  return html`<${Dialog} title=${t.renameTitle}>
    <label class="field">
      <span>${t.renameLabel}</span>
      <input ref=${field} autofocus maxlength="120" defaultValue=${conversation.title} onKeyDown=${onKeyDown} />
    </label>
    <div class="choices">
      <button type="button" class="button" onClick=${close}>${t.cancel}</button>
      <button type="button" class="button primary" onClick=${save}>${t.save}</button>
    </div>
  <//>`;
}

function Delete({ conversation, t }) {
  const act = () => {
    close();
    remove(conversation.id);
  };
  return html`<${Dialog} title=${t.deleteTitle}>
    <p>${t.deleteText(conversation.title || t.untitled)}</p>
    <div class="choices">
      <button type="button" class="button" autofocus onClick=${close}>${t.cancel}</button>
      <button type="button" class="button danger" onClick=${act}>${t.delete}</button>
    </div>
  <//>`;
}
