// What is said about a reply besides its text: redirection, warning, support, stop receipt, errors.
import { keep } from "../storage.js";
import { html, useRef } from "./html.js";
import { Icon, IconButton } from "./icons.js";
import { contactParts, hostOf, safeUrl } from "./links.js";

const ICONS = { redirect: "redirect", warn: "warning", ask: "question" };

export function Notice({ icon, title, text, kind = "plain", children }) {
  return html`<div class="note ${kind}">
    <${Icon} name=${icon} />
    <div>
      ${title && html`<p class="note-title">${title}</p>`}
      ${text && html`<p>${text}</p>`}
      ${children}
    </div>
  </div>`;
}

/** What a reply did, unless the chat is `calm`; and who wrote it, where that is not plain. */
export function Note({ quitbutton, calm, t }) {
  if (!quitbutton) return null;
  const author = quitbutton.imitation ? "imitation" : quitbutton.spoken_by ?? "";
  const by = Object.hasOwn(t.by, author) ? html`<p class="by">${t.by[author]}</p>` : null;
  const note = Object.hasOwn(t.notes, quitbutton.decision ?? "") ? t.notes[quitbutton.decision] : null;
  if (calm || !note) return by;
  const kind = quitbutton.decision;
  return html`<${Notice} icon=${ICONS[kind]} title=${note.title} text=${note.text} kind=${kind}>${by}<//>`;
}

/** True where a reply of the gateway's says no more than its card, so that the card is enough. */
export function isAllInCard({ text, qb }) {
  if (!qb?.support || qb.spoken_by !== "gateway") return false;
  const list = (qb.support.resources ?? []).map(({ name, contact }) => `- ${name}: ${contact}`);
  return text.trim() === [qb.support.text, "", ...list].join("\n").trim();
}

/** Where help is: in full, or `folded` and at hand. */
export function SupportCard({ node, folded, t }) {
  const { support } = node.qb;
  const isSaid = !isAllInCard(node) && node.qb.spoken_by !== "model" && node.text.includes(support.text);
  const body = html`
    ${support.text && !isSaid && html`<p>${support.text}</p>`}
    <ul>
      ${(support.resources ?? []).map((resource) => {
        const link = safeUrl(resource.url);
        const contact = contactParts(resource.contact).map(({ text, href }) => (href ? html`<a href=${href}>${text}</a>` : text));
        return html`<li key=${resource.name}>
          <span class="resource">${resource.name}</span>
          ${resource.contact && html`<span class="contact">${contact}</span>`}
          ${link &&
          html`<a href=${link} target="_blank" rel="noopener noreferrer" aria-label=${`${resource.name}: ${hostOf(link)}`}>
            ${hostOf(link)}<${Icon} name="outside" />
          </a>`}
        </li>`;
      })}
    </ul>
  `;
  if (folded) {
    const onToggle = ({ currentTarget: card }) => card.open && card.scrollIntoView({ block: "nearest" });
    return html`<details class="support folded" onToggle=${onToggle}>
      <summary><${Icon} name="heart" />${t.supportFolded}<${Icon} name="down" /></summary>
      ${body}
    </details>`;
  }
  return html`<section class="support" aria-label=${t.supportTitle}>
    <p class="note-title"><${Icon} name="heart" />${t.supportTitle}</p>
    ${body}
  </section>`;
}

export function Receipt({ node, t, last, onContinue }) {
  const kinds = { stopped: t.stopped, interrupted: t.interrupted };
  const title = kinds[node.status] ?? (node.finish === "length" ? t.tooLong : null);
  if (!title) return null;
  const lines = node.status === "interrupted" ? [t.interruptedText] : receiptLines(node.receipt, t);
  return html`<div class="receipt">
    <${Icon} name=${node.status === "done" ? "info" : "stop"} />
    <p><strong>${title}</strong> ${lines.join(" ")}</p>
    ${last && node.text && html`<button type="button" class="button small" onClick=${onContinue}>${t.continue}</button>`}
  </div>`;
}

function receiptLines(receipt, t) {
  if (!receipt) return [];
  return [
    Number.isInteger(receipt.tokens_delivered) && t.receipt(receipt.tokens_delivered),
    Number.isInteger(receipt.tokens_billed) && t.receiptBilled(receipt.tokens_billed),
    receipt.tokens_saved_estimate > 0 && t.receiptSaved(receipt.tokens_saved_estimate),
  ].filter(Boolean);
}

export function ErrorNote({ node, t, busy, onRetry }) {
  const { message, status, code } = node.error ?? {};
  const cause = Object.hasOwn(t.errors, code ?? "") && code !== "other" ? t.errors[code] : t.errors.other(status);
  return html`<${Notice} icon="warning" kind="error" title=${node.text ? t.errorPartTitle : t.errorTitle} text=${cause}>
    ${message && html`<p class="cause">${message}</p>`}
    <p>${t.errorKept}</p>
    ${status === 401
      ? html`<${KeyField} t=${t} busy=${busy} onRetry=${onRetry} />`
      : html`<button type="button" class="button small" disabled=${busy} onClick=${onRetry}>${t.retry}</button>`}
  <//>`;
}

function KeyField({ t, busy, onRetry }) {
  const field = useRef();
  const use = () => {
    keep("key", field.current.value.trim());
    onRetry();
  };
  const onKeyDown = (event) => event.key === "Enter" && use();
  return html`<label class="field">
      <span>${t.keyLabel}</span>
      <input type="password" ref=${field} autocomplete="off" spellcheck=${false} onKeyDown=${onKeyDown} />
    </label>
    <button type="button" class="button small" disabled=${busy} onClick=${use}>${t.keyUse}</button>`;
}

export function DemoNote({ t, onDismiss }) {
  return html`<aside class="note demo" aria-label=${t.demoTitle}>
    <${Icon} name="info" />
    <div>
      <p class="note-title">${t.demoTitle}</p>
      <p>${t.demoText} <code>--upstream</code>.</p>
    </div>
    <${IconButton} icon="close" label=${t.demoDismiss} onClick=${onDismiss} />
  </aside>`;
}
