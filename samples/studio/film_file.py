"""Writes the film as MP4 (H.264 and AAC, fast start) and reads it again."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .film import Film
from .signal import Audio

QUALITY = {"crf": "28", "preset": "slow", "tune": "film"}
SOUND_BIT_RATE = 72_000


def encode(path: Path, film: Film, pictures: Iterator[NDArray[np.uint8]], audio: Audio) -> None:
    """Write the film; sound and picture are interleaved, and the index stands in front."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata.update(title=film.title, artist=film.author, copyright="CC BY 4.0")
        video, sound = _picture_stream(container, film), _sound_stream(container, film)
        heard = _sound_packets(sound, film, audio)
        due = next(heard, None)
        for packet in _picture_packets(video, film, pictures):
            while due is not None and due.dts * due.time_base <= packet.dts * packet.time_base:
                container.mux(due)
                due = next(heard, None)
            container.mux(packet)
        while due is not None:
            container.mux(due)
            due = next(heard, None)


def _picture_stream(container: Any, film: Film) -> Any:
    stream = container.add_stream("libx264", rate=film.rate, options=QUALITY)
    stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
    context = stream.codec_context
    context.gop_size, context.thread_count = 2 * film.rate, 1  # the same bytes whatever the number of cores
    context.time_base = Fraction(1, film.rate)
    return stream


def _sound_stream(container: Any, film: Film) -> Any:
    stream = container.add_stream("aac", rate=film.sample_rate, layout="mono")
    stream.bit_rate = SOUND_BIT_RATE
    stream.metadata["language"] = "eng"
    return stream


def _picture_packets(stream: Any, film: Film, pictures: Iterator[NDArray[np.uint8]]) -> Iterator[Any]:
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, film.rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound_packets(stream: Any, film: Film, audio: Audio) -> Iterator[Any]:
    size = 1024  # of an AAC frame
    for start in range(0, len(audio), size):
        part = audio[start : start + size].astype(np.float32)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = film.sample_rate, start, Fraction(1, film.sample_rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def decode(path: Path) -> tuple[Audio, int]:
    """The sound of `path` as a player plays it, and the number of its pictures."""
    with av.open(str(path)) as container:
        sound = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    with av.open(str(path)) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    return np.concatenate(sound).astype(np.float64), pictures
