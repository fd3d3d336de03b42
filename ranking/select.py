"""Selection: from verdicts and scores to the clip that is published, or to the reason why none is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from featurization.media import Segment, Topic
from ranking.candidates import Candidate, window
from ranking.context import EpisodeContext
from ranking.features import FEATURE_NAMES, feature_matrix
from ranking.gates import Exclusion, GateSummary, Verdict, summarise
from ranking.ranker import Ranker

MOST_MOMENTS = 3  # more than this and a preview is a list


@dataclass(frozen=True, slots=True)
class SelectOptions:
    """How many clips are chosen, and what is kept beside them."""

    moments: int = 1  # clips stitched into one preview, 1 to 3
    min_gap_s: float = 10.0  # between two moments, and between runners-up
    runners_up: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.moments <= MOST_MOMENTS:
            raise ValueError(f"a preview has 1 to {MOST_MOMENTS} moments, got {self.moments}")


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature has and what it adds to the score."""

    feature: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A clip with its score and what the score is made of, the strongest contribution first."""

    candidate: Candidate
    score: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What will be published, and why it."""

    moments: tuple[Ranked, ...]  # in order of time; one unless stitched
    ranked: tuple[Ranked, ...]  # everything that passed the gates, best first
    runners_up: tuple[Ranked, ...]  # best first, overlapping neither the pick nor each other
    gates: tuple[GateSummary, ...]
    considered: int  # clips before the gates
    ranker: str  # identity of what scored them

    @property
    def best(self) -> Ranked:
        """The moment with the highest score."""
        return max(self.moments, key=lambda moment: moment.score)


@dataclass(frozen=True, slots=True)
class NoChoice:
    """Why there is no preview."""

    reason: str
    gates: tuple[GateSummary, ...] = ()
    considered: int = 0


def rank(verdicts: Sequence[Verdict], context: EpisodeContext, ranker: Ranker) -> tuple[Ranked, ...]:
    """The clips that passed every gate, best first."""
    passed = [verdict.candidate for verdict in verdicts if verdict.passed]
    matrix = feature_matrix(passed, context)
    scores = ranker.score(matrix)
    ranked = [
        Ranked(candidate, float(value), _contributions(row, parts))
        for candidate, value, row, parts in zip(passed, scores.values, matrix, scores.contributions, strict=True)
    ]
    # Ties are broken by start so that reruns publish the same; rounding keeps them ties on every machine.
    return tuple(sorted(ranked, key=lambda r: (-round(r.score, 9), r.candidate.start, r.candidate.end)))


def top(ranked: Sequence[Ranked], k: int, *, min_gap_s: float = 0.0) -> tuple[Ranked, ...]:
    """The best `k` that neither overlap nor come nearer to each other than `min_gap_s`, best first."""
    chosen: list[Ranked] = []
    for item in ranked:
        if len(chosen) == k:
            break
        if all(_apart(item.candidate, other.candidate, min_gap_s) for other in chosen):
            chosen.append(item)
    return tuple(chosen)


def stitch(
    ranked: Sequence[Ranked], topics: Sequence[Topic], *, moments: int, min_gap_s: float = 0.0
) -> tuple[Ranked, ...]:
    """The best `moments` clips that are apart, in order of time: of different topics first, then of any.

    For a preview of L seconds the clips are made about L / moments long.
    """
    by_topic: dict[int, Ranked] = {}
    for item in top(ranked, len(ranked), min_gap_s=min_gap_s):
        by_topic.setdefault(_topic(item.candidate, topics), item)
    spread = sorted(by_topic.values(), key=ranked.index)[:moments]
    chosen = top([*spread, *ranked], moments, min_gap_s=min_gap_s)
    return tuple(sorted(chosen, key=lambda item: item.candidate.start))


def choose(
    verdicts: Sequence[Verdict],
    context: EpisodeContext,
    ranker: Ranker,
    *,
    refusals: Sequence[Exclusion] = (),
    wanted: Sequence[Verdict] = (),
    options: SelectOptions | None = None,
) -> Choice | NoChoice:
    """The preview of one episode, or why there is none: `refusals` of the episode, no clip, or none that passed.

    If an editor set the edges, those clips are `wanted`, and are taken if all of them pass.
    """
    options = options or SelectOptions()
    gates, taken = summarise(verdicts), bool(wanted) and all(verdict.passed for verdict in wanted)
    if reason := _why_none([*verdicts, *wanted] if taken else verdicts, refusals, gates, context):
        return NoChoice(reason, gates, len(verdicts))
    ranked = rank(verdicts, context, ranker)
    picked = (
        tuple(sorted(rank(wanted, context, ranker), key=lambda item: item.candidate.start))
        if taken
        else stitch(ranked, context.hearing.topics, moments=options.moments, min_gap_s=options.min_gap_s)
    )
    others = [item for item in ranked if all(_apart(item.candidate, p.candidate, 0.0) for p in picked)]
    runners_up = top(others, options.runners_up, min_gap_s=options.min_gap_s)
    return Choice(picked, ranked, runners_up, gates, len(verdicts), ranker.identity)


def _why_none(
    verdicts: Sequence[Verdict], refusals: Sequence[Exclusion], gates: Sequence[GateSummary], context: EpisodeContext
) -> str:
    if refusals:
        return "; ".join(f"{refusal.gate}: {refusal.reason}" for refusal in refusals)
    if not verdicts:
        low, high = window(context.target_s)
        made_of = "sentences or shots" if context.shots else "sentences"
        return f"no run of whole {made_of} lasts {low:.0f} to {high:.0f} s"
    if any(verdict.passed for verdict in verdicts):
        return ""
    counts = ", ".join(f"{gate.gate} {gate.excluded}" for gate in gates)
    return f"all {len(verdicts)} candidates were excluded ({counts}), for example: {gates[0].examples[0]}"


def _contributions(row: np.ndarray, parts: np.ndarray) -> tuple[Contribution, ...]:
    listed = [
        Contribution(name, float(value), float(part))
        for name, value, part in zip(FEATURE_NAMES, row, parts, strict=True)
    ]
    return tuple(sorted(listed, key=lambda item: (-abs(item.contribution), item.feature)))


def _apart(one: Segment, other: Segment, min_gap_s: float) -> bool:
    return one.start - other.end >= min_gap_s or other.start - one.end >= min_gap_s


def _topic(candidate: Candidate, topics: Sequence[Topic]) -> int:
    """Number of the topic that holds the middle of the clip: how many began before it."""
    return sum(topic.start <= candidate.middle for topic in topics)
