// Starts the operator console: language and colours, who is signed in, then the page that the address names.
import { html, render } from "../ui/html.js";
import { session } from "./api.js";
import { App } from "./app.js";
import { setInitialLanguage, state } from "./state.js";

setInitialLanguage();
render(html`<${App} />`, document.getElementById("app"));
try {
  state.set({ who: await session(), ready: true });
} catch (error) {
  state.set({ failed: error, ready: true });
}
