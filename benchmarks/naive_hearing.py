"""The peers of diarization and of sounds: what one gets by putting libraries together at their defaults."""

from __future__ import annotations

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from sklearn.cluster import AgglomerativeClustering

from featurization.diarization.local_speakers import VOICE_S, Encoder
from featurization.loudness import measure_levels
from featurization.media import Segment, SoundLabel, SoundSpan, Turn, gaps
from featurization.pcm import PCM_RATE_HZ, Samples

_HOP_S = VOICE_S / 2
_AUDIBLE_DB = -45.0


def naive_speech(samples: Samples) -> list[Segment]:
    """Silero VAD as faster-whisper carries it, at its defaults, on 16 kHz samples."""
    found = get_speech_timestamps(samples, VadOptions())
    return [Segment(span["start"] / PCM_RATE_HZ, span["end"] / PCM_RATE_HZ) for span in found]


def naive_turns(samples: Samples, encoder: Encoder) -> list[Turn]:
    """Voice vectors of 1.6 s windows, half overlapping, in scikit-learn's agglomerative clustering at its defaults.

    Its default is two clusters, so it always finds two speakers where there is speech enough.
    """
    windows = [window for span in naive_speech(samples) for window in _windows(span)]
    vectors = encoder([samples[round(w.start * PCM_RATE_HZ) : round(w.end * PCM_RATE_HZ)] for w in windows])
    labels = AgglomerativeClustering().fit_predict(vectors) if len(windows) > 1 else np.zeros(len(windows), dtype=int)
    return [Turn(w.start, min(w.end, w.start + _HOP_S), f"S{k + 1}") for w, k in zip(windows, labels, strict=True)]


def _windows(span: Segment) -> list[Segment]:
    starts = np.arange(span.start, span.end, _HOP_S)
    return [Segment(float(start), min(float(start) + VOICE_S, span.end)) for start in starts]


def naive_sounds(samples: Samples) -> list[SoundSpan]:
    """Silero's speech; of the rest, what is louder than -45 dBFS is called music and what is not silence."""
    levels = measure_levels([samples])
    speech = naive_speech(samples)
    found = [SoundSpan(span.start, span.end, label="speech") for span in speech]
    for index, level in enumerate(levels.decibels):
        hop = Segment(index * levels.hop_s, min((index + 1) * levels.hop_s, len(samples) / PCM_RATE_HZ))
        label: SoundLabel = "music" if level > _AUDIBLE_DB else "silence"
        found += [SoundSpan(free.start, free.end, label=label) for free in gaps(speech, hop) if free.duration > 0]
    return found
