// Small parts that several pages use: states of loading, badges, ids, lists that go on, dialogs, forms' errors.
import { html, useEffect, useRef } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { link } from "./router.js";
import { when, words } from "./state.js";

export function Loading() {
  return html`<p class="quiet loading" role="status">${words().loading}</p>`;
}

export function Failed({ error, onRetry }) {
  const t = words();
  const cause = error.status === 404 ? t.notFound : error.status === 403 ? t.forbidden : error.status ? t.failed : t.unreachable;
  return html`<div class="note error" role="alert">
    <${Icon} name="warning" />
    <div>
      <p class="note-title">${cause}</p>
      ${error.message && error.status !== 0 && html`<p class="cause" lang="en">${error.message}</p>`}
      ${onRetry && html`<button type="button" class="button small" onClick=${onRetry}>${t.retry}</button>`}
    </div>
  </div>`;
}

export function Empty({ title, children }) {
  return html`<div class="empty"><p class="empty-title">${title}</p>${children && html`<p class="quiet">${children}</p>`}</div>`;
}

export function Badge({ kind, children }) {
  return html`<span class=${`badge ${kind}`}>${children}</span>`;
}

export function State({ name }) {
  return html`<${Badge} kind=${name}>${words().states[name] ?? name}<//>`;
}

export function Time({ at }) {
  return at ? html`<time datetime=${at}>${when(at)}</time>` : null;
}

export function Id({ id, page, query }) {
  const text = html`<code class="id">${id}</code>`;
  return page ? html`<a href=${link(page, id, query)}>${text}</a>` : text;
}

export function Words({ children, class: kind = "" }) {
  return html`<blockquote class=${`words ${kind}`} dir="auto" tabindex=${String(children).length > 1200 ? 0 : undefined}>${children}</blockquote>`;
}

export function Listing({ list, empty, head, row, caption }) {
  const t = words();
  if (list.failed && !list.rows) return html`<${Failed} error=${list.failed} onRetry=${list.load} />`;
  if (!list.rows) return html`<${Loading} />`;
  if (list.rows.length === 0) return empty;
  return html`
    <div class="scroll">
      <table class="rows">
        <caption class="unseen">${caption}</caption>
        <thead><tr>${head.map((name) => html`<th scope="col" key=${name}>${name}</th>`)}</tr></thead>
        <tbody>${list.rows.map(row)}</tbody>
      </table>
    </div>
    ${list.failed && html`<${Failed} error=${list.failed} onRetry=${list.more} />`}
    ${list.next && html`<div class="more"><button type="button" class="button" disabled=${list.busy} onClick=${list.more}>${t.more}</button></div>`}
  `;
}

export function Cell({ name, children }) {
  return html`<td data-name=${name}>${children}</td>`;
}

export function Field({ label, hint, id, children }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${children}
    ${hint && html`<p class="quiet" id=${`${id}-hint`}>${hint}</p>`}
  </div>`;
}

export function Select({ id, label, value, options, onChange }) {
  return html`<${Field} id=${id} label=${label}>
    <select id=${id} value=${value} onChange=${(event) => onChange(event.target.value)}>
      ${options.map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}
    </select>
  <//>`;
}

export function Dialog({ title, onClose, children }) {
  const dialog = useRef();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => (before?.isConnected ? before : document.querySelector("main h1"))?.focus();
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${onClose}>
    <h2 id="dialog-title">${title}</h2>
    ${children}
  </dialog>`;
}

export function Secret({ id, label, text, value }) {
  return html`<div class="note secret" role="status">
    <${Icon} name="lock" />
    <div>
      <p class="note-title" id=${id}>${label}</p>
      <p>${text}</p>
      <input class="secret-value" readonly aria-labelledby=${id} value=${value} onFocus=${(event) => event.target.select()} />
    </div>
  </div>`;
}
