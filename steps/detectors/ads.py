"""The classifier of ads, from the corpus to weights: what `flows/train_detectors.py` calls.

There are as many networks as folds of the corpus. Each is judged on the fold that it never saw, in episodes where ads
are about as rare as in life.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save_file

from eval.ad_metrics import AdScores, best_threshold, judge_scores
from featurization.ad_network import AdNetwork, ad_tensors, load_ad_network
from featurization.ads import WEIGHTS, AdOptions, decide
from featurization.media import Segment, Sentence
from steps.detectors.ad_corpus import CORPUS, FOLDS, STATES, Encode, Excerpt, excerpt, read_corpus, strange_episodes
from steps.detectors.ad_training import learn_member
from steps.models import Models
from steps.settings import Settings
from steps.store import Store
from steps.tables import SENTENCES
from steps.verdicts import REVIEWS, Review, standing_reviews

__all__ = ["WEIGHTS", "judge", "train"]
log = logging.getLogger(__name__)
_SPONSOR = STATES.index("sponsor")
Floats = NDArray[np.float64]


def train(sources: Path, *, out: Path, settings: Settings, store: Store, seed: int) -> dict[str, Any]:
    """Train the networks on the corpus and on what users judged, and write them; returns what they learned from.

    `sources` keeps the vectors of the corpus. Raises SourceError if the corpus cannot be read.
    """
    encode, options = Models(settings).text.encode, settings.learn_ads
    corpus = corpus_of(sources, settings, encode)
    told = list(_told(store, encode))
    members = []
    for fold in range(FOLDS):
        taught = [one for one in (*corpus, *told) if one.fold != fold]
        members.append(learn_member(taught, options, seed=seed + fold))
        log.info("network %d of %d has learned", fold + 1, FOLDS)
    network = AdNetwork(members, scale=1.0, shift=0.0)
    network.scale, network.shift = _calibrated(network, corpus, settings, seed)
    out.mkdir(parents=True, exist_ok=True)
    save_file(ad_tensors(network), out / WEIGHTS)
    sentences = np.concatenate([one.states for one in (*corpus, *told)])
    counts = {state: int((sentences == place).sum()) for place, state in enumerate(STATES)}
    return {"files": len(corpus), "judged in the studio": len(told), "sentences": counts}


def judge(weights: Path, sources: Path, *, settings: Settings, store: Store, seed: int) -> dict[str, Any]:  # noqa: ARG001
    """Figures over sentences of the corpus, each judged by the network that never saw its file."""
    network = load_ad_network(weights)
    corpus = corpus_of(sources, settings, Models(settings).text.encode)
    return _figures(judge_scores(*_held_out(network, corpus, settings, seed + 1)), settings.ads)


def _figures(scores: AdScores, options: AdOptions) -> dict[str, Any]:
    balanced, cut = scores.at(options.min_confidence), scores.at(options.cut_confidence)
    return {
        "precision": balanced.precision,
        "recall": balanced.recall,
        "f1": balanced.f1,
        "average precision": scores.average_precision,
        "cut": {"precision": cut.precision, "recall": cut.recall},
        "share of ads": scores.share,
    }


def corpus_of(sources: Path, settings: Settings, encode: Encode) -> list[Excerpt]:
    """The excerpts to learn from, with vectors that are kept in `sources`."""
    folder = Path(settings.learn_ads.corpus) if settings.learn_ads.corpus else CORPUS
    return read_corpus(folder, encode, cache=sources)


def _held_out(
    network: AdNetwork, corpus: Sequence[Excerpt], settings: Settings, seed: int
) -> tuple[NDArray[np.bool_], Floats]:
    """Truth and probability of all sentences, (sentence,), by networks that never saw them."""
    truth, found = [], []
    for fold, episode in strange_episodes(corpus, times=settings.learn_ads.dilution, seed=seed):
        odds = network.only(fold).log_odds(episode.vectors, episode.features)
        truth.append(episode.states != 0)
        found.append(decide(odds, np.zeros(len(odds)), scale=network.scale, shift=network.shift)[0])
    return np.concatenate(truth), np.concatenate(found)


def _calibrated(network: AdNetwork, corpus: Sequence[Excerpt], settings: Settings, seed: int) -> tuple[float, float]:
    """Scale and shift of log odds: the slope by Platt's fit, and one half where F1 is best."""
    from scipy.optimize import minimize

    truth, probabilities = _held_out(network, corpus, settings, seed)
    standing = np.log(probabilities / (1 - probabilities))
    signs = np.where(truth, 1.0, -1.0)
    fitted = minimize(lambda x: np.logaddexp(0, -signs * (x[0] * standing + x[1])).mean(), np.array([1.0, 0.0]))
    scale = float(fitted.x[0])
    return scale, -scale * best_threshold(truth, standing)


def _told(store: Store, encode: Encode) -> Iterator[Excerpt]:
    """What editors said of previews: one rejected as an ad is an ad, an approved one is talk."""
    for asset_id, rows in sorted(store.read(REVIEWS).items()):
        sentences = store.read(SENTENCES, [asset_id]).get(asset_id, ())
        for review in standing_reviews(rows):
            about = _sentences_of(review, sentences)
            if about:
                states = np.full(len(about), _SPONSOR if review.reason == "ad" else 0, dtype=np.int64)
                yield excerpt(f"{asset_id}-{review.id}", states, about, encode(about))


def _sentences_of(review: Review, sentences: Sequence[Sentence]) -> list[str]:
    """What a preview said that was rejected as an ad, or approved; nothing of other verdicts."""
    if review.decision == "rejected" and review.reason != "ad":
        return []
    moments: Sequence[Segment] = review.moments
    return [sentence.text for sentence in sentences if any(sentence.middle in moment for moment in moments)]
