"""Writes and reads MP3 with PyAV, and tags files with Mutagen."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from mutagen.id3 import APIC, ID3, TALB, TIT2, TPE1, TRCK

from .signal import Audio, resample


def encode(path: Path, audio: Audio, rate: int, bit_rate: int) -> None:
    """Write mono ``audio`` as a constant bit rate MP3."""
    pcm = np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout="mono")
        stream.bit_rate = bit_rate
        stream.format = "s16p"
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16p", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def decode(path: Path) -> tuple[Audio, int]:
    """Read ``path`` as a player would: samples and rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        parts = [frame.to_ndarray()[0] for frame in container.decode(stream)]
        rate = int(stream.rate or 0)
    return np.concatenate(parts).astype(np.float64), rate


def tag(path: Path, title: str, show: str, author: str, number: int, cover: Path) -> None:
    """Add ID3 title, show, author, track number and cover."""
    tags = ID3()
    tags.add(TIT2(encoding=3, text=title))
    tags.add(TALB(encoding=3, text=show))
    tags.add(TPE1(encoding=3, text=author))
    tags.add(TRCK(encoding=3, text=str(number)))
    picture = cover.read_bytes()
    tags.add(APIC(encoding=3, mime="image/png", type=3, desc="Cover", data=picture))
    tags.save(path, padding=lambda info: 0)


def encode_small(path: Path, audio: Audio, rate: int) -> None:
    """Write a low bit rate rendition for listeners on slow connections."""
    encode(path, resample(audio, rate, 22050), 22050, 24000)
