"""`python -m benchmarks.made_films FOLDER`: films whose transitions are known, for the task `shots`.

Each film joins pieces (a camera that pans, zooms, shakes or stands before scenery with things that move in it, or
excerpts of the films in `--clips`) with cuts, dissolves and fades of 4 to 50 frames; some pieces have flashes, grain
or fast motion, which are no transitions. Sizes, rates, codecs and qualities vary. The same seed makes the same films.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.job import csv_text, say

Picture = NDArray[np.uint8]
COLUMNS = ("type", "start_frame", "end_frame")
MEAN_SHOT_S = 2.5
ENCODINGS = (("libx264", {"crf": "23"}), ("libx264", {"crf": "32", "preset": "veryfast"}), ("mpeg4", {"qscale": "5"}))
SIZES = ((180, 320), (270, 480), (240, 320), (320, 180))  # height, width
RATES = (Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001))


@dataclass(frozen=True)
class Joint:
    """A transition: the first and the last frame that are not purely one shot; of a cut, the first of the new shot."""

    kind: str
    first: int
    last: int

    def row(self) -> dict[str, object]:
        """As a row of the truth file."""
        return {"type": self.kind, "start_frame": self.first, "end_frame": self.last}


def make_films(folder: Path, *, count: int, seconds: float, seed: int = 0, clips: Sequence[Path] = ()) -> None:
    """Write `count` films of about `seconds` and their truth: NAME.mp4 and NAME.transitions.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        size, rate = SIZES[rng.integers(len(SIZES))], RATES[rng.integers(len(RATES))]
        frames, joints = join_pieces(rng, size, round(seconds * rate), float(rate), clips)
        codec, options = ENCODINGS[rng.integers(len(ENCODINGS))]
        name = f"made{number:02d}"
        _encode(folder / f"{name}.mp4", frames, rate, codec, options)
        rows = [joint.row() for joint in joints]
        (folder / f"{name}.transitions.csv").write_text(csv_text(COLUMNS, rows), encoding="utf-8")
        say(f"{name}: {len(frames)} frames, {len(joints)} transitions")


