"""One pass over the pictures of a film: every frame small, some of them larger, all to disk, with their times.

Memory is bounded by a few frames, whatever the length. Time zero is that of `decode.py`. Pictures are RGB, upright and
of square pixels, whatever the file's rotation, field order, bit depth or pixel shape.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from featurization.container import Damage, open_media, packets, video_stream
from featurization.errors import EmptyMedia, StoreError, UnreadableMedia
from featurization.extractor import Image
from featurization.picture_scaling import SMALL_SHAPE, Scaler

Times = NDArray[np.float64]

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PROGRESS_S = 10.0
_RESTART_S = 1.0  # a larger step back in time is a new beginning, a smaller one disorder
_TICK_S = 0.001  # between frames that claim the same time


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """What is kept of the frames."""

    still_every_s: float = 0.2  # between the larger pictures that keyframes are chosen from
    still_side: int = 480  # pixels of their longer side, at most
    still_quality: int = 90  # JPEG, 1 to 95
    new_picture: float = 0.08  # mean difference to the frame before (0 to 1) that asks for a still at once
    max_gap_s: float = 3600.0  # a longer jump between timestamps is an error and is closed


@dataclass(frozen=True, eq=False)
class Footage:
    """What one pass over a film left in its scratch folder; good as long as the folder is there."""

    times: Times  # (n,) presentation seconds of each frame, strictly rising
    still_times: Times
    width: int  # of the first frame: upright, square pixels
    height: int
    end: float  # seconds, where the last frame ends
    damaged_packets: int
    folder: Path
    _still_bytes: NDArray[np.int64] = field(repr=False)  # (stills + 1,) where each still begins in its file

    @property
    def duration_s(self) -> float:
        """Seconds that pictures are shown; less than `end` where they begin later than the sound."""
        return self.end - float(self.times[0])

    @property
    def frame_rate(self) -> float:
        """Average pictures per second."""
        return len(self.times) / self.duration_s

    @property
    def still_detail(self) -> NDArray[np.int64]:
        """How much there is to see in each still, as the bytes that it takes: blur and plain colours take few."""
        return np.diff(self._still_bytes)

    def small(self, first: int, last: int) -> NDArray[np.uint8]:
        """Frames [first, last), small: (frames, 27, 48, 3)."""
        return np.array(self._small[first:last])

    def still(self, index: int) -> Image:
        """The larger picture taken at `still_times[index]`."""
        from PIL import Image as Picture

        start, end = self._still_bytes[index : index + 2]
        with _stills_file(self.folder).open("rb") as file:
            file.seek(start)
            return np.asarray(Picture.open(io.BytesIO(file.read(end - start))).convert("RGB"))

    @cached_property
    def _small(self) -> NDArray[np.uint8]:
        return np.memmap(_small_file(self.folder), np.uint8, "r", shape=(len(self.times), *SMALL_SHAPE))


def decode_frames(
    path: Path,
    *,
    scratch: Path,
    options: FrameOptions = FrameOptions(),
    progress: Callable[[float], None] | None = None,
) -> Footage:
    """Decode the best video stream of `path` into files in `scratch`.

    Damaged packets are skipped and counted, a cut file gives what is there. `progress` gets the seconds done, about
    every ten of them. Raises UnreadableMedia, NoVideo or EmptyMedia for what cannot be seen and StoreError if
    `scratch` cannot hold the frames.
    """
    damage = Damage()
    with open_media(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        scaler = Scaler(stream.sample_aspect_ratio, still_side=options.still_side)
        clock = _Clock(container, stream, options.max_gap_s)
        try:
            with _small_file(scratch).open("wb") as small, _stills_file(scratch).open("wb") as stills:
                writer = _Writer(small, stills, scaler, options)
                for frame in _frames(container, stream, damage):
                    writer.add(frame, clock.time(frame), damage)
                    if progress is not None and clock.passed(_PROGRESS_S):
                        progress(clock.now)
        except OSError as error:
            raise _store_error(error, scratch) from error
    if not writer.times:
        raise _nothing_decoded(path, damage)
    return writer.footage(scratch, end=clock.end, damaged_packets=damage.packets)


def _small_file(folder: Path) -> Path:
    return folder / "frames.rgb"


def _stills_file(folder: Path) -> Path:
    return folder / "stills.mjpeg"


def _frames(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[VideoFrame]:
    """Decoded frames in presentation order; packets that do not decode are counted in `damage` and skipped."""
    for packet in packets(container, stream, damage):
        try:
            yield from stream.decode(packet)
        except av.error.EOFError:
            continue
        except (av.error.FFmpegError, ValueError):
            damage.packets += 1


class _Clock:
    """Presentation times that only ever go forward."""

    def __init__(self, container: InputContainer, stream: VideoStream, max_gap_s: float) -> None:
        tick_s = float(stream.time_base or 0)
        zero = container.start_time / av.time_base if container.start_time is not None else None
        self._offset_s = -(zero if zero is not None else (stream.start_time or 0) * tick_s)
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        self._period_s = 1 / min(max(rate, 0.1), 1000.0)
        self._max_gap_s = max_gap_s
        self._told_s = 0.0
        self.now = -1.0
        self.end = 0.0

    def time(self, frame: VideoFrame) -> float:
        """Seconds at which `frame` is shown; a jump back or far ahead moves the timeline instead."""
        self.now = self._next(frame)
        length_s = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
        self.end = self.now + (length_s if 0 < length_s <= self._max_gap_s else self._period_s)
        return self.now

    def passed(self, seconds: float) -> bool:
        """Whether so much time went by since this last was the case."""
        if self.now - self._told_s < seconds:
            return False
        self._told_s = self.now
        return True

    def _next(self, frame: VideoFrame) -> float:
        stamped = frame.time + self._offset_s if frame.pts is not None and frame.time_base else None
        if self.now < 0:
            return max(0.0, stamped or 0.0)
        if stamped is None:
            return self.now + self._period_s
        step_s = stamped - self.now
        if step_s < -_RESTART_S or step_s > self._max_gap_s:
            self._offset_s += self._period_s - step_s
            return self.now + self._period_s
        return max(stamped, self.now + _TICK_S)


class _Writer:
    """Puts frames to disk as they come."""

    def __init__(self, small: BinaryIO, stills: BinaryIO, scaler: Scaler, options: FrameOptions) -> None:
        self._small, self._stills, self._scaler, self._options = small, stills, scaler, options
        self._last: NDArray[np.int16] | None = None
        self._size = (0, 0)
        self._still_bytes = [0]
        self.times: list[float] = []
        self.still_times: list[float] = []

    def add(self, frame: VideoFrame, time: float, damage: Damage) -> None:
        """Write one frame, and a still of it if one is due; what cannot be converted is counted as damaged."""
        try:
            small = self._scaler.small(frame)
            jpeg = self._scaler.still(frame, self._options.still_quality) if self._still_due(small, time) else b""
        except (av.error.FFmpegError, ValueError):
            damage.packets += 1
            return
        damage.packets += frame.is_corrupt
        if not self.times:
            self._size = self._scaler.upright_size(frame)
        self._small.write(small.tobytes())
        self.times.append(time)
        if jpeg:
            self._stills.write(jpeg)
            self._still_bytes.append(self._still_bytes[-1] + len(jpeg))
            self.still_times.append(time)

    def _still_due(self, small: NDArray[np.uint8], time: float) -> bool:
        """Every so often, and where the picture changes as it does at a cut, so that short shots have one too."""
        now, before = small.astype(np.int16), self._last
        self._last = now
        if before is None or not self.still_times:
            return True
        waited_s = time - self.still_times[-1]
        if waited_s >= self._options.still_every_s - _TICK_S:
            return True
        changed = float(np.abs(now - before).mean()) / 255 > self._options.new_picture
        return changed and waited_s >= self._options.still_every_s / 3

    def footage(self, folder: Path, *, end: float, damaged_packets: int) -> Footage:
        """What was written."""
        return Footage(
            times=np.array(self.times),
            still_times=np.array(self.still_times),
            width=self._size[0],
            height=self._size[1],
            end=end,
            damaged_packets=damaged_packets,
            folder=folder,
            _still_bytes=np.array(self._still_bytes),
        )


def _store_error(error: OSError, folder: Path) -> StoreError:
    if error.errno in _NO_SPACE:
        return StoreError(f"{folder}: no space left for the decoded frames (about 1 GB an hour); free some")
    return StoreError(f"{folder}: cannot be written ({error.strerror}); check that the folder is there and writable")


def _nothing_decoded(path: Path, damage: Damage) -> EmptyMedia | UnreadableMedia:
    if damage.packets:
        return UnreadableMedia(f"{path.name}: none of its pictures decode; it is damaged or encrypted, fetch it again")
    return EmptyMedia(f"{path.name}: its video stream is empty; fetch it again or leave it out")
