// The policy in force: each key of it with its value, and the named ones of keys and routes.
import { html } from "../ui/html.js";
import { useLoaded } from "./load.js";
import { Badge, Failed, Loading } from "./parts.js";
import { words } from "./state.js";
import { Versions } from "./versions.js";

export function Policy() {
  const t = words();
  const { data, failed, load } = useLoaded("/policy");
  return html`
    <div class="head"><h1 tabindex="-1">${t.pages.policy}</h1></div>
    <p class="quiet">${t.policyText}</p>
    ${failed ? html`<${Failed} error=${failed} onRetry=${load} />` : data ? html`<${Told} data=${data} />` : html`<${Loading} />`}
    <${Versions} onChange=${load} />
  `;
}

function Told({ data }) {
  const t = words();
  const routes = Object.entries(data.routes);
  return html`
    <${Rules} title=${t.everywhere} policy=${data} isOpen />
    ${Object.entries(data.policies).map(([name, policy]) => html`<${Rules} key=${name} title=${name} policy=${policy} base=${data.rules} />`)}
    ${routes.length > 0 && html`<section class="card" aria-labelledby="routes"><h2 id="routes">${t.routes}</h2>
      <table class="plain"><tbody>${routes.map(([path, name]) => html`<tr key=${path}><th scope="row"><code>${path}</code></th><td><bdi>${name}</bdi></td></tr>`)}</tbody></table></section>`}
  `;
}

function Rules({ title, policy, base }) {
  const t = words();
  const { mode } = policy.rules;
  return html`<section class="card" aria-label=${title}>
    <div class="head"><h2><bdi>${title}</bdi> <${Badge} kind=${mode}>${t.modeNames[mode] ?? mode}<//></h2></div>
    <p class="quiet">${t.fingerprint} <code>${policy.digest}</code></p>
    <table class="plain rules"><tbody>${Object.entries(policy.rules).map(([name, value]) => {
      const differs = base && JSON.stringify(base[name]) !== JSON.stringify(value);
      return html`<tr key=${name} class=${differs ? "differs" : ""}><th scope="row"><code>${name}</code><span class="quiet">${t.rules[name] ?? ""}</span></th>
        <td><code>${Array.isArray(value) ? value.join(", ") : String(value)}</code>${differs && html` <span class="quiet">${t.differs}</span>`}</td></tr>`;
    })}</tbody></table>
  </section>`;
}
