// What can be done with conversations as a whole: load, open, change, rename, delete; kept in step with other tabs.
import * as storage from "./storage.js";
import { store } from "./store.js";

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("quitbutton") : null;

export async function loadAll() {
  let kept = [];
  try {
    kept = await storage.loadConversations();
  } catch {
    store.set({ unsaved: true });
  }
  store.set({ conversations: Object.fromEntries(kept.map((each) => [each.id, settled(each)])), ready: true });
  openFromAddress();
  addEventListener("hashchange", openFromAddress);
  if (channel) channel.onmessage = ({ data }) => followOtherTab(data);
}

/** A reply that was still coming when the page went away was interrupted. */
function settled(conversation) {
  const nodes = { ...conversation.nodes };
  for (const node of Object.values(nodes)) {
    if (node.status === "streaming") nodes[node.id] = { ...node, status: "interrupted" };
  }
  return { ...conversation, nodes };
}

async function followOtherTab(id) {
  if (store.state.running[id]) return;
  const kept = await storage.loadConversation(id).catch(() => null);
  const { [id]: known, ...others } = store.state.conversations;
  if (kept) store.set({ conversations: { ...others, [id]: kept } });
  else if (known) store.set({ conversations: others, current: store.state.current === id ? null : store.state.current });
}

function openFromAddress() {
  const id = location.hash.replace(/^#\//, "");
  const known = store.state.conversations[id] ? id : null;
  if (known !== store.state.current) open(known);
}

export function open(id) {
  store.set({ current: id, editing: null, drawer: false, said: "" });
  const address = id ? `#/${id}` : "#/";
  if (location.hash !== address && !(address === "#/" && location.hash === "")) location.hash = address;
}

export function current() {
  return store.state.conversations[store.state.current] ?? null;
}

export function put(conversation, { save = true } = {}) {
  store.set({ conversations: { ...store.state.conversations, [conversation.id]: conversation } });
  if (save) persist(conversation.id);
}

/** Applies `change` to a conversation, unless it was deleted meanwhile. */
export function update(id, change, options) {
  const conversation = store.state.conversations[id];
  if (conversation) put(change(conversation), options);
}

export async function persist(id) {
  const conversation = store.state.conversations[id];
  if (!conversation) return;
  try {
    await storage.saveConversation(conversation);
    channel?.postMessage(id);
  } catch {
    store.set({ unsaved: true });
  }
}

export function rename(id, title) {
  if (title.trim()) update(id, (conversation) => ({ ...conversation, title: title.trim(), named: true }));
}

export async function remove(id) {
  store.state.running[id]?.controller.abort();
  const { [id]: _, ...conversations } = store.state.conversations;
  storage.keep(`draft.${id}`, null);
  store.set({ conversations });
  if (store.state.current === id) open(null);
  await storage.deleteConversation(id).catch(() => store.set({ unsaved: true }));
  channel?.postMessage(id);
}

export const draftOf = (id) => storage.recall(`draft.${id ?? "new"}`, "");
export const keepDraft = (id, text) => storage.keep(`draft.${id ?? "new"}`, text);
