"""Files heard as the flows hear them: `python -m benchmarks.hearing_alone CONFIG FILE…` prints its number of words.

A program of its own, so that its memory can be measured beside that of `bare_whisper`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.listening import Listener
from steps import settings


def main(config: str, files: Sequence[str]) -> None:
    """Recognise the files with the settings of a TOML file and print the number of words as JSON."""
    options = settings.build(settings.Settings, settings.parse(Path(config).read_text(encoding="utf-8")))
    words = 0
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        listener = Listener(Path(folder), options)
        for file in files:
            with listener.recording(Path(file)) as recording:
                words += len(recording.recognised)
    print(json.dumps({"words": words}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
