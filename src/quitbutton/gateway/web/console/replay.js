// What a draft would change, conversation by conversation: over recorded ones, or a file of them.
import { html, useState } from "../ui/html.js";
import { post } from "./api.js";
import { Badge, Cell, Failed, Field, Id, State } from "./parts.js";
import { words } from "./state.js";

export function Replay({ name, changed, isChanged }) {
  const t = words();
  const [newest, setNewest] = useState(20);
  const [file, setFile] = useState(null);
  const [shown, setShown] = useState({ busy: false, failed: null, found: null });
  const run = async () => {
    setShown({ busy: true, failed: null, found: null });
    try {
      const which = file ? { conversations: rowsOf(await file.text(), t) } : { newest };
      const found = await post(`/policies/${encodeURIComponent(name)}/replay`, { policy: changed, ...which });
      setShown({ busy: false, failed: null, found });
    } catch (failed) {
      setShown({ busy: false, failed, found: null });
    }
  };
  return html`<fieldset class="stack replay"><legend>${t.tryIt}</legend>
    <div class="inline">
      <${Field} id=${`${name}-newest`} label=${t.newestKept}><input id=${`${name}-newest`} type="number" min="1" max="200" value=${newest} disabled=${Boolean(file)} onInput=${(event) => setNewest(event.target.valueAsNumber)} /><//>
      <${Field} id=${`${name}-file`} label=${t.orFile}><input id=${`${name}-file`} type="file" accept=".jsonl,.ndjson,application/jsonl" onChange=${(event) => setFile(event.target.files[0] ?? null)} /><//>
      <button type="button" class="button" disabled=${shown.busy || !isChanged} onClick=${run}>${shown.busy ? t.trying : t.tryNow}</button>
    </div>
    ${shown.failed && html`<${Failed} error=${shown.failed} />`}
    ${shown.found && html`<${Found} found=${shown.found} />`}
  </fieldset>`;
}

/** One conversation a line. Throws an error that names the line. */
function rowsOf(text, t) {
  return text.split("\n").map((line) => line.trim()).flatMap((line, place) => {
    if (!line) return [];
    try {
      return [JSON.parse(line)];
    } catch {
      throw Object.assign(new Error(t.notJson(place + 1)), { status: 400 });
    }
  });
}

function Found({ found }) {
  const t = words();
  const head = [t.conversation, t.now, t.underDraft];
  const rows = found.conversations.toSorted((one, other) => other.changed - one.changed);
  return html`<p role="status">${t.wouldChange(found.changed, found.of)}</p>
    <div class="scroll found"><table class="rows"><caption class="unseen">${t.tryIt}</caption>
      <thead><tr>${head.map((name) => html`<th scope="col" key=${name}>${name}</th>`)}</tr></thead>
      <tbody>${rows.map((one, place) => html`<tr key=${place} class=${one.changed ? "chosen" : ""}>
        <${Cell} name=${head[0]}><${Id} id=${String(one.id ?? place + 1)} page=${String(one.id).startsWith("conv_") ? "conversations" : null} /><//>
        <${Cell} name=${head[1]}><${Course} told=${one.before} /><//>
        <${Cell} name=${head[2]}><${Course} told=${one.after} /> ${one.changed && html`<${Badge} kind="shadow">${t.differs}<//>`}<//>
      </tr>`)}</tbody></table></div>`;
}

function Course({ told }) {
  const t = words();
  const at = ["warned_at", "ended_at", "crisis_at"].filter((name) => told[name] !== null);
  return html`<span><${State} name=${told.final} /> <span class="quiet">${at.map((name) => t.atTurn[name](told[name])).join(", ")}</span></span>`;
}
