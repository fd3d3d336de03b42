"""Fingerprints of sound and of moving pictures: 32 bits a moment that survive coding, level and size.

Both say whether a difference between neighbours grew or shrank from one moment to the next: neighbouring bands of the
spectrum for sound (Haitsma & Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002), neighbouring blocks of
the picture for films. Where nothing sounds or moves there is nothing to recognise, and the code is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from featurization.frames import Footage
from featurization.media import Fingerprint
from featurization.pcm import PCM_RATE_HZ, Samples

Codes = NDArray[np.uint32]

HOP_S = 0.05  # half of it is the worst misalignment of two copies, at which every sixth bit is wrong
BITS = 32

_WINDOW = round(0.37 * PCM_RATE_HZ)
_HOP = round(HOP_S * PCM_RATE_HZ)
_TAPER = np.hanning(_WINDOW).astype(np.float32)
_FFT = 8192
_BAND_EDGES = np.round(np.geomspace(300.0, 2000.0, BITS + 2) * _FFT / PCM_RATE_HZ).astype(int)
_QUIET = 10 ** (-60 / 20)  # RMS under which a window is silence
_WINDOWS_AT_ONCE = 512

_GRID = (4, 8)  # blocks of the picture, rows by columns
_APART_S = 0.4  # between the two moments that are compared
_CHANGED = 2.0  # of 255: a block that changed less stands still
_MOVING = 0.25  # share of the blocks that must move for a moment to be told from others
_WEIGHTS = (1 << np.arange(BITS, dtype=np.uint64)).astype(np.uint32)


def sound_fingerprint(blocks: Iterable[Samples]) -> Fingerprint:
    """The fingerprint of 16 kHz sound that comes in blocks of any size; no codes for less than half a second."""
    found = [np.zeros(0, dtype=np.uint32)]
    before = np.zeros((0, BITS), dtype=np.float32)
    for windows in _windows(blocks):
        slopes = _slopes(windows)
        joined = np.concatenate([before, slopes])
        loud = np.sqrt(np.mean(np.square(windows), axis=1))[-(len(joined) - 1) :] > _QUIET if len(joined) > 1 else []
        found.append(_packed(joined[1:] > joined[:-1]) * np.asarray(loud, dtype=bool))
        before = slopes[-1:]
    lead_s = (_WINDOW + _HOP) / 2 / PCM_RATE_HZ
    return Fingerprint("sound", HOP_S, lead_s, tuple(np.concatenate(found).tolist()))


def _windows(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Overlapping windows of the whole sound, some hundred at a time, (window, sample)."""
    rest = np.zeros(0, dtype=np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        while len(rest) >= _WINDOW:
            windows = np.lib.stride_tricks.sliding_window_view(rest, _WINDOW)[::_HOP][:_WINDOWS_AT_ONCE]
            yield windows
            rest = rest[len(windows) * _HOP :]


def _slopes(windows: Samples) -> NDArray[np.float32]:
    """Differences of the logarithmic power of neighbouring bands, (window, 32)."""
    from scipy.fft import rfft  # keeps to single precision, at half the time

    spectra = rfft(windows * _TAPER, _FFT)[:, : _BAND_EDGES[-1]]
    power = np.square(spectra.real) + np.square(spectra.imag)
    bands = np.log(np.add.reduceat(power, _BAND_EDGES[:-1], axis=1) + 1e-9)
    return np.asarray(bands[:, :-1] - bands[:, 1:], dtype=np.float32)


def picture_fingerprint(footage: Footage) -> Fingerprint:
    """The fingerprint of the pictures of a film, from their small copies: of what moves or is cut in them."""
    moments = np.arange(0.0, footage.end, HOP_S)
    shown = np.maximum(np.searchsorted(footage.times, moments, side="right") - 1, 0)
    grids = np.concatenate([_grids(footage, shown[at : at + 1000]) for at in range(0, len(shown), 1000)])
    apart = round(_APART_S / HOP_S)
    change = grids[apart:] - grids[:-apart]
    moving = (np.abs(change) >= _CHANGED).mean(axis=1) >= _MOVING
    codes = _packed(change > np.roll(change, 1, axis=1)) * moving
    return Fingerprint("picture", HOP_S, _APART_S / 2, tuple(codes.tolist()))


def _grids(footage: Footage, indices: NDArray[np.intp]) -> NDArray[np.float32]:
    """Mean luma of each block of frames, (frame, 32)."""
    first, last = int(indices[0]), int(indices[-1]) + 1
    luma = footage.small(first, last).astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    rows, columns = _GRID
    height, width = luma.shape[1] // rows * rows, luma.shape[2] // columns * columns
    blocks = luma[:, :height, :width].reshape(len(luma), rows, height // rows, columns, width // columns)
    return np.asarray(blocks.mean(axis=(2, 4)).reshape(len(luma), BITS)[indices - first], dtype=np.float32)


def _packed(bits: NDArray[np.bool_]) -> Codes:
    """Rows of 32 bits as numbers."""
    return np.asarray(bits @ _WEIGHTS, dtype=np.uint32)
