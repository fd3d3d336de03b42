"""Subtitles that come with a file: beside it on the same disk, or as tracks inside it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from featurization.errors import MediaError
from featurization.languages import is_language, language_code
from featurization.media import TranscriptFile
from featurization.probe import Probe
from featurization.subtitle_formats.counted import MICRODVD, with_frame_rate
from featurization.subtitles import SUBTITLE_TYPES, embedded_subtitles
from featurization.text_encodings import decode_text
from featurization.transcripts import parse_transcript
from steps.store import Store

log = logging.getLogger(__name__)

_MARKS = frozenset("forced signs sdh hi cc full default captions subtitles".split())
_MOST_BYTES = 20 * 2**20  # subtitles of a long film have about 100 kB


def sidecar_owners(path: Path) -> Iterator[tuple[str, str]]:
    """(stem, language) of the media files that a subtitle file may belong to: film.en.srt goes with film.mp4."""
    if path.suffix.lower() not in SUBTITLE_TYPES:
        return
    stem, language = path.stem, ""
    yield stem, language
    while "." in stem:
        stem, _, part = stem.rpartition(".")
        if is_language(part):
            language = language_code(part)
        elif part.lower() not in _MARKS:
            return
        yield stem, language


def find_sidecars(media: Path) -> list[tuple[Path, str]]:
    """(path, language) of the subtitle files beside a media file, in the order of their names; whole ones first."""
    try:
        beside = sorted(path for path in media.parent.iterdir() if path.suffix.lower() in SUBTITLE_TYPES)
    except OSError:
        return []
    found = [(path, dict(sidecar_owners(path)).get(media.stem)) for path in beside]
    return sorted(((path, code) for path, code in found if code is not None), key=lambda one: _is_forced(one[0]))


def _is_forced(path: Path) -> bool:
    return bool({"forced", "signs"} & set(path.stem.lower().split(".")[1:]))


def attach_subtitles(location: str, media: Path, probed: Probe, store: Store) -> tuple[TranscriptFile, ...]:
    """Transcripts made of the subtitles of a file that `location` names and `media` holds, kept in the store.

    Those in the language that is spoken come first, if the file says which that is. Unreadable ones are left out.
    """
    beside = _beside(location, probed, store) if Path(location).is_absolute() else []
    files = [*beside, *_inside(location, media, probed, store)]
    spoken = next((track.language for track in probed.audio_tracks if track.language), "")
    return tuple(sorted(files, key=lambda file: _foreign(file.language, spoken)))


def _foreign(language: str, spoken: str) -> bool:
    return bool(spoken and language) and language.partition("-")[0] != spoken.partition("-")[0]


def _beside(location: str, probed: Probe, store: Store) -> list[TranscriptFile]:
    files = [_read(path, language, probed, store) for path, language in find_sidecars(Path(location))]
    return [file for file in files if file]


def _read(path: Path, language: str, probed: Probe, store: Store) -> TranscriptFile | None:
    media_type = SUBTITLE_TYPES[path.suffix.lower()]
    try:
        data = _timed(path.read_bytes()[:_MOST_BYTES], probed.frame_rate)
        parse_transcript(data, media_type=media_type)
    except (MediaError, OSError) as error:
        log.warning("%s: subtitles left out: %s", path, error)
        return None
    return TranscriptFile(str(path), media_type, language, store.put_bytes(data, path.suffix.lower()))


def _timed(data: bytes, frame_rate: float) -> bytes:
    """Subtitles that count frames are given the rate of the film beside which they lie."""
    text = decode_text(data)
    return with_frame_rate(text, frame_rate).encode() if MICRODVD.match(text) else data


def _inside(location: str, media: Path, probed: Probe, store: Store) -> list[TranscriptFile]:
    if not probed.subtitle_tracks:
        return []
    found = sorted(embedded_subtitles(media), key=lambda track: track.forced)
    file = TranscriptFile(location, SUBTITLE_TYPES[".vtt"])
    return [
        replace(
            file,
            url=f"{location}#track={track.index}",
            language=track.language,
            blob=store.put_bytes(track.webvtt, ".vtt"),
        )
        for track in found
    ]
