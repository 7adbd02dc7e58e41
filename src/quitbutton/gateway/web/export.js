// A conversation as a file: everything as JSON, or the chosen branch as Markdown.
import { pathOf } from "./tree.js";

export function asJson(conversation) {
  const { id, title, createdAt, updatedAt, nodes, chosen } = conversation;
  const times = { created_at: new Date(createdAt).toISOString(), updated_at: new Date(updatedAt).toISOString() };
  const messages = Object.values(nodes).map(({ at, ...node }) => ({ ...node, at: new Date(at).toISOString() }));
  return JSON.stringify({ format: "quitbutton.chat/1", id, title, ...times, chosen, messages }, null, 2);
}

export function asMarkdown(conversation, t) {
  const parts = [`# ${conversation.title || t.untitled}`];
  for (const { node } of pathOf(conversation)) {
    parts.push(`## ${node.role === "user" ? t.you : t.reply}`);
    if (node.text) parts.push(node.text);
    if (node.status === "stopped") parts.push(`*${t.stopped}*`);
    if (node.ended) parts.push(`> **${t.endedTitle}.** ${node.ended.reason_text ?? ""}`.trimEnd());
  }
  return `${parts.join("\n\n")}\n`;
}

export function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function fileName(conversation, ending) {
  const words = (conversation.title || "chat").normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 50);
  return `${words.replace(/^-+|-+$/g, "").toLowerCase() || "chat"}.${ending}`;
}
