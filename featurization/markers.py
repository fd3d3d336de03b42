"""Intro, recap, outro and what else an episode repeats, from what it shares with other episodes of its show.

What begins most episodes is the intro and what ends them the outro, wherever a cold open or an afterword puts them.
What an episode shows at its beginning and an earlier one showed in its course is the recap. No language is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from featurization.fingerprints import HOP_S
from featurization.media import Fingerprint, Marker, MarkerKind, Segment, Topic, gaps, merge, overlap_s
from featurization.repetition import Shared, shared_stretches

_LEAST_CHAPTER_S = 1.0  # of a topic that a marker leaves over


@dataclass(frozen=True, slots=True)
class MarkerOptions:
    """What counts as repeated, and where."""

    neighbours: int = 4  # episodes of the show that each is compared with: those before and after it
    edge_share: float = 0.25  # of an episode in which an intro or recap begins, and an outro ends ...
    edge_s: float = 600.0  # ... but no farther from its beginning or end than this
    min_s: float = 3.0  # shorter intros, outros and repeats are dropped
    min_piece_s: float = 2.0  # the same for the pieces of a recap
    min_recap_s: float = 5.0  # in all pieces of a recap
    max_gap_s: float = 4.0  # shorter holes, where somebody speaks over the theme, belong to it
    max_recap_gap_s: float = 12.0  # between the pieces of a recap
    max_repeat_s: float = 180.0  # what is shared for longer was published twice, which is no reason to skip it

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours must be 1 or more, got {self.neighbours}")
        if not 0 < self.edge_share <= 0.5:
            raise ValueError(f"edge_share must be above 0 and at most .5, got {self.edge_share}")


@dataclass(frozen=True, slots=True)
class Printed:
    """One episode as it is compared: how long it is, and its fingerprints."""

    duration_s: float
    prints: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an episode shares with another of its show."""

    duration_s: float  # of the other
    earlier: bool  # whether the other comes before this one in the show
    shared: tuple[Shared, ...] = field(default=())


def compare(one: Printed, other: Printed, *, earlier: bool, options: MarkerOptions = MarkerOptions()) -> Comparison:
    """All that two episodes share in sound or picture."""
    pairs = [(a, b) for a in one.prints for b in other.prints if a.kind == b.kind]
    shared = (shared_stretches(a, b, at_least_s=options.min_piece_s) for a, b in pairs)
    return Comparison(other.duration_s, earlier, tuple(sorted(chain.from_iterable(shared))))


def find_markers(
    duration_s: float, comparisons: Sequence[Comparison], options: MarkerOptions = MarkerOptions()
) -> tuple[Marker, ...]:
    """Markers of an episode in order of time; they do not overlap. None without another episode to compare with."""
    place = _Placing(duration_s, options)
    intros = place.common(comparisons, "intro", place.opens)
    outros = place.common(comparisons, "outro", place.closes)
    taken = [*intros, *outros]
    recaps = place.recaps(comparisons, taken)
    repeats = place.repeats(comparisons, [*taken, *recaps])
    return tuple(sorted([*taken, *recaps, *repeats], key=lambda marker: marker.start))


def told(marker: Marker) -> str:
    """What a marker says, in a few words for people."""
    name = "Sound or pictures of other episodes" if marker.kind == "repeat" else marker.kind.capitalize()
    others = f"{marker.episodes} other{'s' if marker.episodes > 1 else ''}"
    return f"{name}, also in {others}, {marker.confidence:.0%} alike"


def around_markers(topics: Sequence[Topic], markers: Sequence[Marker]) -> list[Topic]:
    """Topics in order of time with intro, recap and outro as topics of their own, cut out of the others."""
    named = [Topic(m.start, m.end, m.kind.capitalize()) for m in markers if m.kind != "repeat"]
    left = [replace(t, start=part.start, end=part.end) for t in topics for part in gaps(named, t)]
    return sorted([*named, *(part for part in left if part.duration >= _LEAST_CHAPTER_S)])


