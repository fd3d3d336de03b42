"""Learning on made catalogues: figures on shows that taught nothing, by the number of golden episodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from benchmarks.job import say
from benchmarks.made_catalogue import LENGTH_S, MadeEpisode, make_catalogue
from ranking.graded import GradedEpisode, teaching
from ranking.prior import Prior
from ranking.ranker import Ranker
from ranking.spans import Floats
from steps.grading import grade_episode
from steps.judging import Judgement, judge, judge_editors, judge_ranker, pooled
from steps.settings import Settings
from steps.training import fit, search

MOST_SHOWS = 40
HELD_OUT = 4  # every fourth show is judged on and teaches nothing
FIGURES = {"ndcg_5": "nDCG@5", "hit_1": "hit@1 IoU 0.5"}
OURS = "rushes"
PRIOR, TASTE, EDITORS = "prior", "the taste itself", "another editor"
LABELS = ("true", "shuffled")
Figures = Mapping[str, float]  # ndcg_5, hit_1


@dataclass(frozen=True)
class Outcome:
    """What one seed gave, with one kind of labels."""

    seed: int
    labels: str
    learned: Mapping[int, Mapping[str, Figures]]  # by number of golden episodes: OURS, and each kind of ranker
    others: Mapping[str, Figures]  # who needs none

    def row(self) -> dict[str, object]:
        """As an entry of the report's files."""
        return {"seed": self.seed, "labels": self.labels, "learned": self.learned, **self.others}


def outcomes(seeds: int, sizes: Sequence[int], *, settings: Settings) -> Iterator[Outcome]:
    """Of each seed, a catalogue of its own, with true and with shuffled labels."""
    for seed in range(1, seeds + 1):
        for labels in LABELS:
            outcome = _outcome(seed, labels, sizes, settings)
            told = ", ".join(f"{size}: {by[OURS]['ndcg_5']:.3f}" for size, by in outcome.learned.items())
            say(f"seed {seed} of {seeds}, {labels} labels: nDCG@5 {told}; prior {outcome.others[PRIOR]['ndcg_5']:.3f}")
            yield outcome


def corpus(largest: int, *, seed: int, shuffled: bool) -> tuple[tuple[MadeEpisode, ...], list[bool]]:
    """A catalogue of which at least `largest` episodes teach, and which of them do."""
    shows = min(MOST_SHOWS, HELD_OUT * -(-largest // (HELD_OUT - 1)))
    rounds = -(-largest // (shows * (HELD_OUT - 1) // HELD_OUT))
    made = make_catalogue(shows * rounds, shows=shows, seed=seed, shuffled=shuffled)
    return made, [number % shows % HELD_OUT > 0 for number in range(len(made))]


def grade(made: Sequence[MadeEpisode], settings: Settings) -> list[GradedEpisode]:
    """Every episode against its golden clips."""
    return [grade_episode(one.episode, one.golden, length_s=LENGTH_S, settings=settings) for one in made]


def _outcome(seed: int, labels: str, sizes: Sequence[int], settings: Settings) -> Outcome:
    made, teaches = corpus(max(sizes), seed=seed, shuffled=labels == "shuffled")
    graded = grade(made, settings)
    teachers = [episode for episode, taught in zip(graded, teaches, strict=True) if taught]
    held_out = [(one, episode) for one, episode, taught in zip(made, graded, teaches, strict=True) if not taught]
    episodes = [episode for _, episode in held_out]
    learned = {size: _judged(learn(teachers[:size], settings), episodes) for size in sizes}
    return Outcome(seed, labels, learned, {**_without_learning(episodes, settings), TASTE: _taste(held_out)})


def learn(episodes: Sequence[GradedEpisode], settings: Settings) -> dict[str, Ranker]:
    """Each kind of ranker as train_ranker fits it, though without a search for options; OURS is the one it takes."""
    groups, prior = teaching(episodes), Prior(settings.prior)
    once = replace(settings.tune, trials=1)
    found = [search(kind, groups, prior=prior, options=once) for kind in settings.train.kinds]
    fitted = {one.kind: fit(one, groups, prior=prior) for one in found}
    return {OURS: fitted[max(found, key=attrgetter("worth")).kind], **fitted}


def _judged(rankers: Mapping[str, Ranker], episodes: Sequence[GradedEpisode]) -> dict[str, Figures]:
    return {name: figures(judge_ranker(ranker, episodes)) for name, ranker in rankers.items()}


def _without_learning(episodes: Sequence[GradedEpisode], settings: Settings) -> dict[str, Figures]:
    baselines = episodes[0].baselines
    return {
        PRIOR: figures(judge_ranker(Prior(settings.prior), episodes)),
        **{name: figures([judge(episode, episode.baselines[name]) for episode in episodes]) for name in baselines},
        EDITORS: {"hit_1": pooled(judge_editors(episodes)).figures()[FIGURES["hit_1"]]},
    }


def _taste(held_out: Sequence[tuple[MadeEpisode, GradedEpisode]]) -> Figures:
    """What a ranker would reach that knows the show's taste, though not the whims of its editors."""
    return figures([judge(episode, _liked(made, episode)) for made, episode in held_out])


def _liked(made: MadeEpisode, episode: GradedEpisode) -> Floats:
    scores = np.full(len(episode.start), -np.inf)
    scores[episode.passed] = made.taste.score(episode.matrix[episode.passed])
    return scores


def figures(judgements: Sequence[Judgement]) -> Figures:
    """The two figures that are compared, pooled over episodes."""
    every = pooled(judgements).figures()
    return {short: every[name] for short, name in FIGURES.items()}
