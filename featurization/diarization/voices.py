"""What every engine finds: turns, and a vector of each speaker in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from featurization.diarization.local_speakers import Vectors
from featurization.diarization.segmentation import Reader
from featurization.media import Segment, Turn

Person = TypeVar("Person", int, str)


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """Turns, and of every speaker in them the mean unit vector: row i is speaker "S{i+1}", (speaker, dimensions)."""

    turns: tuple[Turn, ...]
    vectors: Vectors


class Diarizer(Protocol):
    """Finds who speaks when in a span of a recording."""

    def __call__(self, read: Reader, span: Segment, speech: Sequence[Segment]) -> Voices:
        """`read` gives the 16 kHz samples of a segment, `speech` is where voice activity hears anybody."""
        ...


def in_order(found: Iterable[tuple[Segment, Person, float]]) -> tuple[tuple[Turn, ...], list[Person]]:
    """Turns, given by time, person and confidence, in order; speakers are "S1", "S2", … as they appear.

    Beside the turns, which person each name is.
    """
    names: dict[Person, str] = {}
    turns = tuple(
        Turn(span.start, span.end, speaker=names.setdefault(person, f"S{len(names) + 1}"), confidence=round(sure, 4))
        for span, person, sure in sorted(found)
    )
    return turns, list(names)


def join_channels(channels: Sequence[Voices]) -> Voices:
    """Voices of channels that carry different speakers as one: no speaker is shared between channels."""
    if len(channels) == 1:
        return channels[0]
    apart = [
        replace(turn, speaker=f"{number}/{turn.speaker}")
        for number, voices in enumerate(channels)
        for turn in voices.turns
    ]
    turns, speakers = in_order((turn.span, turn.speaker, turn.confidence) for turn in apart)
    rows = [speaker.split("/S") for speaker in speakers]
    vectors = [channels[int(channel)].vectors[int(number) - 1] for channel, number in rows]
    return Voices(turns, np.array(vectors, dtype=np.float32).reshape(len(vectors), -1))
