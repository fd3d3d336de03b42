"""The pictures of a stretch of a film, each with the time in which it is shown.

They are decoded one at a time, from the keyframe before the stretch, and keep their own timestamps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from featurization.container import Damage, open_media, packets, video_stream
from featurization.errors import EmptyMedia
from featurization.media import Segment

_EARLY_S = 0.001  # edges are rounded to milliseconds: a frame this much before one belongs behind it
_BACK_S = (0.0, 15.0, None)  # how far before the stretch to begin; formats without an index land late. None: at zero


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame, the stretch of the film's time in which it is shown, and the shape of its pixels."""

    frame: VideoFrame
    start: float
    end: float
    pixel_aspect: Fraction = Fraction(1)  # width / height of a pixel
    missing_s: float = 0.0  # for how long it stands in for pictures that could not be decoded


def pictures(media: Path, span: Segment) -> Iterator[Picture]:
    """What is on screen during `span`, in order and without gaps, from its start to its end.

    Time zero is the first presented moment of the container. Where pictures are missing, the one before stays.
    Raises MediaError if there are none.
    """
    for back_s in _BACK_S:
        shown = _read(media, span, back_s)
        first = next(shown, None)
        if first and (first.start <= span.start + _EARLY_S or back_s is None):
            yield from chain([replace(first, start=span.start)], shown)
            return
    raise EmptyMedia(f"{media.name}: no picture between {span.start:.2f} and {span.end:.2f} s; ingest the file again")


def _read(media: Path, span: Segment, back_s: float | None) -> Iterator[Picture]:
    damage = Damage()
    with open_media(media) as container:
        stream = video_stream(container, media)
        stream.thread_type = "AUTO"
        zero_s = float((container.start_time or 0) / av.time_base)
        if back_s is not None:
            _seek(container, stream, max(0.0, span.start - back_s) + zero_s)
        yield from _within(span, _Decoded(container, stream, damage, zero_s))


def _seek(container: InputContainer, stream: VideoStream, at_s: float) -> None:
    try:
        container.seek(round(at_s / float(stream.time_base or 1)), stream=stream, backward=True)
    except av.error.FFmpegError:
        container.seek(0)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """The frames of a stream from where it stands, in order of time."""

    container: InputContainer
    stream: VideoStream
    damage: Damage
    zero_s: float

    def __iter__(self) -> Iterator[Picture]:
        """Pictures that end where their own duration says."""
        rate = self.stream.average_rate or self.stream.guessed_rate or Fraction(25)
        aspect = self.stream.sample_aspect_ratio or Fraction(1)
        until = -1.0
        for frame in _progressive(self._frames()):
            time = until if frame.time is None else frame.time - self.zero_s
            lasting = float((frame.duration or 0) * (frame.time_base or 0)) or float(1 / rate)
            if time + lasting > until:
                until = time + lasting
                yield Picture(frame, time, until, aspect)

    def missing_s(self, decoded_until: float, wanted_until: float) -> float:
        """Seconds that the file promised and did not hold, and those behind its end.

        Where only the sound goes on, nothing is missing: the last picture stays, as in any player.
        """
        whole = (self.container.duration or 0) / av.time_base or decoded_until
        end = whole
        if self.stream.duration is not None and self.stream.time_base is not None:
            end = float((self.stream.duration + (self.stream.start_time or 0)) * self.stream.time_base) - self.zero_s
        return max(0.0, min(wanted_until, end) - decoded_until) + max(0.0, wanted_until - max(whole, decoded_until))

    def _frames(self) -> Iterator[VideoFrame]:
        for packet in packets(self.container, self.stream, self.damage):
            try:
                yield from self.stream.decode(packet)
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, OSError, ValueError):
                self.damage.packets += 1


def _within(span: Segment, decoded: _Decoded) -> Iterator[Picture]:
    """The pictures shown in the span; the first of them as it stands, the last one cut at the end."""
    shown: Picture | None = None
    for picture in decoded:
        if shown and picture.start > span.start + _EARLY_S:
            end = min(picture.start, span.end)
            lost_s = end - max(shown.end, span.start) if decoded.damage.packets else 0.0
            yield replace(shown, end=end, missing_s=max(0.0, lost_s))
        if picture.start >= span.end - _EARLY_S and shown:
            return
        shown = picture
    if shown and shown.start < span.end:
        yield replace(shown, end=span.end, missing_s=decoded.missing_s(max(shown.end, span.start), span.end))


def _progressive(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """The frames as they are, from the first interlaced one on through a deinterlacer that leaves the others alone."""
    graph: Graph | None = None
    for frame in frames:
        if graph is None and frame.interlaced_frame:
            graph = _deinterlacer(frame)
        if graph is None:
            yield frame
            continue
        graph.push(frame)
        yield from _pulled(graph)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph)


def _deinterlacer(like: VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=like.width, height=like.height, format=like.format, time_base=like.time_base or Fraction(1, 90_000)
    )
    deinterlace, sink = graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")
    source.link_to(deinterlace)
    deinterlace.link_to(sink)
    graph.configure()
    return graph


def _pulled(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, av.error.EOFError):
            return
        if isinstance(frame, VideoFrame):
            yield frame
