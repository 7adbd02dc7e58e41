"""Plain SVG: bars and lines over logarithms, that read in light and in dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.measuring import Spread, number

STYLE = (
    "<style>svg{color:#1f2937;font:12px system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){svg{color:#e5e7eb}}</style>"
)
COLOURS = ("#0d9488", "#d97706", "#3b82f6", "#22a06b", "#6b7280", "#a16207", "#e11d48", "#8b5cf6")
WIDTH, NAMES, VALUES, ROW = 760, 190, 90, 26
HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 60, 210, 16, 44
Points = Sequence[tuple[float, float]]


def bars(title: str, unit: str, rows: Sequence[tuple[str, Spread]], colours: Mapping[str, str]) -> str:
    """A bar for each, on a logarithmic scale; a line shows the spread."""
    top = _decade(max(one.high for _, one in rows), up=True)
    bottom = _decade(min(one.low for _, one in rows), up=False)
    span, height = WIDTH - NAMES - VALUES, ROW * len(rows) + 54

    def x(value: float) -> float:
        return round(NAMES + span * _share(value, bottom, top), 1)

    parts = [_tick(x(value), 8, height - 42, f"{value:,.9g}") for value in _decades(bottom, top)]
    for place, (name, one) in enumerate(rows):
        y = 12 + place * ROW
        fill = colours.get(name, COLOURS[4])
        parts += [
            f"<text x='{NAMES - 8}' y='{y + 13}' text-anchor='end'>{escape(name)}</text>",
            f"<rect x='{NAMES}' y='{y}' width='{max(1.0, x(one.middle) - NAMES):.1f}' height='18' fill='{fill}'/>",
            f"<path d='M{x(one.low)} {y + 9}H{x(one.high)}' stroke='currentColor' stroke-width='1.5'/>",
            f"<text x='{x(max(one.middle, one.high)) + 6}' y='{y + 13}'>{number(one.middle)}</text>",
        ]
    parts.append(f"<text x='{WIDTH - 4}' y='{height - 2}' text-anchor='end'>{escape(unit)} (logarithmic)</text>")
    return _svg(title, height, parts)


def lines(title: str, across: str, up: str, series: Mapping[str, Points], colours: Mapping[str, str]) -> str:
    """A line for each, both scales logarithmic, its name at its end."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    left, right, low, high = min(xs), max(xs), _decade(min(ys), up=False), _decade(max(ys), up=True)

    def x(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * _share(value, left, right), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _share(value, low, high), 1)

    parts = [_tick(x(value), TOP, HEIGHT - BOTTOM, f"{value:,.9g}") for value in sorted(set(xs))]
    for value in _decades(low, high):
        parts.append(f"<path d='M{LEFT} {y(value)}H{WIDTH - RIGHT}' stroke='#8886'/>")
        parts.append(f"<text x='{LEFT - 6}' y='{y(value) + 4}' text-anchor='end'>{value:,.9g}</text>")
    label = 0.0
    for name, points in sorted(series.items(), key=lambda one: -one[1][-1][1]):
        colour = colours.get(name, COLOURS[4])
        drawn = " ".join(f"{x(a)},{y(b)}" for a, b in points)
        label = max(y(points[-1][1]) + 4, label + 15)
        parts += [
            f"<polyline points='{drawn}' fill='none' stroke='{colour}' stroke-width='2'/>",
            *(f"<circle cx='{x(a)}' cy='{y(b)}' r='3' fill='{colour}'/>" for a, b in points),
            f"<circle cx='{WIDTH - RIGHT + 12}' cy='{label - 4:.1f}' r='4' fill='{colour}'/>",
            f"<text x='{WIDTH - RIGHT + 20}' y='{label:.1f}'>{escape(name)}</text>",
        ]
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    parts += [
        f"<text x='{middle}' y='{HEIGHT - 6}' text-anchor='middle'>{escape(across)}</text>",
        f"<text transform='translate(12 {HEIGHT / 2}) rotate(-90)' text-anchor='middle'>{escape(up)}</text>",
    ]
    return _svg(title, HEIGHT, parts)


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' role='img' width='{WIDTH}' height='{height}' fill='currentColor'>"
    return f"{head}<title>{escape(title)}</title>{STYLE}{''.join(parts)}</svg>\n"


def _tick(x: float, top: float, bottom: float, told: str) -> str:
    line = f"<path d='M{x} {top}V{bottom}' stroke='#8886'/>"
    return f"{line}<text x='{x}' y='{bottom + 14}' text-anchor='middle'>{told}</text>"


def _share(value: float, low: float, high: float) -> float:
    if high <= low:
        return 0.5
    return max(0.0, (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))) if value > 0 else 0.0


def _decade(value: float, up: bool) -> float:
    """The power of ten at or over a value, or under it with room for a bar."""
    power = math.log10(value) if value > 0 else 0.0
    return 10.0 ** (math.ceil(power - 1e-9) if up else math.floor(power + 1e-9))


def _decades(low: float, high: float) -> list[float]:
    first, last = round(math.log10(low)), round(math.log10(high))
    return [10.0**power for power in range(first, last + 1)]
