// One appeal: what the user says, the rungs and words it is about, and a person's decision. A blind review hides who decided.
import { html, useState } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { post } from "./api.js";
import { useLoaded } from "./load.js";
import { Badge, Failed, Field, Id, Loading, Time, Words } from "./parts.js";
import { link } from "./router.js";
import { mayChange, say, state, words } from "./state.js";
import { foundIn } from "./turn.js";

export function Appeal({ route }) {
  const t = words();
  const path = `/appeals/${encodeURIComponent(route.id)}`;
  const { data, failed, load } = useLoaded(path, { lang: state.now.language });
  return html`
    <p class="back"><a href=${link("appeals")}><${Icon} name="left" /> ${t.pages.appeals}</a></p>
    <div class="head"><h1 tabindex="-1">${data?.source === "sample" ? t.blindReview : t.appeal}</h1></div>
    ${failed ? html`<${Failed} error=${failed} onRetry=${load} />` : data ? html`<${Told} appeal=${data} path=${path} onDecided=${load} />` : html`<${Loading} />`}
  `;
}

function Told({ appeal, path, onDecided }) {
  const t = words();
  const isBlind = appeal.blind === true;
  const about = appeal.statement;
  return html`
    ${isBlind && html`<p class="note plain"><${Icon} name="info" /> <span>${t.blindText}</span></p>`}
    ${appeal.source === "user" && html`<section class="card" aria-labelledby="theirs">
      <h2 id="theirs">${t.theySay}</h2>
      <p class="quiet">${t.filed} <${Time} at=${appeal.opened_at} />${appeal.due_at && appeal.state === "open" && html` · ${t.dueBy} <${Time} at=${appeal.due_at} />`}</p>
      ${appeal.text ? html`<${Words} class="user">${appeal.text}<//>` : html`<p class="quiet">${t.erased}</p>`}
    </section>`}
    ${!isBlind && about && html`<${About} about=${about} appeal=${appeal} />`}
    <${Branch} appeal=${appeal} facts=${about?.facts ?? []} />
    ${appeal.state !== "open"
      ? html`<${Decided} appeal=${appeal} />`
      : mayChange()
        ? html`<${Decide} path=${path} appeal=${appeal} onDecided=${onDecided} />`
        : html`<p class="note plain"><${Icon} name="info" /> <span>${t.auditorsRead}</span></p>`}
  `;
}

function About({ about, appeal }) {
  const t = words();
  return html`<section class="card facts" aria-labelledby="about">
    <h2 id="about">${t.theEnd}</h2>
    <dl>
      <div><dt>${t.ground}</dt><dd>${about.reason_text}</dd></div>
      <div><dt>${t.columns.decided_by}</dt><dd>${t.deciders[about.decided_by.kind] ?? about.decided_by.kind}</dd></div>
      ${about.decided_by.model && html`<div><dt>${t.columns.model}</dt><dd><bdi>${about.decided_by.model}</bdi></dd></div>`}
      <div><dt>${t.assessors}</dt><dd><bdi>${about.decided_by.assessors.join(", ") || "–"}</bdi></dd></div>
      <div><dt>${t.time}</dt><dd><${Time} at=${about.restriction.since} /></dd></div>
      <div><dt>${t.conversation}</dt><dd><${Id} id=${about.restriction.conversation} page="conversations" /></dd></div>
    </dl>
    ${about.explanation && html`<p class="quiet">${t.explanation}</p><${Words} class="reply">${about.explanation}<//>`}
    <p class="links"><a href=${`/ends/${encodeURIComponent(appeal.end_id)}`} target="_blank" rel="noopener">${t.statement} <${Icon} name="outside" /></a></p>
  </section>`;
}

function Branch({ appeal, facts }) {
  const t = words();
  const rungs = Object.fromEntries(facts.map((fact) => [fact.message, fact]));
  const said = appeal.words ?? [];
  const spoken = new Set(said.map((word) => word.message));
  const silent = facts.filter((fact) => !spoken.has(fact.message));
  return html`<section class="card" aria-labelledby="branch">
    <h2 id="branch">${t.whatWasSaid}</h2>
    ${said.length === 0 && html`<p class="quiet">${t.noWords}</p>`}
    <ol class="said">
      ${said.map((word, place) => html`<li key=${place} class=${word.speaker}>
        <p class="who">${t.speakers[word.speaker]} ${word.speaker === "user" && html`<${Rung} fact=${rungs[word.message]} />`}
          ${word.on_branch === false && html`<span class="mark"><${Icon} name="branch" /> ${t.branch}</span>`}</p>
        <${Words} class=${word.speaker}>${word.text}<//>
      </li>`)}
      ${silent.map((fact) => html`<li key=${fact.message} class="user"><p class="who"><${Rung} fact=${fact} /> <${Time} at=${fact.at} /> <code>${fact.message}</code></p></li>`)}
    </ol>
  </section>`;
}

function Rung({ fact }) {
  const t = words();
  if (!fact) return null;
  return html`<${Badge} kind=${fact.rung}>${t.states[fact.rung] ?? fact.rung}<//> ${fact.found && html`<span class="quiet">${foundIn({ verdict: { ...fact, label: fact.found } })} · <bdi>${fact.assessor}</bdi></span>`}`;
}

