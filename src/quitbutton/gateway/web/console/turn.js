// One decision on the ladder: where the branch stood and stands, what was said, found, pressed, denied, read.
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { Badge, Id, Time, Words } from "./parts.js";
import { link } from "./router.js";
import { number, words } from "./state.js";

export const RUNGS = ["open", "redirected", "warned", "ended"];
const STEP = 26;

/** What was found in a turn: its label, how sure a crisis is, how serious, how it was meant and whom it was aimed at. */
export function foundIn({ verdict, crisis }) {
  const t = words();
  const { label, severity, mode, target } = verdict;
  const isMeant = !mode || mode === "earnest";
  const parts = [t.labels[label] ?? label, t.strengths[crisis], t.severities[severity], isMeant ? null : (t.speechModes[mode] ?? mode), t.targets[target]];
  return parts.filter(Boolean).join(" · ");
}

export function Turn({ turn, branches, again, isChosen }) {
  const t = words();
  const after = turn.after?.rung ?? (turn.kind === "conversation.reopened" ? "open" : null);
  return html`<li class=${`turn ${turn.kind.replace(".", "-")} ${isChosen ? "chosen" : ""}`} data-message=${turn.message}>
    <${Lane} before=${turn.before?.rung ?? (turn.kind === "conversation.reopened" ? "ended" : after)} after=${turn.kind === "turn.refuse" ? "ended" : after} />
    <div class="turn-body">
      <p class="turn-head">
        <${Badge} kind=${turn.kind.replace(".", "-")}>${t.kinds[turn.kind] ?? turn.kind}<//>
        ${turn.mode === "shadow" && html`<${Badge} kind="shadow">${t.modeNames.shadow}<//>`}
        ${branches && html`<span class="mark"><${Icon} name="branch" /> ${t.branch}</span>`}
        ${again && html`<span class="mark"><${Icon} name="retry" /> ${t.again}</span>`}
        <span class="quiet"><${Time} at=${turn.at} /></span>
        ${after && html`<span class="unseen">${t.standsAt(t.states[after] ?? after)}</span>`}
      </p>
      ${turn.said?.user && html`<${Words} class="user">${turn.said.user}<//>`}
      ${turn.said?.reply && html`<${Words} class="reply">${turn.said.reply}<//>`}
      ${turn.said?.press && html`<p class="quiet">${t.explanation}</p><${Words} class="reply">${turn.said.press}<//>`}
      ${turn.verdict && turn.kind !== "turn.refuse" && html`<${Evidence} turn=${turn} />`}
      ${turn.appeal && html`<p class="links"><a href=${link("appeals", turn.appeal)}>${t.appeal}</a> ${turn.by && html`<span>${t.by} <bdi>${turn.by}</bdi></span>`}</p>`}
      ${turn.verdict && html`<${More} turn=${turn} />`}
    </div>
  </li>`;
}

function Lane({ before, after }) {
  const [from, to] = [before, after].map((name) => (Math.max(0, RUNGS.indexOf(name)) + 0.5) * STEP);
  return html`<div class="lane" aria-hidden="true">
    <svg viewBox=${`0 0 ${STEP * 4} 100`} preserveAspectRatio="none">
      ${RUNGS.map((name, place) => html`<line key=${name} class="rail" x1=${(place + 0.5) * STEP} x2=${(place + 0.5) * STEP} y1="0" y2="100" />`)}
      ${after && html`<path class="way" d=${`M${from} 0 L${to} 22 L${to} 100`} />`}
    </svg>
    ${after && html`<i class=${`dot at-${RUNGS.indexOf(after)} ${after}`}></i>`}
  </div>`;
}

function Evidence({ turn }) {
  const t = words();
  const { verdict, reply, look, second } = turn;
  const scores = Object.entries(verdict.scores ?? {});
  return html`<dl class="evidence">
    <div><dt>${t.found}</dt><dd><strong class=${`label ${verdict.label}`}>${foundIn(turn)}</strong> <bdi class="quiet">${verdict.assessor}</bdi></dd></div>
    ${scores.length > 0 && html`<div><dt>${t.scores}</dt><dd class="scores">${scores.map(([name, value]) => html`<${Score} key=${name} name=${t.labels[name] ?? name} value=${value} />`)}</dd></div>`}
    ${turn.signal && turn.signal !== "none" && html`<div><dt>${t.button}</dt><dd>${t.signals[turn.signal] ?? turn.signal}${turn.denial && html` – <strong>${t.denied(t.denials[turn.denial] ?? turn.denial)}</strong>`}</dd></div>`}
    ${turn.signal === "none" && turn.denial && html`<div><dt>${t.button}</dt><dd><strong>${t.denied(t.denials[turn.denial] ?? turn.denial)}</strong></dd></div>`}
    ${look && html`<div><dt>${t.lookedBack}</dt><dd>${look.label === "clean" ? t.sawNothing : [t.labels[look.label] ?? look.label, t.strengths[look.strength]].filter(Boolean).join(" · ")} <bdi class="quiet">${look.assessor}</bdi></dd></div>`}
    ${second && html`<div><dt>${t.secondReader}</dt><dd><strong>${t.answers[second.answer] ?? second.answer}</strong>${second.at_risk && html` · <strong>${t.atRisk}</strong>`} <bdi class="quiet">${second.assessor}</bdi></dd></div>`}
    ${reply && html`<div><dt>${t.replyRead}</dt><dd>${t.replies[reply.label] ?? reply.label} <bdi class="quiet">${reply.assessor}</bdi></dd></div>`}
  </dl>`;
}

function Score({ name, value }) {
  const text = number(Math.round(value * 100) / 100);
  return html`<span class="score"><span>${name} ${text}</span><meter min="0" max="1" value=${value} aria-label=${`${name} ${text}`}></meter></span>`;
}

function More({ turn }) {
  const t = words();
  const rows = [
    [t.message, turn.message],
    [t.request, turn.request_id],
    [t.columns.model, turn.model],
    [t.columns.policy, turn.policy],
    [t.columns.decided_by, t.deciders[turn.decided_by] ?? turn.decided_by],
    [t.pressReason, turn.press_reason && (t.reasons[turn.press_reason] ?? t.noReason)],
    [t.ground, t.reasons[turn.reason] ?? turn.reason],
    [t.whyFound, turn.verdict?.why],
    [t.whySecond, turn.second?.why],
    [t.refusal, turn.reply ? number(Math.round(turn.reply.refusal * 100) / 100) : null],
  ].filter(([, value]) => value);
  return html`<details class="more-facts"><summary>${t.details}</summary>
    <dl>${rows.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><code>${value}</code></dd></div>`)}
      <div><dt>${t.pages.audit}</dt><dd><a href=${link("audit", String(turn.seq))}><${Id} id=${`#${turn.seq}`} /></a></dd></div></dl>
  </details>`;
}
