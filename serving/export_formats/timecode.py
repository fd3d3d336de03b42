"""SMPTE timecode: seconds to frames at a film's rate, and frames to HH:MM:SS:FF.

Reference: SMPTE ST 12-1, drop-frame compensation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from featurization.media import Segment

_NTSC = Fraction(1000, 1001)
_NEAR = Fraction(1, 2000)  # a rate this near to a standard one is that one; 24 and 23.976 are twice as far apart
_DAY_S = 24 * 3600


@dataclass(frozen=True)
class FrameRate:
    """Pictures a second as editing programs know them: 23.976 is counted by 24, 29.97 by 30 with two left out."""

    exact: Fraction
    nominal: int
    drop: bool

    def frame(self, seconds: float) -> int:
        """The frame that begins nearest to a time."""
        return round(seconds * self.exact)

    def timecode(self, frame: int) -> str:
        """HH:MM:SS:FF of a frame, with a semicolon where numbers are dropped; starts anew after a day."""
        number = self._numbered(frame) % (_DAY_S * self.nominal)
        seconds, frames = divmod(number, self.nominal)
        mark = ";" if self.drop else ":"
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{frames:02}"

    def _numbered(self, frame: int) -> int:
        """The number that a frame is given: at the start of nine minutes in ten, some numbers are not used."""
        if not self.drop:
            return frame
        left_out = self.nominal // 15
        minute, ten = 60 * self.nominal - left_out, 600 * self.nominal - 9 * left_out
        tens, rest = divmod(frame, ten)
        skipped = max(0, (rest - left_out) // minute) if rest >= left_out else 0
        return frame + left_out * (9 * tens + skipped)


def frame_rate(average: float) -> FrameRate:
    """The standard rate nearest to an average; a variable one is counted in whole frames a second."""
    nominal = max(1, round(average))
    for exact in (Fraction(nominal), nominal * _NTSC):
        if abs(Fraction(average) - exact) <= _NEAR * exact:
            return FrameRate(exact, nominal, drop=exact.denominator != 1 and nominal % 30 == 0)
    return FrameRate(Fraction(nominal), nominal, drop=False)


def frame_edges(spans: Sequence[Segment], rate: FrameRate) -> list[tuple[int, int]]:
    """[first, last) frames of spans that follow each other; each has at least one, and none leaves a gap."""
    starts = [rate.frame(time) for time in (*(span.start for span in spans), spans[-1].end)]
    for number in range(1, len(starts)):
        starts[number] = max(starts[number], starts[number - 1] + 1)
    return list(pairwise(starts))
