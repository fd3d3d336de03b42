"""Seconds to places in the picture of a timeline, and what is drawn by place alone: bars and the axis."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from featurization.media import Segment

WIDTH, GUTTER = 1000, 96  # SVG units: the whole picture, and the room for lane names on its left
PLOT = WIDTH - GUTTER - 4
LANE_HEIGHT = 14

_TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_TICKS = 12
_HOUR_MIN = 60


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a second of a recording lies across the picture."""

    duration_s: float

    @property
    def unit_s(self) -> float:
        """Seconds that one unit of the picture stands for."""
        return self.duration_s / PLOT

    def x(self, seconds: float) -> float:
        """Where a time lies, in units from the left."""
        return GUTTER + PLOT * min(1.0, max(0.0, seconds / self.duration_s))

    def width(self, span: Segment) -> float:
        """Never so thin that it cannot be seen."""
        return max(1.2, self.x(span.end) - self.x(span.start))


def clock(seconds: float) -> str:
    """12:05, or 1:12:05 from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= _HOUR_MIN else f"{minutes:02d}:{rest:02d}"


def rect(scale: Scale, span: Segment, style: str, title: str, *, opacity: float = 1.0) -> Markup:
    """A bar over a span in a lane, with a title that names its time."""
    return Markup(
        '<rect class="{}" x="{:.1f}" width="{:.1f}" height="{}" rx="2" opacity="{:.2f}"><title>{}</title></rect>'
    ).format(
        style,
        scale.x(span.start),
        scale.width(span),
        LANE_HEIGHT,
        opacity,
        f"{title} · {clock(span.start)} to {clock(span.end)}",
    )


def axis(scale: Scale, top: int) -> Markup:
    """Marks and times below the lanes, at most a dozen."""
    step = next((t for t in _TICKS_S if scale.duration_s / t <= _MOST_TICKS), _TICKS_S[-1])
    ticks = [at * step for at in range(int(scale.duration_s // step) + 1)]
    return Markup("").join(
        Markup('<path class="tick" d="M{0:.1f} {1}v4"/><text class="time" x="{0:.1f}" y="{2}">{3}</text>').format(
            scale.x(at), top, top + 16, clock(at)
        )
        for at in ticks
        if scale.x(at) <= WIDTH - 16
    )
