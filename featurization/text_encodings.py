"""Bytes of subtitles and transcripts to text, whatever encoding they were saved in."""

from __future__ import annotations


def decode_text(data: bytes) -> str:
    """The text, without a byte order mark and zeros; what is neither UTF-8 nor UTF-16 is read as Windows-1252."""
    for encoding in _encodings(data):
        try:
            return data.decode(encoding).replace("\x00", "").removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", errors="replace").replace("\x00", "")


def _encodings(data: bytes) -> tuple[str, ...]:
    """What the bytes may be: UTF-16 by its mark, or by the zeros that it puts between Latin letters; else UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16", "utf-8-sig")
    odd, even = data[1:400:2], data[:400:2]
    wide = [name for name, half in (("utf-16-le", odd), ("utf-16-be", even)) if 2 * half.count(0) > max(len(half), 4)]
    return (*wide, "utf-8-sig")
