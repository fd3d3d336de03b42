"""Hear a chunk of assets, and commit what was heard of all chunks at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from featurization.media import Asset, Hearing, LevelTrack, Quarantined, Vector
from steps.chunks import chosen
from steps.extracted import layer_table
from steps.models import Models
from steps.quarantine import quarantined
from steps.recording import LEVEL_HOP_S, Recording
from steps.settings import Settings
from steps.spending import Spent, pooled, total
from steps.store import Store, Writes
from steps.tables import (
    ADS,
    ASSETS,
    FILMS,
    LEVELS,
    PROFILES,
    QUARANTINE,
    SCENES,
    SENTENCES,
    SHOTS,
    SOUNDS,
    SPOILERS,
    TAGS,
    TOPICS,
    TURNS,
    VECTORS,
    WORDS,
    Table,
)
from steps.viewing import Viewing

log = logging.getLogger(__name__)
Outcome = Literal["complete", "partial"]
LEAST_TOLD_S = 0.05  # what took less is not worth a line


@dataclass(frozen=True)
class Heard:
    """What became of one asset in a task."""

    asset_id: str
    problem: Quarantined | None = None
    spent: dict[str, Spent] = field(default_factory=dict)  # by extractor


@dataclass(frozen=True)
class Summary:
    """What a whole run heard."""

    heard: tuple[str, ...]
    problems: tuple[Quarantined, ...]
    spent: dict[str, Spent]  # by extractor

    @property
    def outcome(self) -> Outcome:
        return "partial" if self.problems else "complete"


def choose_assets(which: str, *, store: Store) -> list[Asset]:
    """`new` (without features), `all`, or asset ids with commas between; unknown ids raise ConfigError."""
    assets = {asset_id: rows[0] for asset_id, rows in store.read(ASSETS).items()}
    refusal = ("no asset", f"in {store.url}; `rushes assets` lists them")
    return chosen(which, assets, done=store.read(PROFILES), refusal=refusal)


def hear_chunk(asset_ids: Sequence[str], *, settings: Settings, store: Store) -> list[Heard]:
    """Compute every feature of a chunk of assets into the store's cache; a bad asset does not stop the others."""
    models = Models(settings)
    assets = store.read(ASSETS, asset_ids)
    return [
        _hear(assets[asset_id][0], models=models, store=store, place=f"{n} of {len(asset_ids)}")
        for n, asset_id in enumerate(asset_ids, start=1)
    ]


def _hear(asset: Asset, *, models: Models, store: Store, place: str) -> Heard:
    log.info("%s: hearing %s, %.1f min", place, asset.title, asset.duration_s / 60)
    with Recording(asset, store=store, settings=models.settings, models=models) as recording:
        try:
            recording.compute()
            if asset.kind == "video":
                Viewing(recording).compute()
        except Exception as error:  # whatever it is, the other assets go on
            problem = quarantined(error, source=asset.source, title=asset.title, stage="featurize")
            return Heard(asset.asset_id, problem)
        return Heard(asset.asset_id, spent=recording.cache.meter.spent)


def commit_hearings(
    chunks: Sequence[Sequence[str]],
    outcomes: Iterable[Heard],
    *,
    died: str,
    run: str,
    settings: Settings,
    store: Store,
) -> Summary:
    """Commit the features of all assets at once.

    An asset whose task died is quarantined and keeps the features it had; `died` says what tasks died of.
    """
    by_id = {outcome.asset_id: outcome for outcome in outcomes}
    asset_ids = sorted(asset_id for chunk in chunks for asset_id in chunk)
    assets = {asset_id: rows[0] for asset_id, rows in store.read(ASSETS, asset_ids).items()}
    heard = [a for a in asset_ids if a in by_id and by_id[a].problem is None]
    problems = {a: _problem(assets[a], by_id.get(a), died) for a in asset_ids if a not in heard}
    writes = _tables({a: assets[a] for a in heard}, models=Models(settings), store=store)
    quarantine = {a: [problems[a]] if a in problems else [] for a in asset_ids}
    if asset_ids:
        store.commit(run, {**writes, QUARANTINE: quarantine})
    return Summary(tuple(heard), tuple(problems.values()), pooled(outcome.spent for outcome in by_id.values()))


def _problem(asset: Asset, outcome: Heard | None, died: str) -> Quarantined:
    if outcome and outcome.problem:
        return outcome.problem
    detail = f"its task died ({died or 'no reason was left'}); run featurize_media with this asset alone"
    return Quarantined(asset.source, "task-failed", detail, stage="featurize", title=asset.title)


def _tables(assets: dict[str, Asset], *, models: Models, store: Store) -> Writes:
    """Rows of all hearing tables, read back from the cache that the tasks filled."""
    hearings: dict[str, Hearing] = {}
    levels: dict[str, list[LevelTrack]] = {}
    vectors: dict[str, list[Vector]] = {}
    seen: dict[Table[Any], dict[str, Sequence[Any]]] = {}
    for asset_id, asset in assets.items():
        with Recording(asset, store=store, settings=models.settings, models=models) as recording:
            hearings[asset_id] = recording.hearing
            levels[asset_id] = [LevelTrack(LEVEL_HOP_S, tuple(recording.levels.tolist()))]
            vectors[asset_id] = list(recording.sentence_vectors)
            if asset.kind == "video":
                viewing = Viewing(recording)
                vectors[asset_id] += viewing.vector_rows
                for table, rows in _seen(viewing).items():
                    seen.setdefault(table, {})[asset_id] = rows
    return {
        **seen,
        PROFILES: {a: [h.profile] for a, h in hearings.items()},
        WORDS: {a: h.words for a, h in hearings.items()},
        SENTENCES: {a: h.sentences for a, h in hearings.items()},
        TURNS: {a: h.turns for a, h in hearings.items()},
        SOUNDS: {a: h.sounds for a, h in hearings.items()},
        TOPICS: {a: h.topics for a, h in hearings.items()},
        ADS: {a: h.ads for a, h in hearings.items()},
        SPOILERS: {a: h.spoilers for a, h in hearings.items()},
        LEVELS: levels,
        VECTORS: vectors,
    }


def _seen(viewing: Viewing) -> dict[Table[Any], Sequence[Any]]:
    """Rows of all tables about what is seen in a film, those of installed extractors included."""
    extractors = [extractor for extractor in viewing.models.extractors if extractor.row]
    return {
        FILMS: [viewing.profile],
        SHOTS: viewing.shots,
        SCENES: viewing.scenes,
        TAGS: viewing.tags,
        **{layer_table(extractor): viewing.findings(extractor).rows for extractor in extractors},
    }


def describe(summary: Summary, media_hours: float) -> str:
    """A few lines for the terminal: what was heard, what took the time, and what could not be heard."""
    spent = total(summary.spent).wall_s
    share = f"{spent / (36 * media_hours):.1f} % of real time" if media_hours else "nothing to do"
    lines = [f"heard {len(summary.heard)} assets, {media_hours:.2f} h of media, in {spent:.0f} s ({share})"]
    told = [(name, one.wall_s) for name, one in summary.spent.items() if one.wall_s >= LEAST_TOLD_S]
    lines += [f"  {name:<14} {seconds:7.1f} s" for name, seconds in sorted(told, key=lambda item: -item[1])]
    lines += [f"quarantined: {p.title}: {p.detail}" for p in summary.problems]
    return "\n".join(lines)
