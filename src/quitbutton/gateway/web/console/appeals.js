// The queue of appeals and reviews, the most urgent first; and drawing a sample of ends for a blind review.
import { html, useState } from "../ui/html.js";
import { post } from "./api.js";
import { useList } from "./load.js";
import { Badge, Cell, Empty, Failed, Field, Listing, Select, Time } from "./parts.js";
import { go, link } from "./router.js";
import { mayChange, say, words } from "./state.js";

const STATES = ["open", "upheld", "rejected"];

export function Appeals({ route }) {
  const t = words();
  const state = STATES.includes(route.query.state) ? route.query.state : "open";
  const list = useList("/appeals", "appeals", { state }, "after");
  const late = (one) => one.state === "open" && new Date(one.due_at) < new Date();
  const head = state === "open" ? [t.appeal, t.filed, t.dueBy] : [t.appeal, t.filed, t.decided];
  const row = (one) => html`<tr key=${one.id}>
    <${Cell} name=${head[0]}><a class="appeal-link" href=${link("appeals", one.id)}><${Badge} kind=${one.source}>${t.sources[one.source]}<//> <span class="excerpt" dir="auto">${one.source === "sample" ? t.blindReview : one.text || t.erased}</span></a><//>
    <${Cell} name=${head[1]}><${Time} at=${one.opened_at} /><//>
    <${Cell} name=${head[2]}>${one.state === "open"
      ? html`<span><${Time} at=${one.due_at} /> ${late(one) && html`<${Badge} kind="ended">${t.late}<//>`}</span>`
      : html`<span>${t.appealStates[one.state]} · <bdi>${one.decided_by}</bdi> · <${Time} at=${one.decided_at} /></span>`}<//>
  </tr>`;
  const empty = html`<${Empty} title=${state === "open" ? t.noAppeals : t.noneDecided}>${state === "open" ? t.noAppealsText : ""}<//>`;
  return html`
    <div class="head"><h1 tabindex="-1">${t.pages.appeals}</h1>
      <${Select} id="f-state" label=${t.columns.state} value=${state} options=${STATES.map((name) => [name, t.appealStates[name]])} onChange=${(value) => go("appeals", "", { state: value })} />
    </div>
    <${Listing} list=${list} caption=${t.pages.appeals} head=${head} row=${row} empty=${empty} />
    ${mayChange() && html`<${Sample} onDrawn=${list.load} />`}
  `;
}

function Sample({ onDrawn }) {
  const t = words();
  const [shown, setShown] = useState({ busy: false, failed: null, put: null });
  const send = async (event) => {
    event.preventDefault();
    const given = new FormData(event.target);
    setShown({ busy: true, failed: null, put: null });
    try {
      const drawn = await post("/reviews/sample", { share: Number(given.get("share")) / 100, days: Number(given.get("days")) });
      setShown({ busy: false, failed: null, put: drawn.put_into_the_queue });
      say(t.drawn(drawn.put_into_the_queue));
      onDrawn();
    } catch (failed) {
      setShown({ busy: false, failed, put: null });
    }
  };
  return html`<section class="card sample" aria-labelledby="sample">
    <h2 id="sample">${t.sample}</h2>
    <p class="quiet">${t.sampleText}</p>
    <form class="inline" onSubmit=${send}>
      <${Field} id="share" label=${t.sampleShare}><input id="share" name="share" type="number" min="0.1" max="100" step="any" value="5" required /><//>
      <${Field} id="days" label=${t.sampleDays}><input id="days" name="days" type="number" min="1" max="3650" value="30" required /><//>
      <button type="submit" class="button" disabled=${shown.busy}>${t.draw}</button>
    </form>
    ${shown.failed && html`<${Failed} error=${shown.failed} />`}
    ${shown.put !== null && html`<p>${t.drawn(shown.put)}</p>`}
  </section>`;
}
