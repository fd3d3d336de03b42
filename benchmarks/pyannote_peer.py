"""The peer pyannote.audio, in whichever Python has it: ours, else the one that $RUSHES_PYANNOTE_PYTHON names."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import bare_pyannote
from benchmarks.processes import ProgramFailedError
from featurization.media import Turn
from featurization.pcm import Samples

PYTHON = "RUSHES_PYANNOTE_PYTHON"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it found in each file, and what that took; the models were loaded before the clock ran."""

    turns: Mapping[str, tuple[Turn, ...]]
    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class PyannotePeer:
    """Collects sound and hears all of it in one process, so that its memory is its own."""

    python: str
    folder: Path
    weights: Path

    @classmethod
    def find(cls, scratch: Path, model: Path) -> PyannotePeer | None:
        """The peer with the packaged weights in the folder `model`, or None if no Python here has the package."""
        python = os.environ.get(PYTHON, "") or (sys.executable if _installed() else "")
        if not python:
            return None
        folder = scratch / "pyannote"
        folder.mkdir()
        return cls(python, folder, model / "model.safetensors")

    @staticmethod
    def note(peer: PyannotePeer | None) -> str:
        """How it was set, or why it is not there."""
        if peer is None:
            return f"pyannote.audio was not installed, so it is no peer here; name a Python that has it in ${PYTHON}"
        return f"pyannote pipeline: pyannote.audio 4 with {bare_pyannote.PARAMETERS}, its step of a tenth of a window"

    def add(self, name: str, samples: Samples) -> None:
        """Keep the 16 kHz samples of a file for the run."""
        np.save(self.folder / f"{name}.npy", np.asarray(samples, dtype=np.float32))

    def run(self) -> Outcome:
        """Hear everything. Raises ProgramFailedError if the program fails."""
        command = [self.python, bare_pyannote.__file__, str(self.weights), str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProgramFailedError(f"pyannote.audio failed: {done.stderr.strip().splitlines()[-1:]}")
        result = json.loads((self.folder / "result.json").read_text())
        turns = {
            name: tuple(Turn(max(0.0, start), end, speaker=who) for start, end, who in rows)
            for name, rows in result["turns"].items()
        }
        return Outcome(turns, result["seconds"], result["peak_mb"])


def _installed() -> bool:
    return bool(importlib.util.find_spec("pyannote") and importlib.util.find_spec("pyannote.audio"))
