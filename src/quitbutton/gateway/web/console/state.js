// What every page of the console shares: who is signed in, the language, the colours, what screen readers are told.
import { keep, recall } from "../storage.js";
import { useEffect, useState } from "../ui/html.js";
import { de } from "./words/de.js";
import { en } from "./words/en.js";

export const LANGUAGES = { en, de };
const listeners = new Set();

export const state = {
  now: { ready: false, failed: null, who: null, expired: false, said: "", language: "en", theme: recall("theme", "system") },
  set(patch) {
    this.now = { ...this.now, ...patch };
    for (const listener of listeners) listener();
  },
};

export function useShared() {
  const [, draw] = useState(0);
  useEffect(() => {
    const listener = () => draw((count) => count + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return state.now;
}

export const words = () => LANGUAGES[state.now.language];
export const mayChange = () => state.now.who?.role === "operator";

export function say(text) {
  state.set({ said: state.now.said === text ? `${text}\u00a0` : text });
}

export function setLanguage(language) {
  document.documentElement.lang = language;
  state.set({ language });
}

export function chooseLanguage(language) {
  keep("language", language);
  setLanguage(language);
}

export function setInitialLanguage() {
  const wished = [recall("language"), ...(navigator.languages ?? [navigator.language])];
  setLanguage(wished.map((tag) => String(tag ?? "").slice(0, 2)).find((tag) => tag in LANGUAGES) ?? "en");
}

export function chooseTheme(theme) {
  keep("theme", theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  state.set({ theme });
}

const format = (options) => (moment) => (moment ? new Intl.DateTimeFormat(state.now.language, options).format(new Date(moment)) : "");

export const when = format({ dateStyle: "medium", timeStyle: "short" });
export const day = format({ day: "numeric", month: "short", timeZone: "UTC" });
export const month = format({ month: "long", year: "numeric", timeZone: "UTC" });
export const number = (value) => new Intl.NumberFormat(state.now.language).format(value);

export function share(value) {
  const digits = value > 0 && value < 0.1 ? 2 : 1;
  return new Intl.NumberFormat(state.now.language, { style: "percent", maximumFractionDigits: digits }).format(value);
}

export const between = (interval) => (interval ? `${share(interval[0])} – ${share(interval[1])}` : "");
