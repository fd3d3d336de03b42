"""Advertisements in text without times: sentences, beside keywords and beside sentence vectors without context.

Without a folder the corpus that teaches the classifier is measured: every excerpt within talk of other shows, judged by
the network that never saw it.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ad_peers import KEYWORDS, VectorsAlone, keyword_flags
from benchmarks.job import Job, csv_text, say
from benchmarks.report import Clock, Measured
from eval.ad_metrics import DECIDED, AdScores, HeardSeconds, f1_interval, heard_seconds, judge_scores
from eval.detection_metrics import DetectionMetrics, judge_flags
from featurization.ads import MODEL as AD_MODEL
from featurization.ads import judge_sentences, packaged_network
from featurization.media import Sentence
from featurization.models import load_registry
from steps.detectors.ad_corpus import strange_episodes
from steps.detectors.ads import corpus_of
from steps.models import TEXT_MODEL, Models
from steps.truth.figures import detection_figures
from steps.truth.formats import read_csv

WORDS_A_SECOND = 2.5
NOT_AD = "O"
KEYWORD_PEER, ALONE_PEER = "keywords", "MiniLM without context"
NOTES = (
    "precision, recall and f1 of sentences that are part of an ad, pooled over files; a sentence is one if its "
    "probability is 0.5 or more; average_precision: area under precision over recall, all sentences ranked together",
    "f1_low, f1_high: 95 % interval by bootstrap over files",
    "cut: the operating point at [ads] cut_confidence, from which an ad may be cut without asking",
    "content_loss_s, ad_leak_s: talk taken for ads and ads taken for talk, seconds a file; the sentences get times of "
    "2.5 words a second, one after the other",
    "real_time_factor: seconds of the whole run, peers included, over seconds of speech by the same clock",
    f"{KEYWORD_PEER}: a sentence is an ad if it says one of: {KEYWORDS.pattern}",
    f"{ALONE_PEER}: logistic regression on the vector of each sentence by itself, taught on the same corpus "
    "(benchmarks/ad_peers.py); one half is where its F1 on that corpus is best, as with ours",
)
HELD_OUT_SEED = 11  # draws the talk around the excerpts; another than training calibrates by
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]


@dataclass
class _Judged:
    """One way to find ads, over files."""

    truth: list[Flags] = field(default_factory=list)
    probabilities: list[Floats] = field(default_factory=list)
    lengths_s: list[Floats] = field(default_factory=list)

    def add(self, truth: Flags, probabilities: Floats, lengths_s: Floats) -> DetectionMetrics:
        """Take in one file; its counts."""
        self.truth.append(truth)
        self.probabilities.append(probabilities)
        self.lengths_s.append(lengths_s)
        return judge_flags(truth, probabilities >= DECIDED)

    @property
    def scores(self) -> AdScores:
        return judge_scores(np.concatenate(self.truth), np.concatenate(self.probabilities))

    def figures(self) -> dict[str, float]:
        """Figures over all files."""
        files = list(zip(self.truth, self.probabilities, self.lengths_s, strict=True))
        low, high = f1_interval([judge_flags(truth, found >= DECIDED) for truth, found, _ in files])
        heard = [heard_seconds(lengths, truth, found >= DECIDED) for truth, found, lengths in files]
        seconds = sum(heard, HeardSeconds())
        return {
            **detection_figures(self.scores.at(DECIDED)),
            "f1_low": low,
            "f1_high": high,
            "average_precision": self.scores.average_precision,
            "content_loss_s": seconds.content_loss_s,
            "ad_leak_s": seconds.ad_leak_s,
        }


@dataclass(frozen=True)
class _Case:
    """One text to be judged; `fold` is the part of the corpus that it is of, if it is of the corpus."""

    name: str
    texts: Sequence[str]
    truth: Flags
    vectors: Vectors
    fold: int | None = None


def measure(job: Job) -> Measured:
    """Sentences over all NAME.csv. Predictions: NAME.csv (probability, sentence) for each."""
    clock, alone, network = Clock(), VectorsAlone(), packaged_network()
    ours, keywords, vectors_alone = _Judged(), _Judged(), _Judged()
    files: list[dict[str, Any]] = []
    for case in _cases(job) if job.has_data else _held_out(job):
        sentences = timed_sentences(case.texts)
        judge = network if case.fold is None else network.only(case.fold)
        probabilities = judge_sentences(sentences, case.vectors, network=judge).probabilities
        lengths_s = np.array([sentence.duration for sentence in sentences])
        judged = ours.add(case.truth, probabilities, lengths_s)
        keywords.add(case.truth, keyword_flags(case.texts).astype(float), lengths_s)
        vectors_alone.add(case.truth, alone(case.vectors, fold=case.fold), lengths_s)
        _predict(job, case, probabilities)
        files.append({"file": case.name, **_counts([case.truth]), **detection_figures(judged)})
        say(f"{case.name}: {len(sentences)} sentences, precision {judged.precision:.3f}, recall {judged.recall:.3f}")
    cut = ours.scores.at(job.settings.ads.cut_confidence)
    speech_s = float(sum(lengths.sum() for lengths in ours.lengths_s))
    return Measured(
        metrics={
            **ours.figures(),
            "cut": {"precision": cut.precision, "recall": cut.recall},
            "real_time_factor": clock.wall_s / speech_s,
        },
        peers={KEYWORD_PEER: keywords.figures(), ALONE_PEER: vectors_alone.figures()},
        counts={"files": len(files), **_counts(ours.truth)},
        details={"peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000},
        files=tuple(files),
        models=(TEXT_MODEL, AD_MODEL),
        notes=NOTES,
    )


def _cases(job: Job) -> Iterator[_Case]:
    models = Models(job.settings)
    for name, path in job.truths(".csv"):
        rows = read_csv(path, "label", "sentence")
        texts = [row["sentence"] for row in rows]
        truth = np.array([row["label"].strip() != NOT_AD for row in rows], dtype=bool)
        yield _Case(name, texts, truth, models.text.encode(texts))


def _held_out(job: Job) -> Iterator[_Case]:
    """Excerpts of the corpus, each within the talk of others, none of which the network named by `fold` knows."""
    corpus = corpus_of(load_registry().folder / "sources", job.settings, Models(job.settings).text.encode)
    for fold, episode in strange_episodes(corpus, times=job.settings.learn_ads.dilution, seed=HELD_OUT_SEED):
        yield _Case(episode.name, episode.texts.tolist(), episode.states != 0, episode.vectors, fold)


def _predict(job: Job, case: _Case, probabilities: Floats) -> None:
    rows = ({"probability": f"{p:.4f}", "sentence": t} for p, t in zip(probabilities, case.texts, strict=True))
    job.predict(f"{case.name}.csv", csv_text(("probability", "sentence"), rows))


def _counts(truth: Sequence[Flags]) -> dict[str, int]:
    return {"sentences": sum(len(one) for one in truth), "ads": int(sum(one.sum() for one in truth))}


def timed_sentences(texts: Sequence[str]) -> list[Sentence]:
    """The sentences one after the other, each lasting as long as its words take."""
    words = [max(1, len(text.split())) for text in texts]
    edges = np.concatenate([[0.0], np.cumsum(words) / WORDS_A_SECOND]).tolist()
    spans = zip(edges[:-1], edges[1:], texts, words, strict=True)
    return [Sentence(start, end, text, words=count) for start, end, text, count in spans]
