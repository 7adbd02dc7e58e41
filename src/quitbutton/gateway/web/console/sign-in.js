// Signing in with an operator's or auditor's key, or with the provider of identities where one is set up.
import { html, useEffect, useRef, useState } from "../ui/html.js";
import { oidc, signIn } from "./api.js";
import { Preferences } from "./app.js";
import { useShared, words } from "./state.js";

export function SignIn() {
  const { who, expired } = useShared();
  const t = words();
  const field = useRef();
  const [shown, setShown] = useState({ busy: false, failed: null });
  useEffect(() => {
    document.title = `${t.signIn} · ${t.title}`;
    field.current?.focus();
  }, []);
  const send = async (event) => {
    event.preventDefault();
    const key = field.current.value.trim();
    if (!key) return field.current.focus();
    setShown({ busy: true, failed: null });
    try {
      await signIn(key);
    } catch (failed) {
      setShown({ busy: false, failed });
      field.current?.select();
    }
  };
  const cause = shown.failed && (shown.failed.status === 401 ? t.wrongKey : shown.failed.status === 429 ? t.tooMany : shown.failed.message || t.unreachable);
  return html`<main class="alone">
    <form class="card sign-in" onSubmit=${send}>
      <img src="/web/favicon.svg" alt="" width="40" height="40" />
      <h1>${t.signInTitle}</h1>
      ${expired && !cause && html`<p class="note plain" role="status">${t.expired}</p>`}
      <div class="field">
        <label for="key">${t.key}</label>
        <input id="key" ref=${field} type="password" autocomplete="current-password" spellcheck=${false} required aria-describedby="key-hint" aria-invalid=${Boolean(cause)} />
        ${cause ? html`<p id="key-hint" class="failed" role="alert">${cause}</p>` : html`<p id="key-hint" class="quiet">${t.keyHint} <code>quitbutton keys create NAME --role operator</code></p>`}
      </div>
      <button type="submit" class="button primary wide" disabled=${shown.busy}>${t.signIn}</button>
      ${who?.oidc && html`<a class="button wide" href=${oidc}>${t.signInOidc}</a>`}
      <${Preferences} />
    </form>
  </main>`;
}
