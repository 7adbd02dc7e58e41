// The two calls of this page; both need nothing but the end's id.
const path = (id) => `/v1/quitbutton/ends/${encodeURIComponent(id)}`;

export async function statementOf(id, language) {
  return json(await fetch(`${path(id)}?lang=${language}`, { cache: "no-store", credentials: "omit" }));
}

export async function appeal(id, text) {
  const headers = { "Content-Type": "application/json" };
  const options = { method: "POST", headers, body: JSON.stringify({ text }), credentials: "omit" };
  return json(await fetch(`${path(id)}/appeal`, options));
}

async function json(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  throw Object.assign(new Error(body?.error?.message ?? ""), { status: response.status });
}
