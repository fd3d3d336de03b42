"""From moments of a recording to one finished preview: cut, fade, stitch, master to EBU R128, encode as MP3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurization.errors import EmptyMedia, UnreadableMedia
from featurization.media import Segment
from steps.files import Files
from steps.rendering.cutting import cut
from steps.rendering.mastering import MasterOptions, limit, limiting_gain, loudness_lufs, true_peak_dbtp
from steps.rendering.mp3 import decode_clip, encode_mp3
from steps.rendering.stitch import Clip, Placement, joined

Samples = NDArray[np.float32]

_MARGIN_DB = 0.1  # how much further an overshoot is turned down with each round
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
    channels: int
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class _Take:
    data: bytes
    loudness_lufs: float
    true_peak_dbtp: float
    gain_db: float


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
    if not 1 <= len(pieces) <= options.max_pieces:
        raise ValueError(f"a preview has 1 to {options.max_pieces} pieces, got {len(pieces)}")
    clips = [_clip(media, piece, options) for piece in pieces]
    samples, placements = joined(
        clips, fade_in_s=options.fade_in_s, fade_out_s=options.fade_out_s, crossfade_s=options.crossfade_s
    )
    rate = clips[0].rate_hz
    source_lufs = loudness_lufs(samples, rate)
    if not math.isfinite(source_lufs):
        raise EmptyMedia(f"{media}: nothing audible from {pieces[0].start:.2f} s; choose another moment")
    take = _mastered(samples, rate, source_lufs, options=options, name=str(media))
    Files(str(target.parent)).write(target.name, take.data)
    return Rendered(
        path=target,
        duration_s=samples.shape[1] / rate,
        loudness_lufs=take.loudness_lufs,
        true_peak_dbtp=take.true_peak_dbtp,
        gain_db=take.gain_db,
        source_lufs=source_lufs,
        rate_hz=rate,
        channels=samples.shape[0],
        placements=placements,
    )


def _clip(media: Path, piece: Piece, options: RenderOptions) -> Clip:
    start = min(piece.start, max(piece.earliest, piece.start - options.lead_s, 0.0))
    end = max(piece.end, min(piece.latest, piece.end + options.tail_s))
    pcm = cut(media, Segment(start, end))
    lead = round((piece.start - start) * pcm.rate_hz)
    tail = pcm.samples.shape[1] - lead - round(piece.duration * pcm.rate_hz)
    missing = pcm.missing_s + max(0.0, -tail / pcm.rate_hz)
    if missing > options.max_missing_s:
        raise UnreadableMedia(
            f"{media}: {missing:.1f} s between {start:.1f} and {end:.1f} s cannot be decoded; fetch the file again"
        )
    return Clip(pcm.samples, pcm.rate_hz, lead, max(0, tail), piece.span)


def _mastered(samples: Samples, rate: int, source_lufs: float, *, options: RenderOptions, name: str) -> _Take:
    """Gain and limit until the decoded MP3 is on target.

    Coding moves peaks, so the finished bytes are what counts: where they pass the ceiling, that place alone is turned
    down before the next round.
    """
    master = options.master
    bit_rate = options.mono_bit_rate if samples.shape[0] == 1 else options.stereo_bit_rate
    gain_db, guard = master.target_lufs - source_lufs, np.ones(samples.shape[1], dtype=np.float32)
    for attempt in range(master.rounds):
        loud = (samples * guard * 10 ** (gain_db / 20)).astype(np.float32)
        held = limit(loud, rate, ceiling_db=master.true_peak_dbtp, lookahead_s=master.lookahead_s)
        take = _measured(encode_mp3(held, rate, bit_rate=bit_rate), gain_db)
        short_lu = master.target_lufs - take.loudness_lufs
        if abs(short_lu) <= master.tolerance_lu and take.true_peak_dbtp <= master.true_peak_dbtp:
            return take
        gain_db += short_lu if abs(short_lu) > master.tolerance_lu / 2 else 0.0
        guard *= _overshoot_gain(take, guard.size, rate, master, margin_db=_MARGIN_DB * (attempt + 1))
    raise UnreadableMedia(
        f"{name}: cannot reach {master.target_lufs:g} LUFS under {master.true_peak_dbtp:g} dBTP; choose another moment"
    )


def _overshoot_gain(take: _Take, length: int, rate: int, master: MasterOptions, *, margin_db: float) -> Samples:
    """Per sample, what keeps the decoded peaks of a take under the ceiling; 1 where they are."""
    if take.true_peak_dbtp <= master.true_peak_dbtp:
        return np.ones(length, dtype=np.float32)
    decoded = decode_clip(take.data).samples[:, :length]
    ceiling_db = master.true_peak_dbtp - margin_db
    gain = limiting_gain(decoded, rate, ceiling_db=ceiling_db, lookahead_s=master.lookahead_s)
    return np.pad(gain, (0, length - gain.size), constant_values=1.0)


def _measured(data: bytes, gain_db: float) -> _Take:
    pcm = decode_clip(data)
    return _Take(data, loudness_lufs(pcm.samples, pcm.rate_hz), true_peak_dbtp(pcm.samples, pcm.rate_hz), gain_db)
