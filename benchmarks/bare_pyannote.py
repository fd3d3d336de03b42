"""pyannote.audio's pipeline on packaged weights, as a program of its own: it may run in another Python than ours.

`python bare_pyannote.py SEGMENTATION.safetensors FOLDER` reads NAME.npy (16 kHz samples) and writes result.json: turns
by file, seconds, and peak memory. Needs pyannote.audio 4, resemblyzer and safetensors. Segmentation by
pyannote/segmentation, vectors by Resemblyzer, clustering by the pipeline's own agglomeration.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

RATE_HZ = 16_000
LEAST_S = 0.5
PARAMETERS = {
    "segmentation": {"min_duration_off": 0.3, "threshold": 0.5},
    "clustering": {"method": "centroid", "min_cluster_size": 6, "threshold": 0.5},
}


class Voice:
    """Resemblyzer behind the interface that the pipeline asks of an embedding."""

    sample_rate, dimension, metric, min_num_samples = RATE_HZ, 256, "cosine", round(LEAST_S * RATE_HZ)

    def __init__(self) -> None:
        from resemblyzer import VoiceEncoder

        self._encoder = VoiceEncoder("cpu", verbose=False)

    def to(self, _: Any) -> Voice:
        return self

    def __call__(self, waveforms: Any, masks: Any = None) -> np.ndarray:
        chosen = [None] * len(waveforms) if masks is None else masks
        return np.stack([self._vector(w[0].numpy(), mask) for w, mask in zip(waveforms, chosen, strict=True)])

    def _vector(self, sound: np.ndarray, mask: Any) -> np.ndarray:
        if mask is not None:
            places = np.linspace(0, len(mask) - 1, len(sound))
            sound = sound[np.interp(places, np.arange(len(mask)), mask.numpy()) > 0.5]
        if len(sound) < self.min_num_samples:
            return np.full(self.dimension, np.nan)
        even = sound / (np.sqrt((sound**2).mean()) + 1e-8) * 0.03
        return np.asarray(self._encoder.embed_utterance(even.astype(np.float32), min_coverage=0.5))


def load_pipeline(weights: Path) -> Any:
    """The pipeline with nothing fetched from a hub."""
    import pyannote.audio.pipelines.speaker_diarization as diarization
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet
    from safetensors.torch import load_file

    network = PyanNet(sincnet={"stride": 10}, lstm={"hidden_size": 128, "num_layers": 4, "dropout": 0.5})
    network.specifications = Specifications(
        problem=Problem.MULTI_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=5.0,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        permutation_invariant=True,
    )
    network.build()
    network.load_state_dict(load_file(weights))
    diarization.PretrainedSpeakerEmbedding = lambda *_, **__: Voice()
    diarization.get_plda = lambda *_, **__: None
    pipeline = diarization.SpeakerDiarization(
        segmentation=network.eval(),
        embedding="resemblyzer",
        clustering="AgglomerativeClustering",
        embedding_exclude_overlap=True,
    )
    return pipeline.instantiate(PARAMETERS)


def main() -> None:
    """Read the command line, run the pipeline over every file."""
    warnings.simplefilter("ignore")
    import torch

    weights, folder = Path(sys.argv[1]), Path(sys.argv[2])
    pipeline, turns, seconds = load_pipeline(weights), {}, 0.0
    for path in sorted(folder.glob("*.npy")):
        sound = torch.from_numpy(np.load(path))[None]
        started = time.perf_counter()
        found = pipeline({"waveform": sound, "sample_rate": RATE_HZ})
        seconds += time.perf_counter() - started
        annotation = getattr(found, "speaker_diarization", found)
        turns[path.stem] = [[s.start, s.end, str(who)] for s, _, who in annotation.itertracks(yield_label=True)]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    (folder / "result.json").write_text(json.dumps({"turns": turns, "seconds": seconds, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
