"""One episode as rankers are taught by it and judged on it: its clips, how good each is, and what is in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment
from ranking.context import Ints
from ranking.groups import RankingGroup
from ranking.spans import Floats

Mask = NDArray[np.bool_]
PUBLISHABLE = 3  # from this grade on an editor would publish it


@dataclass(frozen=True, slots=True)
class Chosen(Segment):
    """A clip that an editor chose, or refused, with how much it counts."""

    editor: str
    grade: int = 4  # 0, useless, to 4, the best there is
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class ClipFacts:
    """What is in each clip, each of shape (clips,)."""

    ad_s: Floats
    music_s: Floats
    spoils: Mask
    said: Ints  # keywords of the episode
    clean_start: Mask  # begins where a sentence or shot does
    clean_end: Mask


@dataclass(frozen=True, eq=False)
class GradedEpisode:
    """The clips of one episode in the order of their starts, before the gates; columns are of shape (clips,)."""

    asset_id: str
    title: str
    show: str
    start: Floats
    end: Floats
    passed: Mask  # the gates
    matrix: Floats  # (clips, features)
    ious: Floats  # with the chosen clip that fits best
    grades: Ints
    chosen: tuple[Chosen, ...]
    facts: ClipFacts
    keywords: int  # how many the episode has
    said_at_random: float  # how many of them a clip says that begins anywhere
    baselines: Mapping[str, Floats] = field(default_factory=dict)  # scores by name
    traits: Mapping[str, str] = field(default_factory=dict)  # slice → value: "language" → "en"

    @property
    def golden(self) -> tuple[Chosen, ...]:
        """The clips that editors would publish; those with lower grades say what not to pick."""
        return tuple(clip for clip in self.chosen if clip.grade >= PUBLISHABLE)

    @property
    def weight(self) -> float:
        """How much its editors are trusted: as much as the most trusted one."""
        return max((clip.weight for clip in self.chosen), default=1.0)

    def shown(self, *, gated: bool = True) -> Mask:
        """Which clips a ranker gets to see: those that passed the gates, or all if the gates are off."""
        return self.passed if gated else np.ones_like(self.passed)

    def group(self, *, gated: bool = True) -> RankingGroup:
        """What a ranker learns from."""
        kept = self.shown(gated=gated)
        return RankingGroup(self.asset_id, self.matrix[kept], self.grades[kept], show=self.show, weight=self.weight)

    def clip(self, index: int) -> Segment:
        """One clip as a span."""
        return Segment(float(self.start[index]), float(self.end[index]))


def teaching(episodes: Sequence[GradedEpisode], *, gated: bool = True) -> list[RankingGroup]:
    """The groups that have something to teach: at least two clips that are not equally good."""
    return [group for episode in episodes if (group := episode.group(gated=gated)).teaches]
