"""How the classifier of sentences learns from excerpts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from featurization.ad_network import DIM, FEATURES, AdLayers
from steps.detectors.ad_corpus import Excerpt, spliced, with_sentences_merged
from steps.detectors.options import LearnAdsOptions

_UNTOLD = -100  # label of what only fills up a batch


def learn_member(excerpts: Sequence[Excerpt], options: LearnAdsOptions, *, seed: int) -> AdLayers:
    """A network taught on programmes spliced from `excerpts`; the same seed gives the same network."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    messages = [message for excerpt in excerpts for message in excerpt.messages()]
    layers = AdLayers()
    learner = torch.optim.AdamW(layers.parameters(), lr=options.rate, weight_decay=options.decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(learner, options.rate, total_steps=options.rounds)
    layers.train()
    for _ in range(options.rounds):
        programmes = [with_sentences_merged(spliced(excerpts, messages, rng), rng) for _ in range(options.batch)]
        vectors, features, states = _batch(programmes)
        scores = layers(vectors, features).flatten(0, 1)
        loss = nn.functional.cross_entropy(scores, states.flatten(), ignore_index=_UNTOLD, label_smoothing=0.02)
        learner.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(layers.parameters(), 1.0)
        learner.step()
        cycle.step()
    return layers.eval()


def _batch(programmes: Sequence[Excerpt]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    longest = max(len(one.states) for one in programmes)
    vectors = torch.zeros(len(programmes), longest, DIM)
    features = torch.zeros(len(programmes), longest, FEATURES)
    states = torch.full((len(programmes), longest), _UNTOLD)
    for row, one in enumerate(programmes):
        vectors[row, : len(one.states)] = torch.from_numpy(one.vectors)
        features[row, : len(one.states)] = torch.from_numpy(one.features)
        states[row, : len(one.states)] = torch.from_numpy(one.states)
    return vectors, features, states
