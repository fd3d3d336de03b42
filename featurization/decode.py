"""One pass over a recording: 16 kHz samples to disk, loudness and channel layout measured on the way.

Memory is bounded by a second of sound, whatever the length. Time zero is where the container's first stream starts,
which is what players show as 0:00.
"""

from __future__ import annotations

import errno
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter import Graph
from av.filter.context import FilterContext

from featurization.container import Damage, audio_stream, frames, nothing_decoded, open_media
from featurization.errors import StoreError, UnreadableMedia
from featurization.pcm import PCM_RATE_HZ, ChannelStatistics, Pcm

__all__ = ["DecodeOptions", "Pcm", "decode_audio", "silent_pcm"]

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SILENCE_LUFS = -70.0
_Format = tuple[str, str, int]  # sample format, layout, Hz


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How timestamps are honoured."""

    min_gap_s: float = 0.05  # a smaller hole between timestamps is rounding, not loss
    max_silence_s: float = 3600.0  # silence inserted in one file, in all; later gaps are closed instead


def decode_audio(
    path: Path,
    *,
    scratch: Path,
    options: DecodeOptions = DecodeOptions(),
    progress: Callable[[float], None] | None = None,
) -> Pcm:
    """Decode the best audio stream of `path` into `scratch`/audio.s16 and measure it (EBU R128) in the same pass.

    Damaged packets are skipped and counted, gaps in the timestamps become silence, a cut file gives what is there.
    `progress` gets the seconds done, about every ten of them. Raises UnreadableMedia, NoAudio or EmptyMedia for what
    cannot be heard and StoreError if `scratch` cannot hold the samples.
    """
    damage = Damage()
    with open_media(path) as container:
        stream = audio_stream(container, path)
        timeline = _Timeline(frames(container, stream, damage), _zero(container, stream), options)
        seconds = _seconds(timeline)
        first = next(seconds, None)
        if first is None:
            raise nothing_decoded(path, damage)
        try:
            chain = _Chain(first)
        except (av.error.FFmpegError, ValueError) as error:
            raise UnreadableMedia(
                f"{path.name}: its channel layout is not supported; re-encode it as stereo"
            ) from error
        target = scratch / "audio.s16"
        try:
            with target.open("wb") as file:
                chain.run(first, seconds, file, progress)
        except OSError as error:
            raise _store_error(error, target) from error
    if not chain.length:
        raise nothing_decoded(path, damage)
    return chain.pcm(target, damaged_packets=damage.packets, inserted_s=timeline.inserted_s)


def silent_pcm(duration_s: float, *, scratch: Path) -> Pcm:
    """The sound of a film without any: silence of its length, in a sparse file that takes no room."""
    target, length = scratch / "silence.s16", round(duration_s * PCM_RATE_HZ)
    try:
        with target.open("wb") as file:
            file.truncate(2 * length)
    except OSError as error:
        raise _store_error(error, target) from error
    return Pcm(target, stored_channels=1, length=length, loudness_lufs=_SILENCE_LUFS)


def _store_error(error: OSError, target: Path) -> StoreError:
    if error.errno in _NO_SPACE:
        return StoreError(f"{target}: no space left for the decoded sound (115 MB an hour and channel); free some")
    return StoreError(f"{target}: cannot be written ({error.strerror}); check that the folder is there and writable")


def _zero(container: InputContainer, stream: AudioStream) -> float:
    if container.start_time is not None:
        return container.start_time / av.time_base
    return float((stream.start_time or 0) * (stream.time_base or 0))


class _Timeline:
    """Frames in one format on a gapless timeline: what the timestamps leave out is filled with silence."""

    def __init__(self, decoded: Iterator[AudioFrame], zero_s: float, options: DecodeOptions) -> None:
        self._decoded, self._options = decoded, options
        self._offset_s = -zero_s  # from timestamps to the timeline; moves when a gap is closed
        self._format: _Format | None = None  # of the first frame
        self._resamplers: dict[_Format, AudioResampler] = {}
        self.inserted_s = 0.0

    def __iter__(self) -> Iterator[AudioFrame]:
        samples = 0
        for frame in self._decoded:
            self._format = self._format or _format(frame)
            silence = _silence(self._gap_s(frame, samples / self._format[2]), self._format)
            for out in [*silence, *self._conformed(frame, self._format)]:
                samples += out.samples
                out.pts, out.time_base = None, Fraction(1, out.sample_rate)
                yield out

    def _conformed(self, frame: AudioFrame, wanted: _Format) -> list[AudioFrame]:
        """`frame` in the format of the first one: recordings joined end to end may change it on the way."""
        found = _format(frame)
        if found == wanted:
            return [frame]
        resampler = self._resamplers.setdefault(found, AudioResampler(*wanted))
        return resampler.resample(frame)

    def _gap_s(self, frame: AudioFrame, now_s: float) -> float:
        """Seconds of silence due before `frame`; a jump that is none of our gaps moves the timeline instead."""
        if frame.pts is None or frame.time_base is None:
            return 0.0
        gap_s = frame.pts * frame.time_base.numerator / frame.time_base.denominator + self._offset_s - now_s
        if abs(gap_s) < self._options.min_gap_s:
            return 0.0
        if gap_s > 0 and self.inserted_s + gap_s <= self._options.max_silence_s:
            self.inserted_s += gap_s
            return gap_s
        self._offset_s -= gap_s
        return 0.0


def _format(frame: AudioFrame) -> _Format:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _silence(seconds: float, like: _Format) -> Iterator[AudioFrame]:
    sample_format, layout, rate_hz = like
    left = round(seconds * rate_hz)
    while left > 0:
        frame = AudioFrame(format=sample_format, layout=layout, samples=min(left, rate_hz))
        for plane in frame.planes:
            plane.update((b"\x80" if sample_format.startswith("u8") else b"\0") * plane.buffer_size)
        frame.sample_rate = rate_hz
        left -= frame.samples
        yield frame


def _seconds(timeline: _Timeline) -> Iterator[AudioFrame]:
    """Stamped frames of a second, the last one shorter; a filter call per codec frame would double the cost."""
    fifo, position = AudioFifo(), 0
    for frame in timeline:
        rate_hz = frame.sample_rate
        fifo.write(frame)
        while fifo.samples >= rate_hz:
            yield from _stamped(fifo.read(rate_hz), position)
            position += rate_hz
    if fifo.samples_written > position:
        yield from _stamped(fifo.read(0, partial=True), position)


def _stamped(frame: AudioFrame | None, position: int) -> Iterator[AudioFrame]:
    if frame is not None:
        frame.pts, frame.time_base = position, Fraction(1, frame.sample_rate)
        yield frame


class _Chain:
    """The filters every second of sound goes through: loudness at the original rate, 16 kHz int16 for analysis."""

    def __init__(self, like: AudioFrame) -> None:
        self._stored = 1 if like.layout.nb_channels == 1 else 2
        self._graph = graph = Graph()
        self._source = graph.add_abuffer(
            sample_rate=like.sample_rate, format=like.format.name, layout=like.layout.name, time_base=like.time_base
        )
        split, self._meter, self._sink = graph.add("asplit"), graph.add("abuffersink"), graph.add("abuffersink")
        self._source.link_to(split)
        _link(split, 0, graph.add("ebur128", "metadata=1"), self._meter)
        layout = "mono" if self._stored == 1 else "stereo"
        form = graph.add("aformat", f"sample_fmts=s16:sample_rates={PCM_RATE_HZ}:channel_layouts={layout}")
        _link(split, 1, form, graph.add("asetnsamples", f"n={PCM_RATE_HZ}:p=0"), self._sink)
        graph.configure()
        self._loudness: dict[str, str] = {}
        self._statistics = ChannelStatistics()
        self.length = 0

    def run(
        self, first: AudioFrame, rest: Iterator[AudioFrame], file: BinaryIO, progress: Callable[[float], None] | None
    ) -> None:
        """Push everything through and write what comes out."""
        self._push(first, file)
        for done_s, second in enumerate(rest, start=2):
            self._push(second, file)
            if progress is not None and done_s % 10 == 0:
                progress(float(done_s))
        self._push(None, file)

    def pcm(self, path: Path, *, damaged_packets: int, inserted_s: float) -> Pcm:
        """What was written and measured."""
        stereo = self._stored == 2
        return Pcm(
            path,
            stored_channels=2 if stereo else 1,
            length=self.length,
            channels="split" if stereo and self._statistics.split else "mono",
            inverted=stereo and self._statistics.inverted,
            loudness_lufs=max(_SILENCE_LUFS, self._measured("lavfi.r128.I", _SILENCE_LUFS)),
            loudness_range_lu=self._measured("lavfi.r128.LRA", 0.0),
            damaged_packets=damaged_packets,
            inserted_s=inserted_s,
        )

    def _measured(self, key: str, otherwise: float) -> float:
        value = float(self._loudness.get(key, "nan"))
        return value if math.isfinite(value) else otherwise

    def _push(self, frame: AudioFrame | None, file: BinaryIO) -> None:
        self._source.push(frame)
        for metered in _pull(self._meter):
            self._loudness = metered.metadata or self._loudness  # the flushed rest carries none
        for ready in _pull(self._sink):
            samples = np.frombuffer(bytes(ready.planes[0]), dtype=np.int16)[: ready.samples * self._stored]
            file.write(samples.astype("<i2", copy=False).tobytes())
            self.length += ready.samples
            if self._stored == 2:
                self._statistics.add(samples.reshape(-1, 2))


def _link(source: FilterContext, pad: int, *chain: FilterContext) -> None:
    source.link_to(chain[0], pad)
    for before, after in itertools.pairwise(chain):
        before.link_to(after)


def _pull(sink: FilterContext) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (BlockingIOError, av.error.EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame
