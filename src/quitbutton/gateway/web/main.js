// Starts the page: preferences, kept chats, the server's account of itself, then the first drawing.
import * as api from "./api.js";
import { loadAll } from "./conversations.js";
import { setInitialLanguage } from "./i18n.js";
import { newId } from "./ids.js";
import { keep, recall } from "./storage.js";
import { store } from "./store.js";
import { App } from "./ui/app.js";
import { html, render } from "./ui/html.js";

if (!recall("browser")) keep("browser", newId("browser"));
setInitialLanguage();
store.set({ theme: recall("theme", "system"), noteDismissed: recall("noteDismissed", false) });
render(html`<${App} />`, document.getElementById("app"));
await loadAll();

const [about, models] = await Promise.allSettled([api.about(), api.models()]);
const known = models.value ?? [];
const wished = [recall("model"), about.value?.model, known[0]];
store.set({
  about: about.value ?? null,
  models: known,
  isIntroduced: true,
  model: wished.find((model) => model && (known.length === 0 || known.includes(model))) ?? null,
});
