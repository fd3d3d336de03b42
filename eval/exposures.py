"""From rows of a log to units of an experiment: the first exposure counts, and what follows it in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.online import Units

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Exposures:
    """Rows of one experiment's log: arrays (rows,)."""

    unit: NDArray[np.int64]  # 0, 1, … without gaps
    arm: NDArray[np.int64]
    when: NDArray[np.float64]  # seconds of the epoch
    shown: NDArray[np.bool_]  # something was shown: an impression, or the start of a preview
    completed: NDArray[np.bool_]
    streamed: NDArray[np.bool_]


def units_of(rows: Exposures, *, now_s: float, window_h: float, nameless: int = 0, strange: int = 0) -> Units:
    """The units whose arm and outcome are certain by `now_s`; the others are counted, as are rows left out before.

    An outcome counts from the first exposure on, for `window_h`. A unit is not counted before that time is over, so
    that no outcome changes between two looks.
    """
    count = int(rows.unit.max()) + 1 if len(rows.unit) else 0
    first, window_s = _first_shown(rows, count), window_h * _HOUR_S
    lowest, highest = _extremes(rows, count)
    since = rows.when - first[rows.unit]
    in_time = (since >= 0) & (since <= window_s)
    mixed, exposed = lowest != highest, np.isfinite(first)
    pending = exposed & ~mixed & (first + window_s > now_s)
    kept = exposed & ~mixed & ~pending
    return Units(
        arm=lowest[kept],
        completed=_any(rows.unit, rows.completed & in_time, count)[kept],
        streamed=_any(rows.unit, rows.streamed & in_time, count)[kept],
        contaminated=int(mixed.sum()),
        pending=int(pending.sum()),
        unexposed=int((~exposed & ~mixed).sum()),
        nameless=nameless,
        strange=strange,
    )


def _first_shown(rows: Exposures, count: int) -> NDArray[np.float64]:
    first = np.full(count, np.inf)
    np.minimum.at(first, rows.unit[rows.shown], rows.when[rows.shown])
    return first


def _extremes(rows: Exposures, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    lowest, highest = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(lowest, rows.unit, rows.arm)
    np.maximum.at(highest, rows.unit, rows.arm)
    return lowest, highest


def _any(unit: NDArray[np.int64], held: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    return np.bincount(unit[held], minlength=count) > 0
