"""The still that stands for a film's preview: its most telling keyframe."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from featurization.media import Segment, Shot
from steps.rendering.canvas import Canvas, Painter, rgb
from steps.rendering.pictures import pictures

_QUALITY = 85


def poster_time(moment: Segment, shots: Sequence[Shot]) -> float:
    """Seconds of the best keyframe inside: of the shot that fills most of the moment; else the middle."""
    seen = sorted(shots, key=lambda shot: (-(shot & moment).duration, shot.start))
    inside = (time for shot in seen for time in shot.keyframes if time in moment and time in shot)
    return next(inside, moment.middle)


def poster_jpeg(media: Path, at_s: float, *, max_side: int) -> bytes:
    """The picture on screen at `at_s`, upright, its longer side at most `max_side`."""
    picture = next(pictures(media, Segment(at_s, at_s + 1.0)))
    drawn = Painter(Canvas.of(picture, max_side=max_side)).drawn(picture)
    out = io.BytesIO()
    Image.fromarray(rgb(drawn)).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
