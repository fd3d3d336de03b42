"""`python -m benchmarks.made_conversations VOICES FOLDER`: conversations whose speakers are known, for `diarization`.

VOICES holds one folder per person with recordings of that person alone (the voice prompts of Debian's packages
asterisk-core-sounds-* and ktuberling-data, the dialogue of fillets-ng-data-*). Two to five of them talk: turns of a few
clips, pauses, interruptions, listeners' short words, each voice with its own level and its own place in a room, before
noise. Half are close to their microphones like a podcast, half lie across a table like a meeting. The same seed makes
the same files.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from benchmarks.job import say
from featurization.decode import decode_audio
from featurization.media import Segment, Turn, merge
from featurization.pcm import PCM_RATE_HZ
from steps.truth.formats import write_rttm

Sound = NDArray[np.float64]
_HOP = PCM_RATE_HZ // 100
_PAUSE_S = 0.3  # a shorter pause within a turn is part of it in the truth
_MOST_CLIPS = 120  # of one person
_SOUNDS = frozenset({".wav", ".ogg", ".gsm", ".flac", ".mp3"})


@dataclass(frozen=True, slots=True)
class Said(Segment):
    """Who begins to say what, when: (time,) of samples."""

    speaker: int
    sound: Sound


def make_conversations(voices: Path, folder: Path, *, count: int, seconds: float, seed: int = 0) -> None:
    """Write `count` conversations of about `seconds` and their truth: NAME.flac and NAME.rttm."""
    folder.mkdir(parents=True, exist_ok=True)
    people = sorted(path for path in voices.iterdir() if path.is_dir())
    for number in range(count):
        rng, name = np.random.default_rng((seed, number)), f"talk{seed}_{number:02d}"
        chosen = [people[k] for k in rng.permutation(len(people))[: rng.integers(2, 6)]]
        said = list(_talk(rng, chosen, seconds))
        _write(folder / f"{name}.flac", _heard(rng, said, meeting=bool(number % 2)))
        (folder / f"{name}.rttm").write_text(write_rttm(name, _truth(said)), encoding="utf-8")
        say(f"{name}: {len(chosen)} people, {len(said)} times somebody says something")


def _talk(rng: np.random.Generator, people: Sequence[Path], seconds: float) -> Iterator[Said]:
    """Turns one after the other, now and then over each other's ends; listeners' words lie within them."""
    shares = rng.dirichlet(np.full(len(people), 2.0)) + 0.08
    time, now = float(rng.uniform(0.2, 1.5)), 0
    while time < seconds:
        others = np.where(np.arange(len(people)) == now, 0.0, shares)
        now = int(rng.choice(len(people), p=others / others.sum()))
        sound = _turn(rng, people[now], float(rng.lognormal(1.1, 0.7)))
        end = time + len(sound) / PCM_RATE_HZ
        yield Said(time, end, now, sound)
        if end - time > 3 and rng.random() < 0.35:
            listener = int(rng.choice([k for k in range(len(people)) if k != now]))
            aside = _turn(rng, people[listener], 0.4)
            at = float(rng.uniform(time + 1, end - 0.5))
            yield Said(at, at + len(aside) / PCM_RATE_HZ, listener, aside)
        time = max(time + 0.3, end + float(rng.normal(0.25, 0.55)))


def _turn(rng: np.random.Generator, person: Path, seconds: float) -> Sound:
    """Clips of one person with pauses between them, for about so long."""
    parts: list[Sound] = []
    while sum(map(len, parts)) < seconds * PCM_RATE_HZ:
        clips = _clips(person)
        parts += [clips[rng.integers(len(clips))], np.zeros(round(rng.uniform(0.05, 0.5) * PCM_RATE_HZ))]
    return np.concatenate(parts[:-1] or [np.zeros(1)])


@cache
def _clips(person: Path) -> list[Sound]:
    """The person's recordings, trimmed to what is audible, at one loudness."""
    files = sorted(path for path in person.iterdir() if path.suffix in _SOUNDS)[:_MOST_CLIPS]
    return [clip for path in files if len(clip := _clip(path)) > 0.3 * PCM_RATE_HZ]


