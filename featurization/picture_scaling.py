"""Decoded frames as upright RGB pictures of square pixels, at the two sizes that are kept."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from featurization.extractor import Image

SMALL_SHAPE = (27, 48, 3)  # height, width, RGB: what TransNetV2 takes, whatever the shape of the picture
_WIDEST_PIXEL = 8  # a file that claims wider or higher ones is wrong


class Scaler:
    """Scales frames of one stream, whose size, format and rotation may change on the way."""

    def __init__(self, pixel_aspect: Fraction | None, *, still_side: int) -> None:
        credible = pixel_aspect and Fraction(1, _WIDEST_PIXEL) <= pixel_aspect <= _WIDEST_PIXEL
        self._pixel_aspect = float(pixel_aspect) if credible and pixel_aspect else 1.0
        self._still_side = still_side
        self._to_small, self._to_still = VideoReformatter(), VideoReformatter()
        self._one_field: dict[tuple[int, int, str], Callable[[VideoFrame], VideoFrame]] = {}

    def upright_size(self, frame: VideoFrame) -> tuple[int, int]:
        """Width and height as the frame is meant to be shown."""
        width, height = max(1, round(frame.width * self._pixel_aspect)), frame.height
        return (height, width) if _quarter_turns(frame) % 2 else (width, height)

    def small(self, frame: VideoFrame) -> Image:
        """The frame as (27, 48, 3)."""
        return _scaled(self._to_small, frame, SMALL_SHAPE[1], SMALL_SHAPE[0])

    def still(self, frame: VideoFrame, quality: int) -> bytes:
        """The frame as a JPEG picture. Of interlaced frames one field is taken, as they are shown one after another."""
        from PIL import Image as Picture

        width, height = self.upright_size(frame)
        factor = min(1.0, self._still_side / max(width, height))
        source = self._field(frame) if frame.interlaced_frame else frame
        picture = _scaled(self._to_still, source, max(1, round(width * factor)), max(1, round(height * factor)))
        out = io.BytesIO()
        Picture.fromarray(picture).save(out, "JPEG", quality=quality)
        return out.getvalue()

    def _field(self, frame: VideoFrame) -> VideoFrame:
        key = frame.width, frame.height, frame.format.name
        if key not in self._one_field:
            self._one_field[key] = _top_field(frame)
        return self._one_field[key](frame)


def _scaled(reformatter: VideoReformatter, frame: VideoFrame, width: int, height: int) -> Image:
    """RGB, `width` × `height` once turned upright."""
    turns = _quarter_turns(frame)
    if turns % 2:
        width, height = height, width
    scaled = reformatter.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA, threads=1)
    return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), turns))


def _quarter_turns(frame: VideoFrame) -> int:
    """How often the picture must be turned counterclockwise to be upright."""
    return round(frame.rotation / 90) % 4


def _top_field(like: VideoFrame) -> Callable[[VideoFrame], VideoFrame]:
    graph = Graph()
    source = graph.add_buffer(
        width=like.width, height=like.height, format=like.format, time_base=like.time_base or Fraction(1, 1000)
    )
    field, sink = graph.add("field", "type=top"), graph.add("buffersink")
    source.link_to(field)
    field.link_to(sink)
    graph.configure()

    def top(frame: VideoFrame) -> VideoFrame:
        graph.push(frame)  # through the graph: PyAV frees it when nobody holds it, whatever its filters do
        pulled = graph.pull()
        return pulled if isinstance(pulled, VideoFrame) else frame

    return top
