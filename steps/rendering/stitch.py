"""Padded moments of one recording joined into one: fades at the ends, crossfades between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment

Samples = NDArray[np.float32]

_CLICK_S = 0.01  # the shortest fade that leaves no click, used where there is no room to breathe


@dataclass(frozen=True, slots=True)
class Clip:
    """One padded piece: `lead` and `tail` are the samples of breath before and after what is said."""

    samples: Samples
    rate_hz: int
    lead: int
    tail: int
    source: Segment


@dataclass(frozen=True, slots=True)
class Placement:
    """A moment of the recording and the second of the preview at which it begins to sound."""

    source: Segment
    start: float


def joined(
    clips: Sequence[Clip], *, fade_in_s: float, fade_out_s: float, crossfade_s: float
) -> tuple[Samples, tuple[Placement, ...]]:
    """All clips in the given order as one, and where each of them went.

    Both ends fade by a raised cosine and joints cross at equal power, all inside the breath around what is said.
    """
    first, last, rate = clips[0], clips[-1], clips[0].rate_hz
    whole, placements = first.samples, [Placement(first.source, first.lead / rate)]
    for before, clip in pairwise(clips):
        overlap = _fade_length(crossfade_s, min(before.tail, clip.lead), rate)
        at = whole.shape[1] - overlap
        whole = _crossfaded(whole, clip.samples, overlap)
        placements.append(Placement(clip.source, (at + clip.lead) / rate))
    fade_in = _fade_length(fade_in_s, first.lead, rate)
    fade_out = _fade_length(fade_out_s, last.tail, rate)
    return _faded(whole, fade_in, fade_out), tuple(placements)


def _fade_length(wanted_s: float, room: int, rate_hz: int) -> int:
    return max(min(round(wanted_s * rate_hz), room), round(_CLICK_S * rate_hz))


def _crossfaded(before: Samples, after: Samples, overlap: int) -> Samples:
    overlap = min(overlap, before.shape[1], after.shape[1])
    angle = (np.arange(overlap, dtype=np.float32) + 0.5) / overlap * (math.pi / 2)
    mixed = before[:, before.shape[1] - overlap :] * np.cos(angle) + after[:, :overlap] * np.sin(angle)
    return np.concatenate([before[:, : before.shape[1] - overlap], mixed, after[:, overlap:]], axis=1)


def _faded(samples: Samples, fade_in: int, fade_out: int) -> Samples:
    gain = np.ones(samples.shape[1], dtype=np.float32)
    gain[:fade_in] *= _raised_cosine(fade_in)[: gain.size]
    gain[gain.size - min(fade_out, gain.size) :] *= _raised_cosine(fade_out)[::-1][-gain.size :]
    return samples * gain


def _raised_cosine(length: int) -> Samples:
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / length)).astype(np.float32)
