"""What is heard in the film: sentences at their places, music, the rocket, and room tone between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import mix
from .film import Film
from .mix import Placed, Span
from .script import Line
from .signal import Audio, at_loudness, fade, limit
from .voices import open_voice

RUMBLE_LUFS = -30.0


@dataclass(frozen=True)
class Sound:
    """The sound track and the sentences in it."""

    audio: Audio
    placed: list[Placed]


def render(film: Film) -> Sound:
    """Speak, play and mix the whole film."""
    placed, clips = _spoken(film)
    audio = mix.room(film.seconds, film.sample_rate, film.seed)
    plan = _plan(film)
    for span in film.music:
        mix.lay_music(audio, span, plan, mix.MUSIC_LUFS, 0.8)
    for span in _rockets(film):
        mix.lay(audio, _rumble(film, span), span.start, film.sample_rate)
    for item, clip in zip(placed, clips, strict=True):
        mix.lay(audio, clip, item.start, film.sample_rate)
    return Sound(limit(audio), placed)


def _plan(film: Film) -> mix.Plan:
    levels = {person.short: person.lufs for person in film.people}
    return mix.Plan(film.sample_rate, film.theme, 0.0, 0.0, levels, film.seed)


def _spoken(film: Film) -> tuple[list[Placed], list[Audio]]:
    voices = {person.short: open_voice(person.engine, person.stretch, film.seed) for person in film.people}
    lines = [Line(said.speaker, said.text, said.text, "", frozenset()) for said in film.said]
    clips = mix.record(lines, voices, _plan(film))
    placed = []
    for said, line, clip in zip(film.said, lines, clips, strict=True):
        start = round(said.start * film.sample_rate) / film.sample_rate
        placed.append(Placed(line, start, start + len(clip) / film.sample_rate))
    return placed, clips


def _rockets(film: Film) -> list[Span]:
    starts = [start / film.rate for start in film.starts]
    shots = zip(film.takes, starts, starts[1:], strict=False)
    return [Span(start, end) for take, start, end in shots if take.picture == "rocket"]


def _rumble(film: Film, span: Span) -> Audio:
    """A far engine: noise without its highs, swelling and dying away."""
    rng = np.random.default_rng(film.seed + 2)
    noise = rng.standard_normal(int((span.end - span.start) * film.sample_rate))
    spectrum = np.fft.rfft(noise)
    spectrum /= 1 + (np.fft.rfftfreq(len(noise), 1 / film.sample_rate) / 90) ** 2
    low = at_loudness(np.fft.irfft(spectrum, len(noise)), film.sample_rate, RUMBLE_LUFS)
    return fade(low, film.sample_rate, 2.5, 2.0)
