"""What is in a media file: streams, tags and chapters, read from its content and never from its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from featurization.container import (
    Damage,
    audio_stream,
    decode_packet,
    has_pictures,
    nothing_decoded,
    open_media,
    packets,
)
from featurization.media import Chapter

_TRIAL_FRAMES = 4  # as many decoded frames prove that a file is not just a header
_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska"}  # FFmpeg's name -> the usual one


@dataclass(frozen=True, slots=True)
class Probe:
    """What a media file is. `duration_s` counts the audio that is really there, not what a header promises."""

    container: str
    codec: str  # of the best audio stream
    kind: Literal["audio", "video"]
    duration_s: float
    rate_hz: int
    channels: int
    bit_rate: int  # bit/s of the whole file
    size_bytes: int
    has_video: bool
    has_audio: bool = True
    title: str = ""
    artist: str = ""
    chapters: tuple[Chapter, ...] = ()  # as embedded (ID3 CHAP, MP4), in order


def probe(path: Path) -> Probe:
    """Read what `path` is from its bytes, decoding a little to be sure that it can be.

    Raises UnreadableMedia, NoAudio or EmptyMedia, each with one line that names the file and the way out.
    """
    size = path.stat().st_size if path.is_file() else 0
    with open_media(path) as container:
        stream = audio_stream(container, path)
        duration_s = _duration_s(container, stream, path)
        return _describe(container, stream, duration_s=duration_s, size=size)


def _describe(container: InputContainer, stream: AudioStream, *, duration_s: float, size: int) -> Probe:
    tags = {key.lower(): value for key, value in (container.metadata | stream.metadata).items()}
    has_video = has_pictures(container)
    return Probe(
        container=_CONTAINERS.get(container.format.name, container.format.name),
        codec=stream.codec_context.codec.canonical_name,
        kind="video" if has_video else "audio",
        duration_s=round(duration_s, 3),
        rate_hz=stream.rate or 0,
        channels=stream.channels,
        bit_rate=round(8 * size / duration_s) if duration_s else 0,
        size_bytes=size,
        has_video=has_video,
        title=_line(tags.get("title", "")),
        artist=_line(tags.get("artist", "") or tags.get("album_artist", "")),
        chapters=_chapters(container, duration_s),
    )


def _line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())


def _duration_s(container: InputContainer, stream: AudioStream, path: Path) -> float:
    """Seconds of sound, once some has been decoded.

    Counted packet by packet in sound files, since headers lie when a file was cut; films take their header's word.
    """
    promised, film, damage, trials = float(container.duration or 0) / av.time_base, has_pictures(container), Damage(), 0
    end = total = 0  # in the stream's ticks, as ints: an hour of MP3 has 140,000 packets
    for packet in packets(container, stream, damage):
        if trials < _TRIAL_FRAMES:
            trials += len(decode_packet(stream, packet, damage))
        elif film and promised > 0:
            return promised
        length = packet.duration or 0
        total += length
        if packet.pts is not None:
            end = max(end, packet.pts + length)
    if not trials:
        raise nothing_decoded(path, damage)
    tick_s, zero_s = float(stream.time_base or 0), float(container.start_time or 0) / av.time_base
    measured = end * tick_s - zero_s if end else total * tick_s
    return min(measured, promised) if promised > 0 < measured else measured or promised


def _chapters(container: InputContainer, duration_s: float) -> tuple[Chapter, ...]:
    """Embedded chapters, clipped to the file; impossible ones are left out."""
    found = []
    for chapter in container.chapters():
        base = chapter["time_base"]
        if base is None:
            continue
        start, end = float(chapter["start"] * base), float(chapter["end"] * base)
        if 0 <= start < min(end, duration_s):
            title = _line(str(chapter["metadata"].get("title", "")))
            found.append(Chapter(round(start, 3), round(min(end, duration_s), 3), title=title))
    return tuple(sorted(found))
