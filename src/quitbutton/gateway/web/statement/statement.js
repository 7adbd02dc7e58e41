// The statement of reasons: what was restricted, the facts, who decided, on what ground, and what can be done.
import { html, useEffect, useState } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { statementOf } from "./api.js";
import { Appeal } from "./appeal.js";
import { Facts } from "./facts.js";

export function Statement({ id, language, t }) {
  const [state, setState] = useState({ about: null, failed: null });
  const load = () =>
    statementOf(id, language).then(
      (about) => setState({ about, failed: null }),
      (error) => setState({ about: null, failed: error }),
    );
  useEffect(() => void load(), [id, language]);
  if (state.failed) return html`<${Failed} error=${state.failed} onRetry=${load} t=${t} />`;
  if (!state.about) return html`<p class="quiet" role="status">${t.loading}</p>`;
  return html`<${About} about=${state.about} language=${language} onChange=${load} t=${t} />`;
}

function Failed({ error, onRetry, t }) {
  const missing = error.status === 404;
  return html`<section class="sheet">
    <h1>${missing ? t.missingTitle : t.failedTitle}</h1>
    <p>${missing ? t.missingText : t.failedText}</p>
    ${!missing && html`<div><button type="button" class="button" onClick=${onRetry}>${t.retry}</button></div>`}
  </section>`;
}

function About({ about, language, onChange, t }) {
  const date = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
  const when = (moment) => (moment ? date.format(new Date(moment)) : "");
  const reopened = about.restriction.state === "reopened";
  return html`
    <article class="sheet">
      <header>
        <p class="kind">${t.title}</p>
        <h1>${reopened ? t.reopened : t.ended}</h1>
        <p class="reason">${t.reason(about.reason_text)}</p>
        <p class="quiet">${t.since(when(about.restriction.since))}${reopened && ` · ${t.until(when(about.restriction.until))}`}</p>
      </header>
      <section aria-labelledby="what">
        <h2 id="what">${t.what}</h2>
        <p>${reopened ? t.reopenedText : t.whatText}</p>
      </section>
      <${Facts} about=${about} when=${when} t=${t} />
      <section aria-labelledby="who">
        <h2 id="who">${t.who}</h2>
        <dl>
          <dt>${t.decider}</dt>
          <dd>${t.deciders[about.decided_by.kind] ?? about.decided_by.kind}</dd>
          ${about.decided_by.model && html`<dt>${t.model}</dt><dd><code>${about.decided_by.model}</code></dd>`}
          <dt>${t.assessors}</dt>
          <dd>${about.decided_by.assessors.map((name) => html`<code>${name}</code> `)}</dd>
          ${about.decided_by.second_readers.length > 0 && html`<dt>${t.secondReaders}</dt><dd>${about.decided_by.second_readers.map((name) => html`<code>${name}</code> `)}</dd>`}
        </dl>
        <p>${t.automated}</p>
        ${about.explanation && html`<p>${t.explanation}</p><blockquote>${about.explanation}</blockquote>`}
      </section>
      <section aria-labelledby="ground">
        <h2 id="ground">${t.ground}</h2>
        <p>${about.reason === "user_request" ? t.groundWish : t.groundText(about.ground.rules.redirections ?? 2)}</p>
        <p class="quiet">${t.policy} <code>${about.ground.policy}</code></p>
      </section>
      <section aria-labelledby="next">
        <h2 id="next">${t.next}</h2>
        <ul class="next">
          <li>${t.newChat}</li>
          <li>${t.branch}</li>
        </ul>
      </section>
      <${Appeal} about=${about} when=${when} onChange=${onChange} t=${t} />
      <footer class="quiet">
        <p>${t.notLegal}</p>
        <p><code>${about.id}</code></p>
        <button type="button" class="button small print" onClick=${() => print()}><${Icon} name="file" /> ${t.print}</button>
      </footer>
    </article>
  `;
}
