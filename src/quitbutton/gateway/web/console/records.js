// Conversations, ends and decisions: three views of the record with filters in the address, and the search by id.
import { html, useState } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { get } from "./api.js";
import { useList, useLoaded } from "./load.js";
import { Badge, Cell, Empty, Id, Listing, Select, State, Time } from "./parts.js";
import { go, link } from "./router.js";
import { words } from "./state.js";
import { foundIn } from "./turn.js";

const VIEWS = { conversations: Conversations, ends: Ends, decisions: Decisions };
const RUNGS = ["open", "redirected", "warned", "ended"];

export function Records({ route }) {
  const t = words();
  const view = VIEWS[route.query.view] ? route.query.view : "conversations";
  const View = VIEWS[view];
  return html`
    <div class="head">
      <h1 tabindex="-1">${t.pages.conversations}</h1>
      <${Find} />
    </div>
    <div class="tabs" role="group" aria-label=${t.views}>
      ${Object.keys(VIEWS).map((name) => html`<a key=${name} href=${link("conversations", "", { view: name })} aria-current=${name === view ? "true" : undefined}>${t.viewNames[name]}</a>`)}
    </div>
    <${View} key=${view} query=${route.query} />
  `;
}

function Find() {
  const t = words();
  const [failed, setFailed] = useState("");
  const send = async (event) => {
    event.preventDefault();
    const id = new FormData(event.target).get("id").trim();
    if (!id) return;
    try {
      const found = await get("/records/find", { id });
      go("conversations", found.conversation, { message: found.message });
    } catch (error) {
      setFailed(error.status === 404 ? t.nothingFound : error.message || t.failed);
    }
  };
  return html`<form class="find" role="search" onSubmit=${send}>
    <label for="find">${t.find}</label>
    <div><input id="find" name="id" type="search" placeholder="conv_ · msg_ · end_ · req_" spellcheck=${false} autocomplete="off" aria-describedby="find-failed" />
      <button type="submit" class="button" aria-label=${t.findNow}><${Icon} name="search" /></button></div>
    <p id="find-failed" class="failed" role="alert">${failed}</p>
  </form>`;
}

function Filters({ query, view, choices }) {
  const t = words();
  const set = (name, value) => go("conversations", "", { ...query, view, [name]: value });
  return html`<div class="filters">
    ${choices.map(([name, options]) => html`<${Select} key=${name} id=${`f-${name}`} label=${t.columns[name]} value=${query[name] ?? ""}
      options=${[...(name === "kind" ? [] : [["", t.all]]), ...options]} onChange=${(value) => set(name, value)} />`)}
    ${["since", "until"].map((name) => html`<div class="field" key=${name}><label for=${`f-${name}`}>${t.columns[name]}</label>
      <input type="date" id=${`f-${name}`} value=${query[name] ?? ""} onChange=${(event) => set(name, event.target.value)} /></div>`)}
  </div>`;
}

const chosen = (query, ...names) => Object.fromEntries(names.filter((name) => query[name]).map((name) => [name, query[name]]));
const isFiltered = (query, ...names) => names.some((name) => query[name]);

function Nothing({ query, names, view }) {
  const t = words();
  if (!isFiltered(query, ...names)) return html`<${Empty} title=${t.noneYet[view]}>${t.noneYetText[view]}<//>`;
  return html`<${Empty} title=${t.noMatch}><a href=${link("conversations", "", { view })}>${t.clear}</a><//>`;
}

