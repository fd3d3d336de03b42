"""What the tasks of a run have done so far, asset by asset, until the run commits all of it at once.

```
staging/FLOW/ID/KEY.zip      what became of an asset, and its rows: one Arrow file a table
staging/FLOW/ID/KEY.begun    how often a task began with the asset and did not live to say what became of it
```
A task that is started again finds what is done and does not do it twice, and comes last to what it died at. What kills
its task twice is set aside, so a poisonous asset costs itself alone, not the others of its task.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import pyarrow as pa

from featurization.errors import StoreError
from featurization.media import Quarantined
from steps.store import Store, Writes
from steps.tables import QUARANTINE, Table

Outcome = TypeVar("Outcome")
Rows = Mapping[Table[Any], Sequence[Any]]
FOLDER = "staging"
PATIENCE = 2  # deaths of tasks at one asset before it is set aside; Metaflow starts a task three times


@dataclass(frozen=True)
class Staging(Generic[Outcome]):
    """One run's staged work. `outcomes` says what is told of each asset."""

    store: Store
    run: str  # "FLOW/ID"
    outcomes: Table[Outcome]

    def keep(self, key: str, outcome: Outcome, rows: Rows) -> None:
        """Keep what became of an asset, whole or not at all."""
        self.store.files.write(self._path(key, "zip"), _packed(key, {self.outcomes: [outcome], **rows}))
        self.store.files.delete(self._path(key, "begun"))

    def recall(self, key: str) -> Outcome | None:
        """What became of an asset in this run, or None if it is not done."""
        data = self.store.files.read_if_there(self._path(key, "zip"))
        if data is None:
            return None
        ((table, rows),) = _unpacked(data, [self.outcomes])
        return table.from_arrow(rows)[key][0]  # type: ignore[no-any-return]

    def rows(self, key: str, tables: Iterable[Table[Any]]) -> dict[Table[Any], pa.Table]:
        """The staged rows of an asset as Arrow; tables of which nothing was staged are left out.

        StoreError if they are gone.
        """
        data = self.store.files.read_if_there(self._path(key, "zip"))
        if data is None:
            raise StoreError(f"{self.store.url}: what {self.run} prepared is gone; start a new run (features are kept)")
        return dict(_unpacked(data, tables))

    def begin(self, key: str, deaths: int) -> None:
        """Note that a task is at an asset, at which so many have died before."""
        self.store.files.write(self._path(key, "begun"), str(deaths + 1).encode())

    def deaths(self, key: str) -> int:
        """How many tasks began with an asset and did not live to the end of it."""
        return int(self.store.files.read_if_there(self._path(key, "begun")) or 0)

    def _path(self, key: str, suffix: str) -> str:
        return f"{FOLDER}/{self.run}/{key}.{suffix}"


@dataclass(frozen=True)
class Work(Generic[Outcome]):
    """What a task does with each of its assets, and what it says of one that it must set aside."""

    do: Callable[[str], tuple[Outcome, Rows]]
    set_aside: Callable[[str], Outcome]


def work_through(
    keys: Sequence[str], work: Work[Outcome], staging: Staging[Outcome], *, threads: int = 1
) -> list[Outcome]:
    """Do the work for every asset of a task, each once however often the task is started; outcomes in the keys' order.

    `threads` assets are worked on at a time, but those at which a task died, which come last and one by one.
    """
    done = {key: outcome for key in keys if (outcome := staging.recall(key)) is not None}
    deaths = {key: staging.deaths(key) for key in keys if key not in done}
    fresh = [key for key in deaths if not deaths[key]]
    done |= zip(fresh, _each(lambda key: _worked(key, 0, work, staging), fresh, threads), strict=True)
    for key in sorted(filter(deaths.get, deaths), key=lambda key: deaths[key]):
        done[key] = _worked(key, deaths[key], work, staging)
    return [done[key] for key in keys]


def clear(store: Store, run: str) -> None:
    """Forget what a run staged, once it is committed."""
    store.files.clear(f"{FOLDER}/{run}")


class Told(Protocol):
    """What is told of an asset whose rows are staged."""

    @property
    def asset_id(self) -> str: ...

    @property
    def staged_by(self) -> str: ...

    @property
    def problem(self) -> Quarantined | None: ...


AnAsset = TypeVar("AnAsset", bound=Told)


def gathered(
    asset_ids: Iterable[str], outcomes: Iterable[AnAsset], staging: Staging[AnAsset]
) -> dict[str, AnAsset | None]:
    """What became of each asset: as its task said, else as the task had kept before it died, else None."""
    told = {outcome.asset_id: outcome for outcome in outcomes}
    return {asset_id: told.get(asset_id) or staging.recall(asset_id) for asset_id in asset_ids}


def staged_parts(
    fate: Mapping[str, AnAsset | None],
    tables: Sequence[Table[Any]],
    *,
    problems: Mapping[str, Quarantined],
    staging: Staging[AnAsset],
) -> Iterator[Writes]:
    """What to commit of each asset: its staged rows and its place in quarantine, which it leaves without a problem."""
    for asset_id, outcome in fate.items():
        done = outcome if outcome and not outcome.problem else None
        rows = replace(staging, run=done.staged_by).rows(asset_id, tables) if done else {}
        quarantine = [problems[asset_id]] if asset_id in problems else []
        yield {table: {asset_id: its} for table, its in {**rows, QUARANTINE: quarantine}.items()}


def _each(do: Callable[[str], Outcome], keys: Sequence[str], threads: int) -> list[Outcome]:
    if threads == 1:  # here, where the alarm of a task's time is heard
        return list(map(do, keys))
    with ThreadPoolExecutor(threads) as pool:
        try:
            return list(pool.map(do, keys))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _worked(key: str, deaths: int, work: Work[Outcome], staging: Staging[Outcome]) -> Outcome:
    outcome: Outcome
    rows: Rows = {}
    if deaths < PATIENCE:
        staging.begin(key, deaths)
        outcome, rows = work.do(key)
    else:
        outcome = work.set_aside(key)
    staging.keep(key, outcome, rows)
    return outcome


def _packed(key: str, rows: Rows) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for table, its in rows.items():
            sink = pa.BufferOutputStream()
            arrow = table.to_arrow({key: its})
            with pa.ipc.new_file(sink, arrow.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
                writer.write_table(arrow)
            archive.writestr(f"{table.name}.arrow", sink.getvalue().to_pybytes())
    return buffer.getvalue()


def _unpacked(data: bytes, tables: Iterable[Table[Any]]) -> Iterator[tuple[Table[Any], pa.Table]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = set(archive.namelist())
        for table in tables:
            if f"{table.name}.arrow" in held:
                yield table, pa.ipc.open_file(archive.read(f"{table.name}.arrow")).read_all()
