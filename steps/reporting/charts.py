"""Small charts as inline SVG: bars with intervals, an interval around zero, parts of a whole.

Places across are in percent and heights in pixels, so that a chart fits any width and its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from markupsafe import Markup

from eval.bootstrap import Interval
from steps.reporting.numbers import three
from steps.reporting.page import joined

Style = Literal["ours", "theirs", "rest", "ceiling", "more", "less", "mixed"]
_ROW = 22  # px
_HUES = 6  # of the style sheet


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart: its length, its interval if there is one, and what is written beside it."""

    name: str | Markup
    value: float
    written: str | Markup
    style: Style = "rest"
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, name: str | Markup, interval: Interval, written: str | Markup, style: Style = "rest") -> Bar:
        """A bar with the whisker of its interval."""
        return cls(name, interval.mean, written, style, interval.low, interval.high)

    @property
    def reach(self) -> tuple[float, ...]:
        """Every number that must have a place in the chart."""
        return (self.value, *(edge for edge in (self.low, self.high) if edge is not None))


@dataclass(frozen=True, slots=True)
class Axis:
    """Values to percent of a width."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float]) -> Axis:
        """From the least to the greatest of the values and zero."""
        known = [0.0, *values]
        return cls(min(known), max(known)) if max(known) > min(known) else cls(0.0, 1.0)

    def at(self, value: float) -> float:
        """Where a value lies, in percent; never outside."""
        return 100 * min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def estimate(interval: Interval) -> Markup:
    """A mean with its interval in small print, for the end of a bar."""
    low, high = three(interval.low), three(interval.high)
    return Markup('{} <span class="span">{} to {}</span>').format(three(interval.mean), low, high)


def sign_style(difference: Interval) -> Style:
    """Coloured only if the difference is beyond chance."""
    return "more" if difference.low > 0 else "less" if difference.high < 0 else "mixed"


def bar_chart(bars: Sequence[Bar]) -> Markup:
    """Bars from zero on one scale, each with its whisker, its name on the left and its number on the right."""
    axis = Axis.over(value for bar in bars for value in bar.reach)
    row = Markup('<div class="row"><span class="name">{}</span>{}<span class="number dim">{}</span></div>')
    return Markup('<div class="chart">{}</div>').format(
        joined(row.format(bar.name, bar_svg(bar, axis), bar.written) for bar in bars)
    )


def bar_svg(bar: Bar, axis: Axis) -> Markup:
    """One bar from zero with its whisker, as wide as its place."""
    zero, end = axis.at(0.0), axis.at(bar.value)
    value = Markup('<rect class="value {}" x="{:.2f}%" width="{:.2f}%" y="6" height="10" rx="3"/>').format(
        bar.style, min(zero, end), abs(end - zero)
    )
    return Markup(
        '<svg width="100%" height="{}" role="img" aria-label="{}"><rect class="track" width="100%" y="6" height="10" '
        'rx="3"/>{}<line class="zero" x1="{z:.2f}%" x2="{z:.2f}%" y1="1" y2="21"/>{}</svg>'
    ).format(_ROW, Markup("{}: {}").format(bar.name, bar.written).striptags(), value, _whisker(bar, axis), z=zero)


def _whisker(bar: Bar, axis: Axis) -> Markup:
    if bar.low is None or bar.high is None:
        return Markup("")
    low, high = axis.at(bar.low), axis.at(bar.high)
    across = Markup('<line class="whisker" x1="{:.2f}%" x2="{:.2f}%" y1="11" y2="11"/>').format(low, high)
    end = Markup('<line class="whisker" x1="{0:.2f}%" x2="{0:.2f}%" y1="7" y2="15"/>')
    return across + end.format(low) + end.format(high)


def gain_strip(gain: Interval, label: str) -> Markup:
    """One interval around zero: what decides whether something is better."""
    reach = 1.15 * max(abs(gain.low), abs(gain.high), abs(gain.mean), 0.01)
    axis, style = Axis(-reach, reach), "good" if gain.low > 0 else "bad" if gain.high < 0 else "open"
    return Markup(
        '<svg class="gain {}" width="100%" height="34" role="img" aria-label="{}">'
        '<rect class="track" width="100%" y="14" height="6" rx="3"/>'
        '<rect class="span" x="{:.2f}%" width="{:.2f}%" y="11" height="12" rx="6"/>'
        '<line class="zero" x1="50%" x2="50%" y1="2" y2="32"/><circle cx="{:.2f}%" cy="17" r="5"/></svg>'
        '<div class="ends dim small"><span>worse</span><span>no difference</span><span>better</span></div>'
    ).format(style, label, axis.at(gain.low), axis.at(gain.high) - axis.at(gain.low), axis.at(gain.mean))


def share_strip(shares: Sequence[tuple[str, float]]) -> Markup:
    """Parts of a whole as one strip with a legend; shares add up to at most 1."""
    part = Markup('<rect class="{}" x="{:.2f}%" width="{:.2f}%" height="16"><title>{}</title></rect>')
    mark = Markup('<span><svg viewBox="0 0 10 10"><rect class="{}" width="10" height="10" rx="3"/></svg>{}</span>')
    told = [f"{name} {share:.0%}" for name, share in shares]
    starts = accumulate((share for _, share in shares), initial=0.0)
    styles = [f"s{index % _HUES}" for index in range(len(shares))]
    strip = Markup('<svg class="shares" width="100%" height="16" role="img" aria-label="{}">{}</svg>').format(
        ", ".join(told),
        joined(
            part.format(style, 100 * at, 100 * share, text)
            for style, at, (_, share), text in zip(styles, starts, shares, told, strict=False)
        ),
    )
    legend = joined(mark.format(style, text) for style, text in zip(styles, told, strict=True))
    return strip + Markup('<div class="legend">{}</div>').format(legend)
