"""Tags from few examples: average precision beside text search and plain logistic regression, and an editor's effort.

Each class of labels.csv is one label, yes or no. Half of the pictures of each class, drawn by seed, may teach; the
other half is for the test alone.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.examples import Examples, Flags, Floats, statistics_of
from annotation.heads import fit_head
from benchmarks.job import Job, csv_text, say
from benchmarks.report import Measured
from benchmarks.tag_editor import BATCH, GOAL, MOST, OPTIONS, Corpus, judgements_needed
from benchmarks.tag_pictures import Pictures, pictures_of
from eval.bootstrap import bootstrap
from eval.tag_metrics import average_precision
from featurization.errors import SourceError

OURS, TEXT, PLAIN = "rushes", "zero-shot text", "logistic regression"
COLUMNS = ("shots", "seed", "label", "average_precision", "zero_shot", "logistic_regression")
CLOCKED_ROWS = 100_000
_BINS = 10
NOTES = (
    "map: mean over classes and seeds of the average precision on pictures that taught nothing, neither by a label nor "
    "without one; low, high: 95 % by bootstrap over classes",
    "at each budget N pictures of the class and N of others are judged; rushes has also the unlabelled pictures of the "
    "training side and the class's name; a class takes part if its training side has N pictures",
    "zero-shot text: cosine of the class's name; logistic regression: scikit-learn's defaults on the same features and "
    "the same judged pictures",
    "ece: expected calibration error in ten bins over all classes and seeds; shown_precision: the share that is right "
    "of what has a probability of .5 or more, shown_expected: what the probabilities say it is",
    f"editor: median judgements, in batches of {BATCH}, until the average precision is {GOAL:g} on the test side; both "
    f"ways start with the text search's best {BATCH}; who needs more than {MOST}, or all there are, counts as the most",
    f"seconds: fit, and fit with scoring {CLOCKED_ROWS} made rows of the same width",
)


@dataclass(frozen=True, eq=False)
class _Outcome:
    """One class at one budget and seed."""

    shots: int
    seed: int
    label: str
    found: Mapping[str, float]  # who → average precision
    probabilities: Floats
    truth: Flags

    def row(self) -> dict[str, object]:
        who = (self.found[OURS], self.found[TEXT], self.found[PLAIN])
        figures = dict(zip(COLUMNS[3:], (f"{value:.6f}" for value in who), strict=True))
        return {"shots": self.shots, "seed": self.seed, "label": self.label, **figures}


def measure(job: Job) -> Measured:
    """Learn each class from few pictures, over seeds."""
    pictures = pictures_of(job)
    outcomes: list[_Outcome] = []
    effort: list[tuple[str, int | None, int | None]] = []
    for seed in range(job.seeds):
        for label, corpus in _corpora(pictures, seed):
            outcomes.extend(_outcomes(corpus, label, seed, job.shots))
            effort.append(
                (label, judgements_needed(corpus, "suggested", seed), judgements_needed(corpus, "random", seed))
            )
        say(f"seed {seed + 1} of {job.seeds}")
    if not outcomes:
        raise SourceError(f"{job.data}: no class has enough pictures for {min(job.shots)} on each side; add pictures")
    job.predict("scores.csv", csv_text(COLUMNS, (outcome.row() for outcome in outcomes)))
    return Measured(
        metrics={**_by_budget(outcomes, OURS), "editor": _effort(effort), "seconds": _seconds(pictures)},
        peers={TEXT: _by_budget(outcomes, TEXT), PLAIN: _by_budget(outcomes, PLAIN)},
        counts={"pictures": len(pictures.files), "classes": len(pictures.classes), "seeds": job.seeds},
        models=("efficientnet-lite0", "minilm-l6-v2") if job.settings.vision.encoder == "conse" else (),
        notes=NOTES,
    )


def _corpora(pictures: Pictures, seed: int) -> Iterator[tuple[str, Corpus]]:
    """Each label's corpus; all of a seed share the two sides. A class of one picture cannot be tested."""
    draw = np.random.default_rng(seed)
    dealt = [draw.permutation(np.flatnonzero(pictures.labels == label)) for label in pictures.classes]
    train = np.sort(np.concatenate([rows[: len(rows) // 2] for rows in dealt]))
    test = np.setdiff1d(np.arange(len(pictures.labels)), train)
    if not len(train):
        return
    statistics = statistics_of(pictures.features[train], OPTIONS)
    for label, rows in zip(pictures.classes, dealt, strict=True):
        if len(rows) > 1:
            truth = np.asarray(pictures.labels == label)
            yield label, Corpus(pictures.features, pictures.likeness[label], truth, train, test, statistics)


def _outcomes(corpus: Corpus, label: str, seed: int, budgets: Sequence[int]) -> Iterator[_Outcome]:
    draw = np.random.default_rng([seed, len(label), *label.encode()])
    mine = draw.permutation(corpus.train[corpus.truth[corpus.train]])
    others = draw.permutation(corpus.train[~corpus.truth[corpus.train]])
    truth = corpus.truth[corpus.test]
    for shots in budgets:
        if len(mine) < shots or len(others) < shots:
            continue
        rows = np.concatenate([mine[:shots], others[:shots]])
        ours = corpus.said(corpus.head(rows), corpus.test)
        scores = {OURS: ours, TEXT: corpus.likeness[corpus.test], PLAIN: _plain(corpus, rows)}
        found = {who: average_precision(of, truth) for who, of in scores.items()}
        yield _Outcome(shots, seed, label, found, ours, truth)


def _plain(corpus: Corpus, rows: NDArray[np.int64]) -> Floats:
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a peer that has not converged
        model = LogisticRegression().fit(corpus.features[rows], corpus.truth[rows])
    return np.asarray(model.decision_function(corpus.features[corpus.test]), dtype=np.float64)


def _by_budget(outcomes: Sequence[_Outcome], who: str) -> dict[str, Any]:
    budgets = sorted({outcome.shots for outcome in outcomes})
    return {f"shots_{shots}": _figures([one for one in outcomes if one.shots == shots], who) for shots in budgets}


def _figures(outcomes: Sequence[_Outcome], who: str) -> dict[str, float]:
    values = np.array([outcome.found[who] for outcome in outcomes])
    interval = bootstrap(values, [outcome.label for outcome in outcomes])
    figures = {"map": interval.mean, "low": interval.low, "high": interval.high}
    if who != OURS:
        return figures
    above = np.mean([outcome.found[OURS] >= outcome.found[TEXT] for outcome in outcomes])
    classes = len({outcome.label for outcome in outcomes})
    return {**figures, "classes": classes, "not_below_text": float(above), **_calibration(outcomes)}


def _calibration(outcomes: Sequence[_Outcome]) -> dict[str, float]:
    said = np.concatenate([outcome.probabilities for outcome in outcomes])
    true = np.concatenate([outcome.truth for outcome in outcomes]).astype(np.float64)
    bins = np.minimum((said * _BINS).astype(int), _BINS - 1)
    gaps = [abs((said - true)[bins == own].sum()) for own in np.unique(bins)]
    shown = said >= 0.5
    if not shown.any():
        return {"ece": sum(gaps) / len(said)}
    figures = {"shown_precision": float(true[shown].mean()), "shown_expected": float(said[shown].mean())}
    return {"ece": sum(gaps) / len(said), **figures}


def _effort(effort: Sequence[tuple[str, int | None, int | None]]) -> dict[str, float]:
    """Medians, their ratio, and the share of labels and seeds that got there at all."""
    ways = {"suggested": [one for _, one, _ in effort], "random": [other for _, _, other in effort]}
    medians = {way: float(np.median([MOST if n is None else n for n in needed])) for way, needed in ways.items()}
    means = {f"mean_{way}": float(np.mean([MOST if n is None else n for n in of])) for way, of in ways.items()}
    reached = {f"reached_{way}": float(np.mean([n is not None for n in of])) for way, of in ways.items()}
    return {**medians, "ratio": medians["suggested"] / medians["random"], **means, **reached}


def _seconds(pictures: Pictures) -> dict[str, float]:
    draw = np.random.default_rng(0)
    width = pictures.features.shape[1]
    rows = draw.standard_normal((CLOCKED_ROWS, width), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    likeness, holds = draw.standard_normal(CLOCKED_ROWS), np.arange(50) % 2 == 0
    started = time.perf_counter()
    statistics = statistics_of(rows, OPTIONS)
    counted = time.perf_counter()
    head = fit_head(Examples(rows[:50], likeness[:50], holds, np.arange(50)), statistics, OPTIONS)
    trained = time.perf_counter()
    head.probabilities(rows, likeness)
    done = time.perf_counter()
    return {"statistics": counted - started, "fit": trained - counted, "fit_and_score": done - counted}
