"""Hear a chunk of assets, and commit what was heard of all chunks at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, Literal

from featurization.media import Asset, LevelTrack, Quarantined
from steps.admission import Bounds, admitted
from steps.cache import USED
from steps.chunks import Waiting, chosen, media_hours, plan_chunks, waiting
from steps.costs import Effort
from steps.extracted import layer_table
from steps.index import check_index
from steps.logs import about
from steps.marking import mark_shows
from steps.models import Models
from steps.people import know_people
from steps.progress import Load, Progress, Show, announce, load, show_nobody
from steps.quarantine import quarantined, quarantined_ids, set_aside, task_failed
from steps.recording import LEVEL_HOP_S, Recording
from steps.savings import Savings, saved
from steps.settings import Settings
from steps.spending import NOTHING, Spent, peak_mb, pooled, total
from steps.staging import Rows, Staging, Work, gathered, staged_parts, work_through
from steps.store import Store
from steps.tables import (
    ADS,
    ASSETS,
    FILMS,
    FINGERPRINTS,
    LEVELS,
    PROFILES,
    SCENES,
    SENTENCES,
    SHOT_FEATURES,
    SHOTS,
    SOUNDS,
    SPOILERS,
    TAGS,
    TOPICS,
    TURNS,
    VECTORS,
    VOICES,
    WORDS,
    Table,
)
from steps.tagging import catch_up
from steps.traces import span
from steps.viewing import Viewing

log = logging.getLogger(__name__)
Outcome = Literal["complete", "partial"]
LEAST_TOLD_S = 0.05  # what took less is not worth a line


@dataclass(frozen=True)
class Heard:
    """What became of one asset in a task."""

    asset_id: str
    staged_by: str  # "FLOW/ID" of the run whose task it was; of a resumed run, that may be the one before
    problem: Quarantined | None = None
    spent: dict[str, Spent] = field(default_factory=dict)  # by extractor
    savings: Savings = field(default_factory=Savings)
    peak_mb: float = 0.0  # that its task held until then


@dataclass(frozen=True)
class Summary:
    """What a whole run heard."""

    heard: tuple[str, ...]
    problems: tuple[Quarantined, ...]
    spent: dict[str, Spent]  # by extractor
    savings: Savings = field(default_factory=Savings)
    first: Spent = NOTHING  # on what was heard for the first time
    peak_mb: float = 0.0  # of the task that held most

    @property
    def outcome(self) -> Outcome:
        return "partial" if self.problems else "complete"

    @property
    def effort(self) -> Effort:
        """What was done, as the costs of a run are made of it."""
        return Effort(len(self.heard), self.savings.media_s, self.spent, self.savings, self.first, self.peak_mb)


HEARD = Table("heard", Heard)
_TABLES = (
    PROFILES,
    WORDS,
    SENTENCES,
    TURNS,
    VOICES,
    SOUNDS,
    TOPICS,
    ADS,
    SPOILERS,
    LEVELS,
    FINGERPRINTS,
    VECTORS,
    FILMS,
    SHOTS,
    SCENES,
    SHOT_FEATURES,
    TAGS,
    USED,
)


def choose_assets(which: str, *, store: Store) -> list[Waiting]:
    """`new` (without features, and not set aside), `all`, or ids with commas between. ConfigError if one is unknown."""
    refusal = ("no asset", f"in {store.url}; `rushes assets` lists them")
    failed = quarantined_ids(store, "featurize")
    return chosen(which, waiting(store), done=store.asset_ids(PROFILES), failed=failed, refusal=refusal)


@dataclass(frozen=True)
class Plan:
    """What a run hears, and what it leaves to the next."""

    chunks: tuple[tuple[str, ...], ...]  # asset ids by task
    media_hours: float
    left: int = 0  # assets that are new and wait for a run with room for them
    left_hours: float = 0.0


def plan_run(which: str, bounds: Bounds, *, run: str, settings: Settings, store: Store) -> Plan:
    """Choose the assets of a run and share them out. Everything is looked at first that would stop the run later."""
    Models(settings).check()
    check_index(store)
    admission = admitted(choose_assets(which, store=store), bounds, settings=settings, store=store)
    chunks = plan_chunks(admission.assets, settings.fanout)
    loads = {asset.asset_id: load(asset, settings.fanout) for asset in admission.assets}
    announce(store, run, [{asset_id: loads[asset_id] for asset_id in chunk} for chunk in chunks])
    return Plan(tuple(map(tuple, chunks)), media_hours(admission.assets), admission.left, admission.left_hours)


def hear_chunk(
    asset_ids: Sequence[str], *, chunk: int, run: str, settings: Settings, store: Store, show: Show = show_nobody
) -> list[Heard]:
    """Compute and stage every feature of a chunk of assets; a bad asset does not stop the others.

    `show` is called now and then with how far the whole run is, if this is the first chunk.
    """
    models, assets, begun = Models(settings), store.read(ASSETS, asset_ids), count(1)
    planned = {a: _load(asset, settings) for a, (asset,) in assets.items()}
    progress = Progress(store, run, chunk, planned, show=show)

    def hear(asset_id: str) -> tuple[Heard, Rows]:
        (asset,) = assets[asset_id]
        place = f"{next(begun)} of {len(asset_ids)}"
        with progress.of(asset_id), about(asset_id), span("hear", asset=asset_id, media_s=asset.duration_s):
            log.info("%s: hearing %s, %.1f min", place, asset.title, asset.duration_s / 60)
            return _hear(asset, run=run, models=models, store=store)

    def lost(asset_id: str) -> Heard:
        (asset,) = assets[asset_id]
        return Heard(asset_id, run, set_aside(source=asset.source, title=asset.title, stage="featurize"))

    with progress:
        return work_through(asset_ids, Work(hear, lost), Staging(store, run, HEARD))


def _load(asset: Asset, settings: Settings) -> Load:
    return load(Waiting(asset.asset_id, asset.duration_s, asset.kind), settings.fanout)


def _hear(asset: Asset, *, run: str, models: Models, store: Store) -> tuple[Heard, Rows]:
    with Recording(asset, store=store, settings=models.settings, models=models) as recording:
        try:
            rows = {**_rows(recording), USED: [recording.cache.used]}
        except Exception as error:  # whatever it is, the other assets go on
            problem = quarantined(error, source=asset.source, title=asset.title, stage="featurize")
            return Heard(asset.asset_id, run, problem), {}
        cache = recording.cache
        return Heard(asset.asset_id, run, None, cache.meter.spent, recording.savings, peak_mb()), rows


def _rows(recording: Recording) -> Rows:
    """Everything that is heard of an asset, and seen if it is a film, as rows of tables."""
    hearing = recording.hearing
    heard: Rows = {
        PROFILES: [hearing.profile],
        WORDS: hearing.words,
        SENTENCES: hearing.sentences,
        TURNS: hearing.turns,
        VOICES: recording.voices,
        SOUNDS: hearing.sounds,
        TOPICS: hearing.topics,
        ADS: hearing.ads,
        SPOILERS: hearing.spoilers,
        LEVELS: [LevelTrack(LEVEL_HOP_S, tuple(recording.levels.tolist()))],
        FINGERPRINTS: [recording.fingerprint],
        VECTORS: list(recording.sentence_vectors),
    }
    if recording.asset.kind != "video":
        return heard
    viewing = Viewing(recording)
    both: Rows = {
        FINGERPRINTS: [*heard[FINGERPRINTS], viewing.fingerprint],
        VECTORS: [*heard[VECTORS], *viewing.vector_rows],
    }
    return {**heard, **_seen(viewing), **both}


def _seen(viewing: Viewing) -> Rows:
    """Rows of all tables about what is seen in a film, those of installed extractors included."""
    layers = {layer_table(e): viewing.findings(e).rows for e in viewing.models.extractors if e.row}
    seen: Rows = {
        FILMS: [viewing.profile],
        SHOTS: viewing.shots,
        SCENES: viewing.scenes,
        SHOT_FEATURES: viewing.feature_rows,
        TAGS: viewing.tags,
    }
    return {**seen, **layers}


def commit_hearings(
    plan: Plan, outcomes: Iterable[Heard], *, died: str, run: str, settings: Settings, store: Store
) -> Summary:
    """Commit the staged features of all assets at once, with never more than a bucket of them in memory.

    So are what they repeat of other episodes, who speaks in them, and the tags of heads that changed meanwhile.

    What a task had done before it died counts; an asset that it did not come to is quarantined and keeps the features
    it had. `died` says what tasks died of.
    """
    staging = Staging(store, run, HEARD)
    fate = gathered(sorted(chain.from_iterable(plan.chunks)), outcomes, staging)
    heard = [a for a, outcome in fate.items() if outcome and not outcome.problem]
    failed = store.read(ASSETS, sorted(fate.keys() - set(heard)))
    problems = {a: _problem(rows[0], fate[a], died) for a, rows in failed.items()}
    tables: list[Table[Any]] = [*_TABLES, *(layer_table(e) for e in Models(settings).extractors if e.row)]
    if fate:
        store.commit_parts(
            run,
            lambda: staged_parts(fate, tables, problems=problems, staging=staging),
            then=(
                lambda state: mark_shows(heard, settings=settings, store=state),
                lambda state: know_people(heard, store=state),
                lambda state: catch_up(heard, settings=settings, store=state),
            ),
        )
    told = [outcome for outcome in fate.values() if outcome]
    spent, savings = pooled(outcome.spent for outcome in told), saved(outcome.savings for outcome in told)
    first = total(pooled(outcome.spent for outcome in told if outcome.savings.first_s))
    peak = max((outcome.peak_mb for outcome in told), default=0.0)
    return Summary(tuple(heard), tuple(problems.values()), spent, savings, first, peak)


def _problem(asset: Asset, outcome: Heard | None, died: str) -> Quarantined:
    if outcome and outcome.problem:
        return outcome.problem
    return task_failed(source=asset.source, title=asset.title, stage="featurize", died=died)


def describe(summary: Summary, plan: Plan) -> str:
    """A few lines for the terminal: what was heard, what took the time, what could not be heard, and what waits."""
    spent = total(summary.spent).wall_s
    share = f"{spent / (36 * plan.media_hours):.1f} % of real time" if plan.media_hours else "nothing to do"
    lines = [f"heard {len(summary.heard)} assets, {plan.media_hours:.2f} h of media, in {spent:.0f} s ({share})"]
    told = [(name, one.wall_s) for name, one in summary.spent.items() if one.wall_s >= LEAST_TOLD_S]
    lines += [f"  {name:<14} {seconds:7.1f} s" for name, seconds in sorted(told, key=lambda item: -item[1])]
    lines += [f"quarantined: {p.title}: {p.detail}" for p in summary.problems]
    if plan.left:
        lines.append(f"{plan.left} new assets ({plan.left_hours:.1f} h) wait for the next run: the bounds left no room")
    return "\n".join(lines)