def _clip(path: Path) -> Sound:
    with tempfile.TemporaryDirectory(prefix="rushes-") as scratch:
        pcm = decode_audio(path, scratch=Path(scratch))
        sound = pcm.read(pcm.span).astype(np.float64)
    loud = np.flatnonzero(_audible(sound))
    if not len(loud):
        return sound[:0]
    kept = sound[loud[0] * _HOP : (loud[-1] + 1) * _HOP]
    return kept * 0.05 / max(1e-6, float(np.sqrt((kept**2).mean())))


def _audible(sound: Sound) -> NDArray[np.bool_]:
    """Which hops of 10 ms are less than 30 dB below the loud ones."""
    hops = sound[: len(sound) // _HOP * _HOP].reshape(-1, _HOP)
    levels = np.sqrt((hops**2).mean(axis=1))
    return np.asarray(levels > 0.03 * np.quantile(levels, 0.95), dtype=bool) if len(levels) else np.zeros(0, dtype=bool)


def _heard(rng: np.random.Generator, said: Sequence[Said], *, meeting: bool) -> Sound:
    """All voices as the microphone hears them."""
    length = round((max(s.end for s in said) + 1) * PCM_RATE_HZ)
    tracks = {s.speaker: np.zeros(length) for s in said}
    for one in said:
        at = round(one.start * PCM_RATE_HZ)
        tracks[one.speaker][at : at + len(one.sound)] += one.sound
    reverberation_s = rng.uniform(0.25, 0.7) if meeting else rng.uniform(0.05, 0.25)
    spread_db = 5.0 if meeting else 2.5
    mix = np.zeros(length)
    for track in tracks.values():
        direct = rng.uniform(0.2, 1.0) if meeting else rng.uniform(1.5, 4.0)
        placed = fftconvolve(track, _room(rng, reverberation_s, direct))[:length]
        mix += placed * 10 ** (rng.normal(0, spread_db) / 20)
    snr_db = rng.uniform(8, 22) if meeting else rng.uniform(22, 45)
    mix += _noise(rng, length) * np.sqrt((mix**2).mean()) * 10 ** (-snr_db / 20)
    return mix * 0.5 / np.abs(mix).max()


def _room(rng: np.random.Generator, reverberation_s: float, direct: float) -> Sound:
    """An impulse response: the direct sound before a tail that falls by 60 dB in `reverberation_s`."""
    time = np.arange(round(reverberation_s * PCM_RATE_HZ)) / PCM_RATE_HZ
    tail = rng.normal(size=len(time)) * 10 ** (-3 * time / reverberation_s)
    tail /= np.sqrt((tail**2).sum())
    tail[0] += direct
    return np.asarray(tail / np.sqrt((tail**2).sum()))


def _noise(rng: np.random.Generator, length: int) -> Sound:
    """Noise of a room: falling by 3 to 6 dB an octave, of power 1."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    bins = np.maximum(np.arange(len(spectrum)), 20 * length / PCM_RATE_HZ)
    noise = np.fft.irfft(spectrum / bins ** rng.uniform(0.5, 1.0), length)
    return np.asarray(noise / np.sqrt((noise**2).mean()))


def _truth(said: Sequence[Said]) -> list[Turn]:
    """Where each speaker is audible, in order of time."""
    turns = [Turn(span.start, span.end, f"P{one.speaker + 1}") for one in said for span in _spans(one)]
    return sorted(turns)


def _spans(one: Said) -> list[Segment]:
    audible = np.flatnonzero(_audible(np.asarray(one.sound)))
    return merge((Segment(one.start + k / 100, one.start + (k + 1) / 100) for k in audible), max_gap_s=_PAUSE_S)


def _write(path: Path, sound: Sound) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=PCM_RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray((sound * 32767).round().astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = PCM_RATE_HZ
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def main() -> None:
    """Read the command line and make conversations."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.made_conversations", description=__doc__)
    parser.add_argument("voices", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    make_conversations(given.voices, given.folder, count=given.count, seconds=given.seconds, seed=given.seed)


if __name__ == "__main__":
    main()
