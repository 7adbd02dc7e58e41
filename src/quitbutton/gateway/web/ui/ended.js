// The card below an ended branch: what happened, what it means, and what can be done next.
import { open } from "../conversations.js";
import { timeIn } from "../i18n.js";
import { editTarget } from "../tree.js";
import { EndFeedback } from "./feedback.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { safeUrl } from "./links.js";
import { startEditing } from "./message.js";

export function EndedCard({ conversation, path, node, busy, t, language }) {
  const { ended } = node;
  const known = Object.hasOwn(t.endedReasons, ended.reason ?? "") ? ended.reason : "other";
  const reason = ended.reason_text ? t.reasonIs(ended.reason_text) : t.endedReasons[known];
  const statement = safeUrl(ended.statement_url);
  const appeal = safeUrl(ended.appeal_url);
  const when = ended.ended_at && timeIn(language, ended.ended_at);
  const start = () => {
    open(null);
    requestAnimationFrame(() => document.getElementById("composer")?.focus());
  };
  const target = editTarget(conversation, path);
  return html`
    <section class="ended-card" tabindex="-1" aria-labelledby="ended-title">
      <h2 id="ended-title"><${Icon} name="lock" />${t.endedTitle}</h2>
      <p class="reason">${reason}</p>
      ${ended.refused && html`<p>${t.endedRefused}</p>`}
      <p>${t.endedMeaning}</p>
      <h3 class="unseen">${t.endedNext}</h3>
      <div class="choices start">
        <button type="button" class="button primary" onClick=${start}><${Icon} name="plus" /> ${t.startNew}</button>
        <button type="button" class="button" disabled=${busy || !target} onClick=${() => startEditing(target.id)}>
          <${Icon} name="branch" /> ${t.editEarlier}
        </button>
      </div>
      ${ended.end_id && html`<${EndFeedback} key=${node.id} id=${conversation.id} node=${node} t=${t} />`}
      <p class="small-print">
        ${statement && html`<a href=${statement}>${t.statement}</a> `}
        ${appeal ? html`<a href=${appeal}>${t.appeal}</a>` : html`<span>${t.noAppeal}</span>`}
        ${when && html` <span>${t.endedAt(when)}</span>`} ${ended.end_id && html` <code>${ended.end_id}</code>`}
      </p>
    </section>
  `;
}
