// Thumbs and an optional text, about a reply or about an end.
import * as api from "../api.js";
import { update } from "../conversations.js";
import { say } from "../store.js";
import { withPatch } from "../tree.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Icon, IconButton } from "./icons.js";

function useFeedback({ id, node, about, t }) {
  const [failed, setFailed] = useState(false);
  const rating = node.feedback?.rating;
  const give = async (given, text) => {
    update(id, (one) => withPatch(one, node.id, { feedback: { rating: given, told: Boolean(text) } }));
    try {
      await api.feedback(about, given, text);
      setFailed(false);
      say(t.feedbackThanks);
      return true;
    } catch {
      setFailed(true);
      say(t.feedbackFailed);
      return false;
    }
  };
  return { rating, failed, give, told: node.feedback?.told };
}

export function ReplyFeedback({ id, node, t }) {
  const { rating, failed, give, told } = useFeedback({ id, node, about: node.requestId, t });
  const [asking, setAsking] = useState(false);
  const rate = (given) => async () => {
    setAsking(given === "down");
    await give(given);
  };
  return html`
    <span class="thumbs" role="group" aria-label=${t.rateReply}>
      <${IconButton} icon="up" label=${t.up} aria-pressed=${rating === "up"} onClick=${rate("up")} />
      <${IconButton} icon="thumbDown" label=${t.down} aria-pressed=${rating === "down"} onClick=${rate("down")} />
    </span>
    ${failed && html`<p class="feedback-line">${t.feedbackFailed}</p>`}
    ${asking && !told && html`<${Tell} t=${t} place=${node.id} onSend=${(text) => give(rating, text)} />`}
    ${told && !failed && html`<p class="feedback-line">${t.feedbackThanks}</p>`}
  `;
}

export function EndFeedback({ id, node, t }) {
  const { rating, failed, give, told } = useFeedback({ id, node, about: node.ended.end_id, t });
  return html`
    <div class="end-feedback">
      <div role="group" aria-label=${t.rateEnd}>
        <p>${t.rateEnd}</p>
        <div class="choices start">
          <button type="button" class="button small" aria-pressed=${rating === "up"} onClick=${() => give("up")}>
            <${Icon} name="up" /> ${t.upEnd}
          </button>
          <button type="button" class="button small" aria-pressed=${rating === "down"} onClick=${() => give("down")}>
            <${Icon} name="thumbDown" /> ${t.downEnd}
          </button>
        </div>
      </div>
      ${rating && !told && html`<${Tell} t=${t} place=${node.id} onSend=${(text) => give(rating, text)} />`}
      ${failed ? html`<p class="feedback-line">${t.feedbackFailed}</p>` : rating && html`<p class="feedback-line">${t.feedbackThanks}</p>`}
    </div>
  `;
}

function Tell({ t, place, onSend }) {
  const [text, setText] = useState("");
  const box = useRef();
  useEffect(() => box.current.scrollIntoView({ block: "center" }), []); // else the composer hides it
  return html`<div class="tell" ref=${box}>
    <label for=${`tell-${place}`}>${t.feedbackLabel}</label>
    <textarea id=${`tell-${place}`} rows="2" maxlength="2000" value=${text} onInput=${(event) => setText(event.target.value)}></textarea>
    <button type="button" class="button small" disabled=${!text.trim()} onClick=${() => onSend(text.trim())}>${t.feedbackSend}</button>
  </div>`;
}
