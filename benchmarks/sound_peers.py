"""The peers of sounds: what one would install, or write in an afternoon, to find speech and music."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from benchmarks.ina_speech_segmenter import MODEL, ina_sounds
from benchmarks.naive_hearing import naive_sounds
from featurization.media import Segment, SoundSpan, merge
from featurization.models import load_registry
from featurization.pcm import PCM_RATE_HZ, Samples

SILERO = "Silero VAD and its complement"
WEBRTC = "WebRTC VAD"
FLATNESS = "spectral flatness"
INA = "inaSpeechSegmenter 0.6.8"
_BLOCK = 480  # 30 ms, the longest that WebRTC takes
_MODE = 2
_FLAT, _LEAST_S, _LONGEST_GAP_S = 0.06, 1.0, 1.0
NOTES = (
    f"{SILERO}: Silero VAD with faster-whisper's defaults is speech; the rest is music above -45 dBFS, else silence",
    f"{WEBRTC}: webrtcvad in mode {_MODE} on 30 ms, pauses under 0.3 s closed; it knows no music",
    f"{FLATNESS}: music where the median flatness of a second is below {_FLAT} and the level above -50 dBFS",
    f"{INA}: its speech/music/noise network on its own weights, rebuilt in torch (benchmarks/ina_speech_segmenter.py)",
)
Peer = Callable[[Samples], list[SoundSpan]]


def peers() -> tuple[dict[str, Peer], tuple[str, ...]]:
    """Those that can run here, by name, and a line on each that cannot."""
    found: dict[str, Peer] = {SILERO: naive_sounds, FLATNESS: flat_music}
    missing = []
    if find_spec("webrtcvad"):
        found[WEBRTC] = webrtc_speech
    else:
        missing.append(f"{WEBRTC} is left out: pip install webrtcvad-wheels")
    if find_spec("h5py") and _is_here(MODEL):
        found[INA] = ina_sounds
    else:
        missing.append(f"{INA} is left out: pip install h5py, and `rushes models fetch {MODEL}`")
    return found, tuple(missing)


def _is_here(model: str) -> bool:
    return any(one.name == model and one.state == "present" for one in load_registry().status())


def webrtc_speech(samples: Samples) -> list[SoundSpan]:
    """Speech by WebRTC's detector."""
    import webrtcvad

    detector = webrtcvad.Vad(_MODE)
    pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2")
    blocks = [pcm[at : at + _BLOCK] for at in range(0, len(pcm) - _BLOCK + 1, _BLOCK)]
    step = _BLOCK / PCM_RATE_HZ
    spoken = [k for k, block in enumerate(blocks) if detector.is_speech(block.tobytes(), PCM_RATE_HZ)]
    spans = merge([Segment(k * step, (k + 1) * step) for k in spoken], max_gap_s=0.3)
    return [SoundSpan(span.start, span.end, "speech") for span in spans]


def flat_music(samples: Samples) -> list[SoundSpan]:
    """Music where the spectrum has lines: the geometric mean of its powers is far below their mean."""
    hop = PCM_RATE_HZ // 20
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(hop), axis=1)))[:, 5:200] + 1e-12
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    loud = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12) > -50
    span = np.lib.stride_tricks.sliding_window_view(np.pad(flatness, 10, mode="edge"), 21) if len(frames) else None
    lined = np.median(span, axis=1)[: len(frames)] < _FLAT if span is not None else np.zeros(0, dtype=bool)
    found = [Segment(k / 20, (k + 1) / 20) for k in np.flatnonzero(lined & loud).tolist()]
    merged = merge(found, max_gap_s=_LONGEST_GAP_S)
    return [SoundSpan(part.start, part.end, "music") for part in merged if part.duration >= _LEAST_S]
