"""Teach a label: judgements become a head, the head becomes tags of every shot, and one click takes them back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.examples import Examples, Statistics, statistics_of
from annotation.heads import taught
from eval.detection_metrics import judge_flags
from eval.tag_metrics import DECIDED, TagRows, judge_tags
from featurization.errors import AnnotationError
from featurization.image_tags import VOCABULARY, load_vocabulary, zero_shot_tags
from featurization.media import Tag
from featurization.vision import ImageEncoder
from steps.feedback import Label, LabelDefinition
from steps.heads import (
    Change,
    KeptHead,
    Quality,
    before,
    commit_heads,
    head_in_use,
    put_in_use,
    retagged,
    tags_of,
)
from steps.labels import same_name, texts_of, verdicts
from steps.settings import Settings
from steps.shot_matrix import ALL_AGAIN, ShotMatrix
from steps.store import Store

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_TAG_RUN = "TrainTagger"


@dataclass(frozen=True, eq=False)
class Judged:
    """The shots that were judged for one label: rows of the matrix, and whether they show it."""

    rows: NDArray[np.int64]
    holds: Flags
    titles: tuple[str, ...]  # asset ids
    lost: int = 0  # judgements of stretches in which there is no shot now

    @property
    def positives(self) -> int:
        return int(self.holds.sum())

    @property
    def negatives(self) -> int:
        return int((~self.holds).sum())


def judged_shots(labels: Sequence[Label], shots: ShotMatrix) -> Judged:
    """What was judged of the shots as they are cut now; of two words on one shot the newer counts."""
    found: dict[int, bool] = {}
    lost = 0
    for label in verdicts(labels).newest:
        row = shots.row_at(label)
        lost += row is None
        if row is not None:
            found[row] = label.holds
    rows = np.array(sorted(found), dtype=np.int64)
    holds = np.array([found[int(row)] for row in rows], dtype=bool)
    return Judged(rows, holds, tuple(shots.asset_ids[row] for row in rows), lost)


@dataclass(frozen=True, eq=False)
class Trained:
    """A head that was just trained, with what it says of every shot."""

    head: KeptHead
    probabilities: Floats  # (shot,)
    held: Floats  # of the judged shots, by heads that did not see them; nan where there is none


class Bench:
    """All shots of one state of the store, with what does not depend on the label, read once for many."""

    def __init__(self, shots: ShotMatrix, settings: Settings, encoder: Callable[[], ImageEncoder]) -> None:
        """`encoder` loads what reads words, when a label's words are first looked for."""
        self.shots, self.settings, self._encoder = shots, settings, encoder
        self.options = settings.heads
        self._likeness: dict[tuple[str, ...], Floats] = {}

    @property
    def encoder(self) -> ImageEncoder:
        return self._encoder()

    @cached_property
    def statistics(self) -> Statistics:
        if not len(self.shots):
            waiting = f"; {self.shots.left_out} shots lack what heads read: {ALL_AGAIN}" if self.shots.left_out else ""
            raise AnnotationError(f"there are no shots to learn from{waiting or '; ingest and featurize a film first'}")
        return statistics_of(self.shots.features, self.options)

    def likeness(self, texts: tuple[str, ...]) -> Floats:
        """How much each shot is like the words, (shot,)."""
        if texts not in self._likeness:
            self._likeness[texts] = self.shots.likeness(texts, self.encoder)
        return self._likeness[texts]

    def examples(self, rows: NDArray[np.int64], holds: Flags, texts: tuple[str, ...]) -> Examples:
        """Judged shots, by row, as heads are taught on them."""
        likeness, titles = self.likeness(texts), [self.shots.asset_ids[row] for row in rows]
        around = likeness[self.statistics.rows]
        return Examples(self.shots.features[rows], likeness[rows], holds, titles, around)

    def train(self, definition: LabelDefinition, labels: Sequence[Label], *, who: str) -> Trained:
        """Train the head of a label, and score every shot. AnnotationError if nothing shows it."""
        judged, texts = judged_shots(labels, self.shots), texts_of(definition)
        likeness = self.likeness(texts)
        head, held = taught(self.examples(judged.rows, judged.holds, texts), self.statistics, self.options)
        document = json.dumps(head.as_dict())
        kept = KeptHead(
            label=definition.name,
            version=hashlib.sha256(repr((document, texts, self.shots.space)).encode()).hexdigest()[:12],
            space=self.shots.space,
            feature_space=self.shots.feature_space,
            texts=texts,
            document=document,
            positives=judged.positives,
            negatives=judged.negatives,
            quality=_quality(held.probabilities, held.by, likeness[judged.rows], judged),
            who=who,
            when=now(),
        )
        return Trained(kept, head.probabilities(self.shots.features, likeness), held.probabilities)

    def scores(self, head: KeptHead) -> Floats:
        """What a kept head says of every shot, (shot,). AnnotationError if it was trained in another space."""
        if not head.fits(self.shots.space, self.shots.feature_space):
            raise AnnotationError(
                f"the head {head.version} of {head.label!r} was trained in another space ({head.feature_space}) than "
                f"the shots are in now ({self.shots.feature_space}); build it again: all judgements are kept"
            )
        return head.head.probabilities(self.shots.features, self.likeness(head.texts))

    def tags(self, head: KeptHead) -> dict[str, list[Tag]]:
        """The tags that a head gives, by asset id."""
        sure, found = self.scores(head), dict[str, list[Tag]]()
        for asset_id, rows in self.shots.bounds.items():
            spans = self.shots.shots[rows]
            if tags := tags_of(head, spans, sure[rows], at_least=self.settings.annotate.min_confidence):
                found[asset_id] = tags
        return found

    def tags_by_words(self, name: str) -> dict[str, list[Tag]]:
        """The tags that a label has without a head: those of the vocabulary's words, by asset id."""
        options = self.settings.tags
        vocabulary = load_vocabulary(Path(options.vocabulary or VOCABULARY))
        if same_name(name) not in {same_name(label) for label, _ in vocabulary.labels}:
            return {}
        found = dict[str, list[Tag]]()
        for asset_id, rows in self.shots.bounds.items():
            spans, vectors = self.shots.shots[rows], self.shots.vectors[rows]
            tags = zero_shot_tags(spans, vectors, self.encoder, options, vocabulary=vocabulary)
            if own := [tag for tag in tags if same_name(tag.label) == same_name(name)]:
                found[asset_id] = own
        return found


