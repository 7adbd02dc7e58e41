// One turn from the page's side: send, stream the reply, settle it; and the user's own stop.
import * as api from "./api.js";
import { current, open, persist, put, update } from "./conversations.js";
import { recall } from "./storage.js";
import { say, store, until } from "./store.js";
import { newConversation, newNode, pathOf, pathUpTo, titleFrom, wireMessages } from "./tree.js";
import { withNode, withoutNode, withPatch } from "./tree.js";
import { languageTag, words } from "./i18n.js";

const DRAW_EVERY_MS = 40;
const SAVE_EVERY_MS = 1000;
const CLOSE_WITHIN_MS = 1500;

export function send(text) {
  let conversation = current();
  const fresh = !conversation;
  conversation ??= newConversation();
  const user = newNode(pathOf(conversation).at(-1)?.node.id, "user", text);
  conversation = withNode(conversation, user);
  if (!conversation.title) conversation = { ...conversation, title: titleFrom(text) };
  put(conversation);
  if (fresh) open(conversation.id);
  return run(conversation.id, user.id);
}

/** Says an earlier message differently: a new branch beside the old one. */
export function edit(id, nodeId, text) {
  const user = newNode(store.state.conversations[id].nodes[nodeId].parent, "user", text);
  update(id, (conversation) => withNode(conversation, user));
  store.set({ editing: null });
  return run(id, user.id);
}

/** Asks for another reply; a failed one that said nothing makes room. */
export function retry(id, nodeId) {
  const node = store.state.conversations[id].nodes[nodeId];
  if (!node.text) update(id, (conversation) => withoutNode(conversation, nodeId));
  return run(id, node.parent);
}

async function run(id, userId) {
  const node = newNode(userId, "assistant", "", { status: "streaming" });
  const path = pathUpTo(pathOf(store.state.conversations[id]), userId);
  update(id, (conversation) => withNode(conversation, node));
  const turn = { controller: new AbortController(), nodeId: node.id, requestId: null, stopping: false };
  turn.finished = new Promise((resolve) => (turn.finish = resolve));
  setTurn(id, turn);
  say(words().replyStarted);
  const seen = { text: "", quitbutton: null, finish: null, whole: false };
  const pen = penFor(id, node.id, seen);
  let failure = null;
  try {
    await until((state) => state.isIntroduced); // whoever writes before the models are known is not turned away
    const asked = { conversation: id, messages: wireMessages(path), model: store.state.model };
    const who = { user: recall("browser"), language: languageTag(), signal: turn.controller.signal };
    for await (const piece of api.reply({ ...asked, ...who })) {
      if (piece.requestId) setTurn(id, Object.assign(turn, { requestId: piece.requestId }));
      if (piece.text) pen.write(piece.text);
      seen.quitbutton = piece.quitbutton ?? seen.quitbutton;
      seen.finish = piece.finish ?? seen.finish;
      seen.whole ||= Boolean(piece.done);
    }
  } catch (error) {
    failure = error;
  }
  pen.lift();
  settle(id, node.id, turn, seen, failure);
  setTurn(id, null);
  turn.finish();
  await persist(id);
}

function setTurn(id, turn) {
  const { [id]: _, ...others } = store.state.running;
  store.set({ running: turn ? { ...others, [id]: turn } : others });
}

/** Draws and saves what streams in, neither for every token. */
function penFor(id, nodeId, seen) {
  let timer = null;
  let savedAt = Date.now();
  const draw = () => {
    timer = null;
    const save = Date.now() - savedAt > SAVE_EVERY_MS;
    if (save) savedAt = Date.now();
    update(id, (conversation) => withPatch(conversation, nodeId, { text: seen.text }), { save });
  };
  return {
    write(text) {
      seen.text += text;
      timer ??= setTimeout(draw, DRAW_EVERY_MS);
    },
    lift: () => clearTimeout(timer),
  };
}

function settle(id, nodeId, turn, seen, failure) {
  const userId = store.state.conversations[id]?.nodes[nodeId]?.parent;
  if (!userId) return;
  const lock = failure?.code === "conversation_ended" && (failure.quitbutton ?? { reason_text: failure.message });
  if (lock) {
    update(id, (one) => withPatch(withoutNode(one, nodeId), userId, { ended: { ...lock, refused: true } }));
    say(words().endedTitle);
    return;
  }
  const ended = seen.quitbutton?.state === "ended";
  const stopped = turn.stopping && !ended && turn.receipt?.stopped !== false;
  const cut = !failure && !seen.whole && !seen.finish;
  const status = stopped ? "stopped" : failure || cut ? "error" : "done";
  const patch = { text: seen.text, status, requestId: turn.requestId, finish: seen.finish, qb: seen.quitbutton };
  if (status === "error") patch.error = errorOf(failure);
  if (stopped) patch.receipt = turn.receipt ?? null;
  update(id, (conversation) => {
    const answered = withPatch(conversation, nodeId, patch);
    return ended ? withPatch(answered, userId, { ended: seen.quitbutton }) : answered;
  });
  say(outcomeOf(status, seen.quitbutton));
}

function errorOf(failure) {
  if (failure instanceof api.ApiError) return { message: failure.message, status: failure.status, code: failure.code };
  return { message: "", status: 0, code: failure ? "network" : "cut" };
}

function outcomeOf(status, quitbutton) {
  const t = words();
  if (status === "stopped") return t.stopped;
  if (status === "error") return t.replyFailed;
  if (quitbutton?.support && !quitbutton.support.folded) return `${t.replyDone} ${t.supportTitle}.`;
  if (quitbutton?.state === "ended") return t.endedTitle;
  const note = t.notes[quitbutton?.decision];
  return note ? `${note.title}. ${t.replyDone}` : t.replyDone;
}

/** The user's stop: the server first, for its receipt; then the connection, if it stays open. */
export async function stop(id) {
  const turn = store.state.running[id];
  if (!turn || turn.stopping) return;
  setTurn(id, Object.assign(turn, { stopping: true }));
  say(words().stopping);
  if (turn.requestId) {
    const late = new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS));
    const receipt = api.stop(turn.requestId).then((given) => {
      turn.receipt = given;
      update(id, (one) => (one.nodes[turn.nodeId]?.status === "stopped" ? withPatch(one, turn.nodeId, { receipt: given }) : one));
    });
    await Promise.race([receipt.catch(() => {}), late]);
    await Promise.race([turn.finished, late]);
  }
  turn.controller.abort();
}
