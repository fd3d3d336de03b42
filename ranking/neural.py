"""A small network that adds to the prior what no weighted sum of features can say: how they interact.

Score = weights · x + network(x), x standardised within the episode. It is asked in NumPy: only
`ranking.neural_training` needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ranking.context import ratio
from ranking.digest import identity
from ranking.features import FEATURE_NAMES
from ranking.prior import standardise
from ranking.ranker import Scores
from ranking.spans import Floats

_NODES, _SHARES = np.polynomial.legendre.leggauss(32)  # points of an integral over -1..1, and their weights


@dataclass(frozen=True, slots=True)
class NeuralOptions:
    """The network's size and how it is trained."""

    rounds: int = 30  # passes over the episodes
    patience: int = 5  # passes without a smaller validation loss before it stops
    learning_rate: float = 0.003
    width: int = 32  # of the first hidden layer; the second has half
    decay: float = 0.1  # pull towards the prior
    seed: int = 7

    def __post_init__(self) -> None:
        if min(self.rounds, self.patience) < 1 or self.width < 2:
            raise ValueError("rounds and patience must be at least 1, width at least 2")
        if self.learning_rate <= 0 or self.decay < 0:
            raise ValueError("learning_rate must be above 0 and decay not below it")


@dataclass(frozen=True)
class Layer:
    """Weights (out, in) and biases (out,) as plain numbers."""

    weights: tuple[tuple[float, ...], ...]
    biases: tuple[float, ...]


@dataclass(frozen=True)
class NeuralRanker:
    """A trained Ranker: a weight for every feature, and layers of tanh of which the last is linear."""

    weights: tuple[float, ...]
    layers: tuple[Layer, ...]
    options: dict[str, float] = field(default_factory=dict)  # `rounds` is the best one
    name: str = "neural"

    @property
    def identity(self) -> str:
        return identity(self.name, [self.weights, [[layer.weights, layer.biases] for layer in self.layers]])

    def score(self, matrix: Floats) -> Scores:
        """Scores with integrated gradients (Sundararajan et al., ICML 2017) from the episode's median clip.

        What the numeric integral misses, less than 1e-6 of the score, is spread over the features by their size, so
        that each row and the base add up to the score.
        """
        clips = standardise(matrix)
        base = float(self._network(np.zeros((1, len(FEATURE_NAMES))))[0])
        parts = self._integrated(clips)
        missed = self._network(clips) - base - parts.sum(axis=1)
        parts += missed[:, None] * ratio(np.abs(parts), np.abs(parts).sum(axis=1, keepdims=True))
        return Scores(clips * np.array(self.weights) + parts, base)

    def values(self, matrix: Floats) -> Floats:
        """The scores alone, (clips,)."""
        clips = standardise(matrix)
        return np.asarray(clips @ np.array(self.weights) + self._network(clips))

    @cached_property
    def _arrays(self) -> list[tuple[Floats, Floats]]:
        return [(np.array(layer.weights), np.array(layer.biases)) for layer in self.layers]

    def _network(self, clips: Floats) -> Floats:
        """What the network adds, (clips,)."""
        return np.asarray(self._activations(clips)[-1][:, 0])

    def _integrated(self, clips: Floats) -> Floats:
        """The slope along the way from the median clip to each clip, times that way, (clips, features)."""
        steps = zip(_NODES, _SHARES, strict=True)
        return np.asarray(clips * sum(share / 2 * self._slope((node + 1) / 2 * clips) for node, share in steps))

    def _slope(self, clips: Floats) -> Floats:
        """Derivative of what the network adds by each feature, (clips, features)."""
        *hidden, _ = self._activations(clips)
        slope = np.broadcast_to(self._arrays[-1][0], (len(clips), hidden[-1].shape[1]))
        for (weights, _), active in zip(reversed(self._arrays[:-1]), reversed(hidden), strict=True):
            slope = (slope * (1 - active**2)) @ weights
        return np.asarray(slope)

    def _activations(self, clips: Floats) -> list[Floats]:
        """Of every layer, (clips, width)."""
        found, active = [], clips
        for number, (weights, biases) in enumerate(self._arrays):
            active = active @ weights.T + biases
            active = np.tanh(active) if number < len(self._arrays) - 1 else active
            found.append(active)
        return found
