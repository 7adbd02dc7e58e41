// The card below an ended branch: what happened, what it means, and what can be done next.
import * as api from "../api.js";
import { open, update } from "../conversations.js";
import { timeIn } from "../i18n.js";
import { say } from "../store.js";
import { editTarget, withoutEnd } from "../tree.js";
import { EndFeedback } from "./feedback.js";
import { html, useEffect, useState } from "./html.js";
import { Icon } from "./icons.js";
import { safeUrl } from "./links.js";
import { startEditing } from "./message.js";

/** The state of the appeal; asked whenever the card comes into sight, because a person may have decided meanwhile. */
function useAppeal(conversation, endId, t) {
  const [appeal, setAppeal] = useState(null);
  useEffect(() => {
    if (!endId) return;
    const ask = async () => {
      if (document.hidden) return;
      const found = await api.end(endId).catch(() => null); // offline, or a server that keeps no statements: nothing new
      setAppeal(found?.appeal ?? null);
      if (found?.state !== "reopened") return;
      update(conversation, (one) => withoutEnd(one, endId));
      say(t.reopened);
    };
    ask();
    document.addEventListener("visibilitychange", ask);
    return () => document.removeEventListener("visibilitychange", ask);
  }, [conversation, endId]);
  return appeal;
}

export function EndedCard({ conversation, path, node, busy, t, language }) {
  const { ended } = node;
  const known = Object.hasOwn(t.endedReasons, ended.reason ?? "") ? ended.reason : "other";
  const reason = ended.reason_text ? t.reasonIs(ended.reason_text) : t.endedReasons[known];
  const statement = safeUrl(ended.statement_url);
  const appeal = safeUrl(ended.appeal_url);
  const appealed = useAppeal(conversation.id, ended.end_id, t);
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
        ${appealed ? html`<span>${t.appealed[appealed]}</span>` : appeal ? html`<a href=${appeal}>${t.appeal}</a>` : html`<span>${t.noAppeal}</span>`}
        ${when && html` <span>${t.endedAt(when)}</span>`} ${ended.end_id && html` <code>${ended.end_id}</code>`}
      </p>
    </section>
  `;
}
