"""What a query comes back with: hits that say where they are, how sure they are, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from featurization.media import Segment


@dataclass(frozen=True, slots=True)
class Found(Segment):
    """A stretch of an asset that answers a query."""

    id: str
    asset_id: str
    title: str
    confidence: float  # probability that it is what was asked for, against a background; .5 is even
    score: float  # what hits are ordered by: cosine, fused rank, or confidence
    why: tuple[str, ...]  # sentences for people


@dataclass(frozen=True, slots=True)
class TagFound:
    """A tag of a shot."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ShotFound(Found):
    """A shot."""

    number: int = 0
    transition: str = "cut"  # how it begins
    tags: tuple[TagFound, ...] = ()
    brightness: float = 0.0
    motion: float = 0.0
    thumbnail: str = ""  # store key of its most telling keyframe


@dataclass(frozen=True, slots=True)
class WordFound(Segment):
    """A word of a sentence, and whether it is one that was asked for."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True)
class LineFound(Found):
    """A sentence; or two, if a phrase reaches from one into the next."""

    text: str = ""
    speaker: str = ""
    sentences: int = 1
    words: tuple[WordFound, ...] = ()


@dataclass(frozen=True, slots=True)
class SoundFound(Found):
    """A stretch of sound."""

    labels: tuple[str, ...] = ()  # speech, music, noise, silence
    shot: str = ""  # id of the shot that it lies under


@dataclass(frozen=True, slots=True)
class Evidence(Segment):
    """What holds in one layer during a moment."""

    layer: str
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class MomentFound(Found):
    """A stretch in which all conditions hold."""

    evidence: tuple[Evidence, ...] = ()


Hit = TypeVar("Hit", bound=Found)


@dataclass(frozen=True, slots=True)
class Group(Generic[Hit]):
    """The hits of one title, the best first."""

    asset_id: str
    title: str
    confidence: float  # of the best
    total: int
    items: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Answer(Generic[Hit]):
    """A stretch of the hits of a query. No hits is an answer, and `notes` says so."""

    total: int
    items: tuple[Hit, ...] = ()
    groups: tuple[Group[Hit], ...] = ()  # instead of items, if the query groups by title
    more: bool = False  # the search stopped at its depth, so that `total` is a lower bound
    next: str = ""  # cursor of the next stretch
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hits(Generic[Hit]):
    """All hits of a query before they are sorted and cut into pages."""

    items: tuple[Hit, ...]
    more: bool = False
    notes: tuple[str, ...] = field(default=())
