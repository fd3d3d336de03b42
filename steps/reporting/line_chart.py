"""Lines with bands as inline SVG, beside a flat line to compare them with.

Places across are in percent and heights in pixels, so that a chart fits any width and its text keeps its size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from steps.reporting.charts import Axis
from steps.reporting.page import joined

_PLOT, _TOP, _FOOT = 190, 14, 24  # px
_LEFT, _RIGHT = 7.0, 97.0  # percent; a line keeps clear of the names of its heights
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a line, with its band."""

    x: float
    y: float
    low: float
    high: float


def line_chart(
    points: Sequence[Point], *, level: Point | None = None, level_name: str = "", across: str, log: bool = False
) -> Markup:
    """A line with its band over `across`; `level` is a flat line to compare it with, with a band of its own.

    `log` spaces the points by their ratios; then all of them must be above zero.
    """
    heights = _heights([*points, *([level] if level else [])])
    places = _places([point.x for point in points], log)
    flat = [(_LEFT, level), (_RIGHT, level)] if level else []
    told = "; ".join(f"{point.x:g}: {point.y:.3f}" for point in points)
    return Markup(
        '<svg class="lines" width="100%" height="{}" role="img" aria-label="{}">{}'
        '<svg width="100%" height="{}" viewBox="0 0 100 {}" preserveAspectRatio="none">{}{}</svg>{}{}{}</svg>'
    ).format(
        _TOP + _PLOT + _FOOT,
        f"{across} {told}",
        joined(_height_line(value, heights) for value in _ticks(heights)),
        _TOP + _PLOT,
        _TOP + _PLOT,
        _band(flat, heights, "level"),
        _band(list(zip(places, points, strict=True)), heights, "line"),
        _upright(places[0], points[0], heights) if len(points) == 1 else joined(()),
        joined(_dot(x, point, heights, across) for x, point in zip(places, points, strict=True)),
        _level_name(level, level_name, heights),
    )


def _heights(points: Sequence[Point]) -> Axis:
    """Around everything that is drawn, with a little air."""
    low, high = min(point.low for point in points), max(point.high for point in points)
    air = 0.08 * (high - low) or 0.05
    return Axis(low - air, high + air)


def _places(values: Sequence[float], log: bool) -> list[float]:
    """Places across in percent, a single value in the middle."""
    scaled = [math.log(value) for value in values] if log else list(values)
    span = max(scaled) - min(scaled)
    if not span:
        return [(_LEFT + _RIGHT) / 2 for _ in scaled]
    return [_LEFT + (_RIGHT - _LEFT) * (value - min(scaled)) / span for value in scaled]


def _y(value: float, heights: Axis) -> float:
    return _TOP + _PLOT * (1 - heights.at(value) / 100)


def _ticks(heights: Axis) -> list[float]:
    """A few round numbers within the heights."""
    rough = (heights.high - heights.low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * nice for nice in (1, 2, 5, 10) if size * nice >= rough)
    first = math.ceil(heights.low / step)
    return [number * step for number in range(first, math.floor(heights.high / step) + 1)]


def _height_line(value: float, heights: Axis) -> Markup:
    line = '<line class="tick" x1="0" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/><text x="0" y="{1:.1f}">{2}</text>'
    return Markup(line).format(_y(value, heights), _y(value, heights) - 3, f"{value:.3g}")


def _band(points: Sequence[tuple[float, Point]], heights: Axis, style: str) -> Markup:
    if not points:
        return Markup("")
    line = [f"{x:.2f},{_y(point.y, heights):.1f}" for x, point in points]
    upper = [f"{x:.2f},{_y(point.high, heights):.1f}" for x, point in points]
    lower = [f"{x:.2f},{_y(point.low, heights):.1f}" for x, point in reversed(points)]
    return Markup('<polygon class="band {0}" points="{1}"/><polyline class="{0}" points="{2}"/>').format(
        style, " ".join(upper + lower), " ".join(line)
    )


def _upright(x: float, point: Point, heights: Axis) -> Markup:
    """The interval of a point that stands alone and so has no band."""
    line = Markup('<line class="whisker" x1="{0:.2f}%" x2="{0:.2f}%" y1="{1:.1f}" y2="{2:.1f}"/>')
    return line.format(x, _y(point.high, heights), _y(point.low, heights))


def _dot(x: float, point: Point, heights: Axis, across: str) -> Markup:
    return Markup(
        '<circle class="line" cx="{0:.2f}%" cy="{1:.1f}" r="4"><title>{2}</title></circle>'
        '<text class="across" x="{0:.2f}%" y="{3}">{4}</text>'
    ).format(
        x,
        _y(point.y, heights),
        f"{across} {point.x:g}: {point.y:.3f} ({point.low:.3f} to {point.high:.3f})",
        _TOP + _PLOT + 16,
        f"{point.x:g}",
    )


def _level_name(level: Point | None, name: str, heights: Axis) -> Markup:
    if level is None:
        return Markup("")
    return Markup('<text class="level" x="{}%" y="{:.1f}">{}</text>').format(
        _RIGHT, _y(level.y, heights) - 5, f"{name} {level.y:.3f}"
    )
