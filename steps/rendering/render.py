"""From moments of a recording to one finished preview: cut, fade, stitch, master to EBU R128, encode as MP3.

`film.py` does the same for a film, with the pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurization.errors import UnreadableMedia
from featurization.media import Segment
from steps.files import Files
from steps.rendering.cutting import cut
from steps.rendering.mastering import MasterOptions
from steps.rendering.mp3 import encode_mp3
from steps.rendering.mp4 import FilmOptions
from steps.rendering.stitch import Clip, Placement, joined
from steps.rendering.takes import mastered

Samples = NDArray[np.float32]

_LEAST_BIT_RATE = 32_000  # below it no MPEG-1 layer III stream exists


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a preview is cut and encoded."""

    lead_s: float = 0.12  # breath before the first word, never reaching the sentence before
    tail_s: float = 0.35  # breath after the last word, never reaching the sentence after
    fade_in_s: float = 0.08  # raised cosine, inside the lead
    fade_out_s: float = 0.35  # raised cosine, inside the tail
    crossfade_s: float = 0.25  # equal power between stitched moments, inside the breath of both
    max_pieces: int = 3  # moments that may be stitched into one preview
    mono_bit_rate: int = 96_000  # bits per second
    stereo_bit_rate: int = 128_000  # bits per second
    max_missing_s: float = 0.1  # seconds of a moment that may be undecodable before it is refused
    master: MasterOptions = field(default_factory=MasterOptions)
    film: FilmOptions = field(default_factory=FilmOptions)

    def __post_init__(self) -> None:
        lengths = (self.lead_s, self.tail_s, self.fade_in_s, self.fade_out_s, self.crossfade_s, self.max_missing_s)
        if min(lengths) < 0:
            raise ValueError("lead_s, tail_s, fades, crossfade_s and max_missing_s must not be negative")
        if self.max_pieces < 1 or min(self.mono_bit_rate, self.stereo_bit_rate) < _LEAST_BIT_RATE:
            raise ValueError("max_pieces must be at least 1 and bit rates at least 32000")


@dataclass(frozen=True, slots=True)
class Piece(Segment):
    """A moment to cut, and how far the breath around it may reach, in seconds of the recording."""

    earliest: float = 0.0
    latest: float = math.inf


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished preview as measured on its decoded bytes."""

    path: Path
    duration_s: float
    loudness_lufs: float
    true_peak_dbtp: float
    gain_db: float  # what was added to the original; peaks may have been held lower
    source_lufs: float  # integrated loudness of the cut before mastering
    rate_hz: int
    channels: int  # 0 if it has no sound; the loudness is then -70
    placements: tuple[Placement, ...]
    width: int = 0  # pixels; 0 without pictures
    height: int = 0

    @property
    def has_sound(self) -> bool:
        return self.channels > 0


def piece_between(moment: Segment, neighbours: Sequence[Segment]) -> Piece:
    """`moment` with the limits that the spans around it (sentences, ads, music) set for its breath."""
    inside = 1e-6
    before = [n.end for n in neighbours if n.end <= moment.start + inside]
    after = [n.start for n in neighbours if n.start >= moment.end - inside]
    earliest, latest = min(max(before, default=0.0), moment.start), max(min(after, default=math.inf), moment.end)
    return Piece(moment.start, moment.end, earliest, latest)


def render_preview(media: Path, pieces: Sequence[Piece], *, options: RenderOptions, target: Path) -> Rendered:
    """Cut `pieces` from the original `media`, join them in the given order and write one mastered MP3 to `target`.

    The file appears whole or not at all; same input, same bytes. Raises MediaError if the source is damaged, silent
    or ends before a piece does, StoreError if `target` cannot be written.
    """
    check_pieces(pieces, options)
    samples, rate, placements = stitched([_clip(media, piece, options) for piece in pieces], options)
    bit_rate = options.mono_bit_rate if samples.shape[0] == 1 else options.stereo_bit_rate
    encode = partial(encode_mp3, rate_hz=rate, bit_rate=bit_rate)
    name = f"{media}: from {pieces[0].start:.2f} s"
    take = mastered(samples, rate, encode=encode, options=options.master, name=name)
    Files(str(target.parent)).write(target.name, take.data)
    return Rendered(
        path=target,
        duration_s=samples.shape[1] / rate,
        loudness_lufs=take.loudness_lufs,
        true_peak_dbtp=take.true_peak_dbtp,
        gain_db=take.gain_db,
        source_lufs=take.source_lufs,
        rate_hz=rate,
        channels=samples.shape[0],
        placements=placements,
    )


def check_pieces(pieces: Sequence[Piece], options: RenderOptions) -> None:
    """Refuse to stitch nothing, or more than a preview holds."""
    if not 1 <= len(pieces) <= options.max_pieces:
        raise ValueError(f"a preview has 1 to {options.max_pieces} pieces, got {len(pieces)}")


def stitched(clips: Sequence[Clip], options: RenderOptions) -> tuple[Samples, int, tuple[Placement, ...]]:
    """The clips as one with the fades of the options: (channels, time), Hz, and where each moment went."""
    samples, placements = joined(
        clips, fade_in_s=options.fade_in_s, fade_out_s=options.fade_out_s, crossfade_s=options.crossfade_s
    )
    return samples, clips[0].rate_hz, placements


def with_breath(piece: Piece, options: RenderOptions) -> Segment:
    """The piece and the breath around it that its limits allow."""
    start = min(piece.start, max(piece.earliest, piece.start - options.lead_s, 0.0))
    return Segment(start, max(piece.end, min(piece.latest, piece.end + options.tail_s)))


def _clip(media: Path, piece: Piece, options: RenderOptions) -> Clip:
    span = with_breath(piece, options)
    pcm = cut(media, span)
    lead = round((piece.start - span.start) * pcm.rate_hz)
    tail = pcm.samples.shape[1] - lead - round(piece.duration * pcm.rate_hz)
    missing = pcm.missing_s + max(0.0, -tail / pcm.rate_hz)
    if missing > options.max_missing_s:
        raise UnreadableMedia(
            f"{media}: {missing:.1f} s between {span.start:.1f} and {span.end:.1f} s cannot be decoded; "
            "fetch the file again"
        )
    return Clip(pcm.samples, pcm.rate_hz, lead, max(0, tail), piece.span)
