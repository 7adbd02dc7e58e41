// Webhooks: who is told of what, the secret shown once; deliveries that are dead, on their way or done, and replaying them.
import { html, useRef, useState } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { drop, post } from "./api.js";
import { useList, useLoaded } from "./load.js";
import { Badge, Cell, Dialog, Empty, Failed, Field, Listing, Secret, Select, Time } from "./parts.js";
import { go } from "./router.js";
import { mayChange, say, words } from "./state.js";

const STATES = ["dead", "waiting", "done"];

export function Webhooks({ route }) {
  const t = words();
  const { data, failed, load } = useLoaded("/webhooks");
  const [made, setMade] = useState(null);
  const [asked, setAsked] = useState(null);
  const head = [t.address, t.events, t.begun, ""];
  const row = (one) => html`<tr key=${one.id}>
    <${Cell} name=${head[0]}><bdi class="url">${one.url}</bdi><//>
    <${Cell} name=${head[1]}>${one.types.length === data.types.length ? t.allEvents : html`<span class="types">${one.types.map((name) => html`<code key=${name}>${name}</code> `)}</span>`}<//>
    <${Cell} name=${head[2]}><${Time} at=${one.created_at} /><//>
    <td>${mayChange() && html`<button type="button" class="button small" onClick=${() => setAsked(one)} aria-label=${`${t.remove}: ${one.url}`}>${t.remove}</button>`}</td>
  </tr>`;
  return html`
    <div class="head"><h1 tabindex="-1">${t.pages.webhooks}</h1></div>
    <p class="quiet">${t.webhooksText}</p>
    ${made && html`<${Secret} id="made" label=${t.webhookMade} text=${t.onlyOnce} value=${made.secret} />`}
    <${Listing} list=${{ rows: data?.webhooks ?? null, failed, load }} caption=${t.pages.webhooks} head=${head} row=${row}
      empty=${html`<${Empty} title=${t.noWebhooks}>${t.noWebhooksText}<//>`} />
    ${mayChange() && data && html`<${New} types=${data.types} onMade=${(one) => (setMade(one), say(t.webhookMade), load())} />`}
    <${Deliveries} route=${route} hooks=${data?.webhooks ?? []} />
    ${asked && html`<${Remove} one=${asked} onClose=${() => setAsked(null)} onDone=${load} />`}
  `;
}

function New({ types, onMade }) {
  const t = words();
  const form = useRef();
  const [shown, setShown] = useState({ busy: false, failed: null });
  const send = async (event) => {
    event.preventDefault();
    const given = new FormData(form.current);
    setShown({ busy: true, failed: null });
    try {
      onMade(await post("/webhooks", { url: given.get("url").trim(), types: given.getAll("types") }));
      form.current.reset();
      setShown({ busy: false, failed: null });
      requestAnimationFrame(() => document.querySelector(".secret-value")?.focus());
    } catch (failed) {
      setShown({ busy: false, failed });
    }
  };
  return html`<section class="card" aria-labelledby="new">
    <h2 id="new">${t.newWebhook}</h2>
    <form class="stack" ref=${form} onSubmit=${send}>
      <${Field} id="url" label=${t.address}><input id="url" name="url" type="url" required placeholder="https://" maxlength="2000" autocomplete="off" /><//>
      <fieldset class="checks"><legend>${t.events}</legend>
        ${types.map((name) => html`<label key=${name}><input type="checkbox" name="types" value=${name} defaultChecked /> <code>${name}</code></label>`)}
      </fieldset>
      <div><button type="submit" class="button primary" disabled=${shown.busy}><${Icon} name="plus" /> ${t.add}</button></div>
    </form>
    ${shown.failed && html`<${Failed} error=${shown.failed} />`}
  </section>`;
}

function Deliveries({ route, hooks }) {
  const t = words();
  const chosen = STATES.includes(route.query.state) ? route.query.state : "dead";
  const list = useList("/deliveries", "deliveries", { state: chosen });
  const [failed, setFailed] = useState(null);
  const urls = Object.fromEntries(hooks.map((one) => [one.id, one.url]));
  const replay = async (one) => {
    setFailed(null);
    try {
      await post(`/deliveries/${encodeURIComponent(one.id)}/replay`);
      say(t.replayed);
      list.load();
    } catch (error) {
      setFailed(error);
    }
  };
  const head = [t.time, t.event, t.address, t.tries, ""];
  const row = (one) => html`<tr key=${one.id}>
    <${Cell} name=${head[0]}><${Time} at=${one.created_at} /><//>
    <${Cell} name=${head[1]}><code>${one.type}</code><//>
    <${Cell} name=${head[2]}><bdi class="url">${urls[one.webhook] ?? one.webhook}</bdi><//>
    <${Cell} name=${head[3]}><span><${Badge} kind=${one.state}>${t.deliveryStates[one.state]}<//> ${t.triesSo(one.attempts)} ${one.status && `· HTTP ${one.status}`} ${one.error && html`<span class="quiet">${one.error}</span>`}</span><//>
    <td>${one.state !== "waiting" && mayChange() && html`<button type="button" class="button small" onClick=${() => replay(one)}>${t.replay}</button>`}</td>
  </tr>`;
  return html`<section aria-labelledby="deliveries">
    <div class="head"><h2 id="deliveries">${t.deliveries}</h2>
      <${Select} id="f-state" label=${t.columns.state} value=${chosen} options=${STATES.map((name) => [name, t.deliveryStates[name]])} onChange=${(value) => go("webhooks", "", { state: value })} /></div>
    ${failed && html`<${Failed} error=${failed} />`}
    <${Listing} list=${list} caption=${t.deliveries} head=${head} row=${row} empty=${html`<${Empty} title=${t.noDeliveries[chosen]} />`} />
  </section>`;
}

function Remove({ one, onClose, onDone }) {
  const t = words();
  const [failed, setFailed] = useState(null);
  const act = async () => {
    try {
      await drop(`/webhooks/${encodeURIComponent(one.id)}`);
      say(t.removed);
      onClose();
      onDone();
    } catch (error) {
      setFailed(error);
    }
  };
  return html`<${Dialog} title=${t.removeTitle} onClose=${onClose}>
    <p><bdi class="url">${one.url}</bdi></p><p>${t.removeText}</p>
    ${failed && html`<${Failed} error=${failed} />`}
    <div class="choices"><button type="button" class="button" autofocus onClick=${onClose}>${t.cancel}</button>
      <button type="button" class="button danger" onClick=${act}>${t.remove}</button></div>
  <//>`;
}
