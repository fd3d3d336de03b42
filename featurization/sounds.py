"""Speech, music, noise and silence by rules that can be read. Speech and music may overlap: talk over a bed is both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.loudness import FLOOR_DB, Levels, measure_levels
from featurization.media import Segment, SoundLabel, SoundSpan, gaps, merge
from featurization.pcm import Samples
from featurization.tonality import HOP_S, WINDOW_S, TonalityMeter

_LEVEL_HOP_S = 0.1
_EDGE_HOPS = round(WINDOW_S / HOP_S / 2)  # by so much a window blurs the ends of music


@dataclass(frozen=True, slots=True)
class SoundOptions:
    """What counts as music and as silence."""

    music_on: float = 0.21  # tonality (0..1) at which music begins; of speech alone 0.2 % is above
    music_off: float = 0.19  # tonality under which it ends
    min_music_s: float = 2.0  # shorter music is dropped
    max_music_gap_s: float = 3.0  # shorter holes in music are music: talk drowns a bed now and then
    silence_below_loud_db: float = 40.0  # silence is so far below the loudest twentieth of the recording ...
    silence_max_db: float = -45.0  # ... and at the most here, in dBFS
    min_silence_s: float = 0.3  # shorter pauses and noises are not told apart


def detect_sounds(
    blocks: Iterable[Samples], speech: Sequence[Segment], options: SoundOptions = SoundOptions()
) -> tuple[SoundSpan, ...]:
    """Labelled spans in order of time; all but speech and music exclude each other.

    `blocks` are 16 kHz samples of any block size, `speech` is where voice activity was found.
    """
    meter = TonalityMeter()
    levels = measure_levels(_tapped(blocks, meter), hop_s=_LEVEL_HOP_S)
    whole = Segment(0.0, levels.duration_s)
    quiet = _quiet(levels, options)
    talk = [span & whole for span in merge(speech)]
    music = find_music(meter.finish(), quiet, options)
    busy = [*talk, *(span for span, _ in music)]
    silence = _lasting(gaps([*busy, *gaps(quiet, whole)], whole), options)
    noise = _lasting(gaps([*busy, *silence], whole), options)
    found = [SoundSpan(span.start, span.end, label="music", confidence=sure) for span, sure in music]
    return tuple(
        sorted([*found, *_labelled(talk, "speech"), *_labelled(silence, "silence"), *_labelled(noise, "noise")])
    )


def find_music(
    tonality: NDArray[np.float32], quiet: Sequence[Segment], options: SoundOptions
) -> list[tuple[Segment, float]]:
    """Spans of music with their confidence in 0..1, from a track of tonality; ends near `quiet` are put there."""
    runs = _runs(_hysteresis(tonality, options.music_on, options.music_off))
    spans = [_sharpened(tonality, first, last) for first, last in runs]
    found = []
    for span in merge([span for span in spans if span.duration > 0], max_gap_s=options.max_music_gap_s):
        settled = _settled(span, quiet)
        if settled.duration >= options.min_music_s:
            held = tonality[int(settled.start / HOP_S) : int(np.ceil(settled.end / HOP_S))]
            found.append((settled, round(float(min(1.0, held.mean() / (2 * options.music_on))), 4)))
    return found


def _tapped(blocks: Iterable[Samples], meter: TonalityMeter) -> Iterator[Samples]:
    for block in blocks:
        meter.feed(block)
        yield block


def _labelled(spans: Iterable[Segment], label: SoundLabel) -> list[SoundSpan]:
    return [SoundSpan(span.start, span.end, label=label) for span in spans if span.duration > 0]


def _lasting(spans: Iterable[Segment], options: SoundOptions) -> list[Segment]:
    return [span for span in spans if span.duration >= options.min_silence_s - 1e-6]


def _quiet(levels: Levels, options: SoundOptions) -> list[Segment]:
    """Spans below the silence threshold that last."""
    limit = min(options.silence_max_db, levels.percentile(0.95) - options.silence_below_loud_db)
    runs = _runs(levels.decibels <= max(limit, FLOOR_DB))
    return _lasting((Segment(first * levels.hop_s, last * levels.hop_s) for first, last in runs), options)


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[first, last) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _hysteresis(track: NDArray[np.float32], on: float, off: float) -> NDArray[np.bool_]:
    """True in every run above `off` that rises above `on` somewhere."""
    held = track > off
    for first, last in _runs(held):
        held[first:last] = bool(track[first:last].max() > on)
    return held


def _sharpened(tonality: NDArray[np.float32], first: int, last: int) -> Segment:
    """The span with its ends where tonality has half of what it holds just inside: there the window is half full."""
    inside = 2 * _EDGE_HOPS
    start, end = first, last
    half = float(np.median(tonality[first : min(last, first + inside)])) / 2
    while start < min(last, first + _EDGE_HOPS) and tonality[start] < half:
        start += 1
    half = float(np.median(tonality[max(start, last - inside) : last])) / 2 if last > start else 0.0
    while end > max(start, last - _EDGE_HOPS) and tonality[end - 1] < half:
        end -= 1
    return Segment(start * HOP_S, end * HOP_S)


def _settled(span: Segment, quiet: Sequence[Segment]) -> Segment:
    """`span` without silence at its ends, reaching out to silence that is nearer than the blur of a window."""
    blur_s = WINDOW_S / 4
    wide = Segment(max(0.0, span.start - blur_s), span.end + blur_s)
    near = [part for part in quiet if part.overlaps(wide)]
    loud = [part for part in gaps(near, span) if part.duration > 0]
    if not loud:
        return Segment(span.start, span.start)
    start, end = loud[0].start, loud[-1].end
    before = max((part.end for part in near if part.end <= start), default=start)
    after = min((part.start for part in near if part.start >= end), default=end)
    return Segment(before, after)
