"""From what each sentence says by itself to a smooth course: messages last for sentences, and most talk is none.

A hidden Markov model whose states are talk and the three kinds of message (Rabiner 1989). The network's log
probabilities are its emissions; evidence from elsewhere (chapters, show notes, sound, repetition) is added to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CourseOptions:
    """How sticky talk and messages are. On excerpts of other writers than those that taught, see docs/models/ads.md."""

    begins: float = 0.03  # probability that a message begins at a sentence of talk
    ends: float = 0.25  # probability that a message ends after a sentence
    turns: float = 0.02  # probability that a message becomes one of another kind
    rarity: float = 1.5  # log odds of talk that the network has learned, and that the course adds again


def smoothed(log_odds: Floats, edges: Floats, options: CourseOptions | None = None) -> Floats:
    """Probability of each state at each sentence given all of them, (sentence, state), state 0 being talk.

    `log_odds` are those of each state against talk, (sentence, state), 0 in column 0. `edges` is how much likelier a
    message begins or ends before each sentence than usual, as log odds, (sentence,): pauses, new voices, steps in
    loudness.
    """
    options = options or CourseOptions()
    emissions = np.concatenate([log_odds[:, :1], log_odds[:, 1:] + options.rarity], axis=1)
    if not len(emissions):
        return emissions
    moves = _moves(emissions.shape[1], edges, options)
    forward, backward = np.zeros_like(emissions), np.zeros_like(emissions)
    forward[0] = emissions[0] + np.log(_start(emissions.shape[1], options))
    for place in range(1, len(emissions)):
        forward[place] = emissions[place] + logsumexp(forward[place - 1][:, None] + moves[place], axis=0)
    for place in range(len(emissions) - 2, -1, -1):
        backward[place] = logsumexp(moves[place + 1] + (emissions[place + 1] + backward[place + 1])[None, :], axis=1)
    joint = forward + backward
    return np.asarray(np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))


def _start(states: int, options: CourseOptions) -> Floats:
    """What the first sentence is, before it is heard: a recording may well begin with a message."""
    share = options.begins / (options.begins + options.ends)
    return np.array([1 - share, *[share / (states - 1)] * (states - 1)])


def _moves(states: int, edges: Floats, options: CourseOptions) -> Floats:
    """Log probabilities of going from one state to another before each sentence, (sentence, from, to)."""
    begins, ends = (_shifted(probability, edges) for probability in (options.begins, options.ends))
    moves = np.empty((len(edges), states, states))
    moves[:] = (options.turns / max(1, states - 2)) * np.ones((states, states))
    moves[:, 0, 1:] = (begins / (states - 1))[:, None]
    moves[:, 1:, 0] = ends[:, None]
    moves[:, 0, 0] = 1 - begins
    for state in range(1, states):
        moves[:, state, state] = np.maximum(1 - ends - options.turns, 1e-3)
    return np.asarray(np.log(moves))


def _shifted(probability: float, log_odds: Floats) -> Floats:
    """A probability after evidence."""
    return np.asarray(1 / (1 + (1 - probability) / probability * np.exp(-log_odds)))
