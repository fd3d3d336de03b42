"""Where the pictures of a film let a clip begin and end: at the edges of shots, clear of dissolves."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from featurization.media import Segment, Shot


@dataclass(frozen=True, slots=True)
class CutPoints:
    """Times at which a clip may begin, and at which it may end, both ascending."""

    begins: tuple[float, ...]
    ends: tuple[float, ...]

    @classmethod
    def of(cls, shots: Sequence[Shot]) -> CutPoints:
        """Behind the dissolve into each shot, and before the dissolve out of it."""
        return cls(
            tuple(_begin(shot) for shot in shots),
            tuple(_end(shot, *shots[k + 1 : k + 2]) for k, shot in enumerate(shots)),
        )

    def begin_near(self, time: float, within: Segment) -> float:
        """The begin of a shot that is nearest to `time` inside `within`; `time` itself if there is none."""
        return _nearest(self.begins, time, within)

    def end_near(self, time: float, within: Segment) -> float:
        """The same for the end of a shot."""
        return _nearest(self.ends, time, within)


def _begin(shot: Shot) -> float:
    """A fade from black belongs to its shot; a dissolve still shows the shot before."""
    return min(shot.end, shot.start + shot.fade_in_s) if shot.transition == "dissolve" else shot.start


def _end(shot: Shot, following: Shot | None = None) -> float:
    dissolves = following is not None and following.transition == "dissolve"
    return max(shot.start, shot.end - shot.fade_out_s) if dissolves else shot.end


def _nearest(points: Sequence[float], time: float, within: Segment) -> float:
    inside = points[bisect_left(points, within.start) : bisect_right(points, within.end)]
    return min(inside, key=lambda point: (abs(point - time), point), default=time)
