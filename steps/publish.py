"""Publish previews: choose, cut, master, tag, caption and draw; commit all at once; then put the files in place.

A preview whose recipe (choice, options, names, code) did not change keeps its files and the run that made them, so
publishing twice changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from featurization.media import Asset, Quarantined, Segment
from ranking.ranker import Ranker
from ranking.select import Choice, NoChoice
from steps.choose import CANDIDATES, ScoredCandidate, choose_preview
from steps.chunks import Waiting, chosen, plan_chunks, waiting
from steps.costs import Effort
from steps.episodes import Episode, read_episodes
from steps.logs import about
from steps.people import Known, known_people, with_names
from steps.placing import announce, put_in_place, put_left_in_place
from steps.previews import PREVIEWS, GateCount, Preview, RunnerUp
from steps.quarantine import quarantined, quarantined_ids, set_aside, task_failed
from steps.rankers import current_ranker
from steps.rendering.preview_files import make_preview
from steps.settings import Settings
from steps.spending import Meter, Spent, peak_mb, pooled
from steps.staging import Rows, Staging, Work, gathered, staged_parts, work_through
from steps.store import Store
from steps.tables import ASSETS, PROFILES, Table, only
from steps.traces import span
from steps.verdicts import REVIEWS, Reviewed, reviewed
from steps.version import VERSION

log = logging.getLogger(__name__)
Outcome = Literal["complete", "partial"]
SOUND_S, FILM_S = 3.0, 15.0  # what publishing takes about, before the length of the asset counts
TOLD = 20  # previews named in the terminal
RENDERER_VERSION = "2"  # raised when the same choice would be rendered differently


@dataclass(frozen=True)
class Published:
    """What became of one asset in a task."""

    asset_id: str
    staged_by: str  # "FLOW/ID" of the run whose task it was; of a resumed run, that may be the one before
    status: Literal["published", "refused", "failed"]
    problem: Quarantined | None = None
    spent: dict[str, Spent] = field(default_factory=dict)  # on cutting, mastering and encoding
    media_s: float = 0.0
    peak_mb: float = 0.0  # that its task held until then


PUBLISHED = Table("published", Published)


@dataclass(frozen=True)
class Summary:
    """What a whole run published, refused and could not do."""

    published: tuple[str, ...]
    refused: tuple[str, ...]
    problems: tuple[Quarantined, ...]
    spent: dict[str, Spent] = field(default_factory=dict)  # by kind of work
    media_s: float = 0.0  # of the assets that were decided
    peak_mb: float = 0.0  # of the task that held most

    @property
    def effort(self) -> Effort:
        """What was done, as the costs of a run are made of it."""
        decided = len(self.published) + len(self.refused)
        return Effort(decided, self.media_s, self.spent, peak_mb=self.peak_mb)

    @property
    def outcome(self) -> Outcome:
        return "partial" if self.problems else "complete"


def choose_assets(which: str, *, store: Store) -> list[Waiting]:
    """Heard assets: `new` (never published or refused), `all`, or ids with commas between. ConfigError if unknown."""
    heard = set(store.asset_ids(PROFILES))
    assets = {asset_id: asset for asset_id, asset in waiting(store).items() if asset_id in heard}
    refusal = ("no heard asset", f"in {store.url}; run featurize_media first")
    failed = quarantined_ids(store, "publish")
    return chosen(which, assets, done=store.asset_ids(PREVIEWS), failed=failed, refusal=refusal)


def work_s(asset: Waiting) -> float:
    """Seconds that publishing an asset takes about: finding its clips, and cutting one of them."""
    return (FILM_S if asset.kind == "video" else SOUND_S) + asset.duration_s / 3600


def plan_run(which: str, *, settings: Settings, store: Store) -> list[list[str]]:
    """Asset ids by task. Everything is looked at first that would stop the run later."""
    current_ranker(store, settings)
    return plan_chunks(choose_assets(which, store=store), settings.fanout, work_s=work_s)


def publish_chunk(
    asset_ids: Sequence[str], *, length_s: float, run: str, settings: Settings, store: Store
) -> list[Published]:
    """Choose and render the previews of a chunk of assets into the store's blobs; nothing is visible yet."""
    publisher = Publisher(store, settings, current_ranker(store, settings), length_s, run)
    return work_through(asset_ids, Work(publisher.publish, publisher.lost), Staging(store, run, PUBLISHED))


