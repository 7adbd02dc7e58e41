// A button that copies a text and says so.
import { words } from "../i18n.js";
import { say } from "../store.js";
import { html, useState } from "./html.js";
import { IconButton } from "./icons.js";

const SHOWN_MS = 1600;

export function CopyButton({ text, t }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await copyText(text);
    setDone(true);
    say(words().copied);
    setTimeout(() => setDone(false), SHOWN_MS);
  };
  return html`<${IconButton} icon=${done ? "check" : "copy"} label=${done ? t.copied : t.copy} onClick=${copy} />`;
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http on another host has no clipboard interface.
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    before?.focus();
  }
}
