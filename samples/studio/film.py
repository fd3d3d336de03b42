"""The sample film as its script says it: shots, how they join, and where everything lies in frames and seconds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

from .mix import Span
from .music import Style
from .show import Person

View = tuple[float, float, float]  # middle and width of what the camera sees, as shares of the picture


@dataclass(frozen=True)
class Said:
    """A sentence and when it begins, in seconds of the film."""

    start: float
    speaker: str  # short name
    text: str


@dataclass(frozen=True)
class Join:
    """How a shot begins: frames [first, last) show both shots; in a cut, `first` is the new shot's and so is `last`."""

    kind: str  # cut, dissolve, fade
    first: int
    last: int


@dataclass(frozen=True)
class Take:
    """One shot: what is seen, from where to where, and how many frames of the film it is given."""

    picture: str
    description: str
    frames: int
    begin: View
    end: View
    join: str
    join_frames: int
    flash: int  # frames into the shot; -1 for none


@dataclass(frozen=True)
class Film:
    """The script of a film."""

    slug: str
    title: str
    author: str
    width: int
    height: int
    rate: int
    sample_rate: int
    seed: int
    theme: Style
    people: tuple[Person, ...]
    takes: tuple[Take, ...]
    said: tuple[Said, ...]
    music: tuple[Span, ...]

    @cached_property
    def starts(self) -> list[int]:
        """The first frame of every shot, and the end of the film; a gradual join lies around it."""
        return [0, *accumulate(take.frames for take in self.takes)]

    @property
    def seconds(self) -> float:
        return self.starts[-1] / self.rate

    @cached_property
    def joins(self) -> list[Join]:
        """How each shot but the first begins."""
        return [_join(take, start) for take, start in zip(self.takes[1:], self.starts[1:-1], strict=True)]


def _join(take: Take, start: int) -> Join:
    first = start - take.join_frames // 2
    return Join(take.join, first, first + take.join_frames)


def read_film(path: Path) -> Film:
    """Read a film's script, a TOML file."""
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    shots = facts.pop("shots")
    starts = [0, *accumulate(shot["frames"] for shot in shots)]
    seconds = [start / facts["rate"] for start in starts]
    return Film(
        people=tuple(Person(**person) for person in facts.pop("people")),
        theme=_style(facts.pop("theme")),
        music=tuple(Span(*(seconds[m["shot"]] + time for time in m["span"])) for m in facts.pop("music")),
        takes=tuple(map(_take, shots)),
        said=tuple(_said(line, start) for shot, start in zip(shots, seconds, strict=False) for line in _lines(shot)),
        **facts,
    )


def _lines(shot: dict[str, Any]) -> list[list[Any]]:
    return list(shot.get("lines", []))


def _said(line: list[Any], start: float) -> Said:
    at, speaker, text = line
    return Said(start + at, speaker, text)


def _take(shot: dict[str, Any]) -> Take:
    still = (0.5, 0.5, 1.0)
    return Take(
        shot["picture"],
        shot["description"],
        shot["frames"],
        begin=tuple(shot.get("from", still)),
        end=tuple(shot.get("to", still)),
        join=shot.get("join", ""),
        join_frames=shot.get("join_frames", 0),
        flash=shot.get("flash", -1),
    )


def _style(facts: dict[str, Any]) -> Style:
    chords = tuple((offset, quality) for offset, quality in facts["chords"])
    return Style(facts["bpm"], facts["root"], chords, tuple(facts["pattern"]), facts["seed"])
