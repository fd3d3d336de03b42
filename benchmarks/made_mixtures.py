"""`python -m benchmarks.made_mixtures FOLDER`: MP3 files whose speech, music and noise are known, for `sounds`.

They are mixed from clips that the detector of rushes was not trained on (config/detectors/sounds.toml), read and spoken
by people, over music at 3 to 18 dB, and written as MP3 of 48 to 96 kbit/s.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import numpy as np

from benchmarks.job import csv_text, say
from featurization.models import load_registry
from featurization.pcm import PCM_RATE_HZ, Samples
from steps.detectors.clips import gather
from steps.detectors.mixtures import MixOptions, Mixture, mix
from steps.detectors.recipe import RECIPES, load_recipe
from steps.detectors.sounds import truth_of
from steps.truth.formats import SOUND_COLUMNS, SOUNDS

_KBPS = (48, 64, 80, 96)
_OPTIONS = MixOptions(
    bed_db=(3.0, 18.0), noise_db=(5.0, 20.0), music_db=(-36.0, -14.0), room=0.15, telephone=0.0, clipped=0.0, mp3=0.0
)


def make_mixtures(folder: Path, *, files: int, seed: int, sources: Path) -> None:
    """Write NAME.mp3 with NAME.sounds.csv; the same seed and packages give the same files."""
    library = gather(load_recipe(RECIPES / "sounds.toml"), cache=sources, progress=say)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        mixture = mix(library, np.random.default_rng([seed, number]), held_out=True, options=_OPTIONS)
        name = f"mixture-{number:03d}"
        _write_mp3(folder / f"{name}.mp3", mixture.samples, _KBPS[number % len(_KBPS)])
        (folder / f"{name}{SOUNDS}").write_text(_csv(mixture), encoding="utf-8")


def _csv(mixture: Mixture) -> str:
    spans = sorted(truth_of(mixture))
    rows = ({"start": f"{s.start:.3f}", "end": f"{s.end:.3f}", "label": s.label} for s in spans)
    return csv_text(SOUND_COLUMNS, rows)


def _write_mp3(path: Path, samples: Samples, kbps: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=PCM_RATE_HZ)
        stream.layout, stream.bit_rate = "mono", kbps * 1000
        frame = av.AudioFrame.from_ndarray((np.clip(samples, -1, 1) * 32767).astype("<i2")[None], "s16", "mono")
        frame.sample_rate = PCM_RATE_HZ
        resampler = av.AudioResampler("s16p", "mono", PCM_RATE_HZ, frame_size=576)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.made_mixtures", description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--files", type=int, default=24, help="how many, each of 64 s (24)")
    parser.add_argument("--seed", type=int, default=2026)
    arguments = parser.parse_args()
    sources = load_registry().folder / "sources"
    make_mixtures(arguments.folder, files=arguments.files, seed=arguments.seed, sources=sources)


if __name__ == "__main__":
    main()
