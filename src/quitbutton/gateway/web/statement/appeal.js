// Contesting the end: a text, then a person's decision with a reason.
import { html, useState } from "../ui/html.js";
import { appeal } from "./api.js";

export function Appeal({ about, when, onChange, t }) {
  return html`<section id="appeal" aria-labelledby="appeal-title">
    <h2 id="appeal-title">${t.contest}</h2>
    ${about.appeal
      ? html`<${Filed} given=${about.appeal} when=${when} t=${t} />`
      : about.redress.can.includes("appeal")
        ? html`<${Form} id=${about.id} until=${when(about.redress.appeal_until)} days=${about.redress.decided_within_days} onChange=${onChange} t=${t} />`
        : html`<p>${t.tooLate}</p>`}
  </section>`;
}

function Filed({ given, when, t }) {
  return html`
    <p class=${`state ${given.state}`} role="status">${t.appealStates[given.state] ?? given.state}</p>
    ${given.text && html`<p class="who">${t.yourText}</p><blockquote>${given.text}</blockquote>`}
    ${given.state === "open" && html`<p>${t.due(when(given.due_at))}</p>`}
    ${given.reason && html`<p class="who">${t.theirReason(when(given.decided_at))}</p><blockquote>${given.reason}</blockquote>`}
  `;
}

function Form({ id, until, days, onChange, t }) {
  const [text, setText] = useState("");
  const [state, setState] = useState({ busy: false, failed: "" });
  const send = async (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    setState({ busy: true, failed: "" });
    try {
      await appeal(id, text.trim());
      await onChange();
    } catch (error) {
      setState({ busy: false, failed: error.message || t.failedText });
    }
  };
  return html`
    <p>${t.contestText(until, days)}</p>
    <form class="contest" onSubmit=${send}>
      <label for="why">${t.why}</label>
      <textarea id="why" rows="5" maxlength="4000" required value=${text} onInput=${(event) => setText(event.target.value)}></textarea>
      ${state.failed && html`<p class="failed" role="alert">${state.failed}</p>`}
      <div><button type="submit" class="button primary" disabled=${state.busy || !text.trim()}>${t.send}</button></div>
    </form>
  `;
}
