"""An evaluation as one HTML page: tables, precision-recall curves and reliability plots as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from quitbutton.evaluation.measures import (
    Measures,
    Point,
    Share,
    bins,
    by_group,
    crisis_pairs,
    curve,
    harmful_pairs,
    latency,
)
from quitbutton.evaluation.rows import Answer

STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.25rem .7rem;text-align:right;"
    "border-bottom:1px solid #8884}th:first-child,td:first-child{text-align:left}"
    "figure{display:inline-block;margin:1rem 1rem 1rem 0}"
    "svg{display:block}figcaption{font-size:.9rem}"
)
SIDE, EDGE = 320, 40
COLUMNS = (
    "group",
    "harm and abuse found",
    "falsely called harmful",
    "crises found",
    "falsely called crisis",
    "AUC",
    "calibration error",
)


def page(named: Mapping[str, Sequence[Answer]]) -> str:
    """The page for the answers of each assessor."""
    parts = [_section(name, answers) for name, answers in named.items()]
    return _document("Evaluation of assessors", "".join(parts))


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold that was chosen, and from what: pairs of score and truth, and the cost of a false call."""

    key: str
    pairs: Sequence[tuple[float, bool]]
    cost: float
    point: Point


def calibration_page(name: str, choices: Sequence[Choice]) -> str:
    """Precision over recall for each threshold, with the chosen point on the curve."""
    parts = [
        f"<h2>{escape(one.key)} = {one.point.threshold:.4f}</h2><p>A false call costs as much as {one.cost:g} missed: finds "
        f"{one.point.recall:.3f}, right in {one.point.precision:.3f}, false in {one.point.falsely:.4f}.</p>"
        + _recall_plot(f"{one.key}: precision over recall, the chosen threshold marked", one.pairs, one.point)
        for one in choices
    ]
    return _document(f"Thresholds for {name}", "".join(parts))


def _document(title: str, body: str) -> str:
    head = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>"
    return f"{head}<style>{STYLE}</style><h1>{escape(title)}</h1>{body}</html>\n"


def _section(name: str, answers: Sequence[Answer]) -> str:
    median, slow = latency(answers)
    times = f"{len(answers)} rows, {median * 1e3:.1f} ms a message in the median, {slow * 1e3:.1f} ms at the 95th percentile."
    harmful, crisis = harmful_pairs(answers), crisis_pairs(answers)
    plots = (
        _recall_plot("harm and abuse: precision over recall", harmful)
        + _recall_plot("crisis: precision over recall", crisis)
        + _reliability_plot("harm and abuse: how far a score is a probability", harmful)
    )
    tables = _table("all", by_group(answers, lambda _: "all rows")) + _table(
        "by source", by_group(answers, lambda one: one.source)
    )
    tables += _table("by language", by_group(answers, lambda one: one.language))
    return f"<h2>{escape(name)}</h2><p>{times}</p>{plots}{tables}"


def _table(title: str, groups: Sequence[Measures]) -> str:
    head = "".join(f"<th scope='col'>{column}</th>" for column in COLUMNS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells(one)) + "</tr>" for one in groups)
    return f"<h3>{escape(title)}</h3><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cells(one: Measures) -> list[str]:
    """A group's figures as texts."""
    shares = (one.harmful_found, one.falsely_harmful, one.crisis_found, one.falsely_crisis)
    numbers = (one.auc, one.calibration_error)
    return [one.name, *map(_told, shares), *("" if number is None else f"{number:.3f}" for number in numbers)]


def _told(one: Share | None) -> str:
    return "" if one is None else f"{one.value:.3f} ({one.low:.3f}-{one.high:.3f}), {one.rows}"


def _recall_plot(title: str, pairs: Sequence[tuple[float, bool]], chosen: Point | None = None) -> str:
    points = [(point.recall, point.precision) for point in curve(pairs)]
    step = max(1, len(points) // 300)
    mark = (chosen.recall, chosen.precision) if chosen else None
    return _figure(title, "recall", "precision", [*points[::step], *points[-1:]], mark=mark)


def _reliability_plot(title: str, pairs: Sequence[tuple[float, bool]]) -> str:
    return _figure(title, "score", "share that is so", [(mean, rate) for mean, rate, _ in bins(pairs)], diagonal=True)


def _figure(
    title: str,
    across: str,
    up: str,
    points: Sequence[tuple[float, float]],
    diagonal: bool = False,
    mark: tuple[float, float] | None = None,
) -> str:
    if not points:
        return ""
    line = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    marks = "".join(
        f"<text x='{_x(at)}' y='{SIDE - EDGE + 16}' text-anchor='middle'>{at:g}</text>"
        f"<text x='{EDGE - 6}' y='{_y(at) + 4}' text-anchor='end'>{at:g}</text>"
        for at in (0, 0.5, 1)
    )
    straight = (
        f"<line x1='{_x(0)}' y1='{_y(0)}' x2='{_x(1)}' y2='{_y(1)}' stroke='#8888' stroke-dasharray='4'/>"
        if diagonal
        else ""
    )
    frame = f"<path d='M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}' fill='none' stroke='currentColor'/>"
    names = (
        f"<text x='{SIDE / 2}' y='{SIDE - 4}' text-anchor='middle'>{escape(across)}</text>"
        f"<text transform='translate(12 {SIDE / 2}) rotate(-90)' text-anchor='middle'>{escape(up)}</text>"
    )
    drawn = f"<polyline points='{line}' fill='none' stroke='#0f766e' stroke-width='2'/>"
    if mark:
        drawn += f"<circle cx='{_x(mark[0])}' cy='{_y(mark[1])}' r='5' fill='#b45309'/>"
    svg = f"<svg role='img' aria-label='{escape(title)}' width='{SIDE}' height='{SIDE}' font-size='12' fill='currentColor'>"
    return f"<figure>{svg}{frame}{marks}{straight}{drawn}{names}</svg><figcaption>{escape(title)}</figcaption></figure>"


def _x(value: float) -> float:
    return round(EDGE + value * (SIDE - 2 * EDGE), 1)


def _y(value: float) -> float:
    return round(SIDE - EDGE - value * (SIDE - 2 * EDGE), 1)