@dataclass(frozen=True)
class Publisher:
    """What all previews of a task share."""

    store: Store
    settings: Settings
    ranker: Ranker
    length_s: float
    run: str

    def publish(self, asset_id: str) -> tuple[Published, Rows]:
        """The preview of one asset with all its candidates, rendered unless it was made by the same recipe before."""
        with about(asset_id), span("publish", asset=asset_id):
            return self._publish(asset_id, Meter(self.store.files))

    def _publish(self, asset_id: str, meter: Meter) -> tuple[Published, Rows]:
        (episode,) = read_episodes([asset_id], store=self.store)
        known = only(self.store.read(PREVIEWS, [asset_id]).get(asset_id, ()))
        try:
            reviews = reviewed(self.store.read(REVIEWS, [asset_id]).get(asset_id, ()))
            preview, candidates = self.decide(episode, known, reviews, meter)
        except Exception as error:  # whatever it is, the other episodes go on
            asset = episode.asset
            problem = quarantined(error, source=asset.source, title=asset.title, stage="publish")
            return Published(asset_id, self.run, "failed", problem), {}
        rows: Rows = {PREVIEWS: [preview], CANDIDATES: candidates}
        media_s = episode.asset.duration_s
        return Published(asset_id, self.run, preview.status, None, meter.spent, media_s, peak_mb()), rows

    def lost(self, asset_id: str) -> Published:
        """What is said of an asset at which tasks died."""
        asset = self.store.read(ASSETS, [asset_id])[asset_id][0]
        problem = set_aside(source=asset.source, title=asset.title, stage="publish")
        return Published(asset_id, self.run, "failed", problem)

    def decide(
        self, episode: Episode, known: Preview | None, reviews: Reviewed, meter: Meter
    ) -> tuple[Preview, tuple[ScoredCandidate, ...]]:
        """The preview of an episode, rendered unless `known` is the same, and every candidate with its fate."""
        title, length_s = episode.asset.title, self.length_s
        with meter.timed("choose"):
            choice, candidates = choose_preview(
                episode, ranker=self.ranker, length_s=length_s, settings=self.settings, reviewed=reviews
            )
        people = known_people(episode.asset.asset_id, store=self.store)
        draft = self._draft(episode, choice, people)
        if known and known.recipe == draft.recipe:
            return known, candidates
        if isinstance(choice, NoChoice):
            log.info("%s: no preview: %s", title, choice.reason)
            return draft, candidates
        log.info("%s: cutting from %s", title, ", ".join(f"{m.start:.1f} s" for m in draft.moments))
        with meter.timed("render"):
            named = replace(episode, hearing=with_names(episode.hearing, people))
            return self._rendered(named, draft), candidates

    def _draft(self, episode: Episode, choice: Choice | NoChoice, people: Sequence[Known]) -> Preview:
        """All of the preview that is known before rendering."""
        draft = Preview(
            status="refused" if isinstance(choice, NoChoice) else "published",
            title=episode.asset.title,
            recipe="",
            run="",
            model=self.ranker.identity,
            code=f"rushes {VERSION}",
            gates=tuple(GateCount(g.gate, g.excluded, g.examples) for g in choice.gates),
            considered=choice.considered,
        )
        if isinstance(choice, NoChoice):
            draft = replace(draft, reason=choice.reason)
        else:
            draft = replace(draft, **_chosen(choice))
        names = [(known.speaker, known.name) for known in people]
        facts = (RENDERER_VERSION, draft, self.settings.render, episode.asset, episode.shots, names)
        return replace(draft, recipe=hashlib.sha256(repr(facts).encode()).hexdigest()[:16], run=self.run)

    def _rendered(self, episode: Episode, draft: Preview) -> Preview:
        asset, options = episode.asset, self.settings.render
        with tempfile.TemporaryDirectory(prefix="rushes-") as folder, self.store.local(asset.blob) as media:
            preview, made = make_preview(
                episode, draft, media, folder=Path(folder), options=options, cover=self._cover(asset)
            )
        files = {name: self.store.put_bytes(data, Path(name).suffix) for name, data in made.items()}
        return replace(preview, files=files)

    def _cover(self, asset: Asset) -> bytes:
        return self.store.files.read(asset.image_blob) if asset.image_blob else b""


