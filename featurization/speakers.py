"""Who speaks when: voice vectors over speech, grouped by likeness, laid back on the time axis as turns.

Nothing is known beforehand of who or how many. Windows of speech become vectors, average-linkage clustering on their
cosine distance finds the voices, and a Viterbi pass over tenths of a second decides where the speaker changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment, Turn, merge
from featurization.pcm import Samples

Vectors = NDArray[np.float32]
Labels = NDArray[np.intp]
Encoder = Callable[[Sequence[Samples]], Vectors]  # windows of WINDOW_S at 16 kHz -> unit vectors (window, 256)
Reader = Callable[[Segment], Samples]
_Stretch = tuple[Segment, int, float]  # where, which voice, how sure (0..1)

WINDOW_S = 1.6  # what the encoder was trained on
_FRAME_S = 0.1  # resolution of speaker changes
_BATCH = 256  # windows whose sound is held at a time
_CLEAR_MARGIN = 0.15  # difference in cosine to the second best voice that counts as certain


@dataclass(frozen=True, slots=True)
class SpeakerOptions:
    """How voices are told apart."""

    hop_s: float = 0.8  # between windows; halving it doubles the cost
    threshold: float = 0.34  # mean cosine distance above which two groups are different speakers
    min_speaker_s: float = 3.0  # who speaks less in all is taken for the most similar other voice
    max_gap_s: float = 0.3  # spans of speech nearer than this share windows
    change_cost: float = 0.25  # cosine that a new speaker must gain, summed over tenths of a second, to be believed
    max_pause_s: float = 1.0  # a shorter pause of the same speaker is part of the turn
    max_clustered: int = 2000  # windows compared with each other; of longer recordings an even sample


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """Turns, and of every speaker in them the mean unit vector: row i is speaker "S{i+1}", (speaker, 256)."""

    turns: tuple[Turn, ...]
    vectors: Vectors


def find_turns(
    read: Reader, speech: Sequence[Segment], encoder: Encoder, options: SpeakerOptions = SpeakerOptions()
) -> tuple[Turn, ...]:
    """Turns in order of time, speakers "S1", "S2", … in order of first appearance.

    `read` gives the 16 kHz samples of a segment, `speech` is where anybody talks. Turns do not overlap.
    """
    return find_voices(read, speech, encoder, options).turns


def find_voices(
    read: Reader, speech: Sequence[Segment], encoder: Encoder, options: SpeakerOptions = SpeakerOptions()
) -> Voices:
    """As `find_turns`, with the speakers' vectors."""
    spans = merge(speech, max_gap_s=options.max_gap_s)
    windows = [window for span in spans for window in _windows(span, options.hop_s)]
    vectors = _embed(read, windows, encoder)
    if not windows:
        return Voices((), vectors)
    labels = group_voices(vectors, windows_s=options.hop_s, options=options)
    centroids = _centroids(vectors, labels)
    stretches = _stretches(spans, windows, vectors @ centroids.T, change_cost=options.change_cost)
    return _in_order(stretches, centroids, max_pause_s=options.max_pause_s)


def join_channels(channels: Sequence[Sequence[Turn]]) -> tuple[Turn, ...]:
    """Turns of channels that carry different speakers as one sequence: no label is shared between channels."""
    tagged = [
        replace(turn, speaker=f"{index}/{turn.speaker}") for index, turns in enumerate(channels) for turn in turns
    ]
    names: dict[str, str] = {}
    return tuple(
        replace(turn, speaker=names.setdefault(turn.speaker, f"S{len(names) + 1}"))
        for turn in sorted(tagged, key=lambda turn: (turn.start, turn.end, turn.speaker))
    )


def group_voices(vectors: Vectors, *, windows_s: float, options: SpeakerOptions = SpeakerOptions()) -> Labels:
    """A group number from 0 for each of the unit `vectors`, (window, 256), each of which stands for `windows_s`."""
    chosen = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), options.max_clustered)).round().astype(int))
    sample = vectors[chosen].astype(np.float64)
    if len(sample) < 2:
        return np.zeros(len(vectors), dtype=np.intp)
    from scipy.cluster.hierarchy import fcluster, linkage  # slow to import, and only needed here

    groups = fcluster(linkage(sample, "average", metric="cosine"), options.threshold, "distance") - 1
    stands_for_s = windows_s * len(vectors) / len(sample)
    groups = _without_tiny(sample.astype(np.float32), groups, least=options.min_speaker_s / stands_for_s)
    labels: Labels = np.argmax(vectors @ _centroids(sample.astype(np.float32), groups).T, axis=1)
    return np.unique(labels, return_inverse=True)[1]


