"""The peer of recognition: faster-whisper alone, as its own documentation runs it, on the same weights.

As a program (`python -m benchmarks.bare_whisper FOLDER FILE…`) it prints its seconds and its number of words, so that
its memory can be measured in a process of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import ctranslate2
from faster_whisper import WhisperModel

from featurization.media import Word


class BareWhisper:
    """Greedy, VAD on, no conditioning on previous text, word timestamps; everything else at its defaults."""

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        kind = "float16" if ctranslate2.get_cuda_device_count() else "int8"
        self._model = WhisperModel(str(folder), compute_type=kind, cpu_threads=threads, local_files_only=True)

    def words(self, path: Path) -> list[Word]:
        """The words of a file as the engine gives them, except that no word ends before it begins."""
        segments, _ = self._model.transcribe(
            str(path), beam_size=1, vad_filter=True, condition_on_previous_text=False, word_timestamps=True
        )
        heard = [word for segment in segments for word in segment.words or ()]
        return [Word(max(0.0, w.start), max(w.start, w.end, 0.0), w.word.strip(), w.probability) for w in heard]


def main(folder: str, files: Sequence[str]) -> None:
    """Transcribe the files and print seconds without loading, and words, as JSON."""
    engine = BareWhisper(Path(folder))
    started = time.perf_counter()
    words = sum(len(engine.words(Path(file))) for file in files)
    print(json.dumps({"seconds": time.perf_counter() - started, "words": words}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
