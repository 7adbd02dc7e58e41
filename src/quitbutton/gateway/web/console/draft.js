// The next version of a policy: its keys as a form, tried on conversations before it is saved.
import { html, useState } from "../ui/html.js";
import { post } from "./api.js";
import { Failed, Field } from "./parts.js";
import { Replay } from "./replay.js";
import { mayChange, say, words } from "./state.js";

export function Draft({ policy, choices, onSaved }) {
  const t = words();
  const base = policy.in_force.policy;
  const [given, setGiven] = useState({});
  const [note, setNote] = useState("");
  const [failed, setFailed] = useState(null);
  const changed = Object.fromEntries(Object.entries(given).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(base[key])));
  const isChanged = Object.keys(changed).length > 0;
  const set = (key) => (value) => setGiven({ ...given, [key]: value });
  const save = async (event) => {
    event.preventDefault();
    try {
      const made = await post(`/policies/${encodeURIComponent(policy.name)}/versions`, { policy: changed, note });
      setGiven({});
      setNote("");
      setFailed(null);
      say(t.saved(made.number));
      await onSaved();
    } catch (error) {
      setFailed(error);
    }
  };
  return html`<details class="draft">
    <summary>${t.newVersion}</summary>
    <p class="quiet">${t.newVersionText}</p>
    <form class="stack" onSubmit=${save}>
      <div class="cards">${Object.entries(base).map(([key, value]) => html`<${Rule} key=${key} name=${key} id=${`${policy.name}-${key}`} value=${given[key] ?? value} options=${choices[key]} differs=${key in changed} onChange=${set(key)} />`)}</div>
      <${Replay} name=${policy.name} changed=${changed} isChanged=${isChanged} />
      ${mayChange() && html`<${Field} id=${`${policy.name}-note`} label=${t.note}><input id=${`${policy.name}-note`} maxlength="500" value=${note} onInput=${(event) => setNote(event.target.value)} /><//>`}
      ${failed && html`<${Failed} error=${failed} />`}
      ${mayChange() && html`<div><button type="submit" class="button primary" disabled=${!isChanged}>${t.saveVersion}</button></div>`}
    </form>
  </details>`;
}

function Rule({ name, id, value, options, differs, onChange }) {
  const t = words();
  return html`<div class=${`rule ${differs ? "differs" : ""}`}><${Field} id=${id} label=${html`<code>${name}</code>`} hint=${t.rules[name]}>
    <${Input} id=${id} value=${value} options=${options} onChange=${onChange} />
  <//></div>`;
}

function Input({ id, value, options, onChange }) {
  const t = words();
  if (Array.isArray(value)) {
    const put = (one, on) => onChange(options.filter((each) => (each === one ? on : value.includes(each))));
    return html`<div class="checks" id=${id} role="group" aria-label=${id}>${options.map((one) => html`<label key=${one}><input type="checkbox" checked=${value.includes(one)} onChange=${(event) => put(one, event.target.checked)} /> ${one}</label>`)}</div>`;
  }
  if (typeof value === "boolean") {
    return html`<select id=${id} value=${String(value)} onChange=${(event) => onChange(event.target.value === "true")}><option value="true">${t.yes}</option><option value="false">${t.no}</option></select>`;
  }
  if (options) return html`<select id=${id} value=${value} onChange=${(event) => onChange(event.target.value)}>${options.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</select>`;
  if (typeof value === "number") return html`<input id=${id} type="number" step="any" min="0" required value=${value} onChange=${(event) => onChange(event.target.valueAsNumber)} />`;
  return html`<input id=${id} value=${value} onInput=${(event) => onChange(event.target.value)} />`;
}
