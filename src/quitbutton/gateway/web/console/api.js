// The operators' JSON API as the console uses it. What changes something carries the session's token.
import { state } from "./state.js";

const API = "/v1/quitbutton";

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const search = new URLSearchParams(given).toString();
  return ask("GET", `${path}${search ? `?${search}` : ""}`);
}

export const post = (path, body) => ask("POST", path, body);
export const drop = (path) => ask("DELETE", path);
export const session = () => ask("GET", "/session");
export const csv = `${API}/crisis-referrals.csv`;
export const oidc = `${API}/session/oidc`;

export async function signIn(key) {
  const who = await ask("POST", "/session", { key });
  state.set({ who, expired: false, failed: null });
}

export async function signOut() {
  await ask("DELETE", "/session");
  state.set({ who: await session(), expired: false });
}

async function ask(method, path, body) {
  const headers = { "Accept-Language": state.now.language };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (state.now.who?.csrf_token) headers["X-Quitbutton-Csrf"] = state.now.who.csrf_token;
  const options = { method, headers, cache: "no-store", credentials: "same-origin" };
  const response = await fetch(`${API}${path}`, { ...options, body: body === undefined ? undefined : JSON.stringify(body) });
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return answer;
  if (response.status === 401 && path !== "/session") state.set({ who: { oidc: state.now.who?.oidc }, expired: true });
  throw new ApiError(answer?.error?.message ?? "", response.status);
}
