"""Trying a media file: which of its streams really decode, and how long they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from featurization.container import (
    Damage,
    audio_stream,
    decode_packet,
    decode_picture,
    interleaved,
    nothing_decoded,
    video_stream,
)
from featurization.errors import MediaError, NoAudio, NoVideo

_SOUND_FRAMES = 4  # as many decoded frames prove that a file is not just a header
_MOST_PACKETS = 2000  # tried in vain before a film's stream counts as one that does not decode
_SANE_ASPECT = (Fraction(1, 8), Fraction(8))  # of a pixel; what lies beyond is a damaged header
_LEAP_S = 3600.0  # between timestamps of neighbours, as in `decode.py` and `frames.py`
_MAX_RATE = 1000  # pictures a second; a header that says more gives the ticks of its clock


@dataclass(frozen=True)
class Picture:
    """A stream of pictures and how they are shown: upright, with square pixels."""

    stream: VideoStream
    width: int
    height: int
    frame_rate: float


class Clock:
    """How far the packets of one stream reach, in its ticks: whole numbers, since an hour of MP3 has 140,000."""

    def __init__(self, tick: Fraction | None) -> None:
        self._tick_s = float(tick or 0)
        self._leap = _LEAP_S / self._tick_s if self._tick_s else 0.0
        self._offset = self._total = self._end = 0
        self._stamped = False

    def add(self, packet: Packet[Any]) -> None:
        """Take in the time of one packet; a leap by hours is a damaged timestamp and is closed."""
        length = packet.duration or 0
        self._total += length
        if packet.pts is None:
            return
        start = packet.pts + self._offset
        if self._stamped and abs(start - self._end) > self._leap:
            self._offset += self._end - start
            start = self._end
        self._end, self._stamped = max(self._end, start + length), True

    def seconds(self, zero_s: float) -> float:
        """Seconds from the start of the file to the end of the last packet."""
        return self._end * self._tick_s - zero_s if self._end else self._total * self._tick_s


class Metered:
    """Packets as they are read, and how far they reach."""

    def __init__(self, container: InputContainer, streams: list[Stream], damage: Damage) -> None:
        self._packets = interleaved(container, streams, damage)
        self._clocks = {stream.index: Clock(stream.time_base) for stream in streams}
        self._zero_s = float(container.start_time or 0) / av.time_base

    def __iter__(self) -> Iterator[Packet[Any]]:
        return self

    def __next__(self) -> Packet[Any]:
        packet = next(self._packets)
        self._clocks[packet.stream.index].add(packet)
        return packet

    def end_s(self, kept: list[Stream]) -> float:
        """Reads all that is left; seconds to the later end of the `kept` streams."""
        for _ in self:
            pass
        return max(self._clocks[stream.index].seconds(self._zero_s) for stream in kept)


@dataclass
class Trial:
    """What came of trying the best sound and the best picture of a file; one of the two may be missing."""

    sound: AudioStream | None
    picture: Picture | None
    problems: tuple[str, ...]
    unread: Metered  # stands behind what was tried

    @property
    def streams(self) -> list[Stream]:
        """The streams that can be used."""
        return [stream for stream in (self.sound, self.picture and self.picture.stream) if stream]

    def measured_s(self, container: InputContainer) -> float:
        """Seconds to the end of the last packet of sound or picture, reading on from where the container stands."""
        return Metered(container, self.streams, Damage()).end_s(self.streams)

    def rest_s(self, container: InputContainer) -> float:
        """Seconds of the file, its packets counted to the end; the header's word where they have no times.

        Headers lie when a file was cut, so the shorter of the two counts.
        """
        promised, measured = float(container.duration or 0) / av.time_base, self.unread.end_s(self.streams)
        return min(measured, promised) if promised > 0 < measured else measured or promised


def try_streams(container: InputContainer, path: Path) -> Trial:
    """Decode a little of the best sound and the best picture. Raises a MediaError if nothing of either comes out."""
    sound, no_sound = _found_sound(container, path)
    video, no_picture = _found_picture(container, path)
    if not sound and not video:
        raise _nothing(path, no_sound, no_picture)
    attempt = _Attempt(container, sound, video)
    attempt.run()
    refused = [error for error in (no_sound, no_picture) if error and not isinstance(error, NoAudio | NoVideo)]
    if sound and not attempt.heard:
        refused.append(nothing_decoded(path, attempt.sound_damage))
    if video and not attempt.frame:
        refused.append(nothing_decoded(path, attempt.picture_damage, "picture"))
    if not attempt.heard and not attempt.frame:
        raise refused[-1]
    return Trial(
        sound if attempt.heard else None,
        _picture(video, attempt.frame) if video and attempt.frame else None,
        tuple(str(error) for error in refused),
        attempt.packets,
    )


def _found_sound(container: InputContainer, path: Path) -> tuple[AudioStream | None, MediaError | None]:
    try:
        return audio_stream(container, path), None
    except MediaError as error:
        return None, error


def _found_picture(container: InputContainer, path: Path) -> tuple[VideoStream | None, MediaError | None]:
    try:
        return video_stream(container, path), None
    except MediaError as error:
        return None, error


def _nothing(path: Path, no_sound: MediaError | None, no_picture: MediaError | None) -> MediaError:
    """Why a file without a usable stream is refused: a missing decoder says more than a missing stream."""
    for error in (no_picture, no_sound):
        if error and not isinstance(error, NoAudio | NoVideo):
            return error
    return NoAudio(f"{path.name}: has no audio stream and no moving picture; give a recording or a film")


class _Attempt:
    """Reads packets from the start of the file until both streams have given something."""

    def __init__(self, container: InputContainer, sound: AudioStream | None, video: VideoStream | None) -> None:
        self.sound, self.video = sound, video
        self.sound_damage, self.picture_damage = Damage(), Damage()
        self.heard = 0
        self.frame: VideoFrame | None = None
        self._read_damage, self._tried = Damage(), {"audio": 0, "video": 0}
        streams: list[Stream] = [stream for stream in (sound, video) if stream]
        self.packets = Metered(container, streams, self._read_damage)

    def run(self) -> None:
        """Decode until sound and picture are proven, or the file ends."""
        while self._wants_sound or self._wants_picture:
            packet = next(self.packets, None)
            if packet is None:
                break
            self._try(packet)
        for damage in (self.sound_damage, self.picture_damage):
            damage.packets += self._read_damage.packets

    @property
    def _wants_sound(self) -> bool:
        return bool(self.sound) and self.heard < _SOUND_FRAMES and not self._in_vain("audio")

    @property
    def _wants_picture(self) -> bool:
        return bool(self.video) and not self.frame and not self._in_vain("video")

    def _in_vain(self, kind: str) -> bool:
        return bool(self.sound and self.video) and self._tried[kind] >= _MOST_PACKETS

    def _try(self, packet: Packet[Any]) -> None:
        self._tried[packet.stream.type] += 1
        if packet.stream is self.sound and self._wants_sound:
            self.heard += len(decode_packet(self.sound, packet, self.sound_damage))
        elif packet.stream is self.video and self._wants_picture:
            self.frame = next(iter(decode_picture(self.video, packet, self.picture_damage)), None)


def _picture(stream: VideoStream, frame: VideoFrame) -> Picture:
    width, height = frame.width, frame.height
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if _SANE_ASPECT[0] <= aspect <= _SANE_ASPECT[1]:
        width = max(1, round(width * aspect))
    if round(frame.rotation / 90) % 2:
        width, height = height, width
    return Picture(stream, width, height, _frame_rate(stream))


def _frame_rate(stream: VideoStream) -> float:
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return round(next((float(rate) for rate in rates if rate and 0 < rate <= _MAX_RATE), 0.0), 6)
