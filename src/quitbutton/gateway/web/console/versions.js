// The versions of each policy: what they change, who wrote them, how far they reach; and the next one, tried before it is kept.
import { html, useState } from "../ui/html.js";
import { post } from "./api.js";
import { Draft } from "./draft.js";
import { useLoaded } from "./load.js";
import { Badge, Failed, Field, Loading, Select, Time } from "./parts.js";
import { mayChange, say, share, words } from "./state.js";

const STAGES = ["draft", "shadow", "share", "all"];

export function Versions({ onChange }) {
  const { data, failed, load } = useLoaded("/policies");
  const change = async () => Promise.all([load(), onChange()]);
  if (failed) return html`<${Failed} error=${failed} onRetry=${load} />`;
  if (!data) return html`<${Loading} />`;
  return data.policies.map((policy) => html`<${One} key=${policy.name} policy=${policy} choices=${data.choices} onChange=${change} />`);
}

function One({ policy, choices, onChange }) {
  const t = words();
  const id = `versions-${policy.name}`;
  return html`<section class="card" aria-labelledby=${id}>
    <h2 id=${id}>${t.versionsOf} <bdi>${policy.name}</bdi></h2>
    ${policy.versions.length === 0 && html`<p class="quiet">${t.noVersions}</p>`}
    <ol class="versions" reversed>
      ${policy.versions.map((version) => html`<${Version} key=${version.number} name=${policy.name} version=${version} onChange=${onChange} />`)}
    </ol>
    <${Draft} policy=${policy} choices=${choices} onSaved=${onChange} />
  </section>`;
}

function Version({ name, version, onChange }) {
  const t = words();
  return html`<li class="version">
    <p class="turn-head"><strong>${t.version} ${version.number}</strong>
      <${Badge} kind=${version.stage === "all" ? "active" : version.stage}>${t.stages[version.stage]}${version.share && ` ${share(version.share)}`}<//>
      <span class="quiet"><bdi>${version.author}</bdi> · <${Time} at=${version.created_at} /></span></p>
    ${version.note && html`<p dir="auto">${version.note}</p>`}
    <${Difference} changes=${version.difference} />
    ${version.stage !== "draft" && html`<p class="quiet">${t.movedBy} <bdi>${version.changed_by}</bdi> · <${Time} at=${version.changed_at} /></p>`}
    ${mayChange() && html`<${RollOut} name=${name} version=${version} onChange=${onChange} />`}
  </li>`;
}

export function Difference({ changes }) {
  const t = words();
  const rows = Object.entries(changes);
  if (rows.length === 0) return html`<p class="quiet">${t.noChange}</p>`;
  return html`<ul class="difference">${rows.map(([key, [before, after]]) => html`<li key=${key}><code>${key}</code> <del>${shown(before)}</del> <ins>${shown(after)}</ins></li>`)}</ul>`;
}

const shown = (value) => (Array.isArray(value) ? value.join(", ") : String(value));

function RollOut({ name, version, onChange }) {
  const t = words();
  const id = `${name}-${version.number}`;
  const [stage, setStage] = useState(STAGES.includes(version.stage) ? version.stage : "all");
  const [percent, setPercent] = useState(Math.round(1000 * (version.share ?? 0.05)) / 10);
  const [failed, setFailed] = useState(null);
  const unchanged = stage === version.stage && (stage !== "share" || percent === Math.round(1000 * version.share) / 10);
  const send = async (event) => {
    event.preventDefault();
    const body = { stage, ...(stage === "share" ? { share: percent / 100 } : {}) };
    try {
      await post(`/policies/${encodeURIComponent(name)}/versions/${version.number}/stage`, body);
      setFailed(null);
      say(`${t.version} ${version.number}: ${t.stages[stage]}`);
      await onChange();
    } catch (error) {
      setFailed(error);
    }
  };
  return html`<form class="inline" onSubmit=${send}>
    <${Select} id=${`stage-${id}`} label=${t.reaches(version.number)} value=${stage} options=${STAGES.map((one) => [one, t.stageTexts[one]])} onChange=${setStage} />
    ${stage === "share" && html`<${Field} id=${`share-${id}`} label=${t.sharePercent}><input id=${`share-${id}`} type="number" min="0.1" max="99.9" step="0.1" required value=${percent} onInput=${(event) => setPercent(event.target.valueAsNumber)} /><//>`}
    <button type="submit" class="button" disabled=${unchanged}>${t.apply}</button>
    ${failed && html`<${Failed} error=${failed} />`}
  </form>`;
}
