// The options of one chat: rename, export, delete.
import { asJson, asMarkdown, download, fileName } from "../export.js";
import { store } from "../store.js";
import { html } from "./html.js";
import { Menu } from "./menu.js";

export function ChatMenu({ conversation, t, place }) {
  const { id } = conversation;
  const items = [
    { icon: "pencil", text: t.rename, act: () => store.set({ dialog: { kind: "rename", id } }) },
    { icon: "file", text: t.exportMarkdown, act: () => save("md", "text/markdown", asMarkdown) },
    { icon: "file", text: t.exportJson, act: () => save("json", "application/json", asJson) },
    { icon: "trash", text: t.delete, act: () => store.set({ dialog: { kind: "delete", id } }), grave: true },
  ];
  const save = (ending, type, write) => download(fileName(conversation, ending), type, write(conversation, t));
  return html`<${Menu} id=${`menu-${place}-${id}`} label=${t.chatMenu(conversation.title || t.untitled)} items=${items} />`;
}
