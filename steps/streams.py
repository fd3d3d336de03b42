"""What listeners' streams say of clips: of those that were shown, and of a choice that was not made yet.

Only views that say which clip was shown, and with which chance, can teach. A view is streamed if the episode was, in
the same visit and after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.off_policy import Estimate, Log, OffPolicyOptions, clip_values, usable, value_of
from featurization.media import Segment
from steps.event_log import read_log
from steps.store import Store

_COLUMNS = ("asset_id", "kind", "when", "listener", "session", "start", "end", "propensity")
_CLIP = ["asset_id", "start", "end"]
_SHOWN = ("impression", "start")
_SAME_S = 0.05  # edges nearer than this are one


@dataclass(frozen=True, slots=True)
class StreamedClip(Segment):
    """A clip that was shown, and how well it did."""

    asset_id: str
    views: int
    rate: float  # streams per view; few views are drawn towards the episode's rate
    weighted_views: float  # as if each clip had been shown as often as chance would
    weighted_streams: float
    trust: float  # 0 to 1, by the number of views; the weight of a training example


@dataclass(frozen=True)
class Views:
    """Views that can teach, and how many cannot, since nobody knows with which chance they came about."""

    rows: pa.Table  # asset_id, start, end, visit, propensity, streamed (0 or 1); sorted by the first four
    unweighted: int

    @property
    def log(self) -> Log:
        """The views without their names."""
        return Log(self.floats("propensity"), self.floats("streamed"))

    def floats(self, column: str) -> NDArray[np.float64]:
        """A column of numbers."""
        return np.asarray(self.rows[column].to_numpy(), np.float64)

    def codes(self, column: str) -> NDArray[np.int64]:
        """A column of names, as numbers from 0 in order of appearance."""
        return np.asarray(self.rows[column].combine_chunks().dictionary_encode().indices.to_numpy(), np.int64)


def read_views(store: Store) -> Views:
    """The first view of each clip in each visit."""
    events = read_log(store, _COLUMNS)
    visit = pc.if_else(pc.equal(events["session"], ""), events["listener"], events["session"])
    events = events.append_column("visit", visit).filter(pc.not_equal(visit, ""))
    of_clips = pc.and_(pc.is_in(events["kind"], pa.array(_SHOWN)), pc.is_valid(events["start"]))
    shown = _first(events.filter(of_clips).sort_by("when"))
    known = usable(np.asarray(shown["propensity"].to_numpy(), np.float64))
    rows = _streamed(shown.filter(pa.array(known)), events.filter(pc.equal(events["kind"], "stream")))
    return Views(rows, int((~known).sum()))


def _first(shown: pa.Table) -> pa.Table:
    """Of each clip in each visit, when it was shown first, and with which chance."""
    grouped = shown.group_by([*_CLIP, "visit"], use_threads=False)
    return grouped.aggregate([("when", "first"), ("propensity", "first")]).rename_columns(
        {"when_first": "when", "propensity_first": "propensity"}
    )


def _streamed(shown: pa.Table, streams: pa.Table) -> pa.Table:
    last = streams.group_by(["asset_id", "visit"]).aggregate([("when", "max")])
    joined = shown.join(last, ["asset_id", "visit"]).sort_by([(name, "ascending") for name in (*_CLIP, "visit")])
    came_of_it = pc.fill_null(pc.greater_equal(joined["when_max"], joined["when"]), False)
    return joined.append_column("streamed", came_of_it.cast(pa.float64()))


def stream_clips(store: Store, options: OffPolicyOptions) -> tuple[StreamedClip, ...]:
    """Every clip that was shown with a known chance, by asset and time: its worth, however often it was shown."""
    views = read_views(store)
    clips, clip = _clips(views)
    episodes = {asset_id: n for n, asset_id in enumerate(dict.fromkeys(asset_id for asset_id, _, _ in clips))}
    episode = np.array([episodes[asset_id] for asset_id, _, _ in clips], np.int64)
    values = clip_values(views.log, clip, episode, options=options)
    return tuple(
        StreamedClip(
            start=start,
            end=end,
            asset_id=asset_id,
            views=int(values.views[n]),
            rate=float(values.rate[n]),
            weighted_views=float(values.weighted_views[n]),
            weighted_streams=float(values.weighted_streams[n]),
            trust=float(values.trust[n]),
        )
        for n, (asset_id, start, end) in enumerate(clips)
    )


def _clips(views: Views) -> tuple[list[Any], NDArray[np.int64]]:
    """The clips (asset, start, end) in order, and which of them each view is of."""
    of_views = list(zip(*(views.rows[name].to_pylist() for name in _CLIP), strict=True))
    numbers = {clip: n for n, clip in enumerate(dict.fromkeys(of_views))}
    return list(numbers), np.array([numbers[clip] for clip in of_views], np.int64)


def stream_rate(store: Store, picks: Mapping[str, Segment], options: OffPolicyOptions) -> Estimate | None:
    """P(stream | preview) if each asset's preview were its pick, from views of any; None if no pick was ever shown."""
    views = read_views(store)
    views = Views(views.rows.filter(pc.is_in(views.rows["asset_id"], pa.array(list(picks), pa.string()))), 0)
    chosen = [picks[asset_id] for asset_id in views.rows["asset_id"].to_pylist()]
    starts, ends = (np.array([getattr(pick, edge) for pick in chosen]) for edge in ("start", "end"))
    same = np.maximum(np.abs(views.floats("start") - starts), np.abs(views.floats("end") - ends)) < _SAME_S
    if not same.any():
        return None
    return value_of(views.log, same.astype(np.float64), clusters=views.codes("visit"), options=options)