function Decided({ appeal }) {
  const t = words();
  return html`<section class=${`card decided ${appeal.state}`} aria-labelledby="decided">
    <h2 id="decided" tabindex="-1">${t.appealStates[appeal.state]}</h2>
    <p class="quiet"><bdi>${appeal.decided_by}</bdi> · <${Time} at=${appeal.decided_at} /></p>
    <${Words}>${appeal.reason}<//>
    <p><a class="button small" href=${link("appeals")}>${t.nextAppeal}</a></p>
  </section>`;
}

function Decide({ path, appeal, onDecided }) {
  const t = words();
  const [shown, setShown] = useState({ outcome: "", reason: "", busy: false, failed: null, missing: "" });
  const set = (patch) => setShown({ ...shown, failed: null, missing: "", ...patch });
  const send = async (event) => {
    event.preventDefault();
    if (!shown.outcome) return set({ missing: t.chooseOutcome });
    if (!shown.reason.trim()) return set({ missing: t.giveReason });
    set({ busy: true });
    try {
      await post(`${path}/decision`, { outcome: shown.outcome, reason: shown.reason.trim() });
      await onDecided();
      say(t.appealStates[shown.outcome]);
      requestAnimationFrame(() => document.getElementById("decided")?.focus());
    } catch (failed) {
      set({ busy: false, failed });
    }
  };
  const choice = (outcome) => html`<label class=${`choice ${outcome}`}>
    <input type="radio" name="outcome" value=${outcome} checked=${shown.outcome === outcome} onChange=${() => set({ outcome })} />
    <span><strong>${t.outcomes[outcome]}</strong><span class="quiet">${t.outcomeTexts[outcome]}</span></span>
  </label>`;
  return html`<section class="card" aria-labelledby="decide">
    <h2 id="decide">${t.decide}</h2>
    <form class="decide" onSubmit=${send} noValidate>
      <fieldset><legend class="unseen">${t.decide}</legend>${choice("upheld")}${choice("rejected")}</fieldset>
      <${Field} id="reason" label=${appeal.source === "sample" ? t.reasonForRecord : t.reasonForUser}>
        <textarea id="reason" rows="4" maxlength="4000" required value=${shown.reason} onInput=${(event) => set({ reason: event.target.value })}></textarea>
      <//>
      ${shown.missing && html`<p class="failed" role="alert">${shown.missing}</p>`}
      ${shown.failed && html`<${Failed} error=${shown.failed} />`}
      <div><button type="submit" class="button primary" disabled=${shown.busy}>${t.decideNow}</button></div>
    </form>
  </section>`;
}