def _without_tiny(vectors: Vectors, groups: Labels, *, least: float) -> Labels:
    """Groups renumbered from 0, members of those with fewer than `least` given to the most similar other group."""
    sizes = np.bincount(groups)
    kept = np.flatnonzero((sizes >= least) | (sizes == sizes.max()))
    similarity = vectors @ _centroids(vectors, groups)[kept].T
    own = np.searchsorted(kept, groups).clip(max=len(kept) - 1)
    return np.where(np.isin(groups, kept), own, np.argmax(similarity, axis=1))


def _centroids(vectors: Vectors, labels: Labels) -> Vectors:
    sums = np.zeros((int(labels.max()) + 1, vectors.shape[1]), dtype=np.float64)
    np.add.at(sums, labels, vectors)
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _windows(span: Segment, hop_s: float) -> list[Segment]:
    """Windows that cover `span`: spread evenly, at most `hop_s` apart; a short span is one window."""
    if span.duration <= WINDOW_S:
        return [span]
    starts = np.linspace(span.start, span.end - WINDOW_S, 1 + int(np.ceil((span.duration - WINDOW_S) / hop_s)))
    return [Segment(float(start), float(start) + WINDOW_S) for start in starts]


def _embed(read: Reader, windows: Sequence[Segment], encoder: Encoder) -> Vectors:
    batches = [encoder([read(w) for w in windows[at : at + _BATCH]]) for at in range(0, len(windows), _BATCH)]
    return np.concatenate(batches) if batches else encoder([])


def _stretches(
    spans: Sequence[Segment], windows: Sequence[Segment], scores: Vectors, *, change_cost: float
) -> list[_Stretch]:
    """Each stretch of one voice in order; `scores` is (window, speaker) cosines."""
    middles, first = np.array([window.middle for window in windows]), 0
    found: list[_Stretch] = []
    for span in spans:
        last = first
        while last < len(windows) and windows[last].start < span.end:
            last += 1
        edges = np.linspace(span.start, span.end, 1 + max(1, round(span.duration / _FRAME_S)))
        frames = _interpolate((edges[:-1] + edges[1:]) / 2, middles[first:last], scores[first:last])
        path = _viterbi(frames, change_cost)
        changes = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
        for start, end in pairwise(changes):
            confidence = _confidence(frames[start:end].mean(axis=0))
            found.append((Segment(float(edges[start]), float(edges[end])), int(path[start]), confidence))
        first = last
    return found


def _interpolate(times: NDArray[np.float64], middles: NDArray[np.float64], scores: Vectors) -> Vectors:
    return np.stack([np.interp(times, middles, column) for column in scores.T], axis=1).astype(np.float32)


def _viterbi(scores: Vectors, change_cost: float) -> Labels:
    """The path of highest score through (time, speaker) when every change costs `change_cost`."""
    best = scores[0].astype(np.float64)
    came_from = np.empty(scores.shape, dtype=np.intp)
    stay = np.arange(scores.shape[1])
    for time, now in enumerate(scores):
        leader = int(best.argmax())
        changed = best[leader] - change_cost > best
        came_from[time] = np.where(changed, leader, stay)
        best = np.where(changed, best[leader] - change_cost, best) + (now if time else 0)
    path = np.empty(len(scores), dtype=np.intp)
    state = int(best.argmax())
    for time in range(len(scores) - 1, -1, -1):
        path[time] = state
        state = came_from[time, state]
    return path


def _confidence(scores: Vectors) -> float:
    if len(scores) == 1:
        return 1.0
    second, first = np.sort(scores)[-2:]
    return round(float(min(1.0, (first - second) / _CLEAR_MARGIN)), 4)


def _in_order(stretches: Sequence[_Stretch], centroids: Vectors, *, max_pause_s: float) -> Voices:
    """Stretches of one voice joined over short pauses, speakers numbered as they appear."""
    names: dict[int, str] = {}
    turns: list[Turn] = []
    for span, voice, confidence in stretches:
        speaker = names.setdefault(voice, f"S{len(names) + 1}")
        last = turns[-1] if turns else None
        if last is not None and last.speaker == speaker and span.start - last.end <= max_pause_s:
            sure = (last.confidence * last.duration + confidence * span.duration) / (last.duration + span.duration)
            turns[-1] = Turn(last.start, span.end, speaker=speaker, confidence=round(sure, 4))
        else:
            turns.append(Turn(span.start, span.end, speaker=speaker, confidence=confidence))
    return Voices(tuple(turns), centroids[list(names)])
