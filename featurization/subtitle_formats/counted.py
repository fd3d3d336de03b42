"""A line per subtitle: MicroDVD counts frames, MPL2 tenths of a second. And SubViewer, which is nearly SBV."""

from __future__ import annotations

import re

from featurization.errors import MediaError
from featurization.subtitle_formats.line import Line

MICRODVD = re.compile(r"^\{\d+\}\{\d*\}", re.MULTILINE)
_RATE_LINE = re.compile(r"^\{[01]\}\{[01]\}\s*\d+(?:[.,]\d+)?\s*$", re.MULTILINE)
_STYLE = re.compile(r"\{[^{}]*\}")


def with_frame_rate(text: str, frame_rate: float) -> str:
    """MicroDVD text that says how many frames make a second, as its own first line if it lacks one."""
    return text if _RATE_LINE.search(text) or not frame_rate else f"{{1}}{{1}}{frame_rate:.3f}\n{text}"


def read_counted(text: str) -> list[Line]:
    """Lines of a MicroDVD or MPL2 file; raises MediaError for frames without a rate."""
    import pysubs2

    if MICRODVD.match(text) and not _RATE_LINE.search(text):
        raise MediaError("subtitles count frames but do not say how many make a second; convert them to SRT")
    return [
        Line(event.start / 1000, event.end / 1000, _STYLE.sub("", event.text.replace("\\N", "\n")))
        for event in pysubs2.SSAFile.from_string(text.replace(",", ".", 1) if _RATE_LINE.match(text) else text)
    ]


def subviewer_as_sbv(text: str) -> str:
    """SubViewer text without its header and with breaks as lines, which makes it SBV."""
    body = re.sub(r"(?m)^\[(?!br\])[^\]\n]*\].*$", "", text)
    return re.sub(r"\[br\]", "\n", body, flags=re.IGNORECASE)
