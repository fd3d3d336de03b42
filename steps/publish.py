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
from pathlib import Path
from typing import Any, Literal

from featurization.media import Asset, Quarantined, Segment
from ranking.ranker import Ranker
from ranking.select import Choice, NoChoice
from steps.choose import CANDIDATES, ScoredCandidate, choose_preview
from steps.chunks import chosen
from steps.episodes import Episode, read_episodes
from steps.previews import PREVIEWS, GateCount, Preview, RunnerUp
from steps.quarantine import quarantined
from steps.rankers import current_ranker
from steps.rendering.preview_files import make_preview
from steps.settings import Settings
from steps.spending import Meter, Spent, pooled
from steps.store import Store, Writes
from steps.tables import ASSETS, PROFILES, QUARANTINE, only
from steps.version import VERSION

log = logging.getLogger(__name__)
Outcome = Literal["complete", "partial"]
RENDERER_VERSION = "2"  # raised when the same choice would be rendered differently


@dataclass(frozen=True)
class Published:
    """What became of one asset in a task."""

    asset_id: str
    preview: Preview | None = None
    candidates: tuple[ScoredCandidate, ...] = ()
    problem: Quarantined | None = None
    spent: dict[str, Spent] = field(default_factory=dict)  # on cutting, mastering and encoding


@dataclass(frozen=True)
class Summary:
    """What a whole run published, refused and could not do."""

    published: tuple[str, ...]
    refused: tuple[str, ...]
    problems: tuple[Quarantined, ...]
    spent: dict[str, Spent] = field(default_factory=dict)  # by kind of work

    @property
    def outcome(self) -> Outcome:
        return "partial" if self.problems else "complete"


def choose_assets(which: str, *, store: Store) -> list[Asset]:
    """Heard assets: `new` (never published or refused), `all`, or ids with commas between. ConfigError if unknown."""
    heard = store.read(PROFILES)
    assets = {asset_id: rows[0] for asset_id, rows in store.read(ASSETS).items() if asset_id in heard}
    refusal = ("no heard asset", f"in {store.url}; run featurize_media first")
    return chosen(which, assets, done=store.read(PREVIEWS), refusal=refusal)


def publish_chunk(
    asset_ids: Sequence[str], *, length_s: float, run: str, settings: Settings, store: Store
) -> list[Published]:
    """Choose and render the previews of a chunk of assets into the store's blobs; nothing is visible yet."""
    publisher = Publisher(store, settings, current_ranker(store, settings), length_s, run)
    known = store.read(PREVIEWS, asset_ids)
    episodes = read_episodes(asset_ids, store=store)
    return [publisher.publish(episode, only(known.get(episode.asset.asset_id, ()))) for episode in episodes]


@dataclass(frozen=True)
class Publisher:
    """What all previews of a task share."""

    store: Store
    settings: Settings
    ranker: Ranker
    length_s: float
    run: str

    def publish(self, episode: Episode, known: Preview | None) -> Published:
        """The preview of one episode, rendered unless `known` was made by the same recipe."""
        asset = episode.asset
        try:
            return self._published(episode, known)
        except Exception as error:  # whatever it is, the other episodes go on
            problem = quarantined(error, source=asset.source, title=asset.title, stage="publish")
            return Published(asset.asset_id, problem=problem)

    def _published(self, episode: Episode, known: Preview | None) -> Published:
        asset_id, title = episode.asset.asset_id, episode.asset.title
        choice, candidates = choose_preview(episode, ranker=self.ranker, length_s=self.length_s, settings=self.settings)
        draft = self._draft(episode, choice)
        if known and known.recipe == draft.recipe:
            return Published(asset_id, known, candidates)
        if isinstance(choice, NoChoice):
            log.info("%s: no preview: %s", title, choice.reason)
            return Published(asset_id, draft, candidates)
        log.info("%s: cutting from %s", title, ", ".join(f"{m.start:.1f} s" for m in draft.moments))
        meter = Meter()
        with meter.timed("render"):
            preview = self._rendered(episode, draft)
        return Published(asset_id, preview, candidates, spent=meter.spent)

    def _draft(self, episode: Episode, choice: Choice | NoChoice) -> Preview:
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
        facts = (RENDERER_VERSION, draft, self.settings.render, episode.asset, episode.shots)
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
    """Commit the previews of all assets at once, then put their files in place.

    An asset whose task died keeps the preview it had; `died` says what tasks died of.
    """
    by_id = {outcome.asset_id: outcome for outcome in outcomes}
    asset_ids = sorted(asset_id for chunk in chunks for asset_id in chunk)
    made = {a: o.preview for a, o in by_id.items() if o.preview}
    problems = _problems(asset_ids, by_id, died=died, store=store)
    writes: Writes = {
        PREVIEWS: {a: [preview] for a, preview in made.items()},
        CANDIDATES: {a: by_id[a].candidates for a in made},
        QUARANTINE: {a: [problems[a]] if a in problems else [] for a in asset_ids},
    }
    if asset_ids:
        store.commit(run, writes)
    for asset_id, preview in made.items():
        _put_in_place(asset_id, preview, store)
    return Summary(
        published=tuple(a for a in asset_ids if a in made and made[a].status == "published"),
        refused=tuple(a for a in asset_ids if a in made and made[a].status == "refused"),
        problems=tuple(problems.values()),
        spent=pooled(outcome.spent for outcome in by_id.values()),
    )


def _problems(
    asset_ids: Iterable[str], by_id: Mapping[str, Published], *, died: str, store: Store
) -> dict[str, Quarantined]:
    failed = {a: o.problem for a, o in by_id.items() if o.problem}
    lost = [a for a in asset_ids if a not in by_id]
    detail = f"its task died ({died or 'no reason was left'}); run publish_previews with this asset alone"
    for asset_id, (asset,) in store.read(ASSETS, lost).items():
        failed[asset_id] = Quarantined(asset.source, "task-failed", detail, stage="publish", title=asset.title)
    return failed


def _put_in_place(asset_id: str, preview: Preview, store: Store) -> None:
    """Files under previews/ASSET_ID/: those of the preview and no others."""
    folder = f"previews/{asset_id}"
    for name in store.files.list(folder):
        if name not in preview.files:
            store.files.delete(f"{folder}/{name}")
    for name, key in preview.files.items():
        store.files.write(f"{folder}/{name}", store.files.read(key))


def restore_previews(store: Store) -> None:
    """Put the files under previews/ as the current snapshot has them, after a rollback changed which one that is."""
    previews = {asset_id: rows[0] for asset_id, rows in store.read(PREVIEWS).items()}
    for asset_id in store.files.list("previews"):
        if asset_id not in previews:
            store.files.delete(f"previews/{asset_id}")
    for asset_id, preview in previews.items():
        _put_in_place(asset_id, preview, store)


def describe(summary: Summary, *, store: Store) -> str:
    """A few lines for the terminal: where each preview is, and why the others have none."""
    lines = [f"published {len(summary.published)}, refused {len(summary.refused)}, failed {len(summary.problems)}"]
    for asset_id, (preview,) in sorted(store.read(PREVIEWS, [*summary.published, *summary.refused]).items()):
        if preview.status == "published":
            lines.append(f"  {preview.title}: {store.url}/previews/{asset_id}/{preview.media}")
        else:
            lines.append(f"  {preview.title}: no preview: {preview.reason}")
    return "\n".join(lines + [f"  {p.title}: failed: {p.detail}" for p in summary.problems])
