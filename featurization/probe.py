"""What is in a media file: streams, tags and chapters, read from its content and never from its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream

from featurization.container import open_media
from featurization.languages import language_code
from featurization.media import Chapter
from featurization.trial import Trial, try_streams

_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska"}  # FFmpeg's name -> the usual one
_TAIL_S = 10.0  # so far before the promised end it is looked whether the file goes on until there
_LEAST_BIT_RATE = 2000  # of a film whose length is taken from its header, or from its last timestamp
_TRUSTED_S = 1.0  # a film may end so much before its header says, for streams of captions and the like outlast it


@dataclass(frozen=True, slots=True)
class Track:
    """One of several streams of sound or subtitles."""

    codec: str
    language: str = ""  # as ISO 639-1 where there is a code; empty if not stated
    title: str = ""
    channels: int = 0  # of sound
    default: bool = False
    forced: bool = False  # subtitles of signs and foreign words only


@dataclass(frozen=True, slots=True)
class Probe:
    """What a media file is. `duration_s` counts what is really there, not what a header promises."""

    container: str
    codec: str  # of the best audio stream; of the picture in a silent film
    kind: Literal["audio", "video"]
    duration_s: float  # to the later end of sound and picture
    rate_hz: int  # 0 in a silent film, as channels
    channels: int
    bit_rate: int  # bit/s of the whole file
    size_bytes: int
    has_video: bool
    has_audio: bool = True
    title: str = ""
    artist: str = ""
    chapters: tuple[Chapter, ...] = ()  # as embedded (ID3 CHAP, MP4), in order
    video_codec: str = ""
    width: int = 0  # as shown: upright, square pixels
    height: int = 0
    frame_rate: float = 0.0  # average
    audio_tracks: tuple[Track, ...] = ()
    subtitle_tracks: tuple[Track, ...] = ()
    problems: tuple[str, ...] = ()  # what of it cannot be used, a line each


def probe(path: Path) -> Probe:
    """Read what `path` is from its bytes, decoding a little of its sound and picture to be sure that it can be.

    Raises UnreadableMedia, NoAudio (neither sound nor moving picture) or EmptyMedia, each with one line that names the
    file and the way out.
    """
    size = path.stat().st_size if path.is_file() else 0
    with open_media(path) as container:
        trial = try_streams(container, path)
        duration_s = _film_s(container, trial, size) if trial.picture else trial.rest_s(container)
        return _describe(container, trial, duration_s=duration_s, size=size)


def _describe(container: InputContainer, trial: Trial, *, duration_s: float, size: int) -> Probe:
    sound, picture = trial.sound, trial.picture
    best = sound or (picture.stream if picture else None)
    own = best.metadata if best else {}
    tags = {key.lower(): value for key, value in (container.metadata | own).items()}
    video_codec = picture.stream.codec_context.codec.canonical_name if picture else ""
    return Probe(
        container=_CONTAINERS.get(container.format.name, container.format.name),
        codec=sound.codec_context.codec.canonical_name if sound else video_codec,
        kind="video" if picture else "audio",
        duration_s=round(duration_s, 3),
        rate_hz=(sound.rate or 0) if sound else 0,
        channels=sound.channels if sound else 0,
        bit_rate=round(8 * size / duration_s) if duration_s else 0,
        size_bytes=size,
        has_video=bool(picture),
        has_audio=bool(sound),
        title=_line(tags.get("title", "")),
        artist=_line(tags.get("artist", "") or tags.get("album_artist", "")),
        chapters=_chapters(container, duration_s),
        video_codec=video_codec,
        width=picture.width if picture else 0,
        height=picture.height if picture else 0,
        frame_rate=picture.frame_rate if picture else 0.0,
        audio_tracks=_audio_tracks(container),
        subtitle_tracks=_subtitle_tracks(container),
        problems=trial.problems,
    )


def _line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())


def _audio_tracks(container: InputContainer) -> tuple[Track, ...]:
    return tuple(
        Track(
            codec=stream.codec_context.codec.canonical_name if stream.codec_context else "",
            language=language_code(stream.language or ""),
            title=_line(stream.metadata.get("title", "")),
            channels=stream.channels if stream.codec_context else 0,
            default=bool(stream.disposition & Disposition.default),
        )
        for stream in container.streams.audio
    )


def _subtitle_tracks(container: InputContainer) -> tuple[Track, ...]:
    return tuple(
        Track(
            codec=stream.codec_context.codec.canonical_name if stream.codec_context else "",
            language=language_code(stream.language or ""),
            title=_line(stream.metadata.get("title", "")),
            default=bool(stream.disposition & Disposition.default),
            forced=bool(stream.disposition & Disposition.forced),
        )
        for stream in container.streams
        if isinstance(stream, SubtitleStream)
    )


def _film_s(container: InputContainer, trial: Trial, size: int) -> float:
    """Seconds of a film: what its header says if the file goes on until there, else up to its last packet."""
    promised = float(container.duration or 0) / av.time_base
    believable = 0 < promised * _LEAST_BIT_RATE <= 8 * size
    if believable and _tail_s(container, trial, promised) >= promised - _TRUSTED_S:
        return promised
    if _rewound(container, 0):
        return trial.measured_s(container) or promised
    return trial.rest_s(container)


def _tail_s(container: InputContainer, trial: Trial, promised: float) -> float:
    start = container.start_time or 0
    if not _rewound(container, start + round(max(0.0, promised - _TAIL_S) * av.time_base)):
        return 0.0
    return trial.measured_s(container)


def _rewound(container: InputContainer, offset: int) -> bool:
    try:
        container.seek(offset)
    except (av.error.FFmpegError, OSError, ValueError):
        return False
    return True


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
