// The rungs of the ladder that led to the end, each with its message.
import { html } from "../ui/html.js";

export function Facts({ about, when, t }) {
  const kept = about.facts.some((fact) => fact.excerpt || fact.reply_excerpt);
  return html`<section aria-labelledby="facts">
    <h2 id="facts">${t.facts}</h2>
    <p>${t.factsText}</p>
    <ol class="rungs">
      ${about.facts.map((fact) => html`<${Rung} key=${fact.message + fact.rung} fact=${fact} when=${when} t=${t} />`)}
    </ol>
    ${!kept && html`<p class="quiet">${t.noWords}</p>`}
  </section>`;
}

function Rung({ fact, when, t }) {
  return html`<li class=${`rung ${fact.rung}`}>
    <p class="rung-name">${t.rungs[fact.rung] ?? fact.rung}</p>
    <p class="quiet">${when(fact.at)} · ${t.found(fact.found_text)} · <code>${fact.assessor}</code></p>
    ${fact.second && html`<p class="quiet second">${fact.second.text} · <code>${fact.second.assessor}</code></p>`}
    ${fact.excerpt && html`<p class="who">${t.youWrote}</p><blockquote>${fact.excerpt}</blockquote>`}
    ${fact.reply_excerpt && html`<p class="who">${t.answered}</p><blockquote class="reply">${fact.reply_excerpt}</blockquote>`}
    <p class="quiet"><code>${fact.message}</code></p>
  </li>`;
}
