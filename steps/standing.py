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
from steps.quarantine import TASK_DIED, Stage
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
    assets, heard = set(store.asset_ids(ASSETS)), set(store.asset_ids(PROFILES))
    previews = {row["asset_id"]: row["status"] for row in store.columns(PREVIEWS, ["status"]).to_pylist()}
    problems = store.columns(QUARANTINE, ["stage", "reason"]).to_pylist()
    given_up = {row["asset_id"]: row["stage"] for row in problems}
    set_aside = {(row["stage"], row["asset_id"]) for row in problems if row["reason"] == TASK_DIED}
    states = Counter(
        "quarantined" if a in given_up else previews.get(a) or ("heard" if a in heard else "ingested")
        for a in assets | given_up.keys()
    )
    open_to = {"featurize": assets - heard, "publish": (assets & heard) - previews.keys()}  # as choose_assets has it
    decided, lost = Counter(previews.values()), Counter(given_up.values())
    return Census(
        snapshot=snapshot,
        committed=committed(store, snapshot.number) if snapshot.number else None,
        assets={state: states[state] for state in get_args(State)},
        previews={status: decided[status] for status in ("published", "refused")},
        waiting={stage: sum((stage, a) not in set_aside for a in ids) for stage, ids in open_to.items()},
        quarantined={stage: lost[stage] for stage in get_args(Stage)},
    )


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
