"""The pictures that stand for a shot: its middle, unless that is black, blurred or half another shot."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from featurization.extractor import Image
from featurization.frames import Footage
from featurization.media import Segment, Shot

_WEBP_EFFORT = 2  # 0 to 6: half the time of the default at a few per cent more bytes
_WEBP_LIMIT = 16_383  # pixels a side


@dataclass(frozen=True, slots=True)
class KeyframeOptions:
    """How many keyframes a shot gets, and what is no good as one."""

    every_s: float = 10.0  # a shot gets one keyframe, and one more for each of these
    most: int = 6
    black: float = 0.05  # mean brightness, 0 to 1, below which a picture is one only for want of another
    detail: float = 0.75  # of the most detailed picture around; less is blurred
    search_s: float = 1.5  # how far to look for a better one


@dataclass(frozen=True, slots=True)
class SpriteLayout:
    """Where the tiles of a sprite sheet lie: row by row, each of the same size."""

    columns: int
    count: int
    tile_width: int
    tile_height: int

    def place(self, index: int) -> tuple[int, int, int, int]:
        """x, y, width and height of a tile in pixels."""
        row, column = divmod(index, self.columns)
        return column * self.tile_width, row * self.tile_height, self.tile_width, self.tile_height


def choose_keyframes(shot: Shot, footage: Footage, options: KeyframeOptions) -> tuple[int, ...]:
    """Indices of the stills that stand for `shot`: the one of its middle first, then the others in order of time."""
    inside = np.flatnonzero((footage.still_times >= shot.start) & (footage.still_times < shot.end))
    if not len(inside):
        return (int(np.abs(footage.still_times - shot.middle).argmin()),)
    clear = _clear_span(shot)
    candidates = inside[(footage.still_times[inside] >= clear.start) & (footage.still_times[inside] < clear.end)]
    chosen = {
        _choose(part, candidates if len(candidates) else inside, footage, options) for part in _parts(clear, options)
    }
    first = min(chosen, key=lambda still: abs(footage.still_times[still] - clear.middle))
    return (first, *sorted(chosen - {first}))


def _clear_span(shot: Shot) -> Segment:
    """The shot without its transitions; all of it if nothing else is left."""
    start, end = shot.start + shot.fade_in_s, shot.end - shot.fade_out_s
    return Segment(start, end) if start < end else shot.span


def _parts(clear: Segment, options: KeyframeOptions) -> list[Segment]:
    """Equal parts, each of which gets a keyframe."""
    count = min(options.most, 1 + int(clear.duration // options.every_s))
    edges = np.linspace(clear.start, clear.end, count + 1)
    return [Segment(float(start), float(end)) for start, end in pairwise(edges)]


def _choose(part: Segment, candidates: NDArray[np.int64], footage: Footage, options: KeyframeOptions) -> int:
    """The still nearest to the middle of `part` that is neither black nor blurred; else the one that shows most."""
    distance = np.abs(footage.still_times[candidates] - part.middle)
    reach = max(min(options.search_s, part.duration / 2), float(distance.min()))
    near = candidates[distance <= reach][np.argsort(distance[distance <= reach], kind="stable")]
    detail = footage.still_detail[near]
    lit = np.array([_brightness(footage, int(still)) > options.black for still in near])
    good = lit & (detail >= options.detail * detail.max())
    if good.any():
        return int(near[good.argmax()])
    return int(near[np.where(lit, detail, -1).argmax()]) if lit.any() else int(near[detail.argmax()])


def _brightness(footage: Footage, still: int) -> float:
    frame = int(np.searchsorted(footage.times, footage.still_times[still]))
    return float(footage.small(frame, frame + 1).mean()) / 255


def webp(image: Image, quality: int = 80) -> bytes:
    """The picture as a WebP file."""
    from PIL import Image as Picture

    out = io.BytesIO()
    Picture.fromarray(image).save(out, "WEBP", quality=quality, method=_WEBP_EFFORT)
    return out.getvalue()


def sprite_moments(footage: Footage, *, every_s: float = 1.0, most: int = 400) -> tuple[int, ...]:
    """Indices of stills for scrubbing: about one `every_s`, fewer in films that would need more than `most`."""
    step = max(every_s, footage.duration_s / most)
    wanted = np.arange(footage.times[0], footage.end, step)[:most]
    nearest = np.clip(np.searchsorted(footage.still_times, wanted), 0, len(footage.still_times) - 1)
    return tuple(int(still) for still in np.unique(nearest))


def sprite_sheet(
    images: Iterable[Image], *, tile_width: int = 160, columns: int = 10, quality: int = 60
) -> tuple[bytes, SpriteLayout]:
    """All pictures in one WebP file, small, and where each of them lies. Tiles have the shape of the first picture."""
    from PIL import Image as Picture

    tiles: list[Picture.Image] = []
    for image in images:
        height = tiles[0].height if tiles else max(1, round(tile_width * image.shape[0] / image.shape[1]))
        tiles.append(Picture.fromarray(image).resize((tile_width, height), Picture.Resampling.BOX))
    if not tiles:
        raise ValueError("a sprite sheet needs at least one picture")
    layout = SpriteLayout(columns, len(tiles), tile_width, tiles[0].height)
    rows = math.ceil(layout.count / columns)
    if max(rows * layout.tile_height, columns * tile_width) > _WEBP_LIMIT:
        raise ValueError(
            f"{layout.count} tiles of {tile_width}x{layout.tile_height} do not fit a WebP file; give fewer"
        )
    sheet = Picture.new("RGB", (min(columns, layout.count) * tile_width, rows * layout.tile_height))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, layout.place(index)[:2])
    return webp(np.asarray(sheet), quality), layout


def thumbnails_vtt(times: Sequence[float], end: float, layout: SpriteLayout, address: str) -> str:
    """WebVTT that says which tile of the sheet at `address` shows the film from each of `times` on."""
    cues = ["WEBVTT"]
    for index, (start, until) in enumerate(pairwise([0.0, *times[1:], end])):
        place = ",".join(map(str, layout.place(index)))
        cues.append(f"{_clock(start)} --> {_clock(until)}\n{address}#xywh={place}")
    return "\n\n".join(cues) + "\n"


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
