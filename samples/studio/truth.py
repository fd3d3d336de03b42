"""What is where in an episode: the exact answers that tests compare with."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from .mix import Mix, Placed, Span, spans_of
from .show import Show

Facts = dict[str, Any]


def describe(mix: Mix, show: Show, duration: float, shift: float) -> Facts:
    """All facts of one episode in seconds of the encoded file."""
    placed = [Placed(item.line, item.start + shift, item.end + shift) for item in mix.placed]
    facts: Facts = {"duration_s": round(duration, 3)}
    facts["music"] = [_span(span, shift) for span in mix.music]
    facts["music_bed"] = [_span(span, shift) for span in mix.beds]
    for key, tag in (("ads", "ad"), ("spoilers", "spoiler"), ("soundbites", "soundbite")):
        facts[key] = [_span(span) for span in spans_of(placed, tag)]
    facts["hooks"] = [*facts["soundbites"], *map(_span, spans_of(placed, "hook"))]
    facts["hooks"].sort(key=lambda span: span["start"])
    facts["topics"] = _topics(placed)
    facts["speakers"] = _turns(placed, show)
    facts["sentences"] = [_sentence(item, show) for item in placed]
    return facts


def _span(span: Span, shift: float = 0.0) -> Facts:
    """A span as plain numbers, to the millisecond."""
    return {"start": round(span.start + shift, 3), "end": round(span.end + shift, 3)}


def _topics(placed: list[Placed]) -> list[Facts]:
    """Stretches of one topic; advertisements belong to none."""
    kept = [item for item in placed if "ad" not in item.line.tags]
    topics = []
    for title, group in groupby(kept, key=lambda item: item.line.topic):
        run = list(group)
        topics.append({**_span(Span(run[0].start, run[-1].end)), "title": title})
    return topics


def _turns(placed: list[Placed], show: Show) -> list[Facts]:
    """Stretches of one speaker."""
    turns = []
    for short, group in groupby(placed, key=lambda item: item.line.speaker):
        run = list(group)
        span = _span(Span(run[0].start, run[-1].end))
        turns.append({**span, "speaker": show.person(short).name})
    return turns


def _sentence(item: Placed, show: Show) -> Facts:
    """One sentence with its speaker and text."""
    facts = {**_span(Span(item.start, item.end))}
    facts["speaker"] = show.person(item.line.speaker).name
    facts["text"] = item.line.text
    return facts
