"""Programmes put together from clips, whose speech and music are known: what the detector learns and is judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from featurization.media import Segment, merge
from featurization.pcm import PCM_RATE_HZ, Samples
from steps.detectors.clips import Clip, Library
from steps.detectors.damage import Drawn, by_mp3, by_telephone, coloured, in_a_room, made_noise
from steps.detectors.recipe import Kind

MUSIC_AUDIBLE_DB = 40.0  # music reaches as far below its loudest twentieth
_LONGEST_REST_S = 1.5  # shorter rests in music are music
_LONGEST_PAUSE_S = 0.5  # shorter pauses in speech are speech
_FLOOR = 10 ** (-65 / 20)


@dataclass(frozen=True, slots=True)
class MixOptions:
    """How programmes are mixed. Levels in dB relative to full scale or to the speech, as (least, most)."""

    seconds: float = 64.0
    speech_db: tuple[float, float] = (-36.0, -14.0)
    music_db: tuple[float, float] = (-40.0, -12.0)
    bed_db: tuple[float, float] = (-3.0, 22.0)  # so far is music under the speech over it
    noise_db: tuple[float, float] = (0.0, 25.0)  # and noise
    room: float = 0.3  # share of voices in a room
    telephone: float = 0.06  # share of programmes
    clipped: float = 0.06
    mp3: float = 0.6
    mp3_kbps: tuple[int, ...] = (16, 24, 32, 48, 64)  # of one channel at 16 kHz


@dataclass
class _Desk:
    """A programme while it is put together: the sum, and what is in it."""

    library: Library
    held_out: bool
    options: MixOptions
    drawn: Drawn
    sum: Samples
    music_only: Samples
    speech: list[Segment] = field(default_factory=list)
    music: list[Segment] = field(default_factory=list)
    noise: list[Segment] = field(default_factory=list)

    def level(self, limits: tuple[float, float]) -> float:
        return float(10 ** (self.drawn.uniform(*limits) / 20))

    def pick(self, kind: Kind) -> list[Clip]:
        """The clips of a drawn voice of a drawn package, so that no large package drowns the others."""
        packages = self.library.of(kind, held_out=self.held_out)
        voices = packages[str(self.drawn.choice(sorted(packages)))]
        return voices[str(self.drawn.choice(sorted(voices)))]

    def add(self, sound: Samples, at: int) -> Segment:
        """Add a sound to the sum; what reaches over the end is cut."""
        end = min(at + len(sound), len(self.sum))
        self.sum[at:end] += sound[: end - at]
        return Segment(at / PCM_RATE_HZ, max(at, end) / PCM_RATE_HZ)


@dataclass(frozen=True)
class Mixture:
    """A programme: its samples at 16 kHz and where there is speech, music and noise; the rest is silence."""

    samples: Samples
    speech: tuple[Segment, ...]
    music: tuple[Segment, ...]
    noise: tuple[Segment, ...]
    masked: tuple[Segment, ...]  # music that nobody can hear under the rest: not to be learnt

    @property
    def duration_s(self) -> float:
        return len(self.samples) / PCM_RATE_HZ


def mix(library: Library, drawn: Drawn, *, held_out: bool, options: MixOptions = MixOptions()) -> Mixture:
    """One programme of scenes, drawn anew by each call, from the clips that judge or from those that teach."""
    count = round(options.seconds * PCM_RATE_HZ)
    empty = np.zeros(count, dtype=np.float32)
    desk = _Desk(library, held_out, options, drawn, empty, empty.copy())
    at = 0.0
    scenes, shares = zip(*SCENES, strict=True)
    while at < options.seconds:
        scene = scenes[int(drawn.choice(len(scenes), p=shares))]
        length_s = min(float(drawn.uniform(2.5, 15.0)), options.seconds - at)
        scene(desk, Segment(at, at + length_s))
        at += length_s + float(drawn.choice([0.0, 0.0, drawn.uniform(0.1, 1.5)]))
    return _mastered(desk)


def _talk(desk: _Desk, span: Segment) -> None:
    _speak(desk, span, desk.level(desk.options.speech_db))


def _tune(desk: _Desk, span: Segment) -> None:
    _play(desk, span, desk.level(desk.options.music_db))


def _talk_over_music(desk: _Desk, span: Segment) -> None:
    """A bed under speech that begins after it and ends before it, or is cut with it."""
    level = desk.level(desk.options.speech_db)
    early_s, late_s = (min(float(desk.drawn.choice([0, 0.3, 2])), span.duration / 4) for _ in range(2))
    _play(desk, span, level / desk.level(desk.options.bed_db))
    _speak(desk, Segment(span.start + early_s, span.end - late_s), level)


def _talk_over_noise(desk: _Desk, span: Segment) -> None:
    level = desk.level(desk.options.speech_db)
    _rustle(desk, span, level / desk.level(desk.options.noise_db))
    _speak(desk, span, level)


def _clamour(desk: _Desk, span: Segment) -> None:
    _rustle(desk, span, desk.level(desk.options.music_db))


def _tune_with_noise(desk: _Desk, span: Segment) -> None:
    level = desk.level(desk.options.music_db)
    _play(desk, span, level)
    _rustle(desk, span, level / desk.level(desk.options.noise_db))


def _pause(desk: _Desk, span: Segment) -> None:
    """Nothing."""


SCENES: tuple[tuple[Callable[[_Desk, Segment], None], float], ...] = (
    (_talk, 0.26),
    (_tune, 0.19),
    (_talk_over_music, 0.24),
    (_talk_over_noise, 0.09),
    (_clamour, 0.12),
    (_tune_with_noise, 0.04),
    (_pause, 0.06),
)


def _speak(desk: _Desk, span: Segment, level: float) -> None:
    """One voice, file after file with pauses, until the span is full; now and then a second one answers."""
    voices = [desk.pick("speech") for _ in range(int(desk.drawn.choice([1, 1, 2])))]
    roomy = desk.drawn.random() < desk.options.room
    at = span.start
    while span.end - at > 0.4:
        clips = voices[int(desk.drawn.integers(len(voices)))]
        at = _say(desk, _drawn_of(clips, desk.drawn), Segment(at, span.end), level, roomy=roomy)
        at += float(desk.drawn.choice([desk.drawn.uniform(0.1, 0.5), desk.drawn.uniform(0.3, 1.2)]))


def _say(desk: _Desk, clip: Clip, room: Segment, level: float, *, roomy: bool) -> float:
    """Put what fits of a clip at the beginning of `room`; the time at which it ends."""
    begin = float(desk.drawn.choice([0.0, clip.spoken[0][0]]))
    if (spare_s := clip.length / PCM_RATE_HZ - room.duration) > 0:
        begin = float(desk.drawn.uniform(0, spare_s))
    sound = desk.library.sound(clip)[round(begin * PCM_RATE_HZ) : round((begin + room.duration) * PCM_RATE_HZ)]
    inside = ((max(0.0, a - begin), min(b - begin, room.duration)) for a, b in clip.spoken)
    spoken = [Segment(a, b) for a, b in inside if a < b]
    if not spoken:
        return room.end
    sound = _scaled(_faded(sound, 0.005, 0.02), level)
    desk.add(in_a_room(sound, desk.drawn) if roomy else sound, round(room.start * PCM_RATE_HZ))
    desk.speech += [Segment(room.start + span.start, room.start + span.end) for span in spoken]
    return room.start + len(sound) / PCM_RATE_HZ


def _play(desk: _Desk, span: Segment, level: float) -> None:
    """A stretch of a piece of music, cut or faded; a short one is repeated."""
    clip = _drawn_of(desk.pick("music"), desk.drawn)
    piece = desk.library.sound(clip)
    count = round(span.duration * PCM_RATE_HZ)
    if len(piece) < count:
        piece = np.tile(piece, -(-count // len(piece)))
    first = int(desk.drawn.integers(0, len(piece) - count + 1))
    fades = [float(desk.drawn.choice([0.01, 0.3, desk.drawn.uniform(0.5, 3.0)])) for _ in range(2)]
    sound = _faded(_scaled(piece[first : first + count], level), *(min(f, span.duration / 3) for f in fades))
    at = round(span.start * PCM_RATE_HZ)
    desk.add(sound, at)
    desk.music_only[at : at + len(sound)] += sound[: len(desk.music_only) - at]
    desk.music += [Segment(span.start + part.start, span.start + part.end) for part in audible(sound)]


def _rustle(desk: _Desk, span: Segment, level: float) -> None:
    """Recorded effects one after another, or made noise."""
    at = span.start
    while span.end - at > 0.3:
        if desk.drawn.random() < 0.3:
            sound = made_noise(min(span.end - at, float(desk.drawn.uniform(1, 8))), desk.drawn)
        else:
            sound = desk.library.sound(_drawn_of(desk.pick("effects"), desk.drawn))[
                : round((span.end - at) * PCM_RATE_HZ)
            ]
        sound = _faded(_scaled(sound, level), 0.005, 0.05)
        desk.noise.append(desk.add(sound, round(at * PCM_RATE_HZ)))
        at = desk.noise[-1].end + float(desk.drawn.choice([0.0, desk.drawn.uniform(0, 1)])) + 1e-3


def _mastered(desk: _Desk) -> Mixture:
    """The programme as somebody would get it: with a floor of noise, through a codec, perhaps clipped."""
    options, drawn = desk.options, desk.drawn
    masked = merge(_masked(desk.sum, desk.music_only, desk.music))
    sound = desk.sum / max(1.0, float(np.abs(desk.sum).max()))
    if drawn.random() < 0.5:
        hiss = str(drawn.choice(["white", "pink", "brown"]))
        sound = sound + coloured(len(sound), hiss, drawn) * np.float32(10 ** (drawn.uniform(-75, -50) / 20))
    if drawn.random() < options.telephone:
        sound = by_telephone(sound)
    if drawn.random() < options.clipped:
        sound = np.clip(sound * np.float32(10 ** drawn.uniform(0.3, 1)), -0.99, 0.99)
    if drawn.random() < options.mp3:
        sound = by_mp3(sound, int(drawn.choice(options.mp3_kbps)))
    speech = merge(desk.speech, max_gap_s=_LONGEST_PAUSE_S)
    music = merge(desk.music, max_gap_s=_LONGEST_REST_S)
    return Mixture(np.asarray(sound, dtype=np.float32), *map(tuple, (speech, music, merge(desk.noise), masked)))


def audible(sound: Samples) -> list[Segment]:
    """Where a piece of music can be heard at all, to a tenth of a second."""
    hop = PCM_RATE_HZ // 10
    power = np.square(np.pad(sound, (0, -len(sound) % hop)).reshape(-1, hop)).mean(axis=1)
    limit = max(np.percentile(power, 95) * 10 ** (-MUSIC_AUDIBLE_DB / 10), _FLOOR**2)
    edges = np.flatnonzero(np.diff(np.pad((power > limit).astype(np.int8), 1))).reshape(-1, 2)
    return [Segment(a / 10, min(b / 10, len(sound) / PCM_RATE_HZ)) for a, b in edges.tolist()]


def _masked(sum_: Samples, music: Samples, spans: Sequence[Segment]) -> list[Segment]:
    """Tenths of seconds of music more than 28 dB below everything."""
    hop = PCM_RATE_HZ // 10
    whole, alone = (np.square(s[: len(s) // hop * hop].reshape(-1, hop)).mean(axis=1) for s in (sum_, music))
    hidden = np.flatnonzero((alone < whole * 10**-2.8) & (whole > 0))
    return [
        part
        for k in hidden.tolist()
        if (part := Segment(k / 10, (k + 1) / 10)) and any(s.overlaps(part) for s in spans)
    ]


def _scaled(sound: Samples, level: float) -> Samples:
    """The sound with the RMS of its loud half at `level`."""
    hop = 320
    power = np.square(sound[: max(hop, len(sound) // hop * hop)])
    power = np.sort(power[: len(power) // hop * hop].reshape(-1, hop).mean(axis=1)) if len(power) >= hop else power
    loud = float(np.sqrt(power[len(power) // 2 :].mean())) if len(power) else 0.0
    return np.asarray(sound * np.float32(level / (loud + 1e-5)))


def _faded(sound: Samples, in_s: float, out_s: float) -> Samples:
    shape = np.ones(len(sound), dtype=np.float32)
    first, last = (min(len(sound), round(s * PCM_RATE_HZ)) for s in (in_s, out_s))
    shape[:first] *= np.linspace(0, 1, first, dtype=np.float32)
    shape[len(shape) - last :] *= np.linspace(1, 0, last, dtype=np.float32)
    return sound * shape


def _drawn_of(clips: Sequence[Clip], drawn: Drawn) -> Clip:
    return clips[int(drawn.integers(len(clips)))]
