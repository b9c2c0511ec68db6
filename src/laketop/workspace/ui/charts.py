"""Draws figures over time: lines, bars of runs, and the times of tasks in a run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from laketop.workspace.ui.html import Html, el, join

_WIDTH, _HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 10, 24
_COLOURS = 8
_MOST_LABELS = 8
_LEAST = 1e-300
_BAR, _BAR_GAP, _BARS_HEIGHT = 12, 4, 64
_ROW, _NAME = 22, 190


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a chart: a value for each label of the axis, None where there is none."""

    name: str
    values: Sequence[float | None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bar:
    """A run, or a task in it; units: ms."""

    name: str
    start_ms: int = 0
    lasts_ms: int = 0
    tone: str = "idle"
    title: str = ""
    href: str | None = None


def lines(labels: Sequence[str], drawn: Sequence[Line], *, title: str) -> Html:
    """Return a chart of lines over one axis of labels, with its legend."""
    known = [v for line in drawn for v in line.values if v is not None and math.isfinite(v)]
    if not known:
        return join()
    ticks = nice_ticks(min(known), max(known))
    low, high = ticks[0], ticks[-1]

    def x_of(number: int) -> float:
        return _LEFT + number * (_WIDTH - _LEFT - _RIGHT) / max(len(labels) - 1, 1)

    def y_of(value: float) -> float:
        share = (value - low) / (high - low)
        return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)

    grid = [_tick(tick, y_of(tick)) for tick in ticks]
    step = max(1, math.ceil(len(labels) / _MOST_LABELS))
    axis = [
        el(
            "text",
            labels[n],
            x=f"{x_of(n):.1f}",
            y=_HEIGHT - 6,
            class_="label",
            text_anchor=_anchor(n, len(labels)),
        )
        for n in range(0, len(labels), step)
    ]
    shown = [
        _drawn(
            line,
            number % _COLOURS,
            [
                (x_of(n), y_of(v), f"{line.name}, {labels[n]}: {v:.5g}")
                if v is not None and math.isfinite(v)
                else None
                for n, v in enumerate(line.values)
            ],
        )
        for number, line in enumerate(drawn)
    ]
    svg = el(
        "svg", grid, axis, shown, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=title
    )
    legend = [
        el("span", el("i", class_=f"key s{number % _COLOURS}"), line.name)
        for number, line in enumerate(drawn)
    ]
    caption = el("figcaption", el("b", title), " ", legend)
    return el("figure", caption, svg, class_="chart")


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return round numbers from at most `low` to at least `high`, about `count` steps apart."""
    if high - low < max(1e-12 * max(abs(high), abs(low)), _LEAST):
        low, high = (
            (low - 0.5 * abs(low), high + 0.5 * abs(high)) if abs(high) > _LEAST else (-1.0, 1.0)
        )
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]


def bars(runs: Sequence[Bar]) -> Html:
    """Return runs as bars from left to right, as high as they lasted long."""
    if not runs:
        return join()
    longest = max(1, *(run.lasts_ms for run in runs))
    width = len(runs) * (_BAR + _BAR_GAP)
    drawn = []
    for number, run in enumerate(runs):
        height = max(3.0, run.lasts_ms / longest * _BARS_HEIGHT)
        box = el(
            "rect", x=number * (_BAR + _BAR_GAP), y=f"{_BARS_HEIGHT - height:.1f}",
            width=_BAR, height=f"{height:.1f}", rx=2,
        )  # fmt: skip
        drawn.append(
            el("a", el("title", run.title or run.name), box, href=run.href, class_=run.tone)
        )
    svg = el(
        "svg", drawn, viewBox=f"0 0 {width} {_BARS_HEIGHT}", width=width, height=_BARS_HEIGHT,
        class_="bars", role="group", aria_label=f"the last {len(runs)} runs",
    )  # fmt: skip
    return el("div", svg, class_="scroll drawn")


def timeline(tasks: Sequence[Bar]) -> Html:
    """Return tasks as bars over the time of their run; those that have not begun are left out."""
    begun = [task for task in tasks if task.start_ms]
    if not begun:
        return join()
    first = min(task.start_ms for task in begun)
    last = max(task.start_ms + task.lasts_ms for task in begun)
    scale = (_WIDTH - 90) / max(last - first, 1)
    drawn = []
    for number, task in enumerate(begun):
        x, y = _NAME + (task.start_ms - first) * scale, number * _ROW
        wide = max(2.0, task.lasts_ms * scale)
        name = task.name if len(task.name) <= 26 else f"{task.name[:25]}…"
        parts = [
            el("title", task.title or task.name),
            el("text", name, x=0, y=y + 15, class_="name"),
            el("rect", x=f"{x:.1f}", y=y + 4, width=f"{wide:.1f}", height=_ROW - 8, rx=3),
        ]
        drawn.append(el("a" if task.href else "g", parts, href=task.href, class_=task.tone))
    width, height = _NAME + _WIDTH - 80, len(begun) * _ROW
    svg = el(
        "svg", drawn, viewBox=f"0 0 {width} {height}", width=width, height=height,
        class_="timeline", role="group", aria_label="when the tasks ran",
    )  # fmt: skip
    return el("div", svg, class_="scroll drawn")


def _tick(value: float, y: float) -> Html:
    rule = el("path", d=f"M{_LEFT} {y:.1f} H{_WIDTH - _RIGHT}", class_="grid")
    return join(
        rule,
        el(
            "text",
            f"{value:,.10g}",
            x=_LEFT - 8,
            y=f"{y + 4:.1f}",
            class_="label",
            text_anchor="end",
        ),
    )


def _anchor(number: int, count: int) -> str:
    return (
        "start"
        if number == 0 and count > 1
        else "end"
        if number == count - 1 and number
        else "middle"
    )


def _drawn(line: Line, colour: int, points: Sequence[tuple[float, float, str] | None]) -> Html:
    steps, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        steps.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    dots = [
        el("circle", el("title", p[2]), cx=f"{p[0]:.1f}", cy=f"{p[1]:.1f}", r=3)
        for p in points
        if p
    ]
    return el(
        "g",
        el("path", d=" ".join(steps), class_="line"),
        dots,
        class_=f"s{colour}",
        aria_label=line.name,
    )
