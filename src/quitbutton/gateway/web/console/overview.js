// The first page: what waits for somebody, what happened over time with intervals, false ends, crisis referrals, health.
import { html } from "../ui/html.js";
import { Icon } from "../ui/icons.js";
import { csv } from "./api.js";
import { Bars, Range } from "./chart.js";
import { useLoaded } from "./load.js";
import { Failed, Loading, Select } from "./parts.js";
import { go, link } from "./router.js";
import { between, month, number, share, words } from "./state.js";

const PERIODS = ["7", "30", "90", "365"];
const BEHIND = 1000; // events that are not counted yet, from which on the page says so
const MEASURES = [
  ["ended", "turn.end"],
  ["warned", "turn.warn"],
  ["vetoed", "turn.support"],
  ["checked_in", "turn.check_in"],
  ["denied", "press.denied"],
  ["appealed", "appeal.opened"],
  ["stopped", null],
];

export function Overview({ route }) {
  const t = words();
  const days = PERIODS.includes(route.query.days) ? route.query.days : "30";
  const { data, failed, load } = useLoaded("/overview", { days });
  const choose = (period) => go("overview", "", { days: period });
  return html`
    <div class="head">
      <h1 tabindex="-1">${t.pages.overview}</h1>
      <${Select} id="period" label=${t.period} value=${days} options=${PERIODS.map((one) => [one, t.lastDays(one)])} onChange=${choose} />
    </div>
    ${failed ? html`<${Failed} error=${failed} onRetry=${load} />` : data ? html`<${Told} data=${data} days=${days} />` : html`<${Loading} />`}
  `;
}

function Told({ data, days }) {
  const t = words();
  const { totals, waiting, health } = data;
  return html`
    <${Waiting} waiting=${waiting} />
    ${health.mode !== "enforce" && html`<p class="note plain"><${Icon} name="info" /> <span>${t.modes[health.mode]}</span></p>`}
    ${waiting.uncounted_events > BEHIND && html`<p class="note plain" role="status"><${Icon} name="info" /> <span>${t.behind(number(waiting.uncounted_events))}</span></p>`}
    ${totals.turns === 0 && totals.refused === 0
      ? html`<div class="empty card"><p class="empty-title">${t.nothingYet}</p><p class="quiet">${t.nothingYetText}</p><p><a class="button" href="/">${t.openChat}</a></p></div>`
      : html`
          <p class="lead">${t.turnsIn(number(totals.turns), days)}${totals.shadow.turns > 0 && ` ${t.inShadow(number(totals.shadow.turns), number(totals.shadow.ended))}`}</p>
          <div class="cards">
            ${MEASURES.map(([name, kind]) => html`<${Measure} key=${name} name=${name} kind=${kind} data=${data} />`)}
          </div>
          <p class="quiet">${t.whiskers}</p>`}
    <div class="cards two">
      <${NearMisses} totals=${totals} />
      <${FalseEnds} />
      <${Referrals} />
      <${Health} health=${health} waiting=${waiting} />
    </div>
  `;
}

function Waiting({ waiting }) {
  const t = words();
  const things = [
    [waiting.open_appeals, t.openAppeals, link("appeals"), waiting.overdue_appeals ? t.overdue(number(waiting.overdue_appeals)) : ""],
    [waiting.dead_deliveries, t.deadDeliveries, link("webhooks"), ""],
  ].filter(([count]) => count > 0);
  if (things.length === 0) return html`<p class="calm"><${Icon} name="check" /> ${t.nothingWaits}</p>`;
  return html`<ul class="waiting" aria-label=${t.waits}>
    ${things.map(([count, text, to, late]) => html`<li key=${text}><a href=${to}>
      <strong>${number(count)}</strong> ${text(count)} ${late && html`<span class="badge ended">${late}</span>`}
    </a></li>`)}
  </ul>`;
}

function Measure({ name, kind, data }) {
  const t = words();
  const rate = data.totals.shares[name];
  const total = data.totals[name];
  const ofEnds = name === "appealed" ? data.totals.appealed_of_ends : null;
  return html`<section class="card measure" aria-labelledby=${`m-${name}`}>
    <h2 id=${`m-${name}`}>${t.measures[name]}</h2>
    <p class="figure"><strong>${number(total)}</strong>
      ${rate?.interval && html`<span class="quiet">${t.ofTurns(share(rate.share), between(rate.interval))}</span>`}
      ${ofEnds?.interval && html`<span class="quiet">${t.ofEnds(share(ofEnds.share), between(ofEnds.interval))}</span>`}</p>
    <${Bars} days=${data.days} name=${name} isShare=${Boolean(rate)} label=${t.measures[name]} />
    ${kind && total > 0 && html`<a class="quiet" href=${link("conversations", "", { view: "decisions", kind })}>${t.show}<span class="unseen">: ${t.measures[name]}</span></a>`}
  </section>`;
}

