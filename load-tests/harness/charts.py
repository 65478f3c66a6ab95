"""Plots as SVG that need nothing else: lines over time or over percents, and bars. Colours come from the variables in STYLE, so
that they follow the reader's light or dark mode."""

import math
import re
from html import escape

STYLE = """
:root, svg { --ink:#1f2328; --soft:#59636e; --grid:#d9dee3; --page:#ffffff; --card:#f6f8fa;
  --c0:#a3324f; --c1:#2a78b8; --c2:#8a7a2f; --c3:#5b6670; --good:#1a7f37; --bad:#cf222e; }
@media (prefers-color-scheme: dark) { :root, svg { --ink:#e6edf3; --soft:#9198a1; --grid:#30363d; --page:#0d1117; --card:#151b23;
  --c0:#f0708f; --c1:#63b1ef; --c2:#d3bd5a; --c3:#9aa5b1; --good:#3fb950; --bad:#f85149; } }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .soft { fill: var(--soft); }
svg .grid { stroke: var(--grid); stroke-width: 1; } svg .mark { stroke: var(--soft); stroke-dasharray: 3 3; }
svg .over { paint-order: stroke; stroke: var(--page); stroke-width: 5px; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
"""
WIDTH, HEIGHT = 460, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 34, 36

Series = tuple[str, list[tuple[float, float]]]


def steps(top: float) -> list[float]:
    """Round values from 0 to at least `top`, some five of them."""
    if top <= 0:
        return [0, 1]
    raw = top / 4
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw)
    return [step * number for number in range(math.ceil(top / step - 1e-9) + 1)]


def decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def lines(
    series: list[Series],
    x_title: str,
    y_title: str,
    *,
    logarithmic: bool = False,
    top: float | None = None,
    x_labels: list[tuple[float, str]] | None = None,
    marks: list[tuple[float, str]] = (),
) -> str:
    """One line for each series; a legend above, and events as dashed lines with their words."""
    points = [point for _, some in series for point in some]
    if not points:
        return ""
    if logarithmic:
        y_steps = decades(max(min(y for _, y in points), 1e-3), max(max(y for _, y in points), 2e-3))
        scale = lambda y: math.log10(max(y, y_steps[0]) / y_steps[0]) / math.log10(y_steps[-1] / y_steps[0])  # noqa: E731
    else:
        y_steps = steps(top or max(y for _, y in points))
        scale = lambda y: y / y_steps[-1]  # noqa: E731
    x_low = min(x for x, _ in points)
    x_high = max(x for x, _ in points)
    at_x = lambda x: LEFT + (x - x_low) / ((x_high - x_low) or 1) * (WIDTH - LEFT - RIGHT)  # noqa: E731
    at_y = lambda y: HEIGHT - BOTTOM - scale(y) * (HEIGHT - TOP - BOTTOM)  # noqa: E731
    parts = []
    for value in y_steps:
        y = at_y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="soft" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>')
    for value, label in x_labels or [(value, short(value)) for value in steps(x_high) if x_low <= value <= x_high]:
        parts.append(f'<text class="soft" x="{at_x(value):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label}</text>')
    for number, (value, words) in enumerate(marks):
        x = at_x(value)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        # one below the other, or neighbours would overlap
        y = HEIGHT - BOTTOM - 8 - 14 * (number % 4)
        parts.append(f'<text class="soft" x="{x + 4:.1f}" y="{y}">{escape(words)}</text>')
    x_legend = float(LEFT)
    for number, (name, some) in enumerate(series):
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in some)
        parts.append(f'<polyline class="line" style="stroke:var(--c{number})" points="{path}"/>')
        parts.append(f'<circle cx="{x_legend + 4:.0f}" cy="14" r="4" style="fill:var(--c{number})"/>')
        parts.append(f'<text x="{x_legend + 12:.0f}" y="18">{escape(name)}</text>')
        x_legend += 12 + 7.2 * len(name) + 18
    parts.append(f'<text class="soft" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{escape(x_title)}</text>')
    parts.append(f'<text class="soft" x="{WIDTH - RIGHT}" y="18" text-anchor="end">{escape(y_title)}</text>')
    return drawing(WIDTH, HEIGHT, parts, f"{y_title} by {x_title}")


def bars(rows: list[tuple[str, float, str, int]], title: str) -> str:
    """A horizontal bar for each row: its name, value, what stands behind it, and the number of its colour."""
    left, row_height, top = 130, 30, 34
    room = WIDTH - left - 130
    high = max((value for _, value, _, _ in rows), default=0) or 1
    parts = [f'<text x="0" y="18">{escape(title)}</text>']
    for number, (name, value, behind, colour) in enumerate(rows):
        y, length = top + number * row_height, max(value / high * room, 1.5)
        parts.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="18" rx="2" style="fill:var(--c{colour})"/>')
        parts.append(f'<text class="soft" x="{left + length + 6:.1f}" y="{y + 15}">{escape(behind)}</text>')
    return drawing(WIDTH, top + len(rows) * row_height, parts, title)


def dots(rows: list[tuple[str, float, str, int]], title: str) -> str:
    """As bars, for values that are powers of ten apart: a place on a logarithmic axis, which has no beginning to draw a bar from."""
    width, left, row_height, top = 760, 260, 28, 40
    room, bottom = width - left - 160, top + len(rows) * row_height
    axis = decades(min(value for _, value, _, _ in rows), max(value for _, value, _, _ in rows))
    at = lambda value: left + room * math.log10(value / axis[0]) / math.log10(axis[-1] / axis[0])  # noqa: E731
    parts = [f'<text x="0" y="18" style="font-weight:600">{escape(title)}</text>']
    for value in axis:
        parts.append(f'<line class="grid" x1="{at(value):.1f}" x2="{at(value):.1f}" y1="{top - 6}" y2="{bottom}"/>')
        parts.append(f'<text class="soft" x="{at(value):.1f}" y="{bottom + 16}" text-anchor="middle">{short(value)}</text>')
    for number, (name, value, behind, colour) in enumerate(rows):
        y = top + number * row_height + 10
        parts.append(f'<text x="{left - 16}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<circle cx="{at(value):.1f}" cy="{y}" r="6" style="fill:var(--c{colour})"/>')
        parts.append(f'<text class="soft over" x="{at(value) + 12:.1f}" y="{y + 4}">{escape(behind)}</text>')
    return drawing(width, bottom + 24, parts, title)


def drawing(width: int, height: int, parts: list[str], title: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" xmlns="http://www.w3.org/2000/svg" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def stacked(svgs: list[str], gap: int = 24) -> str:
    """Several drawings one below the other, as one."""
    sizes = [tuple(map(int, re.search(r'width="(\d+)" height="(\d+)"', svg).groups())) for svg in svgs]
    parts, top = [], gap
    for svg, (_, height) in zip(svgs, sizes):
        parts.append(svg.replace("<svg ", f'<svg x="{gap}" y="{top}" ', 1))
        top += height + gap
    return drawing(max(width for width, _ in sizes) + 2 * gap, top, parts, "plots")


def standalone(svg: str) -> str:
    """A file of its own instead of a part of a page: with the colours, and the page behind it."""
    head, _, rest = svg.partition("</title>")
    return f'{head}</title><style>{STYLE}</style><rect width="100%" height="100%" style="fill:var(--page)"/>{rest}\n'
