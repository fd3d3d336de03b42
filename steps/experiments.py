"""Experiments read from the log of events."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.exposures import Exposures, units_of
from eval.online import Experiment, ExperimentOptions, Reading, read
from steps.event_log import read_log
from steps.listeners import PAST
from steps.store import Store

_COLUMNS = ("kind", "when", "listener", "session", "arm")
_SHOWN = ("impression", "start")


def readings(store: Store, options: ExperimentOptions, *, now: datetime) -> tuple[Reading, ...]:
    """What each running experiment says by now."""
    return tuple(read_experiment(experiment, store=store, now=now) for experiment in options.running)


def read_experiment(experiment: Experiment, *, store: Store, now: datetime) -> Reading:
    """What an experiment says by now: from the log alone, so that it can be said again of any moment not forgotten."""
    events = read_log(store, _COLUMNS, filters=[("experiment", "=", experiment.name), ("when", "<=", now)])
    who = _who(events)
    known = pc.is_in(events["arm"], pa.array(experiment.arms))
    named_rows = pc.not_equal(who, "")
    kept = pc.and_(known, named_rows)
    rows = _exposures(events.filter(kept), pc.filter(who, kept), experiment)
    units = units_of(
        rows,
        now_s=now.timestamp(),
        window_h=experiment.window_h,
        nameless=_count(pc.invert(named_rows)),
        strange=_count(pc.invert(known)),
    )
    return read(experiment, units)


def _who(events: pa.Table) -> pa.ChunkedArray:
    """The unit of each row: its listener, else its session; empty if that is nobody's any more."""
    session = pc.if_else(pc.starts_with(events["session"], PAST), "", events["session"])
    return pc.if_else(pc.equal(events["listener"], ""), session, events["listener"])


def _exposures(events: pa.Table, who: pa.ChunkedArray, experiment: Experiment) -> Exposures:
    return Exposures(
        unit=who.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64),
        arm=pc.index_in(events["arm"], pa.array(experiment.arms)).to_numpy().astype(np.int64),
        when=events["when"].cast(pa.int64()).to_numpy() / 1e6,
        shown=_is(events, *_SHOWN),
        completed=_is(events, "complete"),
        streamed=_is(events, "stream"),
    )


def _is(events: pa.Table, *kinds: str) -> NDArray[np.bool_]:
    return np.asarray(pc.is_in(events["kind"], pa.array(kinds)).to_numpy(), bool)


def _count(held: pa.ChunkedArray) -> int:
    return int(pc.sum(held).as_py() or 0)
