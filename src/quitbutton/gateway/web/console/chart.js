// Bars by day or week with whiskers for the 95 % interval of the share behind them; small SVG, drawn by hand.
// Vega-Lite would be 832 KB and sets innerHTML, which the pages' Trusted Types forbid.
import { html } from "../ui/html.js";
import { between, day, number, share, words } from "./state.js";

const WIDTH = 320;
const HEIGHT = 96;
const LONGEST = 62;
const Z = 1.959963984540054;

export function interval(hits, cases) {
  if (!cases) return null;
  const p = Math.min(1, hits / cases);
  const scale = 1 + (Z * Z) / cases;
  const middle = (p + (Z * Z) / (2 * cases)) / scale;
  const half = (Z * Math.sqrt((p * (1 - p)) / cases + (Z * Z) / (4 * cases * cases))) / scale;
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

export function grouped(days, name) {
  const size = days.length > LONGEST ? 7 : 1;
  const groups = [];
  // Whole weeks, the last of them ending today.
  for (let end = days.length; end > 0; end -= size) {
    const part = days.slice(Math.max(0, end - size), end);
    const sum = (key) => part.reduce((total, one) => total + one[key], 0);
    groups.unshift({ from: part[0].day, to: part.at(-1).day, count: sum(name), turns: sum("turns") });
  }
  return groups;
}

export function Bars({ days, name, isShare, label }) {
  const t = words();
  const groups = grouped(days, name).map((one) => ({ ...one, bounds: isShare && one.count ? interval(one.count, one.turns) : null }));
  const top = Math.max(1, ...groups.map((one) => Math.max(one.count, one.bounds ? Math.min(one.bounds[1] * one.turns, one.count * 2 + 3) : 0)));
  const y = (count) => HEIGHT - (Math.min(count, top) / top) * HEIGHT;
  const step = WIDTH / groups.length;
  const total = groups.reduce((sum, one) => sum + one.count, 0);
  return html`
    <figure class=${`bars ${name}`}>
      <svg viewBox=${`0 -2 ${WIDTH} ${HEIGHT + 4}`} role="img" aria-label=${t.chartOf(label, number(total), groups.length)} preserveAspectRatio="none">
        <line x1="0" x2=${WIDTH} y1=${HEIGHT} y2=${HEIGHT} class="axis" />
        ${groups.map((one, place) => html`<g key=${one.from}>
          <rect x=${place * step + step * 0.14} width=${step * 0.72} y=${y(one.count)} height=${HEIGHT - y(one.count)} class="bar" />
          ${one.bounds && html`<line x1=${(place + 0.5) * step} x2=${(place + 0.5) * step} y1=${y(one.bounds[0] * one.turns)} y2=${y(one.bounds[1] * one.turns)} class="whisker" />`}
          <rect x=${place * step} width=${step} y="0" height=${HEIGHT} class="hover"><title>${titleOf(one, t)}</title></rect>
        </g>`)}
      </svg>
      <figcaption><span>${day(groups[0].from)}</span><span>${t.most(number(Math.max(...groups.map((one) => one.count))))}</span><span>${day(groups.at(-1).to)}</span></figcaption>
    </figure>
    <details class="as-table">
      <summary>${t.asTable}<span class="unseen"> ${label}</span></summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${label}><table>
        <thead><tr><th scope="col">${t.time}</th><th scope="col">${t.count}</th>${isShare && html`<th scope="col">${t.shareOfTurns}</th>`}</tr></thead>
        <tbody>${[...groups].reverse().map((one) => html`<tr key=${one.from}>
          <th scope="row">${span(one)}</th><td>${number(one.count)}</td>
          ${isShare && html`<td>${one.turns ? `${share(one.count / one.turns)} (${between(interval(one.count, one.turns))})` : "–"}</td>`}
        </tr>`)}</tbody>
      </table></div>
    </details>
  `;
}

export function Range({ rate }) {
  // A share with its interval, on a line from nought to a round bound.
  const bound = [0.05, 0.1, 0.25, 0.5, 1].find((one) => one >= rate.interval[1]) ?? 1;
  const x = (value) => (value / bound) * 100;
  return html`<svg class="range" viewBox="-2 0 104 10" aria-hidden="true" preserveAspectRatio="none">
    <line x1="0" x2="100" y1="5" y2="5" class="axis" />
    <line x1=${x(rate.interval[0])} x2=${x(rate.interval[1])} y1="5" y2="5" class="span" />
    <line x1=${x(rate.share)} x2=${x(rate.share)} y1="1" y2="9" class="mark" />
  </svg>`;
}

const span = (one) => (one.from === one.to ? day(one.from) : `${day(one.from)} – ${day(one.to)}`);
const titleOf = (one, t) => `${span(one)}: ${number(one.count)}${one.bounds ? ` · ${t.ofTurns(share(one.count / one.turns), between(one.bounds))}` : ""}`;
