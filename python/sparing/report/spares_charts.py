"""Charts of a stock plan as SVG in the page: the cost-service curve, demand, maps of orders."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import floor, log10

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COLOURS = {"recommended": "#c8502a", "base stock": "#1f5a99", "METRIC": "#8a4fa0", "today": "#222"}
WIDTH, HEIGHT = 720.0, 340.0
LEFT, RIGHT, TOP, BOTTOM = 70.0, 20.0, 14.0, 48.0
FAN = ("#e3edf7", "#c3d8ec", "#9fc1e2")  # from the widest to the narrowest
SHADES = ("#ffffff", "#fbe3da", "#f4bfa9", "#ea9475", "#d9693f", "#c8502a")


class _Axes:
    """Linear scales of a chart."""

    def __init__(
        self, x: tuple[float, float], y: tuple[float, float], *, height: float = HEIGHT
    ) -> None:
        self.height = height
        (self.x0, self.x1), (self.y0, self.y1) = (_wider(*x), _wider(*y))

    def x(self, value: float) -> float:
        share = (value - self.x0) / (self.x1 - self.x0)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.y0) / (self.y1 - self.y0)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)

    def frame(self, labels: Sequence[tuple[float, str]], x_title: str, y_title: str) -> str:
        """Return grid lines, ticks and titles; `labels` are those of the x axis."""
        parts = []
        for value in _ticks(self.y0, self.y1):
            y = self.y(value)
            parts.append(
                f'<path d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}" stroke="#e4e4e4"/>'
                + _text(LEFT - 6, y + 4, f"{value:,.6g}", "end")
            )
        parts += [_text(self.x(v), self.height - BOTTOM + 17, t, "middle") for v, t in labels]
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(_text(middle, self.height - 8, x_title, "middle"))
        y = (TOP + self.height - BOTTOM) / 2
        parts.append(
            f'<text x="14" y="{y:.0f}" font-size="12" text-anchor="middle"'
            f' transform="rotate(-90 14 {y:.0f})">{escape(y_title)}</text>'
        )
        return "".join(parts)


def curve_chart(
    lines: Sequence[tuple[str, Sequence[tuple[float, float]]]],
    points: Sequence[tuple[str, float, float]],
    *,
    x_title: str,
    y_title: str,
) -> str:
    """Return lines of (SLA, cost) and named points; the SLA is drawn by its nines."""
    drawn = [(x, y) for _, line in lines for x, y in line] + [(x, y) for _, x, y in points]
    nines = [_nines(x) for x, _ in drawn]
    axes = _Axes((min(nines), max(nines)), (0.0, max(y for _, y in drawn)))
    labels = [
        (_nines(s), f"{100 * s:.6g} %")
        for s in _service_ticks([x for x, _ in drawn])
        if axes.x0 <= _nines(s) <= axes.x1
    ]
    parts = [_open(HEIGHT, f"{y_title} against {x_title}"), axes.frame(labels, x_title, y_title)]
    for number, (name, line) in enumerate(lines):
        colour = COLOURS.get(name, "#666")
        path = "L".join(f"{axes.x(_nines(x)):.1f} {axes.y(y):.1f}" for x, y in line)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{axes.x(_nines(x)):.1f}" cy="{axes.y(y):.1f}" r="3" fill="{colour}"/>'
            for x, y in line
        ]
        below = HEIGHT - BOTTOM - 10 - 17 * (len(lines) - 1 - number)  # where no costs are
        parts.append(_key(LEFT + 14, below, colour, name))
    for number, (name, x, y) in enumerate(points):
        colour = COLOURS.get(name, "#222")
        at, up = axes.x(_nines(x)), axes.y(y)
        right = at > WIDTH - 160
        parts.append(
            f'<path d="M{at - 6:.1f} {up:.1f}h12M{at:.1f} {up - 6:.1f}v12" stroke="{colour}"'
            ' stroke-width="2"/>'
            + _text(
                at + (-9 if right else 9),
                up + (18 if number % 2 == 0 else -7),
                name,
                "end" if right else "start",
            )
        )
    return "".join(parts) + "</svg>"


def demand_chart(
    name: str,
    months: Sequence[str],
    seen: Floats,
    bands: Sequence[Floats],
    mean: Floats,
    forecast: Floats | None,
) -> str:
    """Return demand by month [M], then bands (widest first) and means of what is to come [H]."""
    shown = min(len(seen), 48)
    past, ahead = seen[-shown:], mean.size
    most = max(float(past.max(initial=1.0)), *(float(band.max()) for band in bands))
    height = 210.0
    axes = _Axes((0.0, shown + ahead), (0.0, most), height=height)
    first = len(months) - shown
    step = max(shown // 6, 1)
    labels = [(i + 0.5, months[first + i]) for i in range(0, shown, step)]
    parts = [_open(height, f"demand of {name}"), axes.frame(labels, "month", "units")]
    width = axes.x(1.0) - axes.x(0.0)
    base = axes.y(0.0)
    for i, value in enumerate(past):
        top = axes.y(float(value))
        parts.append(
            f'<rect x="{axes.x(i) + 0.5:.1f}" y="{top:.1f}" width="{max(width - 1, 1):.1f}"'
            f' height="{base - top:.1f}" fill="#8a949e"/>'
        )
    for colour, band in zip(FAN, bands, strict=False):
        for h, value in enumerate(band):
            top = axes.y(float(value))
            parts.append(
                f'<rect x="{axes.x(shown + h):.1f}" y="{top:.1f}" width="{width:.1f}"'
                f' height="{base - top:.1f}" fill="{colour}"/>'
            )
    for values, colour in ((mean, "#c8502a"), (forecast, "#1f5a99")):
        if values is not None:
            path = "L".join(
                f"{axes.x(shown + h + 0.5):.1f} {axes.y(float(v)):.1f}"
                for h, v in enumerate(values)
            )
            parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return "".join(parts) + "</svg>"


def order_table(shelves: Sequence[int], stocks: Sequence[int], orders: NDArray[np.int64]) -> str:
    """Return a table of units ordered [shelf, own stock], the more the darker."""
    most = max(int(orders.max()), 1)
    head = "".join(f'<th scope="col">{stock}</th>' for stock in stocks)
    rows = []
    for shelf, row in zip(shelves, orders, strict=True):
        cells = []
        for value in row:
            shade = SHADES[round(int(value) * (len(SHADES) - 1) / most)]
            ink = "#fff" if value * 2 > most else "#222"
            cells.append(f'<td style="background:{shade};color:{ink}">{int(value) or ""}</td>')
        rows.append(f'<tr><th scope="row">{shelf}</th>{"".join(cells)}</tr>')
    return (
        '<div class="scroll"><table class="map"><thead><tr><th scope="col">supplier \\ own</th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _nines(share: float) -> float:
    return -log10(max(1.0 - share, 1e-6))


def _wider(low: float, high: float) -> tuple[float, float]:
    span = max(high - low, 1e-9)
    return (low if low == 0.0 else low - 0.06 * span), high + 0.06 * span


def _service_ticks(shares: Sequence[float]) -> list[float]:
    """Return round shares to label: the usual service levels, or even steps where few of them lie.

    Shares are drawn by their nines, so even steps serve narrow ranges only.
    """
    low, high = min(shares), max(shares)
    usual = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999]
    inside = [share for share in usual if low <= share <= high]
    if len(inside) >= 3 or high - low < 1e-9:
        return inside
    return _ticks(low, high)


def _ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 5.0
    unit = 10.0 ** floor(log10(raw))
    step = next(unit * m for m in (1.0, 2.0, 5.0, 10.0) if unit * m >= raw)
    return [float(v) for v in np.arange(np.ceil(low / step) * step, high + 1e-9, step)]


def _open(height: float, label: str) -> str:
    box = f'viewBox="0 0 {WIDTH:g} {height:g}"'
    return f'<svg class="wide" {box} role="img" aria-label="{escape(label)}">'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _key(x: float, y: float, colour: str, name: str) -> str:
    return f'<path d="M{x:g} {y - 4:g}h18" stroke="{colour}" stroke-width="3"/>' + _text(
        x + 24, y, name, "start"
    )
