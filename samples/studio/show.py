"""The show's facts as read from ``scripts/show.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .music import Style


@dataclass(frozen=True)
class Person:
    """One presenter: name, name in scripts, voice and level."""

    name: str
    short: str
    engine: str
    stretch: float
    lufs: float


@dataclass(frozen=True)
class Episode:
    """Facts about one episode that its script does not hold."""

    slug: str
    number: int
    title: str
    published: str
    host: str
    guest: str
    summary: str
    notes: str
    rate: int
    bit_rate: int
    intro: float
    outro: float
    seed: int
    duration_form: str
    licence: str
    sponsor: str
    soundbite: str
    chapters: bool
    transcript: bool
    alternate: bool
    theme: Style


@dataclass(frozen=True)
class Show:
    """The whole show."""

    title: str
    author: str
    email: str
    link: str
    feed_url: str
    category: str
    subcategory: str
    copyright: str
    description: str
    people: tuple[Person, ...]
    episodes: tuple[Episode, ...]

    def person(self, short: str) -> Person:
        """The presenter called ``short`` in scripts."""
        return next(person for person in self.people if person.short == short)


def read_show(path: Path) -> Show:
    """Read the show file."""
    data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    people = data.pop("people").items()
    data["people"] = tuple(Person(name=name, **facts) for name, facts in people)
    data["episodes"] = tuple(_episode(facts) for facts in data["episodes"])
    return Show(**data)


def _episode(facts: dict[str, Any]) -> Episode:
    """Build one episode with its musical style."""
    theme = facts.pop("theme")
    theme["chords"] = tuple((offset, quality) for offset, quality in theme["chords"])
    theme["pattern"] = tuple(theme["pattern"])
    return Episode(theme=Style(**theme), **facts)
