"""CMX 3600 edit decision lists, which every editing program reads: the shots of a film as cuts in its own time.

Gradual transitions are in the pictures already, so every event is a cut; how it came about stands in a comment.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from featurization.media import Shot
from serving.export_formats.contents import Contents
from serving.export_formats.timecode import frame_edges, frame_rate

_REEL = "AX"  # a source that is a file and no tape
_WIDEST = 60  # characters of a comment's text


def to_edl(contents: Contents) -> str:
    """One event a shot, with its source, transition and tags as comments."""
    shots, asset = contents.cut, contents.asset
    rate = frame_rate(asset.frame_rate)
    lines = [f"TITLE: {_plain(asset.title)}", f"FCM: {'DROP FRAME' if rate.drop else 'NON-DROP FRAME'}", ""]
    for number, (shot, (start, end)) in enumerate(zip(shots, frame_edges(shots, rate), strict=True), start=1):
        first, last = rate.timecode(start), rate.timecode(end)
        lines.append(f"{number:03}  {_REEL:<8} V     C        {first} {last} {first} {last}")
        lines += _comments(contents, shot, number)
    return "\n".join(lines)


def _comments(contents: Contents, shot: Shot, number: int) -> Iterator[str]:
    yield f"* FROM CLIP NAME: {_plain(contents.asset.title)} shot {number}"
    yield f"* SOURCE FILE: {_plain(contents.asset.source.rpartition('/')[2])}"
    if shot.transition in {"fade", "dissolve"}:
        yield f"* COMMENT: BEGINS WITH A {shot.transition.upper()}"
    labels = dict.fromkeys(tag.label for tag in contents.tags_of(shot))
    if labels:
        yield f"* COMMENT: {_plain(', '.join(labels))}"


def _plain(text: str) -> str:
    """ASCII on one line: the format is older than Unicode."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(bare.split())[:_WIDEST] or "untitled"
