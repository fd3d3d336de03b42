"""From what TransNetV2 says of each frame to transitions: where they are, how far they reach, and of which kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from featurization.shot_detection.boundaries import Boundary, BoundaryKind

Small = NDArray[np.uint8]  # (frames, 27, 48, 3)
Flags = NDArray[np.bool_]  # (frames,)
Probabilities = NDArray[np.float32]  # (frames, 2): middle of a transition, part of one
Network = Callable[[Small], Probabilities]
Run = tuple[int, int]  # frames [first, last], both included

_SURE = 0.5  # the threshold of the paper, for both heads
_CUT_SHARE = 0.6  # of the whole change must happen between two frames for a cut
_SEARCH = 2  # frames around the network's answer in which the cut itself may be
_BLACK = 5  # frames beside a transition that may be the colour it goes through: its ends are only estimates
_PLAIN = 6.0  # standard deviation of the luma, 0 to 255: a single colour, with the noise of coding
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def read_boundaries(
    frames: Small, probabilities: Probabilities, enough: float | NDArray[np.float64] = _SURE
) -> tuple[Boundary, ...]:
    """The transitions in a stretch of frames, in order, numbered within the stretch.

    `enough` is the probability of a transition's middle that counts, for all frames or for each.
    """
    found: list[Boundary] = []
    reaches = list(runs(probabilities[:, 1] > _SURE))
    for run in runs(probabilities[:, 0] > enough):
        confidence = float(probabilities[run[0] : run[1] + 1, 0].max())
        boundary = _boundary(frames, run, _reach(run, reaches), confidence)
        if boundary is not None and not (found and boundary.first <= found[-1].last):
            found.append(boundary)
    return tuple(found)


def runs(flags: Flags) -> Iterator[Run]:
    """The stretches in which `flags` hold, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return ((int(first), int(end) - 1) for first, end in edges.reshape(-1, 2))


def plain_frames(frames: Small) -> Flags:
    """Which frames show nothing but one colour."""
    return np.asarray(luma(frames).std(axis=(1, 2)) < _PLAIN)


def luma(frames: Small) -> NDArray[np.float32]:
    """Brightness of each pixel, (frames, height, width), 0 to 255."""
    return frames @ _LUMA


def changes(frames: Small) -> NDArray[np.float64]:
    """Mean absolute difference of each frame to the one before it, 0 to 255; of the first one 0."""
    signed = frames.astype(np.int16)
    return np.concatenate([[0.0], np.abs(np.diff(signed, axis=0)).mean(axis=(1, 2, 3))])


def _reach(run: Run, reaches: list[Run]) -> Run:
    """The run with what the second head adds to it."""
    touching = [reach for reach in reaches if reach[0] <= run[1] + 1 and run[0] - 1 <= reach[1]]
    return min([run[0], *(first for first, _ in touching)]), max([run[1], *(last for _, last in touching)])


def _boundary(frames: Small, run: Run, reach: Run, confidence: float) -> Boundary | None:
    """A cut if one step makes up most of the change around `run`, else gradual over `reach`."""
    first, last = max(0, run[0] - _SEARCH), min(len(frames) - 1, run[1] + 1 + _SEARCH)
    steps = changes(frames[first : last + 1])
    if len(steps) < 2:
        return None
    at = int(steps.argmax())
    whole = float(np.abs(frames[last].astype(np.int16) - frames[first]).mean())
    if steps[at] >= _CUT_SHARE * whole and steps[at] >= 2 * np.sort(steps)[-2]:
        return Boundary(first + at, first + at, "cut", confidence)
    return Boundary(*reach, gradual_kind(frames, reach), confidence)


def gradual_kind(frames: Small, reach: Run) -> BoundaryKind:
    """A fade goes through a single colour, a dissolve does not."""
    around = frames[max(0, reach[0] - _BLACK) : reach[1] + 1 + _BLACK]
    return "fade" if plain_frames(around).any() else "dissolve"
