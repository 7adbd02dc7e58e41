// The audit trail: its newest signed checkpoint, every event with its number, proofs checked here in the browser.
import { html, useState } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { get } from "./api.js";
import { useList, useLoaded } from "./load.js";
import { Badge, Cell, Empty, Failed, Id, Listing, Loading, Time } from "./parts.js";
import { number, say, when, words } from "./state.js";
import { canVerify, isIncluded, isSigned } from "./verify.js";

const EXPORT = "/v1/quitbutton/audit/export";

export function Audit({ route }) {
  const t = words();
  const { data, failed, load } = useLoaded("/audit");
  const from = /^\d{1,15}$/.test(route.id) ? Number(route.id) : null;
  return html`
    <div class="head"><h1 tabindex="-1">${t.pages.audit}</h1>
      <a class="button small" href=${EXPORT} download><${Icon} name="file" /> ${t.export}</a></div>
    <p class="quiet">${t.auditText} <code>quitbutton audit verify FILE</code></p>
    ${failed ? html`<${Failed} error=${failed} onRetry=${load} />` : data ? html`<${Head} head=${data} />` : html`<${Loading} />`}
    ${data?.fault && html`<div class="note error" role="alert"><${Icon} name="warning" /><div><p class="note-title">${t.signedNoFurther}</p><p lang="en">${data.fault}</p></div></div>`}
    ${data && (from === null ? html`<${Events} head=${data} />` : html`<${Around} head=${data} seq=${from} />`)}
  `;
}

function Head({ head }) {
  const t = words();
  const time = head.checkpoint?.match(/^time (\d+)$/m)?.[1];
  return html`<section class="card facts" aria-labelledby="head">
    <h2 id="head">${t.checkpoint}</h2>
    <dl>
      <div><dt>${t.signedEvents}</dt><dd>${number(head.size)}${head.waiting > 0 && html` <span class="quiet">${t.waitingEvents(number(head.waiting))}</span>`}</dd></div>
      ${time && html`<div><dt>${t.signedAt}</dt><dd>${when(Number(time) * 1000)}</dd></div>`}
      <div><dt>${t.logKey}</dt><dd><${Id} id=${head.key} /></dd></div>
    </dl>
    ${head.checkpoint && html`<details class="more-facts"><summary>${t.signedNote}</summary><pre tabindex="0">${head.checkpoint}</pre></details>`}
    <${Check} />
  </section>`;
}

function Check() {
  const t = words();
  const [shown, setShown] = useState({ busy: false, found: null, failed: null });
  const check = async () => {
    setShown({ busy: true, found: null, failed: null });
    try {
      const found = await get("/audit/check");
      setShown({ busy: false, found, failed: null });
      say(found.sound ? t.sound(number(found.events)) : t.unsound);
    } catch (failed) {
      setShown({ busy: false, found: null, failed });
    }
  };
  const { found } = shown;
  return html`<div>
    <button type="button" class="button" disabled=${shown.busy} onClick=${check}><${Icon} name="check" /> ${shown.busy ? t.checking : t.checkAll}</button>
    ${shown.failed && html`<${Failed} error=${shown.failed} />`}
    ${found && (found.sound
      ? html`<p class="calm"><${Icon} name="check" /> ${t.sound(number(found.events))}</p>`
      : html`<div class="note error"><${Icon} name="warning" /><div><p class="note-title">${t.unsound}</p><ul>${found.problems.map((one, place) => html`<li key=${place} lang="en">${one}</li>`)}</ul></div></div>`)}
  </div>`;
}

function Around({ head, seq }) {
  // An event among its neighbours: its proof tells its place in the log.
  const { data, failed, load } = useLoaded(`/audit/events/${seq}/proof`);
  if (failed) return html`<${Failed} error=${failed} onRetry=${load} />`;
  return data ? html`<${Events} head=${head} seq=${seq} before=${data.n + 6} />` : html`<${Loading} />`;
}

function Events({ head, seq, before }) {
  const t = words();
  const list = useList("/audit/events", "events", { before });
  const columns = ["#", t.time, t.what, t.conversation, t.proof];
  const row = (one) => html`<tr key=${one.n} class=${one.seq === seq ? "chosen" : ""}>
    <${Cell} name=${columns[0]}>${one.seq}<//>
    <${Cell} name=${columns[1]}>${one.at && html`<${Time} at=${new Date(one.at * 1000).toISOString()} />`}<//>
    <${Cell} name=${columns[2]}><code>${one.kind ?? "–"}</code><//>
    <${Cell} name=${columns[3]}>${one.conversation ? html`<${Id} id=${one.conversation} page="conversations" query=${{ message: one.message }} />` : "–"}<//>
    <${Cell} name=${columns[4]}>${one.fault ? html`<${Badge} kind="ended">${one.fault}<//>` : html`<${Prove} one=${one} head=${head} />`}<//>
  </tr>`;
  return html`<section aria-labelledby="trail"><h2 id="trail">${t.trail}</h2>
    <${Listing} list=${list} caption=${t.trail} head=${columns} row=${row} empty=${html`<${Empty} title=${t.noEvents}>${t.noEventsText}<//>`} /></section>`;
}

function Prove({ one, head }) {
  const t = words();
  const [shown, setShown] = useState(null);
  const act = async () => {
    try {
      const answer = await get(`/audit/events/${one.seq}/proof`);
      const holds = (await isIncluded(answer, one.hash)) && (await isSigned(answer.checkpoint, head.key));
      setShown(holds ? "holds" : "fails");
      say(holds ? t.proved : t.disproved);
    } catch (error) {
      setShown(error.status ? error.message : t.cannotVerify);
    }
  };
  if (shown === "holds") return html`<span class="badge proved"><${Icon} name="check" /> ${t.proved}</span>`;
  if (shown === "fails") return html`<span class="badge ended">${t.disproved}</span>`;
  if (shown) return html`<span class="quiet">${shown}</span>`;
  return html`<button type="button" class="button small" disabled=${!canVerify()} title=${canVerify() ? undefined : t.cannotVerify} onClick=${act} aria-label=${`${t.verify} #${one.seq}`}>${t.verify}</button>`;
}
