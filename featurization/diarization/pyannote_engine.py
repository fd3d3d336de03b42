"""The diarization pipeline of pyannote.audio as an engine: better than ours, on weights that one must ask for.

Its package and its weights are extras: `pip install -e .[pyannote]`, then `rushes models fetch pyannote-community-1`
with the token of a Hugging Face account that accepted their terms; or a copy of the repository in the models' folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from featurization.diarization.segmentation import Reader
from featurization.diarization.voices import Voices, in_order
from featurization.errors import ModelError
from featurization.media import Segment
from featurization.pcm import PCM_RATE_HZ


class PyannoteDiarizer:
    """Holds the samples of the whole span in memory, 230 MB an hour, as the pipeline asks."""

    def __init__(self, folder: Path) -> None:
        """Load the pipeline from `folder`. Raises ModelError if the package is missing or the folder is no pipeline."""
        try:
            from pyannote.audio import Pipeline
        except ImportError as error:
            raise ModelError(
                "the engine pyannote needs the package pyannote.audio; install it with `pip install -e .[pyannote]`, "
                'or set engine = "packaged" under [speakers]'
            ) from error
        try:
            self._pipeline: Any = Pipeline.from_pretrained(folder)
        except Exception as error:  # whatever a foreign loader raises
            raise ModelError(
                f"{folder}: pyannote.audio cannot load the pipeline there ({error}); fetch it again"
            ) from error

    def __call__(self, read: Reader, span: Segment, speech: Sequence[Segment]) -> Voices:  # noqa: ARG002
        """Turns and vectors of the speakers in `span`; `speech` is not needed."""
        import torch

        samples = np.asarray(read(span), dtype=np.float32)
        output = self._pipeline({"waveform": torch.from_numpy(samples)[None], "sample_rate": PCM_RATE_HZ})
        annotation = output.speaker_diarization
        turns, labels = in_order(
            (Segment(max(span.start, span.start + s.start), span.start + s.end) & span, str(label), 1.0)
            for s, _, label in annotation.itertracks(yield_label=True)
        )
        known = list(map(str, annotation.labels()))
        vectors = np.asarray(output.speaker_embeddings, dtype=np.float32)[[known.index(label) for label in labels]]
        return Voices(turns, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))
