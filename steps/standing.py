"""Where the store and its search index stand, in numbers: what came in, what waits, what the index has not seen yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Literal, get_args

from search.vector_index import Generation
from steps.commits import committed
from steps.index import content_digest
from steps.previews import PREVIEWS
from steps.quarantine import Stage
from steps.snapshots import Snapshot
from steps.store import Store
from steps.tables import ASSETS, PROFILES, QUARANTINE

State = Literal["ingested", "heard", "published", "refused", "quarantined"]
_LOOKED_BACK = 200  # snapshots; what lies further back is as old as these


@dataclass(frozen=True, slots=True)
class Census:
    """How many assets of one snapshot are in which state."""

    snapshot: Snapshot
    committed: datetime | None  # when the snapshot was; None for the empty store
    assets: Mapping[str, int]  # and lost sources, by state
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
    from steps import featurize, publish  # with all that they work with, for a command that only names states

    problems = dict(_pairs(store, QUARANTINE, "stage"))
    previews = dict(_pairs(store, PREVIEWS, "status"))
    assets, heard = store.asset_ids(ASSETS), set(store.asset_ids(PROFILES))
    states = Counter(
        "quarantined" if a in problems else previews.get(a) or ("heard" if a in heard else "ingested") for a in assets
    )
    states["quarantined"] += len(problems.keys() - set(assets))
    given_up, decided = Counter(problems.values()), Counter(previews.values())
    return Census(
        snapshot=snapshot,
        committed=committed(store, snapshot.number) if snapshot.number else None,
        assets={state: states[state] for state in get_args(State)},
        previews={status: decided[status] for status in ("published", "refused")},
        waiting={
            "featurize": len(featurize.choose_assets("new", store=store)),
            "publish": len(publish.choose_assets("new", store=store)),
        },
        quarantined={stage: given_up[stage] for stage in get_args(Stage)},
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
    oldest = max(generation.snapshot, current.number - _LOOKED_BACK)
    for snapshot in takewhile(lambda snapshot: snapshot.number > oldest, store.snapshots.backwards()):
        if content_digest(snapshot, spaces) == generation.digest:
            break
        first = snapshot.number
    return committed(store, first) if first else datetime.fromisoformat(generation.built)
