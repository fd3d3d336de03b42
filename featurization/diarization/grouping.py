"""Which local speakers are the same person: average linkage on the cosine distance of their voices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from featurization.diarization.local_speakers import LocalVoices, Vectors

Labels = NDArray[np.intp]


def find_centres(
    vectors: Vectors, seconds: NDArray[np.float64], *, threshold: float, least_s: float, most: int
) -> Vectors:
    """The mean unit vector of each person, (person, 256); `seconds` says how long each of the unit `vectors` talks.

    Groups farther apart than `threshold` are different people. Who talks less than `least_s` in all founds no group,
    unless nobody talks more. Of more than `most` vectors an even sample is looked at.
    """
    chosen = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), most)).round().astype(int))
    sample, weights = vectors[chosen].astype(np.float64), seconds[chosen]
    groups = _linked(sample, threshold)
    talked_s = np.bincount(groups, weights) * len(vectors) / len(sample)
    kept = np.flatnonzero((talked_s >= least_s) | (talked_s == talked_s.max()))
    sums = np.stack([weights[groups == group] @ sample[groups == group] for group in kept])
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _linked(vectors: NDArray[np.float64], threshold: float) -> Labels:
    if len(vectors) < 2:
        return np.zeros(len(vectors), dtype=np.intp)
    from scipy.cluster.hierarchy import fcluster, linkage  # slow to import, and only needed here

    return np.asarray(fcluster(linkage(vectors, "average", metric="cosine"), threshold, "distance") - 1, dtype=np.intp)


def assign(voices: LocalVoices, centres: Vectors) -> Labels:
    """Which person each local speaker is: the likeliest, but two speakers of one window are two people."""
    likeness = voices.vectors @ centres.T
    people: Labels = likeness.argmax(axis=1)
    windows = np.array([speaker.window for speaker in voices.speakers])
    for together in np.split(np.arange(len(windows)), np.flatnonzero(np.diff(windows)) + 1):
        rows, columns = linear_sum_assignment(likeness[together], maximize=True)
        people[together[rows]] = columns
    return people
