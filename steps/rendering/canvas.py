"""Frames of any film drawn on one canvas: upright, square pixels, 8 bits, BT.709, even sides."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from steps.rendering.pictures import Picture

Plane = NDArray[np.uint8]

_SD_LINES = 576  # films with more lines are BT.709 where they do not say, as players take it
_BLACK = (16, 128, 128)  # of Y, U and V
_MATRICES = {1: Colorspace.ITU709, 4: Colorspace.FCC, 7: Colorspace.SMPTE240M, 9: Colorspace.BT2020}  # by AVCOL_SPC
_UNSPECIFIED = 2
_HIGH_RANGE = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)  # PQ and HLG look grey where they are not mapped


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size of what is made, in pixels, both even."""

    width: int
    height: int

    @classmethod
    def of(cls, picture: Picture, *, max_side: int) -> Canvas:
        """The size of `picture` as it is shown, its longer side at most `max_side`; nothing is enlarged."""
        return cls(max_side, max_side).holding(picture, enlarge=False)

    def holding(self, picture: Picture, *, enlarge: bool) -> Canvas:
        """The largest size inside this one that has the shape of `picture`."""
        width, height = picture.frame.width * picture.pixel_aspect, Fraction(picture.frame.height)
        if _quarter_turns(picture.frame) % 2:
            width, height = height, width
        scale = min(self.width / width, self.height / height)
        scale = scale if enlarge else min(Fraction(1), scale)
        return Canvas(_even(width * scale), _even(height * scale))


class Painter:
    """Draws pictures on a canvas, whatever their size, turn and colours; those of another shape get black bars."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self._scaler = VideoReformatter()

    def drawn(self, picture: Picture, *, gain: float = 1.0) -> VideoFrame:
        """The picture as yuv420p, as bright as `gain` makes it (0 is black)."""
        canvas, turns = self.canvas, _quarter_turns(picture.frame)
        size = canvas.holding(picture, enlarge=True)
        if max(abs(size.width - canvas.width), abs(size.height - canvas.height)) <= 2:  # rounded to even
            size = canvas
        frame = self._scaled(picture.frame, size if turns % 2 == 0 else Canvas(size.height, size.width))
        if turns or size != canvas or gain < 1.0:
            planes = [np.rot90(plane, -turns) for plane in _planes(frame)]
            frame = _frame([_faded(_barred(p, canvas, i), gain, i) for i, p in enumerate(planes)], canvas)
        frame.pict_type = PictureType.NONE  # else the encoder would repeat the keyframes of the source
        return frame

    def _scaled(self, frame: VideoFrame, size: Canvas) -> VideoFrame:
        high_range = frame.color_trc in _HIGH_RANGE
        return self._scaler.reformat(
            frame,
            width=size.width,
            height=size.height,
            format="yuv420p",
            src_colorspace=_matrix(frame),
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            dst_color_trc=ColorTrc.BT709 if high_range else None,
            dst_color_primaries=ColorPrimaries.BT709 if high_range else None,
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT,
        )


def rgb(frame: VideoFrame) -> NDArray[np.uint8]:
    """A drawn frame as (height, width, 3)."""
    return np.asarray(frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709).to_ndarray(), dtype=np.uint8)


def _quarter_turns(frame: VideoFrame) -> int:
    """How often the frame must be turned clockwise by 90 degrees to stand upright, 0 to 3."""
    return round(-frame.rotation / 90) % 4


def _matrix(frame: VideoFrame) -> Colorspace:
    if frame.colorspace == _UNSPECIFIED:
        return Colorspace.ITU709 if frame.height > _SD_LINES else Colorspace.ITU601
    return _MATRICES.get(frame.colorspace, Colorspace.ITU601)


def _even(pixels: Fraction) -> int:
    return max(2, 2 * round(pixels / 2))


def _planes(frame: VideoFrame) -> list[Plane]:
    flat, area = np.asarray(frame.to_ndarray(), dtype=np.uint8).reshape(-1), frame.width * frame.height
    half = (frame.height // 2, frame.width // 2)
    luma = flat[:area].reshape(frame.height, frame.width)
    return [luma, flat[area : area + area // 4].reshape(half), flat[area + area // 4 :].reshape(half)]


def _frame(planes: list[Plane], canvas: Canvas) -> VideoFrame:
    flat = np.concatenate([plane.reshape(-1) for plane in planes])
    return VideoFrame.from_ndarray(flat.reshape(-1, canvas.width), format="yuv420p")


def _barred(plane: Plane, canvas: Canvas, index: int) -> Plane:
    """The plane in the middle of a black one of the canvas' size."""
    divisor = 1 if index == 0 else 2
    height, width = canvas.height // divisor, canvas.width // divisor
    if plane.shape == (height, width):
        return plane
    whole = np.full((height, width), _BLACK[index], dtype=np.uint8)
    top, left = (height - plane.shape[0]) // 2, (width - plane.shape[1]) // 2
    whole[top : top + plane.shape[0], left : left + plane.shape[1]] = plane
    return whole


def _faded(plane: Plane, gain: float, index: int) -> Plane:
    if gain >= 1.0:
        return plane
    black = _BLACK[index]
    return np.asarray(np.rint(black + (plane.astype(np.float32) - black) * max(0.0, gain)), dtype=np.uint8)
