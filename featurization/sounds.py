"""Speech, music, noise and silence. Speech and music may overlap: talk over a bed is both; a song with words is both.

A network gives the probability of speech and of music every 64 ms (`featurization/sound_network.py`,
docs/models/sounds.md); here probabilities become spans. What is neither and lasts is silence or noise, by its level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.loudness import Levels
from featurization.media import Segment, SoundLabel, SoundSpan, gaps, merge
from featurization.models import Registry
from featurization.pcm import Samples

MODEL = "speech-and-music"
WEIGHTS = "sounds.safetensors"
FRAME_S = 0.064  # between two probabilities
_GRID_S = 0.01  # on which edges lie
Probabilities = NDArray[np.float32]  # (frames, 2): of speech and of music


@dataclass(frozen=True, slots=True)
class SoundOptions:
    """How probabilities become spans, and what counts as silence."""

    speech_on: float = 0.5  # probability at which speech begins
    speech_off: float = 0.4  # under which it ends
    min_speech_s: float = 0.15  # shorter speech is dropped
    max_pause_s: float = 0.5  # shorter pauses in speech are speech
    music_on: float = 0.5  # probability at which music begins
    music_off: float = 0.4  # under which it ends
    min_music_s: float = 1.0  # shorter music is dropped
    max_music_gap_s: float = 1.5  # shorter rests in music are music
    silence_below_loud_db: float = 40.0  # silence is so far below the loudest twentieth of the recording ...
    silence_max_db: float = -45.0  # ... and at the most here, in dBFS
    inaudible_db: float = -70.0  # whatever is below it is silence too
    min_silence_s: float = 0.3  # shorter pauses and noises are not told apart

    def __post_init__(self) -> None:
        for name, on, off in (
            ("speech", self.speech_on, self.speech_off),
            ("music", self.music_on, self.music_off),
        ):
            if not 0 < off <= on < 1:
                raise ValueError(f"need 0 < {name}_off <= {name}_on < 1, got {off} and {on}")


def sound_probabilities(blocks: Iterable[Samples], voice: Samples, registry: Registry) -> Probabilities:
    """Probabilities of speech and of music every 64 ms, (frames, 2), in memory that does not grow with the recording.

    `blocks` are 16 kHz samples of any block size; `voice` is the probability of voice every 32 ms
    (`featurization.speech.voice_activity`). Raises ModelError if the weights are not there.
    """
    from featurization.sound_network import hear, load_network  # brings torch

    return hear(load_network(registry.locate(MODEL) / "weights" / WEIGHTS), blocks, voice)


def sound_spans(heard: Probabilities, levels: Levels, options: SoundOptions = SoundOptions()) -> tuple[SoundSpan, ...]:
    """Labelled spans in order of time, speech and music with their mean probability as confidence.

    All but speech and music exclude each other; `levels` are of the same recording.
    """
    whole, quiet = Segment(0.0, levels.duration_s), _quiet(levels, options)
    speech = _found(heard[:, 0], whole, quiet, options.speech_on, options.speech_off, options.max_pause_s)
    music = _found(heard[:, 1], whole, quiet, options.music_on, options.music_off, options.max_music_gap_s)
    speech = [span for span in speech if span.duration >= options.min_speech_s]
    music = [span for span in music if span.duration >= options.min_music_s]
    busy = merge([*speech, *music])
    silence = _lasting(gaps([*busy, *gaps(quiet, whole)], whole), options)
    noise = _lasting(gaps([*busy, *silence], whole), options)
    return tuple(
        sorted(
            [
                *(SoundSpan(s.start, s.end, "speech", _confidence(heard[:, 0], s)) for s in speech),
                *(SoundSpan(s.start, s.end, "music", _confidence(heard[:, 1], s)) for s in music),
                *_labelled(silence, "silence"),
                *_labelled(noise, "noise"),
            ]
        )
    )


def _found(
    track: NDArray[np.float32], whole: Segment, quiet: Sequence[Segment], on: float, off: float, max_gap_s: float
) -> list[Segment]:
    """Spans of a track of probabilities, edges between its frames, without what is quiet, and short gaps closed."""
    if not len(track):
        return []
    grid = np.arange(_GRID_S / 2, len(track) * FRAME_S, _GRID_S)
    fine = np.interp(grid, (np.arange(len(track)) + 0.5) * FRAME_S, track)
    for span in quiet:
        fine[round(span.start / _GRID_S) : round(span.end / _GRID_S)] = 0
    runs = (Segment(first * _GRID_S, last * _GRID_S) & whole for first, last in _runs(_hysteresis(fine, on, off)))
    return merge([span for span in runs if span.duration > 0], max_gap_s=max_gap_s)


def _confidence(track: NDArray[np.float32], span: Segment) -> float:
    first = min(int(span.start / FRAME_S), len(track) - 1)
    return round(float(track[first : max(first + 1, round(span.end / FRAME_S))].mean()), 4)


def _labelled(spans: Iterable[Segment], label: SoundLabel) -> list[SoundSpan]:
    return [SoundSpan(span.start, span.end, label=label) for span in spans if span.duration > 0]


def _lasting(spans: Iterable[Segment], options: SoundOptions) -> list[Segment]:
    return [span for span in spans if span.duration >= options.min_silence_s - 1e-6]


def _quiet(levels: Levels, options: SoundOptions) -> Sequence[Segment]:
    """Spans below the silence threshold that last."""
    limit = min(options.silence_max_db, levels.percentile(0.95) - options.silence_below_loud_db)
    runs = _runs(levels.decibels <= max(limit, options.inaudible_db))
    return _lasting((Segment(first * levels.hop_s, last * levels.hop_s) for first, last in runs), options)


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[first, last) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _hysteresis(track: NDArray[np.float64], on: float, off: float) -> NDArray[np.bool_]:
    """True in every run above `off` that rises above `on` somewhere."""
    held = track > off
    for first, last in _runs(held):
        held[first:last] = bool(track[first:last].max() > on)
    return held
