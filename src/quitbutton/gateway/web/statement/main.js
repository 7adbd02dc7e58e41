// Starts the page of one statement of reasons: the end's id stands in the address, and whoever holds it may read.
import { html, render } from "../ui/html.js";
import { LANGUAGES } from "./words.js";
import { Statement } from "./statement.js";

const id = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1) ?? "");
const asked = new URLSearchParams(location.search).get("lang");
const wished = [asked, ...(navigator.languages ?? [navigator.language])].map((tag) => String(tag ?? "").slice(0, 2));
const language = wished.find((tag) => tag in LANGUAGES) ?? "en";

document.documentElement.lang = language;
document.title = LANGUAGES[language].title;
render(html`<${Statement} id=${id} language=${language} t=${LANGUAGES[language]} />`, document.getElementById("app"));