@dataclass(frozen=True, slots=True)
class _Placing:
    """How stretches of one episode are named."""

    duration_s: float
    options: MarkerOptions

    def opens(self, shared: Shared, other: Comparison) -> bool:
        """Whether both episodes have the stretch near their beginning."""
        return self._early(shared.middle, self.duration_s) and self._early(_there(shared), other.duration_s)

    def closes(self, shared: Shared, other: Comparison) -> bool:
        """Whether both have it near their end."""
        late = self._early(self.duration_s - shared.middle, self.duration_s)
        return late and self._early(other.duration_s - _there(shared), other.duration_s)

    def _early(self, at_s: float, duration_s: float) -> bool:
        return at_s < min(self.options.edge_share * duration_s, self.options.edge_s)

    def common(
        self, comparisons: Sequence[Comparison], kind: MarkerKind, fits: Callable[[Shared, Comparison], bool]
    ) -> list[Marker]:
        """What at least half of the other episodes have at the same end."""
        by_episode = [[s for s in one.shared if fits(s, one)] for one in comparisons]
        needed = max(1, (len(comparisons) + 1) // 2)
        spans = _covered(by_episode, self.duration_s, needed)
        whole = merge(spans, max_gap_s=self.options.max_gap_s)
        return [self._marker(s, kind, by_episode) for s in whole if s.duration >= self.options.min_s]

    def recaps(self, comparisons: Sequence[Comparison], taken: Sequence[Segment]) -> list[Marker]:
        """Pieces of earlier episodes near the beginning, as the stretch that they make together."""
        pieces = [[s for s in one.shared if one.earlier and self._quotes(s, taken)] for one in comparisons]
        free = [part for piece in merge(chain.from_iterable(pieces)) for part in gaps(taken, piece)]
        found = []
        for whole in merge(free, max_gap_s=self.options.max_recap_gap_s):
            apart = max((part for part in gaps(taken, whole)), key=lambda part: overlap_s(part, free))
            inside = [piece for piece in free if piece.overlaps(apart)]
            if sum(piece.duration for piece in inside) >= self.options.min_recap_s:
                span = Segment(min(p.start for p in inside), max(p.end for p in inside))
                found.append(self._marker(span, "recap", pieces))
        return found

    def _quotes(self, shared: Shared, taken: Sequence[Segment]) -> bool:
        return self._early(shared.middle, self.duration_s) and overlap_s(shared, taken) < shared.duration / 2

    def repeats(self, comparisons: Sequence[Comparison], taken: Sequence[Segment]) -> list[Marker]:
        """What else is in another episode too, unless a later one quotes it in its recap."""
        others = [[s for s in one.shared if one.earlier or not self._quoted(s, one)] for one in comparisons]
        found = merge(chain.from_iterable(others), max_gap_s=HOP_S)
        min_s, max_s = self.options.min_s, self.options.max_repeat_s
        free = (part for span in found for part in gaps(taken, span))
        return [self._marker(part, "repeat", others) for part in free if min_s <= part.duration <= max_s]

    def _quoted(self, shared: Shared, later: Comparison) -> bool:
        return self._early(_there(shared), later.duration_s)

    def _marker(self, span: Segment, kind: MarkerKind, by_episode: Sequence[Sequence[Shared]]) -> Marker:
        alike = [max(near) for shared in by_episode if (near := [s.likeness for s in shared if s.overlaps(span)])]
        share = len(alike) / len(by_episode) if kind in ("intro", "outro") else 1.0
        confidence = round(float(np.mean(alike)) * share, 4) if alike else 0.0
        start, end = round(max(0.0, span.start), 3), round(min(span.end, self.duration_s), 3)
        return Marker(min(start, end), end, kind, confidence, len(alike))


def _there(shared: Shared) -> float:
    return shared.there + shared.duration / 2


def _covered(by_episode: Iterable[Sequence[Shared]], duration_s: float, needed: int) -> list[Segment]:
    """Where at least `needed` episodes share something."""
    count = np.zeros(int(np.ceil(duration_s / HOP_S)) + 2, dtype=np.int64)
    for shared in by_episode:
        for span in merge(shared):
            count[round(span.start / HOP_S) : round(span.end / HOP_S)] += 1
    edges = np.flatnonzero(np.diff(np.pad((count >= needed).astype(np.int8), 1)))
    return [Segment(float(first * HOP_S), float(last * HOP_S)) for first, last in edges.reshape(-1, 2)]