def _chosen(choice: Choice) -> dict[str, Any]:
    best = choice.best
    return {
        "moments": tuple(Segment(round(m.candidate.start, 3), round(m.candidate.end, 3)) for m in choice.moments),
        "score": round(best.score, 6),
        "contributions": {c.feature: round(c.contribution, 6) for c in best.contributions if c.contribution},
        "text": " … ".join(moment.candidate.text for moment in choice.moments),
        "runners_up": tuple(
            RunnerUp(r.candidate.start, r.candidate.end, round(r.score, 6), r.candidate.text) for r in choice.runners_up
        ),
    }


def commit_previews(
    chunks: Sequence[Sequence[str]], outcomes: Iterable[Published], *, died: str, run: str, store: Store
) -> Summary:
    """Commit the staged previews of all assets at once, then put their files in place.

    An asset whose task died keeps the preview it had; `died` says what tasks died of.
    """
    staging = Staging(store, run, PUBLISHED)
    fate = gathered(sorted(chain.from_iterable(chunks)), outcomes, staging)
    problems = _problems(fate, died=died, store=store)
    by_status = {
        status: tuple(a for a, outcome in fate.items() if outcome and outcome.status == status)
        for status in ("published", "refused")
    }
    if fate:
        made = [a for ids in by_status.values() for a in ids]
        announce(made, run=run, store=store)
        tables = (PREVIEWS, CANDIDATES)
        store.commit_parts(run, lambda: staged_parts(fate, tables, problems=problems, staging=staging))
        put_in_place(made, run=run, store=store)
    put_left_in_place(store)
    return _summary(by_status, problems, [outcome for outcome in fate.values() if outcome])


def _summary(
    by_status: Mapping[str, tuple[str, ...]], problems: Mapping[str, Quarantined], told: Sequence[Published]
) -> Summary:
    spent, media_s = pooled(outcome.spent for outcome in told), sum(outcome.media_s for outcome in told)
    peak = max((outcome.peak_mb for outcome in told), default=0.0)
    return Summary(by_status["published"], by_status["refused"], tuple(problems.values()), spent, media_s, peak)


def _problems(fate: Mapping[str, Published | None], *, died: str, store: Store) -> dict[str, Quarantined]:
    failed = {a: outcome.problem for a, outcome in fate.items() if outcome and outcome.problem}
    lost = [a for a, outcome in fate.items() if outcome is None]
    for asset_id, (asset,) in store.read(ASSETS, lost).items():
        failed[asset_id] = task_failed(source=asset.source, title=asset.title, stage="publish", died=died)
    return failed


def describe(summary: Summary, *, store: Store) -> str:
    """A few lines for the terminal: where each preview is, and why the others have none."""
    lines = [f"published {len(summary.published)}, refused {len(summary.refused)}, failed {len(summary.problems)}"]
    told = [*summary.published, *summary.refused][:TOLD]
    for asset_id, (preview,) in sorted(store.read(PREVIEWS, told).items()):
        if preview.status == "published":
            lines.append(f"  {preview.title}: {store.url}/previews/{asset_id}/{preview.media}")
        else:
            lines.append(f"  {preview.title}: no preview: {preview.reason}")
    if more := len(summary.published) + len(summary.refused) - len(told):
        lines.append(f"  and {more} more: `rushes assets` lists them")
    return "\n".join(lines + [f"  {p.title}: failed: {p.detail}" for p in summary.problems])