def _quality(held: Floats, by: str, likeness: Floats, judged: Judged) -> Quality:
    """Figures of probabilities that were held out. Without both kinds of judgement nothing can be said."""
    seen = np.isfinite(held)
    holds, titles = judged.holds[seen], [t for t, kept in zip(judged.titles, seen, strict=True) if kept]
    if not (holds.any() and (~holds).any()):
        return Quality(by, len(set(titles)))
    found = judge_tags(TagRows(("",) * len(holds), tuple(titles), held[seen], holds)).average_precision
    words = judge_tags(TagRows(("",) * len(holds), tuple(titles), likeness[seen], holds)).average_precision
    counts = judge_flags(holds, held[seen] >= DECIDED)
    return Quality(
        by,
        len(set(titles)),
        average_precision=found.mean if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        by_words=words.mean if words else None,
        balanced_accuracy=(counts.recall + counts.true_negatives / int((~holds).sum())) / 2,
    )


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a change of the head in use did."""

    label: str
    version: str  # in use now; "" if words alone tag again
    tags: int


def deploy(head: KeptHead, *, instead_of: str, bench: Bench, store: Store) -> Deployed:
    """Tag all shots with a kept head, at once. `instead_of` is the version that is thought to be in use.

    AnnotationError if somebody changed it meanwhile.
    """
    tags = bench.tags(head)

    def plan(heads: tuple[KeptHead, ...]) -> Change:
        _same(head_in_use(heads), instead_of)
        return Change(put_in_use(heads, head, now=now()), tags)

    count = commit_heads(f"{_TAG_RUN}/{head.source}", {head.label: plan}, store=store)
    return Deployed(head.label, head.version, count)


def roll_back(name: str, *, instead_of: str, bench: Bench, store: Store) -> Deployed:
    """Put the head that was in use before in use again; if there was none, the tags of words alone come back."""
    version = ""

    def plan(heads: tuple[KeptHead, ...]) -> Change:
        nonlocal version
        current = head_in_use(heads)
        _same(current, instead_of)
        if current is None:
            raise AnnotationError(f"no head of {name!r} is in use, so there is nothing to roll back")
        past = before(heads)
        stopped = tuple(replace(h, in_use=False, deployed="") if h.in_use else h for h in heads)
        version = past.version if past else ""
        if past is None:
            return Change(stopped, bench.tags_by_words(name))
        back = tuple(replace(h, in_use=True) if h.version == past.version else h for h in stopped)
        return Change(back, bench.tags(past))

    count = commit_heads(f"{_TAG_RUN}/rollback of {name}", {name: plan}, store=store)
    return Deployed(name, version, count)


def _same(current: KeptHead | None, thought: str) -> None:
    version = current.version if current else ""
    if version != thought:
        who = f"{current.who} put version {version} in use" if current else "somebody took the head out of use"
        raise AnnotationError(f"{who} meanwhile; look at it and decide again")


def with_head_tags(
    tags: Mapping[str, Sequence[Tag]], heads: Sequence[KeptHead], bench: Bench
) -> dict[str, tuple[Tag, ...]]:
    """Tags of assets, by id, where heads say what their labels are; heads of another space change nothing."""
    fitting = [head for head in heads if head.fits(bench.shots.space, bench.shots.feature_space)]
    given = [bench.tags(head) for head in fitting]
    names = [head.label for head in fitting]
    return {
        asset_id: retagged(own, [tag for by_asset in given for tag in by_asset.get(asset_id, ())], names)
        for asset_id, own in tags.items()
    }


def now() -> str:
    """This moment, as tables write it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
