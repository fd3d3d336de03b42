"""What is said in a made episode: sentences drawn from pools, so that questions, names, numbers and surprises vary.

A subject is a handful of people, places and things; an episode talks of several, one after the other. The share of
each kind of sentence changes from subject to subject, as it does where people talk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["talk", "greeting", "ad", "outro"]


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the script."""

    text: str
    speaker: str
    subject: int  # number of the subject it is about
    kind: Kind = "talk"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one stretch of an episode is about."""

    people: tuple[str, ...]
    places: tuple[str, ...]
    things: tuple[str, ...]


SUBJECTS = (
    Subject(("Arthur Grant", "Helen Carter"), ("Raven Rock", "the harbor"), ("lighthouse", "logbook", "lamp")),
    Subject(("Samuel Price", "Ada Whitfield"), ("Mount Harlow", "the north ridge"), ("glacier", "rope", "pickaxe")),
    Subject(("Peter Lang", "Rosa Marin"), ("the bakery", "Naples"), ("sourdough", "stove", "yeast")),
    Subject(("Lena Fischer", "Tom Okafor"), ("the reef", "Palau"), ("squid", "coral", "submarine")),
    Subject(("Grace Lim", "Edwin Stone"), ("the archive", "Lisbon"), ("manuscript", "cipher", "quill")),
    Subject(("Nora Quist", "Felix Amadi"), ("the orchard", "Oregon"), ("beehive", "honey", "pollen")),
    Subject(("Victor Doyle", "Ines Roth"), ("the courthouse", "Glasgow"), ("verdict", "witness", "ledger")),
    Subject(("Jonas Weber", "Mira Patel"), ("the observatory", "Chile"), ("comet", "telescope", "signal")),
    Subject(("Clara Boone", "Hugo Sand"), ("the theatre", "Vienna"), ("violin", "rehearsal", "choir")),
    Subject(("Ivan Petrov", "Dana Cole"), ("the tundra", "Yakutsk"), ("mammoth", "permafrost", "tusk")),
    Subject(("Ruth Adler", "Omar Haddad"), ("the clinic", "Nairobi"), ("vaccine", "fever", "microscope")),
    Subject(("Walter Finch", "Sofia Reyes"), ("the railway", "Patagonia"), ("locomotive", "bridge", "tunnel")),
)
TALK = {  # kind of sentence → templates
    "plain": (
        "The {thing} had been standing in {place} since the old days of {person}.",
        "In {place} people still keep a {thing} in the kitchen, next to the {other}.",
        "Most mornings began with the {thing}, and most evenings ended with the {other}.",
        "You could smell the {thing} from the road to {place}.",
        "A {thing} weighs more than it looks, especially when the weather is wet.",
        "We spent the summer repairing the {thing} with a borrowed {other}.",
        "{person} walked to {place} and put the {thing} on the table.",
        "The work was slow, the pay was poor, and the {thing} broke every winter.",
        "Every {thing} needs a careful hand and a dry shelf.",
        "There was a {other} in the corner, and a {thing} under the bench.",
    ),
    "question": (
        "What did {person} do with the {thing}?",
        "How does a {thing} end up in {place}?",
        "Why would somebody carry a {other} across the mountains?",
        "Did the {thing} survive the winter?",
        "Where was {person} when the {other} fell?",
    ),
    "surprise": (
        "Nobody knows who moved the {thing} that night.",
        "The strange part is that the {other} had vanished from {place}.",
        "Suddenly there was a secret door behind the {thing}.",
        "It was the worst storm that {place} had seen, and the {thing} was missing.",
        "{person} discovered something impossible under the {other}.",
        "Here is the surprising thing about every {thing} in {place}.",
    ),
    "address": (
        "Imagine you are standing in {place} with a {thing} in your hands.",
        "If you ever hold a {thing}, you will feel how cold your fingers get.",
        "Think about the last time you saw a {other}.",
    ),
    "leaning": (
        "And so he took it back to {place} without a word.",
        "But she never trusted them with the {thing}.",
        "That was when they turned it around.",
        "So it stayed there, because nobody wanted the {other}.",
        "Because of this they had to sell the {thing}.",
    ),
    "number": (
        "It took {number} years and {count} people to build one {thing}.",
        "In {year} there were {number} of them in {place}.",
        "A good {thing} costs {number} dollars, and a bad one costs {count}.",
    ),
    "names": (
        "{person} wrote to {friend} in {place}, and {friend} wrote back.",
        "It was {friend}, not {person}, who brought the {thing} to {place}.",
        "Ask {person} or {friend} about the {other} in {place}.",
    ),
    "short": ("Exactly.", "Right, the {thing}.", "That makes sense.", "Yes, in {place}.", "No, the {other}."),
    "show": ("We will talk about the {thing} again after the break.", "There is a picture of it in the show notes."),
}
RATES = dict(zip(TALK, (6.0, 1.6, 1.2, 0.8, 1.6, 1.0, 1.0, 0.7, 0.08), strict=True))  # how often each kind is said
GREETINGS = (
    "Welcome back to {show}, everybody.",
    "My guest today is {person}, who knows all about the {thing}.",
    "It is good to be here, and to talk about {place}.",
)
AD = (
    "This episode is brought to you by Harbor Finch Coffee.",
    "Harbor Finch roasts small batches every Monday, and the bag lands on your porch by Thursday.",
    "I drink the dark roast while I edit, and it has rescued more than one late night.",
    "Use the code BEACON at harborfinch dot com for twenty percent off.",
)
OUTRO = ("Thank you for listening to {show}.", "See you next week, and bring a {thing}.")
LINES_AROUND = len(GREETINGS) + len(AD) + len(OUTRO)  # of an episode, beside those about its subjects
STINT = 3.0  # sentences that one person says on end, on average


def script(rng: np.random.Generator, show: str, *, sentences: int, speakers: int) -> list[Line]:
    """An episode of about so many sentences: greeting, subjects with an advertisement between two of them, farewell."""
    subjects = [int(number) for number in rng.permutation(len(SUBJECTS))[: rng.integers(4, 8)]]
    lengths = _lengths(rng, sentences, len(subjects))
    voices = _voices(rng, speakers)
    break_after = int(rng.integers(1, len(subjects) - 1))
    lines = _lines(rng, GREETINGS, subjects[0], show, "greeting")
    for place, (subject, length) in enumerate(zip(subjects, lengths, strict=True)):
        lines += [Line(text, next(voices), subject) for text in _talk(rng, subject, length)]
        if place == break_after:
            lines += _lines(rng, AD, subject, show, "ad")
    return [*lines, *_lines(rng, OUTRO, subjects[-1], show, "outro")]


def _lengths(rng: np.random.Generator, total: int, parts: int) -> list[int]:
    shares = rng.dirichlet(np.full(parts, 6.0))
    return [max(3, round(total * share)) for share in shares]


def _voices(rng: np.random.Generator, speakers: int) -> Iterator[str]:
    """Who speaks each next sentence: stints of a few, then somebody else."""
    now = 0
    while True:
        yield f"S{now + 1}"
        if speakers > 1 and rng.random() < 1 / STINT:
            now = (now + int(rng.integers(1, speakers))) % speakers


def _talk(rng: np.random.Generator, subject: int, length: int) -> Iterator[str]:
    """Sentences about one subject; how often each kind is said is this stretch's own."""
    weights = np.array(list(RATES.values())) * rng.lognormal(0.0, 0.5, len(RATES))
    kinds = rng.choice(list(TALK), length, p=weights / weights.sum())
    for kind in kinds:
        templates = TALK[str(kind)]
        yield _spoken(rng, _filled(rng, templates[rng.integers(len(templates))], subject))


def _lines(rng: np.random.Generator, templates: tuple[str, ...], subject: int, show: str, kind: Kind) -> list[Line]:
    return [Line(_filled(rng, template, subject, show), "S1", subject, kind) for template in templates]


def _filled(rng: np.random.Generator, template: str, subject: int, show: str = "") -> str:
    about = SUBJECTS[subject]
    first = int(rng.integers(len(about.people)))
    thing, other = rng.permutation(len(about.things))[:2]
    return template.format(
        person=about.people[first],
        friend=about.people[1 - first],
        place=about.places[rng.integers(len(about.places))],
        thing=about.things[thing],
        other=about.things[other],
        number=int(rng.integers(2, 900)),
        count=int(rng.integers(2, 90)),
        year=int(rng.integers(1850, 2020)),
        show=show,
    )


def _spoken(rng: np.random.Generator, text: str) -> str:
    """The sentence as a recogniser writes it: now and then without its capital letter or its full stop."""
    chance = rng.random()
    if chance < 0.06:
        return text[0].lower() + text[1:]
    return text.rstrip(".?") if chance > 0.94 else text
