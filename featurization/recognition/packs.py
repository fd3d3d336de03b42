"""Packs: spans of speech laid end to end, nearly as long as a recogniser's window, so that none of it is wasted.

Whisper pads whatever it hears to 30 s. Long pauses are left out (a breath of them stays on each side), and a span
longer than a pack is cut where it is quietest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from featurization.media import Segment, Word, merge

Samples = NDArray[np.float32]
Read = Callable[[Segment], Samples]

RATE_HZ = 16_000
_LEAST_HEARD_S = 1.0
_QUIET_S = 0.1  # length of the quietest stretch that is looked for


@dataclass(frozen=True, slots=True)
class Piece(Segment):
    """A stretch of the recording to be heard, with the speech in it."""

    speech: Segment

    def after(self, time: float) -> Piece:
        """The part from `time` on."""
        start = max(self.start, time)
        return Piece(start, self.end, Segment(max(self.speech.start, start), max(self.speech.end, start)))

    def until(self, time: float) -> Piece:
        """The part up to `time`."""
        return Piece(self.start, time, self.speech & Segment(self.start, time))


@dataclass(frozen=True, slots=True)
class Pack:
    """Pieces of the recording, in order and disjoint, that are heard as one."""

    pieces: tuple[Piece, ...]

    @property
    def duration(self) -> float:
        return sum(piece.duration for piece in self.pieces)

    def read(self, read: Read) -> Samples:
        """The samples of all pieces, each as long as it should be even where the recording ends early."""
        return np.concatenate([_exactly(read(piece.span), round(piece.duration * RATE_HZ)) for piece in self.pieces])

    def to_recording(self, word: Word) -> Word:
        """A word timed in the pack, timed in the recording: within the piece that holds its middle."""
        before = 0.0
        for piece in self.pieces:
            if word.middle < before + piece.duration or piece is self.pieces[-1]:
                break
            before += piece.duration
        start, end = (min(max(piece.start + time - before, piece.start), piece.end) for time in (word.start, word.end))
        return replace(word, start=start, end=end)

    def unheard(self, until: float, *, least_s: float) -> list[Piece]:
        """The pieces after `until`, a time in the recording; none if they hold less than `least_s` of speech.

        None either if that is nearly the whole pack: hearing it again would bring nothing new.
        """
        if until - self.pieces[0].start < _LEAST_HEARD_S:
            return []
        rest = [piece.after(until) for piece in self.pieces if piece.end > until]
        return rest if sum(piece.speech.duration for piece in rest) >= least_s else []


def pieces(speech: Sequence[Segment], *, pad_s: float) -> Iterator[Piece]:
    """Each span with its share of the pauses around it: `pad_s`, or half of a pause too short for that."""
    spans = merge(speech)
    for index, span in enumerate(spans):
        start, end = max(0.0, span.start - pad_s), span.end + pad_s
        if index:
            start = max(start, (spans[index - 1].end + span.start) / 2)
        if index + 1 < len(spans):
            end = min(end, (span.end + spans[index + 1].start) / 2)
        yield Piece(start, end, span)


def take_pack(waiting: deque[Piece], read: Read, *, pack_s: float) -> Pack:
    """The next pack of up to `pack_s` seconds, taken from the front of `waiting`.

    `read` is only called to cut a piece longer than a pack, for the part where the cut may fall.
    """
    if waiting[0].duration > pack_s:
        whole = waiting.popleft()
        cut = _quiet_place(whole, read, pack_s)
        waiting.appendleft(whole.after(cut))
        return Pack((whole.until(cut),))
    taken, duration = [], 0.0
    while waiting and duration + waiting[0].duration <= pack_s:
        taken.append(waiting.popleft())
        duration += taken[-1].duration
    return Pack(tuple(taken))


def quietest(samples: Samples) -> float:
    """The middle, in seconds, of the 100 ms of least energy; `samples` are mono at 16 kHz."""
    width = min(round(_QUIET_S * RATE_HZ), len(samples))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    return float((np.argmin(energy[width:] - energy[: len(energy) - width]) + width / 2) / RATE_HZ)


def _quiet_place(piece: Piece, read: Read, pack_s: float) -> float:
    """Where to cut a piece: in the second half of a pack."""
    window = Segment(piece.start + pack_s / 2, piece.start + pack_s)
    return window.start + quietest(read(window))


def _exactly(samples: Samples, length: int) -> Samples:
    return np.pad(samples[:length].astype(np.float32, copy=False), (0, max(0, length - len(samples))))
