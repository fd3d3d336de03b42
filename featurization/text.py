"""Sentence vectors from a local MiniLM (or any mean-pooled BERT-like encoder), without the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurization.errors import ModelError

Vectors = NDArray[np.float32]  # (n, dim), rows of unit length


@dataclass(frozen=True)
class TextOptions:
    """How texts are fed to the encoder."""

    batch_size: int = 32  # texts a batch
    max_tokens: int = 128  # longer texts are cut; a spoken sentence of 30 s has about 100


class TextEncoder:
    """Texts → unit vectors: the mean of the last layer over the tokens (Reimers and Gurevych, 2019).

    `folder` holds config.json, tokenizer files and weights. Raises ModelError if they cannot be loaded.
    """

    def __init__(self, folder: Path, *, device: str = "cpu", options: TextOptions | None = None) -> None:
        import torch  # importing it takes seconds, and whoever only reads the options need not wait for it
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer

        self._device = torch.device(device)
        self._options = options or TextOptions()
        try:
            with no_progress_bar():
                self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
                model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(f"{folder}: not a text encoder; fetch it again with `rushes models`") from error
        self._model = model.eval().to(self._device)
        self.dim = int(model.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Float32 vectors, (n, dim), in the order of `texts`; equal texts get equal vectors."""
        unique = sorted(set(texts), key=lambda text: (len(text), text))
        vectors = np.empty((len(unique), self.dim), dtype=np.float32)
        for start, batch in self._batches(unique):
            vectors[start : start + len(batch)] = self._encode_batch(batch)
        rows = {text: row for row, text in enumerate(unique)}
        return vectors[[rows[text] for text in texts]]

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
        for start in range(0, len(texts), self._options.batch_size):
            yield start, texts[start : start + self._options.batch_size]

    def _encode_batch(self, texts: Sequence[str]) -> Vectors:
        import torch

        tokens = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self._options.max_tokens, return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            hidden = self._model(**tokens).last_hidden_state  # (batch, token, dim)
        mask = tokens["attention_mask"].unsqueeze(-1)
        pooled = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        vectors: Vectors = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
        return vectors


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Keeps transformers from drawing on the terminal while it loads weights."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
