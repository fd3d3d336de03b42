"""Copies of media that browsers cannot play, in a form that all of them can; made once, and kept as long as the asset.

A copy is H.264 and AAC in MP4, of at most 1280 by 1280 pixels, or AAC alone; its times are those of the asset.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from featurization.container import audio_stream, moving_pictures, open_media
from featurization.errors import EmptyMedia, MediaError, NoAudio, UnreadableMedia
from featurization.media import Asset, Segment
from steps.files import explained
from steps.rendering.canvas import Canvas, Painter
from steps.rendering.cutting import Samples, cut, mp3_rate_hz
from steps.rendering.film import thinned
from steps.rendering.mp4 import AAC_FRAME, FilmOptions, film_writer, write_aac
from steps.rendering.pictures import pictures
from steps.store import Store

Told = Callable[[float], None]  # of the share that is done, 0 to 1; whoever wants to stop raises
FOLDER = "proxies"
_VERSION = "1"  # raised when copies of the same asset become others
_FILM = FilmOptions(crf=26)
STRETCH = 4096 * AAC_FRAME  # samples of sound in memory at once, a minute and a half
_SOUND_SHARE = 0.15  # of the time that the copy of a film takes
_EIGHT_BIT = ("yuv420p", "yuvj420p")
_PLAYED: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "mp4": (frozenset({"h264", "vp9", "av1"}), frozenset({"aac", "mp3", "opus", "flac"})),
    "webm": (frozenset({"vp8", "vp9", "av1"}), frozenset({"opus", "vorbis"})),
    "ogg": (frozenset(), frozenset({"opus", "vorbis", "flac"})),
    "wav": (frozenset(), frozenset({"pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"})),
    **{name: (frozenset(), frozenset({name})) for name in ("mp3", "aac", "flac")},
}


def plays(container: str, video: str, audio: str, pixels: str = "") -> bool:
    """Whether all common browsers play such a file; `video`, `audio`, `pixels` are FFmpeg's names, "" for none."""
    pictures_played, sounds_played = _PLAYED.get(container, (frozenset(), frozenset()))
    seen = not video or (video in pictures_played and (video != "h264" or pixels in _EIGHT_BIT))
    return seen and (not audio or audio in sounds_played) and bool(video or audio)


def playable(media: Path) -> bool:
    """Whether all common browsers play a file, by what is in it. MediaError if it is no media."""
    with open_media(media) as container:
        video = next(iter(moving_pictures(container)), None)
        audio = next(iter(container.streams.audio), None)
        pixels = video.codec_context.pix_fmt if video and video.codec_context else ""
        return plays(_kind(container, media), _codec(video), _codec(audio), pixels or "")


def _codec(stream: VideoStream | AudioStream | None) -> str:
    if stream is None:
        return ""
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"


def _kind(container: InputContainer, media: Path) -> str:
    """The container by its usual name; WebM is told from other Matroska by its head."""
    names = container.format.name.split(",")
    if "matroska" in names:
        with media.open("rb") as file:
            return "webm" if b"webm" in file.read(64) else "matroska"
    return "mp4" if "mp4" in names else names[0]


def proxy_key(asset: Asset) -> str:
    """Where the store keeps the copy of an asset, if there is one."""
    made = hashlib.sha256("\n".join((asset.sha256, _VERSION, repr(_FILM))).encode()).hexdigest()[:16]
    return f"{FOLDER}/{asset.asset_id[:2]}/{asset.asset_id}-{made}{'.mp4' if asset.kind == 'video' else '.m4a'}"


def proxy(asset: Asset, store: Store, *, told: Told = lambda _: None) -> str:
    """The key of the copy of an asset, which is made if there is none; it appears whole or not at all.

    MediaError if the asset cannot be decoded, StoreError if there is no room.
    """
    key = proxy_key(asset)
    if store.files.exists(key):
        return key
    with store.local(asset.blob) as media, tempfile.TemporaryDirectory(prefix="rushes-") as folder:
        target = Path(folder) / Path(key).name
        try:
            with explained(f"writing {target}"):
                _made(media, asset, target, told)
        except (MediaError, av.error.FFmpegError) as error:
            sentence = f"{asset.title}: no copy that browsers play can be made; re-encode it and ingest it again"
            raise UnreadableMedia(sentence) from error
        store.files.put(key, target)
    return key


def _made(media: Path, asset: Asset, target: Path, told: Told) -> None:
    if asset.kind == "audio":
        _write_sound(media, asset.duration_s, target, told)
        return
    sound = target.with_suffix(".m4a")
    with suppress(NoAudio):
        _write_sound(media, asset.duration_s, sound, lambda share: told(_SOUND_SHARE * share))
    _write_film(media, asset.duration_s, target, sound, lambda share: told(_SOUND_SHARE + (1 - _SOUND_SHARE) * share))


def _write_film(media: Path, duration_s: float, target: Path, sound: Path, told: Told) -> None:
    """The pictures of a whole film beside the finished sound, if there is that file."""
    shown = thinned(pictures(media, Segment(0.0, duration_s)), 1 / _FILM.max_frame_rate)
    first = next(shown)
    painter = Painter(Canvas.of(first, max_side=_FILM.max_side))
    with film_writer(target, painter.canvas, options=_FILM, aac=sound if sound.exists() else b"") as writer:
        for picture in chain([first], shown):
            writer.write(painter.drawn(picture), start=picture.start, end=picture.end)
            told(picture.end / duration_s)


def _write_sound(media: Path, duration_s: float, target: Path, told: Told) -> None:
    """The sound of a whole asset, silent where nothing can be decoded. NoAudio if there is none."""
    with open_media(media) as container:
        stream = audio_stream(container, media)
        rate, channels = mp3_rate_hz(stream.rate or 0), min(stream.channels, 2)
    bit_rate = _FILM.mono_bit_rate if channels == 1 else _FILM.stereo_bit_rate
    write_aac(target, _stretches(media, duration_s, rate, channels, told), rate, bit_rate=bit_rate)


def _stretches(media: Path, duration_s: float, rate: int, channels: int, told: Told) -> Iterator[Samples]:
    total = round(duration_s * rate)
    for begin in range(0, total, STRETCH):
        end = min(total, begin + STRETCH)
        samples = np.zeros((channels, end - begin), dtype=np.float32)
        with suppress(EmptyMedia):
            heard = cut(media, Segment(begin / rate, end / rate)).samples
            samples[:, : heard.shape[1]] = heard[:, : end - begin]
        yield samples
        told(end / total)