function NearMisses({ totals }) {
  const t = words();
  const rows = Object.entries(totals.denied_because).sort((a, b) => b[1] - a[1]);
  return html`<section class="card" aria-labelledby="misses">
    <h2 id="misses">${t.deniedBecause}</h2>
    ${rows.length === 0
      ? html`<p class="quiet">${t.noDenials}</p>`
      : html`<table class="plain"><tbody>${rows.map(([name, count]) => html`<tr key=${name}><th scope="row">${t.denials[name] ?? name}</th><td class="count">${number(count)}</td></tr>`)}</tbody></table>`}
  </section>`;
}

function FalseEnds() {
  const t = words();
  const { data, failed, load } = useLoaded("/reviews/false-ends");
  const sources = data?.source ?? {};
  return html`<section class="card" aria-labelledby="false">
    <h2 id="false">${t.falseEnds}</h2>
    <p class="quiet">${t.falseEndsText}</p>
    ${failed && html`<${Failed} error=${failed} onRetry=${load} />`}
    ${data && Object.keys(sources).length === 0 && html`<p>${t.noReviews} <a href=${link("appeals")}>${t.drawSample}</a></p>`}
    ${["sample", "user"].filter((source) => sources[source]).map((source) => html`<div key=${source} class="rate">
      <p><span>${t.sources[source]}</span> <strong>${share(sources[source].share)}</strong>
        <span class="quiet">${between(sources[source].interval)} · ${t.outOf(number(sources[source].hits), number(sources[source].cases))}</span></p>
      <${Range} rate=${sources[source]} />
      <${Split} data=${data} source=${source} />
    </div>`)}
  </section>`;
}

function Split({ data, source }) {
  const t = words();
  const rows = ["model", "policy", "reason"].flatMap((kind) =>
    Object.entries(data[`${source}/${kind}`] ?? {}).map(([name, rate]) => ({ kind, name, rate })),
  );
  return html`<details class="as-table"><summary>${t.byParts}<span class="unseen">: ${t.sources[source]}</span></summary>
    <div class="scroll" tabindex="0" role="region" aria-label=${t.byParts}><table>
      <thead><tr><th scope="col">${t.what}</th><th scope="col">${t.falseShare}</th><th scope="col">${t.reviewed}</th></tr></thead>
      <tbody>${rows.map(({ kind, name, rate }) => html`<tr key=${kind + name}>
        <th scope="row">${t.columns[kind]}: <bdi>${kind === "reason" ? (t.reasons[name] ?? name) : name || "–"}</bdi></th>
        <td>${share(rate.share)} (${between(rate.interval)})</td><td>${number(rate.cases)}</td></tr>`)}</tbody>
    </table></div></details>`;
}

function Referrals() {
  const t = words();
  const { data, failed, load } = useLoaded("/crisis-referrals");
  return html`<section class="card" aria-labelledby="referrals">
    <h2 id="referrals">${t.referrals}</h2>
    <p class="quiet">${t.referralsText}</p>
    ${failed && html`<${Failed} error=${failed} onRetry=${load} />`}
    ${data?.months.length === 0 && html`<p class="quiet">${t.noReferrals}</p>`}
    ${data?.months.length > 0 && html`<table class="plain"><tbody>${data.months.slice(0, 12).map((one) => html`<tr key=${one.month}>
      <th scope="row">${month(`${one.month}-01T00:00:00Z`)}</th><td class="count">${number(one.referrals)}</td></tr>`)}</tbody></table>`}
    <p><a class="button small" href=${csv} download><${Icon} name="file" /> CSV</a></p>
  </section>`;
}

function Health({ health, waiting }) {
  const t = words();
  const judges = useLoaded("/judges").data?.judges ?? [];
  const rows = [[t.store, t.ok], [t.mode, t.modeNames[health.mode] ?? health.mode], [t.release, health.version], [t.underWay, number(waiting.waiting_deliveries)]];
  return html`<section class="card" aria-labelledby="health">
    <h2 id="health">${t.health}</h2>
    <table class="plain"><tbody>
      ${rows.map(([name, value]) => html`<tr key=${name}><th scope="row">${name}</th><td>${value}</td></tr>`)}
      ${judges.map((one) => html`<tr key=${one.name}><th scope="row">${t.judge} <bdi>${one.name}</bdi></th><td>${Object.entries(one).filter(([, value]) => typeof value === "number").map(([name, value]) => `${name} ${value}`).join(" · ")}</td></tr>`)}
    </tbody></table>
  </section>`;
}
