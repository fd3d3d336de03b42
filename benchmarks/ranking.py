"""How well the ranker learns from editors, beside what anybody could do without learning.

Without a folder on made catalogues, where the editors' taste is known; with one on golden clips of assets in the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.job import Job
from benchmarks.ranking_corpus import EDITORS, FIGURES, LABELS, OURS, PRIOR, TASTE, Outcome, outcomes
from benchmarks.ranking_cost import CLIPS, training_cost
from benchmarks.ranking_store import measure_store
from benchmarks.report import Measured
from ranking.baselines import BASELINES

NOTES = (
    "ndcg_5, hit_1: nDCG@5 and the share of episodes whose pick has an IoU of .5 or more with an editor's clip, on the "
    "episodes of every fourth made show, which taught nothing; median, lowest and highest over the seeds",
    "each seed is a catalogue of its own; at each size the first so many episodes of the other shows teach",
    "rushes: the kind of ranker that is best out of fold, beside the prior as far as that helps; lambdarank, linear, "
    "neural: each kind so; all with default options, without the search that train_ranker makes",
    "gain: nDCG@5 above the prior's on the same episodes; ahead: seeds in which it is above all that do not learn",
    "shuffled: golden clips drawn at random from those that pass the gates and touch no suspected ad; no taste can be "
    "learned from them, only which clips overlap many others",
    f"{TASTE}: the editors' rule without their whims, a ceiling; {EDITORS}: one editor's clip judged by the others'",
    f"training: one fit with default options on episodes of {CLIPS} clips, by kind, in a process of its own; peak_mb: "
    "its largest resident set, data included; score_ms: median time to score an episode with its reasons",
)
OTHERS = (PRIOR, *BASELINES, TASTE, EDITORS)


def measure(job: Job) -> Measured:
    """On the golden clips of the folder if there is one, else on made catalogues."""
    return measure_store(job) if job.has_data else _measure_made(job)


def _measure_made(job: Job) -> Measured:
    kinds = job.settings.train.kinds
    cost = training_cost(kinds, job.episodes, scratch=job.scratch)
    found = list(outcomes(job.seeds, job.golden, settings=job.settings))
    return Measured(
        metrics={labels: _ours(_of(labels, found), job.golden) for labels in LABELS} | {"training": cost},
        peers={
            **{name: {labels: _learned(_of(labels, found), name, job.golden) for labels in LABELS} for name in kinds},
            **{name: {labels: _fixed(_of(labels, found), name, job.golden) for labels in LABELS} for name in OTHERS},
        },
        counts={"seeds": job.seeds, "golden": list(job.golden), "training_episodes": job.episodes},
        files=tuple(outcome.row() for outcome in found),
        notes=NOTES,
    )


def _of(labels: str, found: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in found if outcome.labels == labels]


def _ours(found: Sequence[Outcome], sizes: Sequence[int]) -> dict[str, Mapping[str, float]]:
    """Figures of what train_ranker takes, by number of golden episodes, and how far they are above the prior's."""
    figures = _learned(found, OURS, sizes)
    return {str(size): {**figures[str(size)], **_gain(found, size)} for size in sizes}


def _learned(found: Sequence[Outcome], name: str, sizes: Sequence[int]) -> dict[str, Mapping[str, float]]:
    return {str(size): _over_seeds([outcome.learned[size][name] for outcome in found]) for size in sizes}


def _fixed(found: Sequence[Outcome], name: str, sizes: Sequence[int]) -> dict[str, Mapping[str, float]]:
    """Figures of what does not learn: the same at every size."""
    return dict.fromkeys(map(str, sizes), _over_seeds([outcome.others[name] for outcome in found]))


def _over_seeds(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    known = [name for name in FIGURES if name in figures[0]]
    return {key: value for name in known for key, value in _spread(name, [one[name] for one in figures]).items()}


def _gain(found: Sequence[Outcome], size: int) -> dict[str, float]:
    """nDCG@5 above the prior's, and in how many seeds it is above that of everything which does not learn."""
    ours = [outcome.learned[size][OURS]["ndcg_5"] for outcome in found]
    gains = [own - outcome.others[PRIOR]["ndcg_5"] for own, outcome in zip(ours, found, strict=True)]
    ahead = sum(own > max(_beatable(outcome)) for own, outcome in zip(ours, found, strict=True))
    return {**_spread("gain", gains), "ahead": ahead}


def _beatable(outcome: Outcome) -> list[float]:
    return [outcome.others[name]["ndcg_5"] for name in (PRIOR, *BASELINES)]


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    return {name: float(np.median(values)), f"{name}_low": min(values), f"{name}_high": max(values)}
