"""The log of events: Parquet files that are only ever added, one per batch, in a folder per day of arrival.

```
events/2026-07-20/DIGEST.parquet             a batch
events/2026-07-20/day-DIGEST.parquet         all of a day that is over
events/2026-07-20/forgotten-DIGEST.parquet   all of a day so long ago that its listeners are forgotten
```
It stands beside the snapshots of the tables: what happened is never rolled back. Files of a day are merged by writing
the whole before its parts are deleted, so a reader may meet a row twice, never not at all; rows are told apart by id.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from featurization.errors import StoreError
from steps.events import EVENTS, Event, EventOptions
from steps.feedback import Kept
from steps.listeners import PAST, current_salt, disguise, drop_old_salts
from steps.parquet import from_parquet, to_parquet
from steps.store import Store

_FOLDER = "events"
_DAY, _FORGOTTEN = "day-", "forgotten-"
_ATTEMPTS = 5  # to read a day while its files are merged


class EventLog:
    """Adds batches to the log of a store; one for each process, safe to use from many threads."""

    def __init__(self, store: Store, options: EventOptions) -> None:
        self.store, self.options = store, options
        self._known: dict[str, None] | None = None  # newest last
        self._lock = threading.Lock()

    def append(self, events: Sequence[Event], *, now: datetime) -> Kept:
        """Keep the events whose ids are new, without saying who.

        An id is known if this process took it, or found it in the log of yesterday and today when it began; what slips
        through, since another process took it, is dropped by readers.
        """
        salt = current_salt(self.store, now=now, days=self.options.retention_days)
        with self._lock:
            known = self._remembered(now)
            fresh = {event.id: event for event in events if event.id not in known}
            if fresh:
                _write(self.store, _day(now), [_disguised(event, salt) for event in fresh.values()])
            self._remember(fresh)
        return Kept(tuple(fresh), tuple(sorted({event.id for event in events} - fresh.keys())))

    def _remembered(self, now: datetime) -> dict[str, None]:
        if self._known is None:
            days = [_day(now - timedelta(days=1)), _day(now)]
            read = [part for day in days for part in _parts(self.store, day, ["id"])]
            self._known = {}
            self._remember(dict.fromkeys(name for part in read for name in part["id"].to_pylist()))
        return self._known

    def _remember(self, ids: dict[str, Any]) -> None:
        known = self._known or {}
        known.update(dict.fromkeys(ids))
        for name in list(known)[: max(0, len(known) - self.options.remembered)]:
            del known[name]
        self._known = known


def read_log(
    store: Store, columns: Sequence[str] = (), filters: Any = None, *, since: datetime | None = None
) -> pa.Table:
    """The events that pass `filters` (as pyarrow takes them), each id once; all columns, or those named.

    `since` leaves out the days of arrival before it, without reading them.
    """
    wanted = [*dict.fromkeys([*columns, "id"])] if columns else list(EVENTS.schema.names)
    days = [day for day in store.files.list(_FOLDER) if since is None or day >= _day(since)]
    parts = [part for day in days for part in _parts(store, day, wanted, filters)]
    return _once(pa.concat_tables([EVENTS.schema.empty_table().select(wanted), *parts], promote_options="default"))


@dataclass(frozen=True, slots=True)
class Tended:
    """What was done to the log."""

    merged: int  # days whose files became one
    forgotten: int  # events whose listener was dropped


def tend_log(store: Store, *, now: datetime, options: EventOptions) -> Tended:
    """Forget the listeners of long ago, and merge the files of days that are over. Done twice, it changes nothing."""
    oldest, merged, forgotten = _day(now - timedelta(days=options.retention_days)), 0, 0
    for day in store.files.list(_FOLDER):
        names = store.files.list(f"{_FOLDER}/{day}")
        if day < oldest and not (len(names) == 1 and names[0].startswith(_FORGOTTEN)):
            forgotten += _replace(store, day, names, _FORGOTTEN)
        elif oldest <= day < _day(now) and len(names) > 1:
            merged += 1
            _replace(store, day, names, _DAY)
    drop_old_salts(store, now=now, days=options.retention_days)
    return Tended(merged, forgotten)


def _replace(store: Store, day: str, names: Sequence[str], prefix: str) -> int:
    """Merge the files of a day into one; returns how many events it holds."""
    whole = _once(pa.concat_tables([_read(store, f"{_FOLDER}/{day}/{n}") for n in names], promote_options="default"))
    kept = _write_table(store, day, _forgetful(whole) if prefix == _FORGOTTEN else whole, prefix)
    for name in names:
        if name != kept:
            store.files.delete(f"{_FOLDER}/{day}/{name}")
    return len(whole)


def _forgetful(events: pa.Table) -> pa.Table:
    """Without listeners. What belonged to one visit still does, under a name made with a key that nobody keeps."""
    key, columns = secrets.token_bytes(32), events.to_pydict()
    visits = zip(columns["session"], columns["listener"], strict=True)
    names = [visit if visit.startswith(PAST) else _past(disguise(visit or who, key)) for visit, who in visits]
    for column, values in (("listener", [""] * len(events)), ("session", names)):
        events = events.set_column(events.column_names.index(column), column, pa.array(values, pa.string()))
    return events


def _past(token: str) -> str:
    return PAST + token[:16] if token else ""


def _disguised(event: Event, salt: bytes) -> Event:
    return replace(event, listener=disguise(event.listener, salt), session=disguise(event.session, salt))


def _write(store: Store, day: str, events: Sequence[Event]) -> None:
    by_asset: dict[str, list[Event]] = {}
    for event in events:
        by_asset.setdefault(event.asset_id, []).append(event)
    _write_table(store, day, EVENTS.to_arrow(by_asset), "")


def _write_table(store: Store, day: str, events: pa.Table, prefix: str) -> str:
    data = to_parquet(events.combine_chunks())
    name = f"{prefix}{hashlib.sha256(data).hexdigest()[:32]}.parquet"
    store.files.write(f"{_FOLDER}/{day}/{name}", data)
    return name


def _parts(store: Store, day: str, columns: Sequence[str], filters: Any = None) -> list[pa.Table]:
    """The files of a day; listed again if one was merged away meanwhile."""
    for _ in range(_ATTEMPTS):
        try:
            keys = [f"{_FOLDER}/{day}/{name}" for name in store.files.list(f"{_FOLDER}/{day}")]
            return [_read(store, key, columns, filters) for key in keys]
        except StoreError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
    raise StoreError(f"{store.url}: the events of {day} are being merged; try again")


def _read(store: Store, key: str, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
    return from_parquet(store.files.read(key), columns=columns, filters=filters)


def _once(events: pa.Table) -> pa.Table:
    """The first row of each id, in their order."""
    ids = events["id"].combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(ids, return_index=True)
    return events.take(pa.array(np.sort(first)))


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
