"""How well an order of clips does on one episode, whoever made it: a ranker, a rule, or other editors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from eval.bootstrap import Interval, bootstrap, paired
from eval.preview_metrics import PreviewMetrics, RankingMetrics
from eval.ranking_metrics import ndcg, order, reciprocal_rank
from eval.segment_metrics import SegmentMetrics, judge_pick
from eval.topic_coverage import TopicCoverage
from featurization.media import Segment
from ranking.graded import GradedEpisode
from ranking.ranker import Ranker
from ranking.spans import Floats

CHALLENGER, CHAMPION, PRIOR, EDITORS = "challenger", "champion", "prior", "editors"  # who made an order, by role
GOOD_IOU = 0.5  # a clip this near to a golden one is a find
Figure = Literal["iou", "ndcg_5"]
Judged = Mapping[str, Sequence["Judgement"]]  # by who made the order


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one ranker did with one episode."""

    asset_id: str
    title: str
    show: str
    traits: Mapping[str, str]
    pick: Segment | None
    metrics: PreviewMetrics

    @property
    def iou(self) -> float:
        return self.metrics.pick.iou_sum

    @property
    def ndcg_5(self) -> float:
        return self.metrics.ranking.ndcg_5


def judge(episode: GradedEpisode, scores: Floats, *, gated: bool = True) -> Judgement:
    """Judge scores of all clips of an episode (clips,); what the gates exclude is passed over, unless they are off."""
    shown = np.flatnonzero(episode.shown(gated=gated))
    if not len(shown):
        return _judgement(episode, None, PreviewMetrics(pick=judge_pick(None, episode.golden)))
    best = int(shown[order(scores[shown], episode.start[shown])[0]])
    facts, pick = episode.facts, episode.clip(best)
    spans = replace(judge_pick(pick, episode.golden), ad_s=float(facts.ad_s[best]), music_s=float(facts.music_s[best]))
    metrics = PreviewMetrics(
        pick=spans,
        ranking=_ranking(episode, scores, shown),
        topics=TopicCoverage(episode.keywords, int(facts.said[best]), episode.said_at_random),
        clean_starts=int(facts.clean_start[best]),
        clean_ends=int(facts.clean_end[best]),
        spoilers=int(facts.spoils[best]),
    )
    return _judgement(episode, pick, metrics)


def _ranking(episode: GradedEpisode, scores: Floats, shown: np.ndarray) -> RankingMetrics:
    grades, good = episode.grades[shown], episode.ious[shown] >= GOOD_IOU
    if not grades.any():
        return RankingMetrics()
    values = scores[shown]
    return RankingMetrics(1, ndcg(values, grades, 1), ndcg(values, grades, 5), reciprocal_rank(values, good))


def _judgement(episode: GradedEpisode, pick: Segment | None, metrics: PreviewMetrics) -> Judgement:
    return Judgement(episode.asset_id, episode.title, episode.show, episode.traits, pick, metrics)


def judge_all(episodes: Sequence[GradedEpisode], rankers: Mapping[str, Ranker]) -> dict[str, list[Judgement]]:
    """Rankers, baselines and editors on the same episodes, by name."""
    judged = {name: judge_ranker(ranker, episodes) for name, ranker in rankers.items()}
    for name in sorted({name for episode in episodes for name in episode.baselines}):
        judged[name] = [judge(episode, episode.baselines[name]) for episode in episodes]
    return {**judged, EDITORS: judge_editors(episodes)}


def judge_ranker(ranker: Ranker, episodes: Iterable[GradedEpisode]) -> list[Judgement]:
    """Judge a ranker as it works in production: it sees the clips of one episode that passed the gates."""
    return [judge(episode, scores_of(ranker, episode)) for episode in episodes]


def scores_of(ranker: Ranker, episode: GradedEpisode) -> Floats:
    """Scores of all clips (clips,), as `spread` gives them."""
    return spread(ranker.score(episode.matrix[episode.shown()]).values, episode)


def spread(scores: Floats, episode: GradedEpisode, *, gated: bool = True) -> Floats:
    """Scores of all clips (clips,), from those of the clips that were shown; the others have none, -inf."""
    whole = np.full(len(episode.start), -np.inf)
    whole[episode.shown(gated=gated)] = scores
    return whole


def judge_editors(episodes: Iterable[GradedEpisode]) -> list[Judgement]:
    """How well editors agree: the clip of each against those of the others, the ceiling of what can be learned."""
    return [found for episode in episodes if (found := _among_editors(episode))]


def _among_editors(episode: GradedEpisode) -> Judgement | None:
    golden = episode.golden
    against = [(clip, [other for other in golden if other.editor != clip.editor]) for clip in golden]
    spans = [judge_pick(clip, others) for clip, others in against if others]
    if not spans:
        return None
    # One episode counts once, however many editors it had.
    shared = sum(spans, SegmentMetrics())
    mean = SegmentMetrics(*(getattr(shared, name) / len(spans) for name in SegmentMetrics.__dataclass_fields__))
    return _judgement(episode, None, PreviewMetrics(pick=mean))


def pooled(judgements: Iterable[Judgement]) -> PreviewMetrics:
    """The counts of all episodes together."""
    return sum((judgement.metrics for judgement in judgements), PreviewMetrics())


def figures(judged: Judged) -> dict[str, dict[str, float]]:
    """The figures of each ranker that was judged on anything."""
    return {name: pooled(judgements).figures() for name, judgements in judged.items() if judgements}


def interval(judgements: Sequence[Judgement], figure: Figure, *, level: float = 0.95) -> Interval:
    """The mean of a figure over the episodes that have it, with its interval over shows."""
    known = [judgement for judgement in judgements if _has(judgement, figure)]
    return bootstrap(_values(known, figure), [j.show for j in known], level=level)


def difference(
    ours: Sequence[Judgement], theirs: Sequence[Judgement], figure: Figure, *, level: float = 0.95
) -> Interval | None:
    """How much better ours are than theirs on the same episodes, with its interval over shows; None without any."""
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if _has(a, figure) and _has(b, figure)]
    if not both:
        return None
    one, other = zip(*both, strict=True)
    return paired(_values(one, figure), _values(other, figure), [j.show for j in one], level=level)


def _has(judgement: Judgement, figure: Figure) -> bool:
    """An episode none of whose clips is near a golden one has no best order."""
    return figure == "iou" or judgement.metrics.ranking.episodes > 0


def _values(judgements: Sequence[Judgement], figure: Figure) -> Floats:
    return np.array([getattr(judgement, figure) for judgement in judgements], dtype=np.float64)
