// The words of the page in the chosen language; one module per language.
import { de } from "./i18n/de.js";
import { en } from "./i18n/en.js";
import { keep, recall } from "./storage.js";
import { store } from "./store.js";

export const LANGUAGES = { en, de };

export function words() {
  return LANGUAGES[store.state.language];
}

export function chooseLanguage(language) {
  keep("language", language);
  setLanguage(language);
}

export function setInitialLanguage() {
  const wished = [recall("language"), ...(navigator.languages ?? [navigator.language])];
  const known = wished.map((tag) => String(tag ?? "").slice(0, 2)).find((tag) => tag in LANGUAGES);
  setLanguage(known ?? "en");
}

function setLanguage(language) {
  document.documentElement.lang = language;
  store.set({ language });
}

/** The chosen language with the country of the browser's own: that decides whose helplines are shown. */
export function languageTag() {
  const { language } = store.state;
  const country = /-([A-Za-z]{2})(?=-|$)/.exec(navigator.language ?? "")?.[1];
  return country ? `${language}-${country.toUpperCase()}` : language;
}

export function timeIn(language, moment) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(date);
}
