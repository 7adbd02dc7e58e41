// API keys: made here, shown once, revoked for good.
import { html, useRef, useState } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { drop, post, signIn } from "./api.js";
import { useLoaded } from "./load.js";
import { Badge, Cell, Dialog, Empty, Failed, Field, Listing, Secret, Time } from "./parts.js";
import { mayChange, say, state, words } from "./state.js";

export function Keys() {
  const t = words();
  const { data, failed, load } = useLoaded("/keys");
  const policies = useLoaded("/policy").data?.policies ?? {};
  const [made, setMade] = useState(null);
  const [asked, setAsked] = useState(null);
  const head = [t.nameLabel, t.role, t.columns.state, t.limits, t.lastUsed, t.expires, ""];
  const row = (key) => html`<tr key=${key.id}>
    <${Cell} name=${head[0]}><bdi>${key.name}</bdi> <code class="quiet">${key.id}</code><//>
    <${Cell} name=${head[1]}>${t.roles[key.role]}<//>
    <${Cell} name=${head[2]}><${Badge} kind=${key.state}>${t.keyStates[key.state]}<//><//>
    <${Cell} name=${head[3]}>${limits(key, t)}<//>
    <${Cell} name=${head[4]}>${key.last_used_at ? html`<${Time} at=${key.last_used_at} />` : t.never}<//>
    <${Cell} name=${head[5]}>${key.expires_at ? html`<${Time} at=${key.expires_at} />` : t.never}<//>
    <td>${key.state === "active" && mayChange() && html`<button type="button" class="button small" onClick=${() => setAsked(key)} aria-label=${`${t.revoke}: ${key.name}`}>${t.revoke}</button>`}</td>
  </tr>`;
  const list = { rows: data?.keys ?? null, failed, load };
  return html`
    <div class="head"><h1 tabindex="-1">${t.pages.keys}</h1></div>
    <p class="quiet">${t.keysText}</p>
    ${made && html`<${Secret} id="made" label=${t.keyMade(made.name)} text=${t.onlyOnce} value=${made.secret} />`}
    <${Listing} list=${list} caption=${t.pages.keys} head=${head} row=${row} empty=${html`<${Empty} title=${t.noKeys}>${state.now.who?.csrf_token ? t.keysOfSettings : t.noKeysText}<//>`} />
    ${mayChange() && html`<${New} policies=${Object.keys(policies)} onMade=${(key) => (setMade(key), say(t.keyMade(key.name)), load())} />`}
    ${asked && html`<${Revoke} one=${asked} onClose=${() => setAsked(null)} onDone=${load} />`}
  `;
}

const limits = (key, t) =>
  [key.policy && `${t.columns.policy} ${key.policy}`, key.requests_per_minute && t.perMinute(key.requests_per_minute), key.max_body && t.bytes(key.max_body)]
    .filter(Boolean)
    .join(" · ") || "–";

function New({ policies, onMade }) {
  const t = words();
  const form = useRef();
  // Where nobody had to sign in, the first key closes the console: it must be one that opens it again, and does at once.
  const isFirst = !state.now.who?.csrf_token;
  const roles = Object.entries(t.roles).filter(([name]) => !isFirst || name === "operator");
  const [role, setRole] = useState(isFirst ? "operator" : "chat");
  const [shown, setShown] = useState({ busy: false, failed: null });
  const send = async (event) => {
    event.preventDefault();
    const given = new FormData(form.current);
    const body = { name: given.get("name").trim(), role };
    if (given.get("expires_in")) body.expires_in = given.get("expires_in");
    if (role === "chat" && given.get("policy")) body.policy = given.get("policy");
    if (role === "chat" && given.get("rate")) body.requests_per_minute = Number(given.get("rate"));
    setShown({ busy: true, failed: null });
    try {
      const key = await post("/keys", body);
      if (isFirst) await signIn(key.secret);
      onMade(key);
      form.current.reset();
      setRole("chat");
      setShown({ busy: false, failed: null });
      requestAnimationFrame(() => document.querySelector(".secret-value")?.focus());
    } catch (failed) {
      setShown({ busy: false, failed });
    }
  };
  return html`<section class="card" aria-labelledby="new">
    <h2 id="new">${t.newKey}</h2>
    ${isFirst && html`<p class="quiet">${t.firstKey}</p>`}
    <form class="inline" ref=${form} onSubmit=${send}>
      <${Field} id="name" label=${t.nameLabel}><input id="name" name="name" maxlength="80" required autocomplete="off" /><//>
      <${Field} id="role" label=${t.role}><select id="role" value=${role} onChange=${(event) => setRole(event.target.value)}>
        ${roles.map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}</select><//>
      <${Field} id="expires" label=${t.expires}><select id="expires" name="expires_in"><option value="">${t.never}</option>
        ${["30d", "90d", "365d"].map((days) => html`<option key=${days} value=${days}>${t.inDays(days.slice(0, -1))}</option>`)}</select><//>
      ${role === "chat" && html`<${Field} id="rate" label=${t.rate}><input id="rate" name="rate" type="number" min="1" max="1000000" /><//>`}
      ${role === "chat" && policies.length > 0 && html`<${Field} id="policy" label=${t.columns.policy}><select id="policy" name="policy"><option value="">${t.ofRoute}</option>
        ${policies.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select><//>`}
      <button type="submit" class="button primary" disabled=${shown.busy}><${Icon} name="plus" /> ${t.makeKey}</button>
    </form>
    ${shown.failed && html`<${Failed} error=${shown.failed} />`}
  </section>`;
}

function Revoke({ one, onClose, onDone }) {
  const t = words();
  const [failed, setFailed] = useState(null);
  const act = async () => {
    try {
      await drop(`/keys/${encodeURIComponent(one.id)}`);
      say(t.revoked(one.name));
      onClose();
      onDone();
    } catch (error) {
      setFailed(error);
    }
  };
  return html`<${Dialog} title=${t.revokeTitle(one.name)} onClose=${onClose}>
    <p>${t.revokeText}</p>
    ${failed && html`<${Failed} error=${failed} />`}
    <div class="choices"><button type="button" class="button" autofocus onClick=${onClose}>${t.cancel}</button>
      <button type="button" class="button danger" onClick=${act}>${t.revoke}</button></div>
  <//>`;
}