function Conversations({ query }) {
  const t = words();
  const names = ["state", "since", "until"];
  const list = useList("/records/conversations", "conversations", chosen(query, ...names));
  const head = [t.conversation, t.columns.state, t.newest, t.begun];
  const row = (one) => html`<tr key=${one.id}>
    <${Cell} name=${head[0]}><${Id} id=${one.id} page="conversations" /><//>
    <${Cell} name=${head[1]}><span><${State} name=${one.state} /> ${one.crisis_hold > 0 && html`<${Badge} kind="crisis">${t.held}<//>`} ${one.possible_hold > 0 && html`<${Badge} kind="crisis">${t.guarded}<//>`}</span><//>
    <${Cell} name=${head[2]}><${Time} at=${one.updated_at} /><//>
    <${Cell} name=${head[3]}><${Time} at=${one.created_at} /><//>
  </tr>`;
  return html`
    <${Filters} query=${query} view="conversations" choices=${[["state", RUNGS.map((name) => [name, t.states[name]])]]} />
    <${Listing} list=${list} caption=${t.viewNames.conversations} head=${head} row=${row} empty=${html`<${Nothing} query=${query} names=${names} view="conversations" />`} />
  `;
}

function Ends({ query }) {
  const t = words();
  const names = ["state", "reason", "decided_by", "model", "policy", "since", "until"];
  const known = useLoaded("/records/names").data ?? { models: [], policies: [] };
  const list = useList("/records/ends", "ends", chosen(query, ...names));
  const own = (given, values) => [...new Set([...values, ...(given ? [given] : [])])];
  const choices = [
    ["state", ["ended", "reopened"].map((name) => [name, t.states[name]])],
    ["reason", Object.entries(t.reasons)],
    ["decided_by", Object.entries(t.deciders)],
    ["model", own(query.model, known.models).filter(Boolean).map((name) => [name, name])],
    ["policy", own(query.policy, known.policies).map((name) => [name, name.slice(0, 12)])],
  ];
  const head = [t.time, t.columns.reason, t.columns.decided_by, t.columns.model, t.columns.state, t.conversation];
  const row = (end) => html`<tr key=${end.id}>
    <${Cell} name=${head[0]}><${Time} at=${end.ended_at} /><//>
    <${Cell} name=${head[1]}>${t.reasons[end.reason] ?? end.reason}<//>
    <${Cell} name=${head[2]}>${t.deciders[end.decided_by] ?? end.decided_by}<//>
    <${Cell} name=${head[3]}><bdi class="clip" title=${end.model}>${end.model || "–"}</bdi><//>
    <${Cell} name=${head[4]}><${State} name=${end.reopened_at ? "reopened" : "ended"} /><//>
    <${Cell} name=${head[5]}><${Id} id=${end.conversation} page="conversations" query=${{ message: end.message }} /><//>
  </tr>`;
  return html`
    <${Filters} query=${query} view="ends" choices=${choices} />
    <${Listing} list=${list} caption=${t.viewNames.ends} head=${head} row=${row} empty=${html`<${Nothing} query=${query} names=${names} view="ends" />`} />
  `;
}

/** Why the model wanted to leave: the reason that it chose, and its explanation as far as that is kept. */
function Pressed({ event }) {
  const t = words();
  const reason = event.press_reason && (t.reasons[event.press_reason] ?? t.noReason);
  if (!reason && !event.explanation) return "–";
  return html`<span>${reason}${reason && event.explanation && " – "}<bdi>${event.explanation}</bdi></span>`;
}

function Decisions({ query }) {
  const t = words();
  const kind = t.kinds[query.kind] ? query.kind : "press.denied";
  const list = useList("/records/events", "events", { ...chosen(query, "since", "until"), kind });
  const isPress = kind === "press.denied";
  const head = [t.time, t.what, t.why, ...(isPress ? [t.theModelSaid] : []), t.columns.model, t.conversation];
  const row = (event) => html`<tr key=${event.seq}>
    <${Cell} name=${head[0]}><${Time} at=${event.at} /><//>
    <${Cell} name=${head[1]}><span><${Badge} kind=${event.kind.replace(".", "-")}>${t.kinds[event.kind] ?? event.kind}<//> ${event.mode === "shadow" && html`<${Badge} kind="shadow">${t.modeNames.shadow}<//>`}</span><//>
    <${Cell} name=${head[2]}>${event.denial ? (t.denials[event.denial] ?? event.denial) : (t.reasons[event.reason] ?? (event.verdict ? foundIn(event) : null) ?? html`<bdi>${event.by ?? t.sources[event.source] ?? "–"}</bdi>`)}<//>
    ${isPress && html`<${Cell} name=${t.theModelSaid}><${Pressed} event=${event} /><//>`}
    <${Cell} name=${t.columns.model}><bdi class="clip" title=${event.model}>${event.model || "–"}</bdi><//>
    <${Cell} name=${t.conversation}>${event.conversation ? html`<${Id} id=${event.conversation} page="conversations" query=${{ message: event.message }} />` : "–"}<//>
  </tr>`;
  return html`
    <${Filters} query=${{ ...query, kind }} view="decisions" choices=${[["kind", Object.entries(t.kinds).filter(([name]) => name !== "turn.pass")]]} />
    <${Listing} list=${list} caption=${t.viewNames.decisions} head=${head} row=${row} empty=${html`<${Nothing} query=${query} names=${["since", "until"]} view="decisions" />`} />
  `;
}
