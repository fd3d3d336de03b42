"""Lays sentences and music on one timeline and renders the episode."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from . import music
from .script import Line
from .signal import Audio, at_loudness, fade, limit
from .voices import Voice

MUSIC_LUFS = -20.0
BED_BELOW_SPEECH = 12.0
ROOM_DB = -66.0


@dataclass(frozen=True)
class Span:
    """A stretch of the episode in seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class Placed:
    """A sentence at its place on the timeline."""

    line: Line
    start: float
    end: float


@dataclass(frozen=True)
class Plan:
    """What an episode mix needs besides the sentences."""

    rate: int
    theme: music.Style
    intro: float
    outro: float
    levels: dict[str, float]
    seed: int


@dataclass(frozen=True)
class Mix:
    """A rendered episode with the place of everything in it."""

    audio: Audio
    placed: list[Placed]
    music: list[Span]
    beds: list[Span]


def record(lines: list[Line], voices: dict[str, Voice], plan: Plan) -> list[Audio]:
    """Speak every line, each speaker at a level of their own."""
    clips = [voices[line.speaker].say(line.spoken, plan.rate) for line in lines]
    for speaker, target in plan.levels.items():
        own = [i for i, line in enumerate(lines) if line.speaker == speaker]
        joined = np.concatenate([clips[i] for i in own])
        gain = at_loudness(joined, plan.rate, target)[1000] / joined[1000]
        for i in own:
            clips[i] = fade(clips[i] * gain, plan.rate, 0.004, 0.008)
    return clips


def render(lines: list[Line], clips: list[Audio], plan: Plan) -> Mix:
    """Place clips and music after each other and sum them."""
    placed = _place(lines, clips, plan)
    outro = placed[-1].end + 0.9
    audio = room(outro + plan.outro + 0.4, plan.rate, plan.seed)
    spans = [Span(0.3, 0.3 + plan.intro), Span(outro, outro + plan.outro)]
    for span in spans:
        lay_music(audio, span, plan, MUSIC_LUFS, 1.6)
    speech = float(np.mean(list(plan.levels.values())))
    beds = [Span(s.start - 0.6, s.end + 0.5) for s in spans_of(placed, "bed")]
    for span in beds:
        lay_music(audio, span, plan, speech - BED_BELOW_SPEECH, 0.5)
    for item, clip in zip(placed, clips, strict=True):
        lay(audio, clip, item.start, plan.rate)
    return Mix(limit(audio), placed, spans, beds)


def spans_of(placed: list[Placed], tag: str) -> list[Span]:
    """The stretches of consecutive sentences that carry ``tag``."""
    groups = groupby(placed, key=lambda item: tag in item.line.tags)
    runs = [list(run) for marked, run in groups if marked]
    return [Span(run[0].start, run[-1].end) for run in runs]


def _place(lines: list[Line], clips: list[Audio], plan: Plan) -> list[Placed]:
    """Give every sentence its start, with natural pauses between them."""
    rng = np.random.default_rng(plan.seed)
    gaps = [_gap(a, b, rng) for a, b in pairwise(lines)]
    start = 0.3 + plan.intro + 0.6
    placed: list[Placed] = []
    for line, clip, gap in zip(lines, clips, [*gaps, 0.0], strict=True):
        # Whole samples keep the written truth equal to what is mixed.
        start = round(start * plan.rate) / plan.rate
        end = start + len(clip) / plan.rate
        placed.append(Placed(line, start, end))
        start = end + gap
    return placed


def _gap(before: Line, after: Line, rng: np.random.Generator) -> float:
    """Seconds of pause between two sentences."""
    if before.topic != after.topic or ("ad" in before.tags) != ("ad" in after.tags):
        return float(rng.uniform(0.95, 1.15))
    if before.speaker != after.speaker:
        return float(rng.uniform(0.5, 0.8))
    return float(rng.uniform(0.25, 0.5))


def room(seconds: float, rate: int, seed: int) -> Audio:
    """Quiet room tone, so that pauses are not digital silence."""
    rng = np.random.default_rng(seed + 1)
    noise = rng.standard_normal(int(seconds * rate) + 7)
    soft = np.convolve(noise, np.ones(8) / 8, mode="valid")
    return fade(soft / soft.std() * 10 ** (ROOM_DB / 20), rate, 0.02, 0.02)


def lay_music(audio: Audio, span: Span, plan: Plan, lufs: float, tail: float) -> None:
    """Mix the theme into ``span`` with a fade out of ``tail`` seconds."""
    sound = music.render(plan.theme, span.end - span.start, plan.rate)
    level = at_loudness(sound, plan.rate, lufs)
    lay(audio, fade(level, plan.rate, min(tail, 0.4), tail), span.start, plan.rate)


def lay(audio: Audio, clip: Audio, start: float, rate: int) -> None:
    """Add ``clip`` to ``audio`` at ``start`` seconds."""
    first = round(start * rate)
    audio[first : first + len(clip)] += clip
