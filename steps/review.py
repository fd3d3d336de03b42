"""Judging previews that are published: each verdict is kept, teaches, and changes at once what others see.

Everything that a verdict changes is one commit: its row, the golden clips that it teaches, and the preview.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise

from featurization.media import Segment
from ranking.gates import refuse_asset
from steps.choose import CANDIDATES
from steps.clips import clip_between, judge_clips
from steps.episodes import Episode, read_episodes
from steps.feed_copies.publish_copies import write_feed_copies
from steps.feedback import GOLDEN_CLIPS, FeedbackError, row_key
from steps.placing import announce, put_in_place, put_left_in_place
from steps.previews import PREVIEWS, Preview
from steps.publish import Publisher
from steps.rankers import current_ranker
from steps.settings import Settings
from steps.spending import Meter
from steps.standing_verdicts import run_of, withdrawn
from steps.store import Store, Writes
from steps.tables import ASSETS, only
from steps.verdicts import REVIEWS, Decision, Reason, Review, reviewed, standing_reviews, taught

_UNSEEN = "the preview was changed since you opened it; reload the page"
Told = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of the preview of an asset, as they heard it."""

    asset_id: str
    recipe: str  # of the preview that was heard
    who: str
    reason: Reason = ""
    note: str = ""
    id: str = ""  # whoever got no answer says the same again, and it is kept once; empty makes one


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Which verdict somebody takes back."""

    asset_id: str
    review: str
    who: str
    id: str = ""


def approve(said: Said, *, store: Store) -> Review:
    """Keep that a preview is good as it is. FeedbackError if it is no longer the one that is published."""
    if known := _kept(said, store):
        return known
    shown = _shown(said.asset_id, said.recipe, store)
    review = _review("approved", said, shown.moments)
    _commit(review, said.asset_id, store, lambda: _unchanged(said, store))
    return review


def reject(said: Said, *, settings: Settings, store: Store) -> Review:
    """Take a preview out of publication, and keep why. FeedbackError if it is no longer the one that is published."""
    if known := _kept(said, store):
        return known
    shown = _shown(said.asset_id, said.recipe, store)
    review = replace(_review("rejected", said, shown.moments), before=shown)

    def changes() -> Writes:
        _unchanged(said, store)
        return {PREVIEWS: {said.asset_id: [withdrawn(shown, review)]}}

    _publish(review, said.asset_id, changes, settings=settings, store=store)
    return review


def adjust(said: Said, moments: Sequence[Segment], *, settings: Settings, store: Store, told: Told) -> Review:
    """Publish an asset's preview with other edges, cut and mastered anew; `told` hears the share that is done.

    FeedbackError if a gate is closed for these edges, or if the preview is no longer the one that was heard.
    """
    if known := _kept(said, store):
        return known
    shown = _shown(said.asset_id, said.recipe, store)
    wanted = tuple(Segment(round(moment.start, 3), round(moment.end, 3)) for moment in sorted(moments))
    (episode,) = read_episodes([said.asset_id], store=store)
    if closed := closed_gates(episode, wanted, settings=settings):
        raise FeedbackError(f"these edges cannot be published: {'; '.join(closed)}; move them")
    told(0.1)
    review = replace(_review("adjusted", said, wanted), before=shown)
    reviews = reviewed([*store.read(REVIEWS, [said.asset_id]).get(said.asset_id, ()), review])
    length_s = sum(moment.duration for moment in shown.moments)
    publisher = Publisher(store, settings, current_ranker(store, settings), length_s, run_of(review))
    preview, candidates = publisher.decide(episode, None, reviews, Meter(store.files))
    told(0.8)

    def changes() -> Writes:
        _unchanged(said, store)
        return {PREVIEWS: {said.asset_id: [preview]}, CANDIDATES: {said.asset_id: candidates}}

    _publish(review, said.asset_id, changes, settings=settings, store=store)
    return review


def take_back(said: TakenBack, *, settings: Settings, store: Store) -> Review:
    """Undo a verdict: it teaches no more, and what it took out of publication is back.

    FeedbackError if there is none of this id, or if the preview was decided anew since.
    """
    if known := _kept(said, store):
        return known
    asset_id = said.asset_id
    standing = standing_reviews(store.read(REVIEWS, [asset_id]).get(asset_id, ()))
    taken = next((review for review in standing if review.id == said.review), None)
    if taken is None:
        raise FeedbackError("this verdict does not stand any more, so there is nothing to undo")
    back = replace(taken, id=said.id or _new_id(), who=said.who, when=_now(), before=None, withdraws=taken.id)
    if taken.before is None:
        _commit(back, asset_id, store, dict)
        return back
    before = taken.before

    def changes() -> Writes:
        current = _preview(asset_id, store)
        if current is None or current.run != run_of(taken):
            raise FeedbackError("the preview was decided anew since, so this verdict cannot be undone")
        return {PREVIEWS: {asset_id: [before]}}

    _publish(back, asset_id, changes, settings=settings, store=store)
    return back


def closed_gates(episode: Episode, moments: Sequence[Segment], *, settings: Settings) -> list[str]:
    """Why an episode cannot be previewed by these moments, a line each; nothing if it can."""
    limits, end_s = settings.golden, episode.asset.duration_s
    if not moments or any(one.end > other.start for one, other in pairwise(moments)):
        return ["the moments overlap"]
    if moments[-1].end > end_s:
        return [f"they end at {moments[-1].end:.1f} s, and the episode at {end_s:.1f} s"]
    if wrong := [one for one in moments if not limits.min_s <= one.duration <= limits.max_s]:
        return [f"{wrong[0].duration:.1f} s is not from {limits.min_s:g} to {limits.max_s:g} s"]
    refusals = refuse_asset(episode.asset, episode.hearing, today=date.today(), options=settings.gates)
    verdicts = judge_clips([clip_between(moment, episode) for moment in moments], episode, settings)
    closed = [*refusals, *(exclusion for verdict in verdicts for exclusion in verdict.exclusions)]
    return [f"{one.gate}: {one.reason}" for one in closed]


def _preview(asset_id: str, store: Store) -> Preview | None:
    return only(store.read(PREVIEWS, [asset_id]).get(asset_id, ()))


def _shown(asset_id: str, recipe: str, store: Store) -> Preview:
    """The preview that was heard. FeedbackError if another one is published meanwhile, or none."""
    current = _preview(asset_id, store)
    if current is None or current.status != "published" or current.recipe != recipe:
        raise FeedbackError(_UNSEEN)
    return current


def _kept(said: Said | TakenBack, store: Store) -> Review | None:
    """What was said, if it is kept already; whoever kept it may have been killed before its files were in place."""
    rows = store.read(REVIEWS, [said.asset_id]).get(said.asset_id, ())
    known = next((row for row in rows if row.id == said.id), None)
    if known:
        put_left_in_place(store)
    return known


def _unchanged(said: Said, store: Store) -> Writes:
    _shown(said.asset_id, said.recipe, store)
    return {}


def _review(decision: Decision, said: Said, moments: tuple[Segment, ...]) -> Review:
    return Review(said.id or _new_id(), said.who, _now(), decision, moments, said.recipe, said.reason, said.note)


def _publish(review: Review, asset_id: str, changes: Callable[[], Writes], *, settings: Settings, store: Store) -> None:
    """Commit a review with what it changes, and let the preview's files and its feed's copy follow."""
    announce([asset_id], run=run_of(review), store=store)
    _commit(review, asset_id, store, changes)
    put_in_place([asset_id], run=run_of(review), store=store)
    if feed := store.read(ASSETS, [asset_id])[asset_id][0].feed:
        write_feed_copies(settings=settings, store=store, feed=feed)


def _commit(review: Review, asset_id: str, store: Store, changes: Callable[[], Writes]) -> None:
    """One commit, whose parts are looked at again if somebody else commits first."""

    def parts() -> Writes:
        said = store.read(REVIEWS, [asset_id]).get(asset_id, ())
        if any(row.id == review.id for row in said):
            return {}
        clips = {row_key(clip): [clip] for clip in taught(review, asset_id)}
        return {REVIEWS: {asset_id: [*said, review]}, GOLDEN_CLIPS: clips, **changes()}

    store.commit_parts(run_of(review), lambda: iter([parts()]))


def _new_id() -> str:
    return secrets.token_hex(8)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
