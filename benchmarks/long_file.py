"""One long file made by repeating sound: the same hour again and again costs what other hours would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

RATE_HZ = 44_100
BIT_RATE = 64_000
FRAME = 1152  # samples of an MP3 frame


def repeated(files: Sequence[Path], target: Path, *, hours: float) -> Path:
    """Write the sound of `files`, one after the other and again until `hours` are full, as one mono MP3.

    It is encoded once; then its frames, which stand alone (no bit reservoir), are copied as often as needed.
    """
    once = target.with_suffix(".once.mp3")
    _encode(files, once)
    size = once.stat().st_size
    whole, rest = divmod(round(hours * 3600 * BIT_RATE / 8), size)
    with target.open("wb") as long:
        for _ in range(whole):
            with once.open("rb") as data:
                shutil.copyfileobj(data, long)
        with once.open("rb") as data:
            long.write(data.read(rest))
    once.unlink()
    return target


def _encode(files: Sequence[Path], target: Path) -> None:
    """Write bare MP3 frames of a constant bit rate, so that bytes are seconds."""
    options = {"write_xing": "0", "id3v2_version": "0"}
    with av.open(str(target), "w", format="mp3", options=options) as container:
        stream = container.add_stream("libmp3lame", rate=RATE_HZ, layout="mono", options={"reservoir": "0"})
        stream.bit_rate = BIT_RATE
        for frame in _frames(files):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _frames(files: Sequence[Path]) -> Iterator[AudioFrame]:
    """The decoded sound of all files in whole MP3 frames; the rest of each file, under 30 ms, is left out."""
    for file in files:
        resampler = AudioResampler("s16p", "mono", RATE_HZ, FRAME)
        with av.open(str(file)) as container:
            stream: AudioStream = container.streams.audio[0]
            for frame in container.decode(stream):
                frame.pts = None
                yield from (part for part in resampler.resample(frame) if part.samples == FRAME)
