"""Opening media files safely: what they are is sniffed from their bytes, and every failure is one clear line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from featurization.errors import EmptyMedia, NoAudio, NoVideo, UnreadableMedia

AnyStream = TypeVar("AnyStream", AudioStream, VideoStream)

_SNIFF_BYTES = 4096
_MAX_HEADER_BYTES = 16 * 2**20
_ASF_MAGIC = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_ENCRYPTION = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")  # Content Encryption Object
_STILL = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_ASIDE = Disposition.comment | Disposition.visual_impaired | Disposition.clean_effects | Disposition.karaoke
_MAX_READ_ERRORS = 100  # in a row; a damaged container may refuse a few reads and then go on


@dataclass
class Damage:
    """How many packets could not be decoded; grows while a file is read."""

    packets: int = 0


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading, whatever its extension; no network and no other file is touched.

    Raises EmptyMedia for a file of no bytes, UnreadableMedia for what is missing, text, encrypted or no media.
    """
    _refuse_hopeless(path)
    try:
        # "file:" keeps a name like "concat:a|b" a name; replaced text keeps tags in wrong encodings from raising
        container = av.open(f"file:{path}", metadata_errors="replace", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise UnreadableMedia(f"{path.name}: not media that FFmpeg knows; check the file or re-encode it") from error
    with container:
        yield container


def audio_stream(container: InputContainer, path: Path) -> AudioStream:
    """The best audio stream: the default one before others, then the one with most channels; comments come last.

    Raises NoAudio, or UnreadableMedia if there is sound but no decoder for it.
    """
    streams = [stream for stream in container.streams.audio if _decodable(stream)]
    if streams:
        return max(streams, key=_audio_rank)
    if any(stream.type == "audio" for stream in container.streams):
        raise UnreadableMedia(f"{path.name}: its audio cannot be decoded; re-encode it as MP3 or AAC")
    raise NoAudio(f"{path.name}: has no audio stream; give a file with sound")


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The best stream of moving pictures: the default one before others, then the largest.

    Raises NoVideo, or UnreadableMedia if there are pictures but no decoder for them.
    """
    streams = moving_pictures(container)
    if decodable := [stream for stream in streams if _decodable(stream)]:
        return max(decodable, key=_video_rank)
    if streams:
        raise UnreadableMedia(f"{path.name}: its pictures cannot be decoded; re-encode it as H.264")
    raise NoVideo(f"{path.name}: has no moving picture; give a video")


def moving_pictures(container: InputContainer) -> list[VideoStream]:
    """The streams that show a film; cover art, thumbnails and files of one still picture are none."""
    if container.format.name == "image2" or container.format.name.endswith("_pipe"):
        return []
    return [stream for stream in container.streams.video if not stream.disposition & _STILL]


def has_pictures(container: InputContainer) -> bool:
    """Whether there is moving picture."""
    return bool(moving_pictures(container))


def _decodable(stream: AudioStream | VideoStream) -> bool:
    return stream.codec_context is not None


def _audio_rank(stream: AudioStream) -> tuple[bool, bool, int]:
    aside = bool(stream.disposition & _ASIDE)
    return not aside, bool(stream.disposition & Disposition.default), stream.channels


def _video_rank(stream: VideoStream) -> tuple[bool, int]:
    return bool(stream.disposition & Disposition.default), stream.width * stream.height


def packets(container: InputContainer, stream: AnyStream, damage: Damage) -> Iterator[Packet[AnyStream]]:
    """Packets of `stream` to the end of the file, or to where it can no longer be read; the last one is empty."""
    return interleaved(container, [stream], damage)


def interleaved(container: InputContainer, streams: Sequence[Stream], damage: Damage) -> Iterator[Packet[Any]]:
    """As `packets`, for several streams at once, in the order of the file."""
    errors = 0
    while errors < _MAX_READ_ERRORS:
        try:
            for packet in container.demux(*streams):
                errors = 0
                yield packet
            return
        except av.error.EOFError:
            return
        except IndexError:
            continue  # PyAV's answer to a packet of a stream that began after the file was opened
        except (av.error.FFmpegError, OSError, ValueError):
            errors += 1
            damage.packets += 1


def frames(container: InputContainer, stream: AudioStream, damage: Damage) -> Iterator[AudioFrame]:
    """Decoded frames of `stream` to its end; packets that do not decode are counted in `damage` and skipped."""
    for packet in packets(container, stream, damage):
        yield from decode_packet(stream, packet, damage)


def decode_packet(stream: AudioStream, packet: Packet[AudioStream], damage: Damage) -> list[AudioFrame]:
    """Frames of one packet, or none; a packet that does not decode is counted in `damage`."""
    try:
        return [frame for frame in stream.decode(packet) if frame.samples and frame.sample_rate]
    except av.error.EOFError:
        return []
    except (av.error.FFmpegError, OSError, ValueError):
        damage.packets += 1
        return []


def decode_picture(stream: VideoStream, packet: Packet[VideoStream], damage: Damage) -> list[VideoFrame]:
    """As `decode_packet`, for pictures."""
    try:
        return [frame for frame in stream.decode(packet) if frame.width and frame.height]
    except av.error.EOFError:
        return []
    except (av.error.FFmpegError, OSError, ValueError):
        damage.packets += 1
        return []


def nothing_decoded(path: Path, damage: Damage, what: str = "audio") -> EmptyMedia | UnreadableMedia:
    """The error for a stream of which no sample, or no picture, came out."""
    if damage.packets:
        return UnreadableMedia(f"{path.name}: none of its {what} decodes; it is damaged or encrypted, fetch it again")
    return EmptyMedia(f"{path.name}: its {what} stream is empty; fetch it again or leave it out")


def _refuse_hopeless(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFF_BYTES)
            protected = _is_protected(path, head)
    except OSError as error:
        raise UnreadableMedia(f"{path.name}: cannot be read ({error.strerror}); check the path") from error
    if not head:
        raise EmptyMedia(f"{path.name}: is an empty file; fetch it again")
    if _is_text(head):
        what = "a web page" if head.lstrip()[:1] == b"<" else "text or a playlist"
        raise UnreadableMedia(f"{path.name}: is {what}, not media; check where it was downloaded from")
    if protected:
        raise UnreadableMedia(f"{path.name}: is encrypted (DRM); get a copy without protection")


def _is_text(head: bytes) -> bool:
    """Media of any format has control bytes in its first kilobytes; text, HTML and playlists have none."""
    return not any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)


def _is_protected(path: Path, head: bytes) -> bool:
    """Whether an MP4 has a protection scheme (sinf with schm) or an ASF a content encryption object."""
    if head.startswith(_ASF_MAGIC):
        return _ASF_ENCRYPTION in head
    if head[4:8] != b"ftyp":
        return False
    movie = _movie_box(path)
    return b"sinf" in movie and (b"schm" in movie or b"drms" in movie)


def _movie_box(path: Path) -> bytes:
    """The start of an MP4's moov box, found by walking the boxes of the top level; empty if there is none."""
    with path.open("rb") as file:
        end = path.stat().st_size
        while file.tell() + 8 <= end:
            start, header = file.tell(), file.read(16)
            size = int.from_bytes(header[:4])
            if size == 1:
                size = int.from_bytes(header[8:16])
            if header[4:8] == b"moov":
                return header + file.read(min(max(size, 0), _MAX_HEADER_BYTES))
            if size < 8:
                break
            file.seek(start + size)
    return b""
