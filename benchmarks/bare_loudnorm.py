"""A peer at the cheap end: FFmpeg's loudnorm alone, its measuring pass over the decoded sound.

As a program (`python -m benchmarks.bare_loudnorm FILE…`) it prints its seconds and what it measured of each file.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import av.logging
from av.filter import Graph
from av.filter.context import FilterContext

_TARGET = "I=-16:TP=-1:LRA=11:print_format=json"
_SUMMARY = re.compile(r"\{.*\}", re.DOTALL)


def loudnorm(path: Path) -> dict[str, Any]:
    """What loudnorm's first pass prints of a file: input_i (LUFS), input_tp (dBTP), input_lra (LU), …"""
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture(local=False) as printed:
            _drain(path)
    finally:
        # A decoder's threads that log wait for the interpreter's lock, which is held by who closes the decoder.
        av.logging.set_level(None)
    found = _SUMMARY.search("".join(message for _, _, message in printed))
    return dict(json.loads(found[0])) if found else {}


def _drain(path: Path) -> None:
    """Push a file through the filter, which prints what it measured when its graph is freed: when this returns."""
    with av.open(str(path)) as container:
        stream, graph = container.streams.audio[0], Graph()
        source, sink = graph.add_abuffer(template=stream), graph.add("abuffersink")
        meter = graph.add("loudnorm", _TARGET)
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        for frame in container.decode(stream):
            source.push(frame)
            _discard(sink)
        source.push(None)
        _discard(sink)


def _discard(sink: FilterContext) -> None:
    while True:
        try:
            sink.pull()
        except (BlockingIOError, av.error.EOFError):
            return


def main(files: Sequence[str]) -> None:
    """Measure the files and print seconds and measurements as JSON."""
    started = time.perf_counter()
    measured = {Path(file).name: loudnorm(Path(file)) for file in files}
    print(json.dumps({"seconds": time.perf_counter() - started, "measured": measured}))


if __name__ == "__main__":
    main(sys.argv[1:])
