// The gateway's HTTP interface as this page uses it: the same one that every other client has.
import { eventsOf } from "./sse.js";
import { recall } from "./storage.js";

export class ApiError extends Error {
  constructor(message, { status = 0, code = null, quitbutton = null, requestId = null } = {}) {
    super(message);
    Object.assign(this, { status, code, quitbutton, requestId });
  }
}

/** Opens a reply and yields {requestId}, {text}, {quitbutton}, {finish} as they come. */
export async function* reply({ conversation, messages, model, user, language, signal }) {
  const response = await request("/v1/chat/completions", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Accept-Language": language,
      "X-Quitbutton-Conversation": conversation,
    },
    body: JSON.stringify({ ...(model ? { model } : {}), messages, stream: true, safety_identifier: user }),
    signal,
  });
  yield { requestId: response.headers.get("X-Quitbutton-Request-Id") };
  if (!(response.headers.get("Content-Type") ?? "").includes("text/event-stream")) {
    yield* piecesOf(await response.json(), "message");
    return;
  }
  for await (const data of eventsOf(response.body)) {
    if (data === "[DONE]") {
      yield { done: true };
      return;
    }
    yield* piecesOf(parsed(data), "delta");
  }
}

function* piecesOf(frame, field) {
  if (!frame || typeof frame !== "object") return;
  if (frame.error) throw errorOf(frame, 0);
  const choice = frame.choices?.[0];
  const text = (choice?.[field]?.content ?? "") + (choice?.[field]?.refusal ?? "");
  if (text) yield { text };
  if (choice?.finish_reason) yield { finish: choice.finish_reason };
  if (frame.quitbutton) yield { quitbutton: frame.quitbutton };
}

/** What became of an end: {state: "ended" | "reopened", appeal: "open" | "upheld" | "rejected" | null}. */
export async function end(id) {
  const about = await (await request(`/v1/quitbutton/ends/${encodeURIComponent(id)}`)).json();
  return { state: about.restriction.state, appeal: about.appeal?.state ?? null };
}

export async function stop(requestId) {
  const response = await request(`/v1/quitbutton/stop/${encodeURIComponent(requestId)}`, { method: "POST" });
  return response.json();
}

export async function feedback(about, rating, text) {
  const body = { about, rating, ...(text ? { text } : {}) };
  const headers = { "Content-Type": "application/json" };
  await request("/v1/quitbutton/feedback", { method: "POST", headers, body: JSON.stringify(body) });
}

export async function about() {
  return (await request("/v1/quitbutton/about")).json();
}

export async function models() {
  const list = await (await request("/v1/models")).json();
  return (list.data ?? []).map((model) => model.id);
}

async function request(path, { headers, ...options } = {}) {
  const key = recall("key");
  const all = { ...headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  const response = await fetch(path, { cache: "no-store", credentials: "same-origin", headers: all, ...options });
  if (response.ok) return response;
  const body = parsed(await response.text());
  throw errorOf(body, response.status, response.headers.get("X-Quitbutton-Request-Id"));
}

function errorOf(body, status, requestId = null) {
  const error = body?.error ?? {};
  const message = typeof error === "string" ? error : error.message;
  return new ApiError(message || "", { status, code: error.code ?? null, quitbutton: error.quitbutton ?? null, requestId });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
