"""Where the store and its search index stand, in numbers: what came in, what waits, what the index has not seen yet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from search.vector_index import Generation
from steps import featurize, publish
from steps.index import content_digest
from steps.previews import PREVIEWS
from steps.runs import committed
from steps.store import Snapshot, Store
from steps.tables import ASSETS, PROFILES, QUARANTINE

_LOOKED_BACK = 200  # snapshots; what lies further back is as old as these


@dataclass(frozen=True, slots=True)
class Census:
    """How many assets of one snapshot are in which state."""

    snapshot: Snapshot
    committed: datetime | None  # when the snapshot was; None for the empty store
    assets: Mapping[str, int]  # and lost sources, by state: ingested, heard, published, refused or quarantined
    previews: Mapping[str, int]  # by status
    waiting: Mapping[str, int]  # by the stage that would take them: featurize, publish
    quarantined: Mapping[str, int]  # by the stage that gave them up


def take_census(store: Store) -> Census:
    """Count the current snapshot; counted again if a run commits meanwhile, so that its parts belong together."""
    while True:
        snapshot = store.current()
        counted = _census(store, snapshot)
        if store.current().number == snapshot.number:
            return counted


def _census(store: Store, snapshot: Snapshot) -> Census:
    problems = dict(_pairs(store, QUARANTINE, "stage"))
    previews = dict(_pairs(store, PREVIEWS, "status"))
    assets, heard = store.asset_ids(ASSETS), set(store.asset_ids(PROFILES))
    states = Counter(
        "quarantined" if a in problems else previews.get(a) or ("heard" if a in heard else "ingested") for a in assets
    )
    states["quarantined"] += len(problems.keys() - set(assets))
    return Census(
        snapshot=snapshot,
        committed=committed(store, snapshot.number) if snapshot.number else None,
        assets=dict(+states),
        previews=Counter(previews.values()),
        waiting={
            "featurize": len(featurize.choose_assets("new", store=store)),
            "publish": len(publish.choose_assets("new", store=store)),
        },
        quarantined=Counter(problems.values()),
    )


def _pairs(store: Store, table: object, column: str) -> list[tuple[str, str]]:
    rows = store.columns(table, [column])  # type: ignore[arg-type]
    return list(zip(rows["asset_id"].to_pylist(), rows[column].to_pylist(), strict=True))


def index_lags_since(store: Store, generation: Generation, spaces: Mapping[str, str]) -> datetime | None:
    """When the first commit was that the generation lacks; None if it holds what the store holds.

    `spaces` names the space of each kind of vectors; if only these changed, the index lags since it was built.
    """
    current, first = store.current(), None
    if content_digest(current, spaces) == generation.digest:
        return None
    for number in range(current.number, max(generation.snapshot, current.number - _LOOKED_BACK), -1):
        snapshot = Snapshot(number=number, **json.loads(store.files.read(f"snapshots/{number:08d}.json")))
        if content_digest(snapshot, spaces) == generation.digest:
            break
        first = number
    return committed(store, first) if first else datetime.fromisoformat(generation.built)
