"""Trained rankers in the store: all that were ever trained, where each came from, and the one in use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from featurization.errors import ModelError
from ranking.prior import Prior
from ranking.ranker import Ranker
from ranking.saved import from_json, to_json
from steps.settings import Settings
from steps.store import Store

CHAMPION = "models/ranker.json"  # store key of the trained ranker in use
RANKERS = "models/rankers"  # folder of all that were trained


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a ranker came from, and what was measured of it."""

    identity: str
    run: str  # "FLOW/ID"
    code: str
    dataset: str  # digest of what it learned from
    episodes: int  # that taught it
    shows: tuple[str, ...]  # that taught it: figures on these flatter it
    verdict: str
    metrics: Mapping[str, float] = field(default_factory=dict)  # on the shows that were held out


def current_ranker(store: Store, settings: Settings) -> Ranker:
    """The trained ranker in use, else the documented prior. ModelError if the model does not fit the code."""
    if store.files.exists(CHAMPION):
        return from_json(store.files.read(CHAMPION).decode())
    return Prior(settings.prior)


def kept_ranker(identity: str, store: Store) -> Ranker:
    """A trained ranker by its identity or the beginning of it. ModelError if there is none, or it does not fit."""
    return from_json(store.files.read(_found(identity, store)).decode())


def keep_ranker(ranker: Ranker, lineage: Lineage, *, store: Store) -> str:
    """Keep a ranker and its lineage; returns its store key. It is not in use yet."""
    key = f"{RANKERS}/{ranker.identity}.json"
    store.files.write(_lineage_key(ranker.identity), json.dumps(asdict(lineage), indent=1, sort_keys=True).encode())
    store.files.write(key, to_json(ranker).encode())
    return key


def promote(identity: str, *, store: Store) -> None:
    """Put a kept ranker in use. ModelError if there is none of this name, or it does not fit the code."""
    text = store.files.read(_found(identity, store))
    from_json(text.decode())
    store.files.write(CHAMPION, text)


def retire(*, store: Store) -> None:
    """Take no trained ranker at all: the documented prior is in use again."""
    if store.files.exists(CHAMPION):
        store.files.delete(CHAMPION)


def lineage_of(identity: str, *, store: Store) -> Lineage | None:
    """Where a ranker came from; None for the prior, and for one that was put there by hand."""
    key = _lineage_key(identity)
    if not store.files.exists(key):
        return None
    stored = json.loads(store.files.read(key))
    return Lineage(**{**stored, "shows": tuple(stored["shows"])})


def known_rankers(store: Store) -> list[Lineage]:
    """The lineage of every ranker in the store, by identity."""
    names = (name for name in store.files.list(RANKERS) if name.endswith(".lineage.json"))
    found = (lineage_of(name.removesuffix(".lineage.json"), store=store) for name in names)
    return [lineage for lineage in found if lineage]


def _found(identity: str, store: Store) -> str:
    names = [name.removesuffix(".json") for name in store.files.list(RANKERS) if not name.endswith(".lineage.json")]
    matching = [name for name in names if name.startswith(identity) or name.partition("@")[2].startswith(identity)]
    if len(matching) != 1:
        known = ", ".join(names) or "none yet: train one"
        raise ModelError(f"{len(matching)} trained rankers are called {identity!r}; known: {known}")
    return f"{RANKERS}/{matching[0]}.json"


def _lineage_key(identity: str) -> str:
    return f"{RANKERS}/{identity}.lineage.json"
