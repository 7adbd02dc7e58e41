// The console's frame: navigation, who is signed in, and the page that the address names.
import { html, useEffect, useRef, useState } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { signOut } from "./api.js";
import { Appeal } from "./appeal.js";
import { Appeals } from "./appeals.js";
import { Audit } from "./audit.js";
import { Conversation } from "./conversation.js";
import { Keys } from "./keys.js";
import { Overview } from "./overview.js";
import { Failed, Loading } from "./parts.js";
import { Policy } from "./policy.js";
import { Records } from "./records.js";
import { link, useRoute } from "./router.js";
import { SignIn } from "./sign-in.js";
import { chooseLanguage, chooseTheme, LANGUAGES, say, useShared, words } from "./state.js";
import { Webhooks } from "./webhooks.js";

const PAGES = {
  overview: ["chart", Overview],
  conversations: ["list", Records],
  appeals: ["scale", Appeals],
  audit: ["lock", Audit],
  policy: ["file", Policy],
  webhooks: ["outside", Webhooks],
  keys: ["key", Keys],
};
const ONE = { conversations: Conversation, appeals: Appeal };
const ONLY_OPERATORS = ["keys"];

export function App() {
  const { ready, failed, who } = useShared();
  if (!ready) return html`<main class="alone"><${Loading} /></main>`;
  if (failed) return html`<main class="alone"><h1 class="unseen">${words().title}</h1><${Failed} error=${failed} onRetry=${() => location.reload()} /></main>`;
  return who?.role ? html`<${Frame} />` : html`<${SignIn} />`;
}

function Frame() {
  const { who, said, language } = useShared();
  const route = useRoute();
  const t = words();
  const [open, setOpen] = useState(false);
  const main = useRef();
  const first = useRef(true);
  const name = PAGES[route.page] ? route.page : "overview";
  const Page = route.id ? (ONE[name] ?? PAGES[name][1]) : PAGES[name][1];
  useEffect(() => {
    document.title = `${t.pages[name]} · ${t.title}`;
    setOpen(false);
    if (!first.current) main.current.querySelector("h1")?.focus();
    first.current = false;
  }, [name, route.id, language]);
  return html`
    <div class="frame">
      <a class="skip" href="#main" onClick=${(event) => (event.preventDefault(), main.current.querySelector("h1")?.focus())}>${t.skip}</a>
      <header class="side">
        <div class="brand">
          <img src="/web/favicon.svg" alt="" width="26" height="26" />
          <a href=${link("overview")}>quitbutton</a>
          <button type="button" class="button small menu-button" aria-expanded=${open} aria-controls="nav" onClick=${() => setOpen(!open)}>
            <${Icon} name="menu" /> ${t.menu}
          </button>
        </div>
        <div id="nav" class=${open ? "open" : ""}>
          <nav aria-label=${t.title}>
            <ul>
              ${Object.entries(PAGES)
                .filter(([key]) => who.role === "operator" || !ONLY_OPERATORS.includes(key))
                .map(([key, [icon]]) => html`<li key=${key}>
                  <a href=${link(key)} aria-current=${key === name ? "page" : undefined}><${Icon} name=${icon} /> ${t.pages[key]}</a>
                </li>`)}
            </ul>
          </nav>
          <${Person} who=${who} t=${t} />
        </div>
      </header>
      <main id="main" ref=${main}>
        <${Page} key=${`${name}/${route.id}`} route=${route} />
      </main>
      <div class="unseen" role="status">${said}</div>
    </div>
  `;
}

function Person({ who, t }) {
  const leave = () => signOut().catch((error) => say(error.message || t.failed));
  return html`<div class="person">
    ${who.csrf_token
      ? html`<p><strong>${who.name}</strong><br /><span class="quiet">${t.roles[who.role]}</span></p>
          <button type="button" class="button small" onClick=${leave}>${t.signOut}</button>`
      : html`<p class="quiet">${t.noKeyNeeded}</p>`}
    <${Preferences} />
  </div>`;
}

export function Preferences() {
  const { language, theme } = useShared();
  const t = words();
  return html`<div class="preferences">
    <label><span>${t.language}</span>
      <select value=${language} onChange=${(event) => chooseLanguage(event.target.value)}>
        ${Object.entries(LANGUAGES).map(([code, { name }]) => html`<option key=${code} value=${code} lang=${code}>${name}</option>`)}
      </select>
    </label>
    <label><span>${t.theme}</span>
      <select value=${theme} onChange=${(event) => chooseTheme(event.target.value)}>
        ${Object.entries(t.themes).map(([code, text]) => html`<option key=${code} value=${code}>${text}</option>`)}
      </select>
    </label>
  </div>`;
}
