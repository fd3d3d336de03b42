"""What the classifier of ads is measured beside: keywords, and sentence vectors without context.

`python -m benchmarks.ad_peers` teaches the second on the corpus again and writes its weights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from eval.ad_metrics import best_threshold
from featurization.models import load_registry
from steps.detectors.ad_corpus import FOLDS, Excerpt, strange_episodes
from steps.detectors.ads import corpus_of
from steps.models import Models
from steps.settings import Settings

KEYWORDS = re.compile(
    r"\b(sponsor|brought to you|promo(?:tional)? code|use (?:the )?code|per ?cent off|% off|free trial|discount"
    r"|dot com|\.com|sign up|subscribe)",
    re.IGNORECASE,
)
WEIGHTS = Path(__file__).parent / "minilm_alone.safetensors"
SEED = 7
Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]


def keyword_flags(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Sentences that say one of KEYWORDS, (sentence,)."""
    return np.array([bool(KEYWORDS.search(text)) for text in texts], dtype=bool)


class VectorsAlone:
    """Logistic regressions on single sentence vectors, one for each fold of the corpus that it has not seen."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        tensors = load_file(weights)
        self.weights, self.shift = tensors["weights"], float(tensors["shift"][0])  # (fold, 385)

    def __call__(self, vectors: Vectors, *, fold: int | None = None) -> Floats:
        """Probabilities of ads, (sentence,), by the one that never saw `fold`, else by the mean of all."""
        weights = self.weights.mean(axis=0) if fold is None else self.weights[fold]
        return np.asarray(1 / (1 + np.exp(-(scores(vectors, weights) + self.shift))))


def scores(vectors: Vectors, weights: Floats) -> Floats:
    """Log odds, (sentence,)."""
    return np.asarray(vectors @ weights[:-1] + weights[-1])


def teach(corpus: Sequence[Excerpt]) -> dict[str, Floats]:
    """Weights for each fold, and where F1 is best in episodes with few ads."""
    weights = np.stack([_fitted([one for one in corpus if one.fold != fold]) for fold in range(FOLDS)])
    episodes = list(strange_episodes(corpus, times=3, seed=SEED))
    truth = np.concatenate([episode.states != 0 for _, episode in episodes])
    found = np.concatenate([scores(episode.vectors, weights[fold]) for fold, episode in episodes])
    return {"weights": weights, "shift": np.array([-best_threshold(truth, found)])}


def _fitted(excerpts: Sequence[Excerpt]) -> Floats:
    from sklearn.linear_model import LogisticRegression

    vectors = np.concatenate([one.vectors for one in excerpts])
    model = LogisticRegression(C=3.0, max_iter=1000)
    model.fit(vectors, np.concatenate([one.states != 0 for one in excerpts]))
    return np.append(model.coef_[0], model.intercept_[0])


def main() -> None:
    """Teach and write."""
    settings = Settings()
    corpus = corpus_of(load_registry().folder / "sources", settings, Models(settings).text.encode)
    save_file(teach(corpus), WEIGHTS)
    print(f"{WEIGHTS}: taught on {len(corpus)} files")


if __name__ == "__main__":
    main()
