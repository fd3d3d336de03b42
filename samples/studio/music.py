"""Generated music: pads, plucked arpeggios, bass and a soft beat over four chords."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .signal import Audio

CHORDS = {"major": (0, 4, 7, 12), "minor": (0, 3, 7, 12)}


@dataclass(frozen=True)
class Style:
    """Key, tempo and harmony of one episode's theme."""

    bpm: float
    root: int
    chords: tuple[tuple[int, str], ...]
    pattern: tuple[int, ...]
    seed: int


def render(style: Style, seconds: float, rate: int) -> Audio:
    """Play the theme for ``seconds``, without fades, at about unit level."""
    rng = np.random.default_rng(style.seed)
    track = np.zeros(int(seconds * rate))
    beat = 60 / style.bpm
    for bar in range(int(seconds / (4 * beat)) + 1):
        offset, quality = style.chords[bar % len(style.chords)]
        notes = [style.root + offset + step for step in CHORDS[quality]]
        start = bar * 4 * beat
        _pad(track, rate, start, 4 * beat, notes)
        _arpeggio(track, rate, start, beat, notes, style.pattern)
        _rhythm(track, rate, start, beat, notes[0] - 12, rng)
    loudest = float(np.abs(track).max())
    return track / loudest


def _pad(track: Audio, rate: int, start: float, length: float, notes: list[int]) -> None:
    """Hold a soft, slightly detuned chord for one bar."""
    time = np.arange(int((length + 0.3) * rate)) / rate
    swell = np.minimum(time / 0.4, 1) * np.clip((length + 0.3 - time) / 0.5, 0, 1)
    chord = np.zeros(len(time))
    for note in notes[:3]:
        for cents in (-4, 5):
            pitch = _hertz(note + cents / 100)
            for harmonic in (1, 2, 3, 4):
                chord += np.sin(2 * np.pi * pitch * harmonic * time) / harmonic**2
    _add(track, rate, start, 0.06 * swell * chord)


def _arpeggio(track: Audio, rate: int, start: float, beat: float, notes: list[int], pattern: tuple[int, ...]) -> None:
    """Pluck the chord notes in eighths, an octave up."""
    for step, choice in enumerate(pattern):
        accent = 0.3 if step % 4 == 0 else 0.22
        pluck = accent * _pluck(rate, _hertz(notes[choice] + 12))
        _add(track, rate, start + step * beat / 2, pluck)


def _rhythm(track: Audio, rate: int, start: float, beat: float, bass: int, rng: np.random.Generator) -> None:
    """Add bass, a drum on beats one and three, and a shaker on the off beats."""
    time = np.arange(int(0.25 * rate)) / rate
    sweep = 2 * np.pi * np.cumsum(48 + 90 * np.exp(-time * 40)) / rate
    drum = 0.5 * np.sin(sweep) * np.exp(-time * 14)
    for count in range(4):
        when = start + count * beat
        if count % 2 == 0:
            _add(track, rate, when, drum)
            _add(track, rate, when, 0.35 * _pluck(rate, _hertz(bass)))
        hiss = np.diff(rng.standard_normal(len(time) + 1))
        _add(track, rate, when + beat / 2, 0.03 * hiss * np.exp(-time * 45))


def _pluck(rate: int, pitch: float) -> Audio:
    """A string-like tone: each higher harmonic is weaker and dies sooner."""
    time = np.arange(int(1.2 * rate)) / rate
    tone = np.zeros(len(time))
    for harmonic in range(1, 9):
        if pitch * harmonic < rate * 0.45:
            decay = np.exp(-time * (2.5 + 1.4 * harmonic))
            tone += decay * np.sin(2 * np.pi * pitch * harmonic * time) / harmonic
    return tone * np.minimum(time / 0.004, 1)


def _hertz(note: float) -> float:
    """Frequency of a MIDI note number."""
    return float(440 * 2 ** ((note - 69) / 12))


def _add(track: Audio, rate: int, start: float, sound: Audio) -> None:
    """Mix ``sound`` into ``track`` at ``start`` seconds, cut at the track's end."""
    first = int(start * rate)
    part = track[first : first + len(sound)]
    part += sound[: len(part)]
