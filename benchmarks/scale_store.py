"""A catalogue of made assets taken through everything of a run but the models, in a process of its own.

`python -m benchmarks.scale_store FOLDER COUNT MINUTES` ingests, chooses, stages, commits, indexes, publishes and reads
COUNT assets of MINUTES each, then a run over a hundred more, and prints the figures as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.made_assets import SPACE, MadeAssets, named
from featurization.media import Asset
from steps.admission import Bounds, admitted
from steps.chunks import plan_chunks
from steps.featurize import HEARD, Heard, Plan, choose_assets, commit_hearings
from steps.index import update_index
from steps.publish import PUBLISHED, Published, commit_previews
from steps.settings import Settings
from steps.staging import Staging
from steps.store import Store
from steps.tables import ASSETS, SENTENCES, VECTORS, WORDS, Table

MORE = 100  # assets of a run that comes after all others
READ = 20  # assets that are read alone
SETTINGS = Settings()


class Steps:
    """Wall seconds and the peak of memory by step."""

    def __init__(self) -> None:
        self.wall_s: dict[str, float] = {}
        self.peak_mb: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.wall_s[name] = time.perf_counter() - begun
        self.peak_mb[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def hear(asset_ids: Sequence[str], made: MadeAssets, run: str, store: Store) -> list[Heard]:
    """Stage the rows of the assets as the tasks of a run do."""
    rows, staging = made.heard(), Staging(store, run, HEARD)
    for asset_id in asset_ids:
        staging.keep(asset_id, Heard(asset_id, run), named(rows, asset_id))
    return [Heard(asset_id, run) for asset_id in asset_ids]


def publish(asset_ids: Sequence[str], made: MadeAssets, run: str, store: Store) -> None:
    """Stage and commit a preview of each asset; there are no files to put in place."""
    rows, staging = made.published(), Staging(store, run, PUBLISHED)
    outcomes = [Published(asset_id, run, "published") for asset_id in asset_ids]
    for outcome in outcomes:
        staging.keep(outcome.asset_id, outcome, named(rows, outcome.asset_id))
    commit_previews([list(asset_ids)], outcomes, died="", run=run, store=store)


def a_run(assets: Sequence[Asset], made: MadeAssets, number: int, store: Store, steps: Steps, after: str = "") -> None:
    """One run of the three flows over new assets, without models and without Metaflow."""
    with steps.step(f"ingest{after}"):
        store.commit(f"IngestMedia/{number}", {ASSETS: {asset.asset_id: [asset] for asset in assets}})
    with steps.step(f"choose{after}"):
        taken = admitted(choose_assets("new", store=store), Bounds(), settings=SETTINGS, store=store)
        chunks = plan_chunks(taken.assets, SETTINGS.fanout)
    plan = Plan(tuple(map(tuple, chunks)), 0.0)
    run = f"FeaturizeMedia/{number}"
    with steps.step(f"stage{after}"):
        heard = hear([a for chunk in chunks for a in chunk], made, run, store)
    with steps.step(f"commit{after}"):
        commit_hearings(plan, heard, died="", run=run, settings=SETTINGS, store=store)
    with steps.step(f"index{after}"):
        update_index(store, run=run, spaces={"sentence": SPACE})
    with steps.step(f"publish{after}"):
        publish([asset.asset_id for asset in assets], made, f"PublishPreviews/{number}", store)


def bytes_of(folder: Path) -> int:
    """What is kept in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def one_file_a_table(folder: Path, store: Store, more: Sequence[str]) -> tuple[float, int]:
    """The straightforward design: a Parquet file per table, read and written whole by every run; seconds and bytes."""
    wall_s, written = 0.0, 0
    tables: tuple[Table, ...] = (ASSETS, WORDS, SENTENCES, VECTORS)
    for table in tables:
        path = folder / f"{table.name}.parquet"
        fresh = store.arrow(table, more)
        whole = store.arrow(table)
        rest = whole.filter(pc.invert(pc.is_in(whole["asset_id"], pa.array(more))))
        pq.write_table(rest, path, compression="zstd")
        begun = time.perf_counter()
        pq.write_table(pa.concat_tables([pq.read_table(path).cast(fresh.schema), fresh]), path, compression="zstd")
        wall_s += time.perf_counter() - begun
        written += path.stat().st_size
    return wall_s, written


def measure(folder: Path, count: int, minutes: float) -> dict[str, object]:
    """Figures of one size."""
    made, store, steps = MadeAssets(minutes), Store(str(folder / "store")), Steps()
    a_run([made.asset(n) for n in range(count)], made, 1, store, steps)
    tables, before = folder / "store" / "tables", bytes_of(folder / "store" / "tables")
    more = [made.asset(count + n) for n in range(MORE)]
    a_run(more, made, 2, store, steps, after="_more")
    written = bytes_of(tables) - before
    with steps.step("read_one"):
        for asset in more[:READ]:
            for table in (ASSETS, WORDS, SENTENCES, VECTORS):
                store.read(table, [asset.asset_id])
    theirs_s, theirs = one_file_a_table(folder, store, [asset.asset_id for asset in more])
    return {
        "assets": count,
        "per_asset_ms": {name: 1000 * s / count for name, s in steps.wall_s.items() if "_" not in name},
        "more_per_asset_ms": {
            n.removesuffix("_more"): 1000 * s / MORE for n, s in steps.wall_s.items() if "_more" in n
        },
        "read_one_ms": 1000 * steps.wall_s["read_one"] / READ,
        "peak_mb": {name: mb for name, mb in steps.peak_mb.items() if "_" not in name},
        "table_bytes_per_asset": before / count,
        "more_written_bytes_per_asset": written / MORE,
        "snapshot_bytes": len(store.current().to_json()),
        "peer_more_per_asset_ms": 1000 * theirs_s / MORE,
        "peer_more_written_bytes_per_asset": theirs / MORE,
    }


if __name__ == "__main__":
    where, how_many, length = sys.argv[1:]
    print(json.dumps(measure(Path(where), int(how_many), float(length))))
