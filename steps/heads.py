"""Heads of labels in the store: every one that was kept, the one in use, and the tags that it gives.

Tags of a head stand in the table of tags like all others, with the head and its version as their source. A label with
a head in use has no other tags: what words alone said of it is replaced, and comes back when the head goes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from annotation.heads import Head
from featurization.errors import AnnotationError
from featurization.media import Segment, Tag
from steps.labels import label_key, same_name
from steps.store import Store, Writes
from steps.tables import TAGS, Table

log = logging.getLogger(__name__)
Floats = NDArray[np.float64]
MOST_KEPT = 50  # versions of one label


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of a head on shots that it did not see. A figure is None where nothing could show it."""

    held_out: str = "none"  # "title": whole titles; "shot": single shots, which flatters; "none"
    titles: int = 0
    average_precision: float | None = None
    low: float | None = None  # of its interval at 95 %
    high: float | None = None
    by_words: float | None = None  # average precision of the label's words alone, on the same shots
    balanced_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A trained head with where it came from."""

    label: str  # name
    version: str  # 12 hex digits of what it consists of
    space: str  # of the vectors that are compared with words
    feature_space: str
    texts: tuple[str, ...]
    document: str  # `annotation.heads.Head` as JSON
    positives: int
    negatives: int
    quality: Quality
    who: str
    when: str  # ISO 8601, UTC
    in_use: bool = False
    deployed: str = ""  # when it was last put in use; "" if it never was, or was rolled back

    @property
    def source(self) -> str:
        """What tags name as theirs."""
        return f"head {self.label}@{self.version}"

    @property
    def head(self) -> Head:
        """The head itself."""
        return Head.from_dict(json.loads(self.document))

    def fits(self, space: str, feature_space: str) -> bool:
        """Whether it was trained on vectors of these spaces."""
        return (self.space, self.feature_space) == (space, feature_space)


HEADS = Table("heads", KeptHead)  # by the key of the label


def heads_of(key: str, store: Store) -> tuple[KeptHead, ...]:
    """The heads of one label, the oldest first."""
    return store.read(HEADS, [key]).get(key, ())


def head_in_use(heads: Iterable[KeptHead]) -> KeptHead | None:
    """The one that tags."""
    return next((head for head in heads if head.in_use), None)


def heads_in_use(store: Store) -> list[KeptHead]:
    """The head in use of every label that has one, by name."""
    found = [head_in_use(heads) for heads in store.read(HEADS).values()]
    return sorted((head for head in found if head), key=lambda head: same_name(head.label))


def tags_of(head: KeptHead, spans: Sequence[Segment], sure: Floats, *, at_least: float) -> list[Tag]:
    """Tags of the spans that a head is sure enough of; `sure` (span,)."""
    rows = np.flatnonzero(sure >= at_least).tolist()
    return [Tag(spans[r].start, spans[r].end, head.label, round(float(sure[r]), 4), head.source) for r in rows]


def retagged(tags: Iterable[Tag], new: Iterable[Tag], names: Iterable[str]) -> tuple[Tag, ...]:
    """The tags of an asset, where those of some labels are replaced by new ones."""
    replaced = {same_name(name) for name in names}
    kept = [tag for tag in tags if same_name(tag.label) not in replaced]
    return tuple(sorted([*kept, *new], key=lambda tag: (tag.start, tag.label)))


@dataclass(frozen=True)
class Change:
    """What changes with one label: its heads, and the tags of every asset."""

    heads: tuple[KeptHead, ...]
    tags: Mapping[str, Sequence[Tag]] | None  # by asset id, the others have none; None leaves all as they are


Plan = Callable[[tuple[KeptHead, ...]], Change]  # from the label's heads as they are now


def commit_heads(run: str, plans: Mapping[str, Plan], *, store: Store) -> int:
    """Put changes of labels (by name) in force at once; returns how many tags they have now.

    Planned anew on top of whatever else was committed meanwhile, so that two people's changes both count.
    """
    counted = 0

    def parts() -> Iterable[Writes]:
        nonlocal counted
        keys = {name: label_key(name) for name in plans}
        now = store.read(HEADS, list(keys.values()))
        changes = {name: plan(now.get(keys[name], ())) for name, plan in plans.items()}
        counted = sum(len(tags) for change in changes.values() for tags in (change.tags or {}).values())
        heads = {keys[name]: _worth_keeping(change.heads) for name, change in changes.items()}
        yield {HEADS: heads, TAGS: _tags(store, changes)}

    store.commit_parts(run, lambda: iter(parts()))
    return counted


def _tags(store: Store, changes: Mapping[str, Change]) -> dict[str, tuple[Tag, ...]]:
    """The tags of every asset in which they change."""
    now = store.read(TAGS)
    given = {name: change.tags for name, change in changes.items() if change.tags is not None}
    touched = now.keys() | {asset_id for tags in given.values() for asset_id in tags} if given else set()
    new = {a: [tag for tags in given.values() for tag in tags.get(a, ())] for a in touched}
    after = {a: retagged(now.get(a, ()), new[a], given) for a in touched}
    return {a: tags for a, tags in after.items() if tags != now.get(a, ())}


def _worth_keeping(heads: Sequence[KeptHead]) -> tuple[KeptHead, ...]:
    """The newest versions, and all that are in use or may be rolled back to."""
    recent = {head.version for head in heads[-MOST_KEPT:]}
    return tuple(head for head in heads if head.deployed or head.version in recent)


def keep_head(head: KeptHead, *, store: Store) -> None:
    """Keep a trained head; it is not in use. One that is kept already stays as it is."""

    def plan(heads: tuple[KeptHead, ...]) -> Change:
        known = any(kept.version == head.version for kept in heads)
        return Change(heads if known else (*heads, head), None)

    commit_heads(f"head: {head.label}", {head.label: plan}, store=store)


def put_in_use(heads: Sequence[KeptHead], head: KeptHead, *, now: str) -> tuple[KeptHead, ...]:
    """The heads of a label with this one in use."""
    others = [replace(kept, in_use=False) for kept in heads if kept.version != head.version]
    return (*others, replace(head, in_use=True, deployed=now))


def before(heads: Sequence[KeptHead]) -> KeptHead | None:
    """The head that was in use before the one that is; None if words alone tagged then."""
    past = [head for head in heads if head.deployed and not head.in_use]
    return max(past, key=lambda head: head.deployed, default=None)


def found_version(heads: Sequence[KeptHead], version: str) -> KeptHead:
    """A kept head by its version. AnnotationError if it is gone."""
    if found := next((head for head in heads if head.version == version), None):
        return found
    raise AnnotationError(f"there is no head {version!r} of this label any more; build it again")
