// A conversation as a tree of messages: pure functions over plain values, nothing is changed in place.
//
// conversation: {id, title, named, createdAt, updatedAt, nodes: {id: node}, chosen: {parentId: childId}}
// node: {id, parent, role, text, at, ...}; a user node that was ended carries `ended`, the server's account of it,
// or `reopened`, the same account, once a person has found the end wrong.
// The root's key in `chosen` is "root".
import { newId } from "./ids.js";

const ROOT = "root";

export function newConversation(now = Date.now()) {
  return { id: newId("conv"), title: "", named: false, createdAt: now, updatedAt: now, nodes: {}, chosen: {} };
}

export function newNode(parent, role, text, more = {}) {
  return { id: newId("msg"), parent: parent ?? null, role, text, at: Date.now(), ...more };
}

export function childrenOf(conversation, parentId) {
  return Object.values(conversation.nodes).filter((node) => node.parent === (parentId ?? null));
}

/** The messages of the chosen branch, oldest first. */
export function pathOf(conversation) {
  const byParent = new Map();
  for (const node of Object.values(conversation.nodes)) {
    if (!byParent.has(node.parent)) byParent.set(node.parent, []);
    byParent.get(node.parent).push(node);
  }
  const path = [];
  let parent = null;
  for (;;) {
    const children = byParent.get(parent);
    if (!children) return path;
    const chosen = conversation.chosen[parent ?? ROOT];
    const node = children.find((child) => child.id === chosen) ?? children.at(-1);
    path.push({ node, index: children.indexOf(node), versions: children.map((child) => child.id) });
    parent = node.id;
  }
}

/** Adds a message and chooses it. */
export function withNode(conversation, node) {
  return {
    ...conversation,
    nodes: { ...conversation.nodes, [node.id]: node },
    chosen: { ...conversation.chosen, [node.parent ?? ROOT]: node.id },
    updatedAt: Date.now(),
  };
}

export function withPatch(conversation, nodeId, patch) {
  const node = conversation.nodes[nodeId];
  if (!node) return conversation;
  return { ...conversation, nodes: { ...conversation.nodes, [nodeId]: { ...node, ...patch } } };
}

export function withoutNode(conversation, nodeId) {
  const { [nodeId]: gone, ...nodes } = conversation.nodes;
  if (!gone) return conversation;
  const { [gone.parent ?? ROOT]: choice, ...rest } = conversation.chosen;
  return { ...conversation, nodes, chosen: choice === nodeId ? rest : conversation.chosen };
}

export function withChoice(conversation, nodeId) {
  const parent = conversation.nodes[nodeId].parent;
  return { ...conversation, chosen: { ...conversation.chosen, [parent ?? ROOT]: nodeId } };
}

/** The user message at which the chosen branch was ended, if it was. */
export function endedNode(path) {
  return path.find(({ node }) => node.ended)?.node ?? null;
}

/** Opens the branches that an end had locked: its place is marked as reopened. */
export function withoutEnd(conversation, endId) {
  const nodes = { ...conversation.nodes };
  for (const node of Object.values(nodes)) {
    if (node.ended?.end_id === endId) nodes[node.id] = { ...node, ended: null, reopened: node.ended };
  }
  return { ...conversation, nodes };
}

/** The message whose edit most likely opens a working branch. */
export function editTarget(conversation, path) {
  const ended = endedNode(path);
  if (!ended) return null;
  const users = path.map(({ node }) => node).filter((node) => node.role === "user");
  const position = users.indexOf(ended);
  const refusedBefore = childrenOf(conversation, ended.parent).some(
    (other) => other.id !== ended.id && other.ended && other.ended.end_id === ended.ended.end_id,
  );
  // The same end met an edited message again: what was ended lies further up.
  return refusedBefore && position > 0 ? users[position - 1] : ended;
}

/** What goes over the wire for a reply to the last message of `path`. */
export function wireMessages(path) {
  return path.filter(({ node }) => node.text.trim()).map(({ node }) => ({ role: node.role, content: node.text }));
}

export function pathUpTo(path, nodeId) {
  return path.slice(0, path.findIndex(({ node }) => node.id === nodeId) + 1);
}

export function titleFrom(text) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 58).trimEnd()}…` : line;
}
