"""Advertisements in text without times: sentences, beside a handful of keywords."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.job import Job, csv_text, say
from benchmarks.report import Measured
from eval.ad_metrics import DECIDED, ad_probabilities
from eval.detection_metrics import DetectionMetrics, judge_flags
from featurization.ads import find_ads
from featurization.media import Sentence
from steps.models import TEXT_MODEL, Models
from steps.truth.figures import detection_figures
from steps.truth.formats import read_csv

WORDS_A_SECOND = 2.5
NOT_AD = "O"
KEYWORDS = re.compile(
    r"\b(sponsor|brought to you by|promo(?:tional)? code|use (?:the )?code|per ?cent off|% off|free trial|discount"
    r"|dot com|\.com|sign up|subscribe)",
    re.IGNORECASE,
)
PEER = "keywords"
NOTES = (
    "precision, recall and f1 of sentences that are part of an ad, pooled over files; a sentence is one if its "
    "probability is 0.5 or more",
    "probability: confidence of the ad span that holds the sentence, 0 outside; the sentences get times of 2.5 words a "
    "second, one after the other",
    f"{PEER}: a sentence is an ad if it says one of: {KEYWORDS.pattern}",
)


def measure(job: Job) -> Measured:
    """Sentences over all NAME.csv. Predictions: NAME.csv (probability, sentence) for each."""
    models = Models(job.settings)
    files: list[dict[str, Any]] = []
    ours, naive = DetectionMetrics(), DetectionMetrics()
    for name, path in job.truths(".csv"):
        rows = read_csv(path, "label", "sentence")
        texts = [row["sentence"] for row in rows]
        truth = np.array([row["label"].strip() != NOT_AD for row in rows], dtype=bool)
        sentences = timed_sentences(texts)
        spans = find_ads(sentences, models.text.encode(texts), options=job.settings.ads)
        probabilities = ad_probabilities(sentences, spans)
        judged = judge_flags(truth, probabilities >= DECIDED)
        ours += judged
        naive += judge_flags(truth, np.array([bool(KEYWORDS.search(text)) for text in texts], dtype=bool))
        predicted = ({"probability": f"{p:.4f}", "sentence": t} for p, t in zip(probabilities, texts, strict=True))
        job.predict(path.name, csv_text(("probability", "sentence"), predicted))
        files.append({"file": name, "sentences": len(rows), "ads": int(truth.sum()), **detection_figures(judged)})
        say(f"{name}: {len(rows)} sentences, precision {judged.precision:.3f}, recall {judged.recall:.3f}")
    return Measured(
        metrics=detection_figures(ours),
        peers={PEER: detection_figures(naive)},
        counts={"files": len(files), "sentences": ours.items, "ads": ours.matched + ours.false_negatives},
        files=tuple(files),
        models=(TEXT_MODEL,),
        notes=NOTES,
    )


def timed_sentences(texts: Sequence[str]) -> list[Sentence]:
    """The sentences one after the other, each lasting as long as its words take."""
    words = [max(1, len(text.split())) for text in texts]
    edges = np.concatenate([[0.0], np.cumsum(words) / WORDS_A_SECOND]).tolist()
    spans = zip(edges[:-1], edges[1:], texts, words, strict=True)
    return [Sentence(start, end, text, words=count) for start, end, text, count in spans]
