"""Where a story resolves: strain and loudness rise to a peak late in the recording, and fall after it for good.

Stories that Reagan et al. (2016) cluster by the run of their feelings share this turn: what comes after it is the
outcome. Talk without a story has no such turn, and none is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.loudness import Levels
from featurization.media import Sentence
from featurization.spoiler_evidence.feelings import strain

Track = NDArray[np.float64]

_LEAST_SENTENCES = 20
_WINDOW_SHARE = 0.04  # of the recording: how far neighbours count in the curve, as a standard deviation
_LEAST_WINDOW_S = 20.0
_LEAST_STRAINED = 4  # sentences with more strain than relief around the peak: a word alone is no climax
_WITHIN = (0.4, 0.9)  # shares of the recording between which a story turns
_LEAST_FALL = 1.6  # in standard deviations of the curve: less is the weather of any talk
_FULL_FALL = 3.0


@dataclass(frozen=True, slots=True)
class Turning:
    """Where the strain peaks, and how far it falls after: 0, a fall that is just seen, to 1, one that is complete."""

    time: float
    fall: float


def turning(sentences: Sequence[Sentence], *, duration_s: float, levels: Levels | None = None) -> Turning | None:
    """The point after which a story resolves; None if strain and loudness do not fall for good after a late peak."""
    if len(sentences) < _LEAST_SENTENCES:
        return None
    times = np.array([sentence.middle for sentence in sentences])
    window_s = max(_LEAST_WINDOW_S, _WINDOW_SHARE * duration_s)
    strains = np.array([strain(sentence.text) for sentence in sentences])
    curve = _curve(sentences, strains, window_s, levels)
    low, high = (share * duration_s for share in _WITHIN)
    late = np.flatnonzero((times >= low) & (times <= high))
    if not len(late) or not curve.std():
        return None
    peak = int(late[curve[late].argmax()])
    after = curve[times > high] if np.any(times > high) else curve[-1:]
    fall = float((curve[peak] - after.max()) / curve.std())
    strained = np.count_nonzero(strains[np.abs(times - times[peak]) <= 2 * window_s] > 0)
    if strained < _LEAST_STRAINED or curve[peak] < curve.max() or fall < _LEAST_FALL:
        return None
    return Turning(float(times[peak]), min(1.0, (fall - _LEAST_FALL) / (_FULL_FALL - _LEAST_FALL)))


def _curve(sentences: Sequence[Sentence], strains: Track, window_s: float, levels: Levels | None) -> Track:
    """Strain and loudness at each sentence, each as deviations from its mean, smoothed over its neighbours in time."""
    times, tracks = np.array([sentence.middle for sentence in sentences]), [strains]
    if levels is not None:
        tracks.append(np.array([levels.mean(sentence.span) for sentence in sentences]))
    weights = np.exp(-0.5 * ((times[:, None] - times[None]) / window_s) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights @ np.mean([_standardised(track) for track in tracks], axis=0))


def _standardised(track: Track) -> Track:
    spread = track.std()
    return (track - track.mean()) / spread if spread > 1e-9 else np.zeros_like(track)
