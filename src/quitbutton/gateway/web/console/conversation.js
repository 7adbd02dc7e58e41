// One conversation: its ladder turn by turn with the evidence, its ends and appeals.
import { html, useEffect, useRef, useState } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { get } from "./api.js";
import { useLoaded } from "./load.js";
import { Badge, Failed, Id, Loading, State, Time } from "./parts.js";
import { link } from "./router.js";
import { say, words } from "./state.js";
import { RUNGS, Turn } from "./turn.js";

const MOST = 2000; // turns that are looked through for the one that was asked for

export function Conversation({ route }) {
  const t = words();
  const path = `/records/conversations/${encodeURIComponent(route.id)}`;
  const { data, failed, load } = useLoaded(path);
  return html`
    <p class="back"><a href=${link("conversations")}><${Icon} name="left" /> ${t.pages.conversations}</a></p>
    <div class="head"><h1 tabindex="-1">${t.conversation}</h1></div>
    ${failed ? html`<${Failed} error=${failed} onRetry=${load} />` : data ? html`<${Told} key=${route.id} data=${data} path=${path} chosen=${route.query.message} />` : html`<${Loading} />`}
  `;
}

function Told({ data, path, chosen }) {
  const t = words();
  const [shown, setShown] = useState({ turns: data.turns, next: data.next, failed: null });
  const isMissing = chosen && shown.next && !shown.failed && shown.turns.length < MOST && !shown.turns.some((turn) => turn.message === chosen);
  const earlier = async () => {
    try {
      const page = await get(path, { before: shown.next });
      setShown({ turns: [...page.turns, ...shown.turns], next: page.next, failed: null });
      say(t.earlierShown(page.turns.length));
    } catch (failed) {
      setShown({ ...shown, failed });
    }
  };
  useEffect(() => {
    if (isMissing) earlier();
  }, [shown]);
  return html`
    <section class="card facts" aria-label=${t.facts}>
      <dl>
        <div><dt>${t.id}</dt><dd><${Id} id=${data.id} /></dd></div>
        <div><dt>${t.columns.state}</dt><dd><${State} name=${data.state} /> ${data.state === "redirected" && t.times(data.redirections)} ${holds(data)}</dd></div>
        <div><dt>${t.begun}</dt><dd><${Time} at=${data.created_at} /></dd></div>
        <div><dt>${t.newest}</dt><dd><${Time} at=${data.updated_at} /></dd></div>
        ${data.key && html`<div><dt>${t.ofKey}</dt><dd><bdi>${data.key}</bdi></dd></div>`}
      </dl>
      ${data.ends.map((end) => html`<${End} key=${end.id} end=${end} appeals=${data.appeals.filter((one) => one.end_id === end.id)} />`)}
    </section>
    <${Ladder} shown=${shown} chosen=${chosen} onEarlier=${earlier} />
  `;
}

/** How long a crisis, or a possible one, still holds the branch. */
function holds({ crisis_hold, possible_hold }) {
  const t = words();
  const told = [crisis_hold > 0 && t.heldFor(crisis_hold), possible_hold > 0 && t.guardedFor(possible_hold)].filter(Boolean);
  return told.map((text) => html`<${Badge} key=${text} kind="crisis">${text}<//> `);
}

function End({ end, appeals }) {
  const t = words();
  return html`<div class="end">
    <p><${State} name=${end.reopened_at ? "reopened" : "ended"} /> ${t.endedFor(t.reasons[end.reason] ?? end.reason, t.deciders[end.decided_by] ?? end.decided_by)} · <${Time} at=${end.ended_at} /></p>
    <p class="links"><a href=${`/ends/${encodeURIComponent(end.id)}`} target="_blank" rel="noopener">${t.statement} <${Icon} name="outside" /></a>
      ${appeals.map((one) => html`<a key=${one.id} href=${link("appeals", one.id)}>${one.source === "sample" ? t.review : t.appeal}: ${t.appealStates[one.state]}</a>`)}</p>
  </div>`;
}

function Ladder({ shown, chosen, onEarlier }) {
  const t = words();
  const list = useRef();
  const scrolled = useRef(null);
  useEffect(() => {
    const found = chosen && scrolled.current !== chosen && [...list.current.children].find((item) => item.dataset.message === chosen);
    if (!found) return;
    scrolled.current = chosen;
    found.scrollIntoView({ block: "center" });
  }, [chosen, shown.turns]);
  const kept = shown.turns.some((turn) => turn.said);
  const seen = new Set(shown.turns.map((turn) => turn.message));
  return html`<section aria-labelledby="ladder">
    <h2 id="ladder">${t.ladder}</h2>
    <p class="quiet">${kept ? t.ladderText : t.noWords}</p>
    ${shown.failed && html`<${Failed} error=${shown.failed} onRetry=${onEarlier} />`}
    ${shown.next && html`<p><button type="button" class="button small" onClick=${onEarlier}>${t.earlier}</button></p>`}
    <div class="lanes" aria-hidden="true">${RUNGS.map((name) => html`<span key=${name} class=${name}>${t.states[name]}</span>`)}</div>
    <ol class="ladder" ref=${list}>
      ${shown.turns.map((turn, place) => {
        const before = shown.turns[place - 1];
        const branches = before && turn.verdict && turn.message !== before.message && turn.parent !== before.message && seen.has(turn.parent);
        const again = shown.turns.slice(0, place).some((one) => one.message === turn.message && one.verdict && turn.verdict);
        return html`<${Turn} key=${turn.seq} turn=${turn} branches=${branches} again=${again} isChosen=${turn.message === chosen && Boolean(turn.verdict)} />`;
      })}
    </ol>
  </section>`;
}