def join_pieces(
    rng: np.random.Generator, size: tuple[int, int], length: int, rate: float, clips: Sequence[Path]
) -> tuple[list[Picture], list[Joint]]:
    """At least `length` frames, and where their pieces are joined."""
    frames = _piece(rng, size, _shot_frames(rng, rate), clips)
    joints: list[Joint] = []
    while len(frames) < length:
        piece = _piece(rng, size, _shot_frames(rng, rate), clips)
        kind = str(rng.choice(["cut", "dissolve", "fade"], p=[0.7, 0.2, 0.1]))
        if kind == "cut":
            joints.append(Joint(kind, len(frames), len(frames)))
            frames += piece
            continue
        most = min(50, len(piece) // 2, (len(frames) - (joints[-1].last if joints else 0)) // 2)
        if most < 4:
            continue
        span = int(rng.integers(4, most + 1))
        joints.append(_join(frames, piece, kind, span, grey=int(rng.choice([0, 0, 0, 255]))))
    return frames, joints


def _join(frames: list[Picture], piece: list[Picture], kind: str, span: int, *, grey: int) -> Joint:
    """Append `piece` to `frames` in place."""
    first = len(frames) - span
    if kind == "dissolve":
        for index in range(span):
            frames[first + index] = _mix(frames[first + index], piece[index], (index + 1) / (span + 1))
        frames += piece[span:]
        return Joint(kind, first, first + span - 1)
    plain = np.full_like(piece[0], grey)
    for index in range(span):
        frames[first + index] = _mix(frames[first + index], plain, (index + 1) / span)
        piece[index] = _mix(plain, piece[index], index / span)
    frames += piece
    return Joint(kind, first, first + 2 * span - 1)


def _shot_frames(rng: np.random.Generator, rate: float) -> int:
    """Shot lengths scatter as they do in films: many short ones, few long."""
    return max(8, round(rate * MEAN_SHOT_S * float(rng.lognormal(-0.245, 0.7))))


def _piece(rng: np.random.Generator, size: tuple[int, int], frames: int, clips: Sequence[Path]) -> list[Picture]:
    """One shot without transitions."""
    shot = _excerpt(rng, size, frames, clips) if clips else _scenery(rng, size, frames)
    if rng.random() < 0.15:
        at = int(rng.integers(len(shot)))
        for index in range(at, min(at + int(rng.integers(1, 4)), len(shot))):
            shot[index] = _mix(shot[index], np.full_like(shot[index], 255), float(rng.uniform(0.4, 0.95)))
    if rng.random() < 0.2:
        grain = rng.uniform(3, 14)
        shot = [np.clip(p + rng.normal(0, grain, p.shape), 0, 255).astype(np.uint8) for p in shot]
    return shot


def _excerpt(rng: np.random.Generator, size: tuple[int, int], frames: int, clips: Sequence[Path]) -> list[Picture]:
    """Up to `frames` frames of one of the clips, from anywhere in it."""
    with av.open(str(clips[rng.integers(len(clips))])) as container:
        decoded = [_cropped(f.to_ndarray(format="rgb24"), size) for f in container.decode(video=0)]
    start = int(rng.integers(max(1, len(decoded) - frames)))
    return decoded[start : start + frames]


def _cropped(picture: Picture, size: tuple[int, int]) -> Picture:
    """The middle of the picture in the wanted shape."""
    height, width = picture.shape[:2]
    high, wide = min(height, width * size[0] // size[1]), min(width, height * size[1] // size[0])
    top, left = (height - high) // 2, (width - wide) // 2
    return np.asarray(
        cv2.resize(picture[top : top + high, left : left + wide], size[::-1], interpolation=cv2.INTER_AREA)
    )


def _scenery(rng: np.random.Generator, size: tuple[int, int], frames: int) -> list[Picture]:
    """A camera before a painted world, with things moving through the picture."""
    world = _world(rng, size)
    cameras = _camera(rng, size, frames)
    things = [_Thing(rng, size) for _ in range(int(rng.integers(0, 4)))]
    shot = []
    for index, camera in enumerate(cameras):
        picture = cv2.warpAffine(world, camera, size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        for thing in things:
            thing.paint(picture, index)
        shot.append(np.asarray(picture, dtype=np.uint8))
    return shot


def _world(rng: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Clouds of several sizes in two colours, with shapes on top; three times as wide and high as the picture."""
    height, width = 3 * size[0], 3 * size[1]
    clouds = sum(
        cv2.resize(rng.normal(0, 1 / octave, (2 + octave, 3 + octave)), (width, height), interpolation=cv2.INTER_CUBIC)
        for octave in (2, 4, 8, 16, 32)
    )
    share = np.clip(0.5 + 0.4 * np.asarray(clouds), 0, 1)[..., None]
    dark, light = sorted(rng.integers(0, 256, (2, 3)).tolist(), key=sum)
    world = (np.array(dark) * (1 - share) + np.array(light) * share).astype(np.uint8)
    for _ in range(int(rng.integers(5, 40))):
        centre = tuple(int(v) for v in (rng.integers(width), rng.integers(height)))
        axes = tuple(int(v) for v in rng.integers(5, size[0] // 2, 2))
        colour = tuple(int(v) for v in np.clip(world[centre[1], centre[0]] + rng.normal(0, 60, 3), 0, 255))
        cv2.ellipse(world, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return world


def _camera(rng: np.random.Generator, size: tuple[int, int], frames: int) -> list[NDArray[np.float64]]:
    """Where the picture lies in the world, frame by frame: still, panning, zooming, whipping or held by hand."""
    height, width = size
    fast = rng.random() < 0.15
    speed = rng.normal(0, width / (12 if fast else 120), 2) * rng.choice([0, 1], p=[0.3, 0.7])
    growth = float(rng.normal(0, 0.004)) * float(rng.random() < 0.4)
    shake = rng.normal(0, rng.choice([0, width / 400, width / 100], p=[0.5, 0.3, 0.2]), (frames, 2))
    smooth = np.stack([np.convolve(shake[:, axis], np.ones(3) / 2, "same") for axis in (0, 1)], axis=1)
    place = np.array([width, height]) + np.cumsum(np.tile(speed, (frames, 1)), axis=0) + smooth
    scales = np.exp(growth * (np.arange(frames) - frames / 2))
    return [np.array([[s, 0, -s * x], [0, s, -s * y]]) for s, (x, y) in zip(scales, place, strict=True)]


class _Thing:
    """An ellipse that crosses the picture."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]) -> None:
        height, width = size
        self._start = rng.uniform(0, 1, 2) * (width, height)
        self._speed = rng.normal(0, width / 80, 2)
        self._axes = tuple(int(v) for v in rng.integers(height // 20 + 1, height // 4, 2))
        self._colour = tuple(int(v) for v in rng.integers(0, 256, 3))

    def paint(self, picture: Any, index: int) -> None:
        """Paint it where it is in frame `index`."""
        x, y = self._start + index * self._speed
        cv2.ellipse(picture, (int(x), int(y)), self._axes, 0, 0, 360, self._colour, -1, cv2.LINE_AA)


def _mix(old: Picture, new: Picture, weight: float) -> Picture:
    return np.asarray(old * (1 - weight) + new * weight + 0.5, dtype=np.uint8)


def _encode(path: Path, frames: Sequence[Picture], rate: Fraction, codec: str, options: dict[str, str]) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, options=dict(options))
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    """Make the films that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.made_films", description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=25.0, help="length of each film, about")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", metavar="DIR", type=Path, help="films of one shot each, to cut pieces from")
    arguments = parser.parse_args()
    clips = sorted(arguments.clips.iterdir()) if arguments.clips else []
    make_films(arguments.folder, count=arguments.films, seconds=arguments.seconds, seed=arguments.seed, clips=clips)


if __name__ == "__main__":
    main()
