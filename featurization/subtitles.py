"""Subtitles beside a film and inside it, in whatever format, as WebVTT that the transcript parser reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.subtitles.stream import SubtitleStream

from featurization.container import Damage, interleaved, open_media
from featurization.errors import MediaError
from featurization.languages import language_code
from featurization.subtitle_formats.ass import embedded_ass, read_ass
from featurization.subtitle_formats.counted import MICRODVD, read_counted, subviewer_as_sbv
from featurization.subtitle_formats.line import Line, timed, to_webvtt
from featurization.subtitle_formats.sami import read_sami
from featurization.subtitle_formats.ttml import read_ttml

SubtitleFormat = Literal["ass", "ttml", "sami", "microdvd", "mpl2", "subviewer"]

SUBTITLE_TYPES: Mapping[str, str] = {  # media types by suffix
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
    ".ass": "text/x-ssa",
    ".ssa": "text/x-ssa",
    ".ttml": "application/ttml+xml",
    ".dfxp": "application/ttml+xml",
    ".xml": "application/ttml+xml",
    ".smi": "application/x-sami",
    ".sami": "application/x-sami",
    ".sub": "text/x-microdvd",
    ".sbv": "text/x-sbv",
}
_TEXT_CODECS = frozenset("mov_text subrip srt ass ssa webvtt text".split())
_LONGEST_S = 8.0  # a subtitle whose end is not said goes with the next one, or after this time

_FORMATS: tuple[tuple[SubtitleFormat, re.Pattern[str], Callable[[str], list[Line]]], ...] = (
    ("ass", re.compile(r"\s*(?:;.*\n|\s)*\[(?:script info|v4\+? styles|events)\]", re.IGNORECASE), read_ass),
    ("sami", re.compile(r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<sami\b", re.IGNORECASE | re.DOTALL), read_sami),
    (
        "ttml",
        re.compile(r"\s*(?:<\?[^>]*>\s*|<!.*?>\s*)*<(?:\w+:)?(?:tt|timedtext|transcript)[\s>]", re.DOTALL),
        read_ttml,
    ),
    ("microdvd", MICRODVD, read_counted),
    ("mpl2", re.compile(r"\[\d+\]\[\d+\]"), read_counted),
)
_SUBVIEWER = re.compile(r"\s*\[(?:information|subtitle|title)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """A track of text subtitles taken out of a container, as WebVTT."""

    index: int  # of its stream
    language: str  # as ISO 639-1 where there is a code; empty if not stated
    webvtt: bytes
    forced: bool = False  # signs and foreign words only


def convert_subtitles(text: str) -> tuple[SubtitleFormat, str] | None:
    """The format of `text` and what it says as WebVTT (SBV for SubViewer); None if it is none of the formats here.

    Raises MediaError for a file of one of them that cannot be read.
    """
    if _SUBVIEWER.match(text):
        return "subviewer", subviewer_as_sbv(text)
    for name, start, read in _FORMATS:
        if start.match(text):
            try:
                return name, to_webvtt(read(text))
            except MediaError:
                raise
            except Exception as error:  # these readers meet whatever people write
                raise MediaError(f"{name} subtitles are damaged; convert them to SRT or WebVTT") from error
    return None


def embedded_subtitles(path: Path) -> list[SubtitleTrack]:
    """The tracks of text subtitles in a container; pictures of text (DVD, Blu-ray, DVB) are left out.

    The file is read once through, decoding nothing. Raises the errors of `open_media`.
    """
    with open_media(path) as container:
        streams = [stream for stream in container.streams.subtitles if _is_text(stream)]
        if not streams:
            return []
        for stream in container.streams:
            stream.discard = Discard.default if stream in streams else Discard.all
        payloads = _payloads(container, streams)
        tracks = [_track(stream, payloads[stream.index]) for stream in streams]
    return [track for track in tracks if b"-->" in track.webvtt]


def _is_text(stream: SubtitleStream) -> bool:
    return stream.codec_context is not None and _codec(stream) in _TEXT_CODECS


def _codec(stream: SubtitleStream) -> str:
    return stream.codec_context.codec.canonical_name


def _payloads(container: InputContainer, streams: Iterable[SubtitleStream]) -> dict[int, list[Packet[SubtitleStream]]]:
    found: dict[int, list[Packet[SubtitleStream]]] = {stream.index: [] for stream in streams}
    for packet in interleaved(container, list(streams), Damage()):
        if packet.size and packet.pts is not None:
            found[packet.stream.index].append(packet)
    return found


def _track(stream: SubtitleStream, packets: list[Packet[SubtitleStream]]) -> SubtitleTrack:
    found = list(_timed(stream, packets))
    if _codec(stream) in {"ass", "ssa"}:
        header = (stream.codec_context.extradata or b"").decode("utf-8", "replace").replace("\0", "")
        webvtt = to_webvtt(read_ass(embedded_ass(header, iter(found))))
    else:
        webvtt = "\n\n".join(["WEBVTT", *(_cue(*one) for one in found if one[2].strip())])
    return SubtitleTrack(
        stream.index,
        language_code(stream.language or ""),
        webvtt.encode(),
        bool(stream.disposition & Disposition.forced),
    )


def _timed(stream: SubtitleStream, packets: list[Packet[SubtitleStream]]) -> Iterator[tuple[float, float, str]]:
    """(start, end, text) of packets, in seconds from the start of the film."""
    tick_s = float(stream.time_base or 0)
    zero_s = float(getattr(stream.container, "start_time", 0) or 0) / av.time_base
    starts = [(packet.pts or 0) * tick_s - zero_s for packet in packets]
    for packet, start, following in zip(packets, starts, [*starts[1:], float("inf")], strict=True):
        length = (packet.duration or 0) * tick_s
        end = start + length if length > 0 else min(following, start + _LONGEST_S)
        yield max(0.0, start), max(0.0, end), _payload(stream, bytes(packet))


def _payload(stream: SubtitleStream, data: bytes) -> str:
    if _codec(stream) == "mov_text":  # two bytes of length, the text, boxes of style
        data = data[2 : 2 + int.from_bytes(data[:2])]
        if data.startswith((b"\xfe\xff", b"\xff\xfe")):
            return data.decode("utf-16", "replace")
    return data.decode("utf-8", "replace").replace("\0", "")


def _cue(start: float, end: float, text: str) -> str:
    """A cue of a text that may hold markup of its own; blank rows in it would end it."""
    rows = re.sub(r"\r\n?|\\N", "\n", text).split("\n")
    return timed(start, end, "\n".join(row for row in rows if row.strip()))
