"""What happens to sound on its way: rooms, telephones, lossy codecs, clipping; and noise that nobody recorded."""

from __future__ import annotations

import io

import av
import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

from featurization.pcm import PCM_RATE_HZ, Samples

Drawn = np.random.Generator
_COLOURS = {"white": 0.0, "pink": 0.5, "brown": 1.0, "blue": -0.5}


def in_a_room(sound: Samples, drawn: Drawn) -> Samples:
    """The sound in a made room: a direct path and a tail of noise that decays within 0.1 to 0.7 s."""
    decay_s, direct = drawn.uniform(0.1, 0.7), drawn.uniform(0.4, 3.0)
    time = np.arange(round(decay_s * PCM_RATE_HZ)) / PCM_RATE_HZ
    tail = drawn.standard_normal(len(time)) * 10 ** (-3 * time / decay_s)
    tail *= np.minimum(1, time / 0.003) / np.sqrt(np.square(tail).sum())
    tail[0] = direct
    return np.asarray(fftconvolve(sound, tail)[: len(sound)] / np.hypot(1, direct), dtype=np.float32)


def by_telephone(sound: Samples) -> Samples:
    """Only what a telephone carries: 300 to 3400 Hz."""
    return np.asarray(sosfilt(_telephone(), sound), dtype=np.float32)


def _telephone() -> np.ndarray:
    return np.asarray(butter(4, (300, 3400), "bandpass", fs=PCM_RATE_HZ, output="sos"))


def by_mp3(sound: Samples, kbps: int) -> Samples:
    """The sound encoded as MP3 at 16 kHz and decoded, as long as before."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=PCM_RATE_HZ, options={"compression_level": "9"})
        stream.layout, stream.bit_rate = "mono", kbps * 1000
        pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2")[None]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = PCM_RATE_HZ
        resampler = av.AudioResampler("s16p", "mono", PCM_RATE_HZ, frame_size=stream.frame_size or 576)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as container:
        decoded = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    heard = np.concatenate(decoded).astype(np.float32)[: len(sound)]
    return np.pad(heard, (0, len(sound) - len(heard)))


def made_noise(seconds: float, drawn: Drawn) -> Samples:
    """Noise of peak 1: coloured, humming, an engine, clicks, or wind, as drawn."""
    count = round(seconds * PCM_RATE_HZ)
    makers = (_coloured, _hum, _engine, _clicks, _wind)
    sound = makers[int(drawn.integers(len(makers)))](count, drawn)
    return np.asarray(sound / (np.abs(sound).max() + 1e-9), dtype=np.float32)


def coloured(count: int, colour: str, drawn: Drawn) -> Samples:
    """White, pink, brown or blue noise of RMS 1."""
    spectrum = np.fft.rfft(drawn.standard_normal(count))
    shape = np.maximum(1, np.arange(len(spectrum))) ** -_COLOURS[colour]
    shape[: max(1, round(20 * count / PCM_RATE_HZ))] = 0  # under 20 Hz there is nothing to hear
    sound = np.fft.irfft(spectrum * shape, count)
    return np.asarray(sound / (np.sqrt(np.square(sound).mean()) + 1e-12), dtype=np.float32)


def _coloured(count: int, drawn: Drawn) -> np.ndarray:
    return coloured(count, str(drawn.choice(list(_COLOURS))), drawn)


def _hum(count: int, drawn: Drawn) -> np.ndarray:
    time, mains = np.arange(count) / PCM_RATE_HZ, float(drawn.choice([50, 60]))
    tones = sum(drawn.uniform(0.1, 1) / k * np.sin(2 * np.pi * mains * k * time) for k in range(1, 9))
    return np.asarray(tones + drawn.uniform(0.02, 0.4) * coloured(count, "pink", drawn))


def _engine(count: int, drawn: Drawn) -> np.ndarray:
    slow = np.interp(np.arange(count), np.linspace(0, count, 12), drawn.uniform(20, 60, 12))
    phase = 2 * np.pi * np.cumsum(slow) / PCM_RATE_HZ
    strokes = np.maximum(0, np.sin(phase)) ** drawn.uniform(2, 8)
    return np.asarray(strokes * coloured(count, "brown", drawn) + 0.1 * coloured(count, "pink", drawn))


def _clicks(count: int, drawn: Drawn) -> np.ndarray:
    impulses = np.where(drawn.random(count) < drawn.uniform(2, 20) / PCM_RATE_HZ, drawn.uniform(-1, 1, count), 0.0)
    decay = np.exp(-np.arange(800) / drawn.uniform(20, 300)) * drawn.standard_normal(800)
    return np.asarray(fftconvolve(impulses, decay)[:count] + 1e-3 * drawn.standard_normal(count))


def _wind(count: int, drawn: Drawn) -> np.ndarray:
    swell = np.interp(
        np.arange(count), np.linspace(0, count, max(3, count // 12_000)), drawn.random(max(3, count // 12_000))
    )
    return np.asarray(coloured(count, str(drawn.choice(["pink", "brown"])), drawn) * (0.1 + swell**2))
