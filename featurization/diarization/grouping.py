"""Which local speakers are the same person: average linkage on the cosine distance of their voices.

How far apart two people's voices lie depends on the recording: microphones, rooms and codecs bring them together. Those
who talk in the same window are known to be different people, so the threshold falls until they are in different groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from featurization.diarization.local_speakers import LocalVoices, Vectors

Labels = NDArray[np.intp]

_LOWEST = 0.2  # threshold under which windows of one person fall apart
_STEP = 0.02
_TOGETHER = 0.2  # share of pairs from one window that may be in one group: the network now and then splits a person


def find_centres(
    vectors: Vectors, seconds: NDArray[np.float64], windows: Labels, *, threshold: float, least_s: float, most: int
) -> Vectors:
    """The mean unit vector of each person, (person, 256).

    Of each of the unit `vectors`, `seconds` says how long it talks and `windows`, which must not fall, in which window.
    Groups farther apart than `threshold` are different people, nearer ones too if windows say so. Who talks less than
    `least_s` in all founds no group, unless nobody talks more. Of more than about `most` vectors, those of an even
    sample of windows are looked at.
    """
    number = np.unique(windows, return_inverse=True)[1]
    chosen = number % -(-len(vectors) // most) == 0
    sample, weights = vectors[chosen].astype(np.float64), seconds[chosen]
    groups = _linked(sample, windows[chosen], threshold)
    talked_s = np.bincount(groups, weights) * len(vectors) / len(sample)
    kept = np.flatnonzero((talked_s >= least_s) | (talked_s == talked_s.max()))
    sums = np.stack([weights[groups == group] @ sample[groups == group] for group in kept])
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _linked(vectors: NDArray[np.float64], windows: Labels, threshold: float) -> Labels:
    """Groups, numbered from 0, at the highest threshold that keeps apart who talks in one window."""
    if len(vectors) < 2:
        return np.zeros(len(vectors), dtype=np.intp)
    from scipy.cluster.hierarchy import fcluster, linkage  # slow to import, and only needed here

    tree, pairs = linkage(vectors, "average", metric="cosine"), _pairs(windows)
    while True:
        groups = np.asarray(fcluster(tree, threshold, "distance") - 1, dtype=np.intp)
        together = (groups[pairs[0]] == groups[pairs[1]]).mean() if len(pairs[0]) else 0.0
        if together <= _TOGETHER or threshold - _STEP < _LOWEST:
            return groups
        threshold -= _STEP


def _pairs(windows: Labels) -> tuple[Labels, Labels]:
    """Places of all pairs of up to three that share a window."""
    first = [np.flatnonzero(windows[:-ahead] == windows[ahead:]) for ahead in (1, 2)]
    return np.concatenate(first), np.concatenate([first[0] + 1, first[1] + 2])


def assign(voices: LocalVoices, centres: Vectors) -> Labels:
    """Which person each local speaker is: the likeliest, but two speakers of one window are two people."""
    likeness = voices.vectors @ centres.T
    people: Labels = likeness.argmax(axis=1)
    windows = np.array([speaker.window for speaker in voices.speakers])
    for together in np.split(np.arange(len(windows)), np.flatnonzero(np.diff(windows)) + 1):
        rows, columns = linear_sum_assignment(likeness[together], maximize=True)
        people[together[rows]] = columns
    return people
