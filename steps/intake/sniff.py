"""What bytes are, from the bytes: names and declared types are not trusted."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["empty", "media", "feed", "page", "parquet", "text", "binary"]

HEAD_BYTES = 4096  # as much as `sniff` looks at

_MEDIA_STARTS = (
    b"ID3",
    b"fLaC",
    b"OggS",
    b"FORM",
    b"caff",
    b".snd",
    b"MAC ",
    b"wvPk",
    b"MPCK",
    b"MP+",
    b"TTA1",
    b"FLV\x01",
    b"#!AMR",
    b"RF64",
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMA, WMV
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",
)
_FEED = re.compile(r"<(?:rss|feed|rdf:rdf)[\s>]", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:channel|\?xml)[\s>]", re.IGNORECASE)
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)


def sniff(head: bytes) -> Kind:
    """What a file beginning with `head` (`HEAD_BYTES` are enough) is."""
    if not head:
        return "empty"
    if looks_like_media(head):
        return "media"
    if head.startswith(b"PAR1"):
        return "parquet"
    text = _text(head)
    if text is None:
        return "binary"
    if not _FEED.search(text) and _PAGE.search(text):
        return "page"
    return "feed" if _FEED.search(text) or _MARKUP.search(text) else "text"


def looks_like_media(head: bytes) -> bool:
    """Whether `head` begins an audio or video file of a format that podcasts and video use."""
    if head.startswith(_MEDIA_STARTS) or head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide"}:
        return True
    if head.startswith(b"RIFF"):
        return head[8:12] in {b"WAVE", b"AVI "}
    if len(head) > 188 and head[0] == head[188] == 0x47:
        return True  # MPEG transport stream
    return _mpeg_audio_frame(head)


def _mpeg_audio_frame(head: bytes) -> bool:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    if head.startswith(b"\xff\xfe") and head[3] == 0:
        return False  # the byte order mark of UTF-16, then a Latin letter
    if head[1] & 0xF6 == 0xF0:
        return True  # AAC in ADTS
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bit_rate != 15 and rate != 3


def _text(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")):
        return head.decode("utf-16-be" if head[:1] in {b"\xfe", b"\x00"} else "utf-16-le", "replace")
    return None if b"\x00" in head else head.decode("utf-8", "replace")
