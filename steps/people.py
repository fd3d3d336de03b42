"""Who the speakers of a show are, from one episode to the next: voices are matched, people get ids, ids get names.

A person's id stays the same whatever is heard again: an episode's voices are first compared with what they were before,
then with those of the other episodes. A name that an editor gives belongs to the id and outlives everything.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from featurization.media import Asset, Float32, Hearing, Voice
from steps.feedback import PERSON_NAME_ROWS, FeedbackError
from steps.marking import place_in_show, show_of
from steps.store import Store, Writes
from steps.tables import ASSETS, VOICES, Table

LIKE = 0.8  # cosine from which two voices of a show may be one person's (docs/models/speakers.md)
_MOST = 0.6  # share of a show's episodes in which a host is named, and is heard
_LEAST_EPISODES = 2
_HEARD_SHARE = 0.1  # of what is said in an episode: who says less is not whom its tags name


@dataclass(frozen=True, slots=True)
class Person:
    """Who a speaker of an episode is, and the voice by which that was found."""

    speaker: str  # "S1", as in the turns
    person: str  # id, the same in all episodes of the show
    likeness: float  # cosine to the person's voice in the other episodes; 1 where nobody was heard before
    spoken_s: float
    space: str
    values: tuple[Float32, ...]
    listed: str = ""  # name in the episode's podcast:person tags, if only one can be meant


@dataclass(frozen=True, slots=True)
class PersonName:
    """What an editor calls a person; empty takes the name back. Rows are kept, the last one holds."""

    name: str
    who: str
    when: str  # ISO 8601, UTC


PEOPLE = Table("people", Person, piece_rows=1_000)
PERSON_NAMES = Table(PERSON_NAME_ROWS, PersonName)


def know_people(asset_ids: Collection[str], *, store: Store) -> Writes:
    """Who speaks in the episodes just heard and the others of their shows, where that changes."""
    heard = set(asset_ids)
    changed: dict[str, tuple[Person, ...]] = {}
    for show in _shows(heard, store):
        episodes = [asset.asset_id for asset in show]
        before, voices = store.read(PEOPLE, episodes), store.read(VOICES, episodes)
        after = _listed(show, _matched(episodes, voices, before))
        changed |= {a: people for a, people in after.items() if people != before.get(a, ())}
    return {PEOPLE: changed}


def _shows(heard: Collection[str], store: Store) -> Iterator[list[Asset]]:
    """The episodes with voices of every show that one of `heard` belongs to, in order."""
    voiced, shows = set(store.asset_ids(VOICES)), defaultdict(list)
    for (asset,) in store.read(ASSETS).values():
        if asset.asset_id in voiced:
            shows[show_of(asset)].append(asset)
    for show in shows.values():
        if any(asset.asset_id in heard for asset in show):
            yield sorted(show, key=place_in_show)


def _matched(
    episodes: Sequence[str], voices: Mapping[str, Sequence[Voice]], before: Mapping[str, Sequence[Person]]
) -> dict[str, tuple[Person, ...]]:
    """People of every episode. Who was found before stays who they were; the others are compared in order."""
    known = _Gallery()
    for asset_id in episodes:
        for person in before.get(asset_id, ()):
            known.add(person)
    found: dict[str, tuple[Person, ...]] = {}
    for asset_id in episodes:
        old, new = before.get(asset_id, ()), voices.get(asset_id, ())
        if [(p.speaker, p.space, p.values) for p in old] == [(v.speaker, v.space, v.values) for v in new]:
            found[asset_id] = tuple(replace(person, listed="") for person in old)
            continue
        found[asset_id] = tuple(known.meet(asset_id, new))
    return found


@dataclass
class _Gallery:
    """The voices of a show's people, as they become known."""

    sums: dict[tuple[str, str], NDArray[np.float64]] = field(default_factory=dict)  # (space, person) → sum of vectors

    def add(self, person: Person) -> None:
        key = (person.space, person.person)
        self.sums[key] = self.sums.get(key, 0.0) + person.spoken_s * np.asarray(person.values, dtype=np.float64)

    def meet(self, asset_id: str, voices: Sequence[Voice]) -> Iterator[Person]:
        """Who the voices of an episode are: one to one, the most alike first; whoever is like nobody is new."""
        spaces = {voice.space for voice in voices}
        keys = [key for key in sorted(self.sums) if key[0] in spaces]
        likeness = np.zeros((len(voices), len(keys)))
        for row, voice in enumerate(voices):
            likeness[row] = [_cosine(voice, key, self.sums[key]) for key in keys]
        rows, columns = linear_sum_assignment(np.where(likeness >= LIKE, likeness, 0.0), maximize=True)
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        known = {row: (keys[column][1], float(likeness[row, column])) for row, column in pairs}
        for row, voice in enumerate(voices):
            person, like = known.get(row, ("", 0.0))
            if like < LIKE:
                person, like = _new_id(asset_id, voice.speaker, {name for _, name in self.sums}), 1.0
            one = Person(voice.speaker, person, round(like, 4), voice.spoken_s, voice.space, voice.values)
            self.add(one)
            yield one


def _cosine(voice: Voice, key: tuple[str, str], known: NDArray[np.float64]) -> float:
    if voice.space != key[0] or not known.any():
        return 0.0
    return float(np.asarray(voice.values, dtype=np.float64) @ known / np.linalg.norm(known))


def _new_id(asset_id: str, speaker: str, taken: Collection[str]) -> str:
    """An id that nobody has: from where the person was met first."""
    number, new = 0, ""
    while not new or new in taken:
        new = hashlib.sha256(f"{asset_id} {speaker} {number}".encode()).hexdigest()[:16]
        number += 1
    return new


def _listed(show: Sequence[Asset], found: Mapping[str, tuple[Person, ...]]) -> dict[str, tuple[Person, ...]]:
    """People with the names that the feed gives, wherever only one name and one voice can belong together.

    First whoever is named in most episodes and the voice that is heard in most; then in each episode who is left.
    """
    named = {asset.asset_id: [text.rpartition(" (")[0] or text for text in asset.persons] for asset in show}
    main = {a: [p for p in people if p.spoken_s >= _HEARD_SHARE * _said(people)] for a, people in found.items()}
    names = _frequent([set(its) for its in named.values()])
    voices = _frequent([{p.person for p in people} for people in main.values()])
    host = {voices[0]: names[0]} if len(names) == len(voices) == 1 else {}

    def listed(asset_id: str, person: Person) -> str:
        left = [name for name in named[asset_id] if name not in host.values()]
        unnamed = {p.person for p in main[asset_id] if p.person not in host}
        alone = len(left) == len(unnamed) == 1 and person.person in unnamed
        return host.get(person.person, left[0] if alone else "")

    return {a: tuple(replace(p, listed=listed(a, p)) for p in people) for a, people in found.items()}


def _said(people: Sequence[Person]) -> float:
    return sum(person.spoken_s for person in people)


def _frequent(episodes: Sequence[Collection[str]]) -> list[str]:
    """What is in most episodes, if there are several."""
    if len(episodes) < _LEAST_EPISODES:
        return []
    every = {one for its in episodes for one in its}
    return sorted(one for one in every if sum(one in its for its in episodes) >= _MOST * len(episodes))


@dataclass(frozen=True, slots=True)
class Known:
    """A speaker of an episode for people: id, and the name by an editor, by the feed, or none."""

    speaker: str
    person: str
    name: str
    likeness: float


def known_people(asset_id: str, *, store: Store) -> tuple[Known, ...]:
    """Who the speakers of an episode are, those who talk most first; () if nobody looked yet."""
    people = sorted(store.read(PEOPLE, [asset_id]).get(asset_id, ()), key=lambda person: -person.spoken_s)
    said = store.read(PERSON_NAMES, [person.person for person in people]) if people else {}
    return tuple(Known(p.speaker, p.person, _name(said.get(p.person, ())) or p.listed, p.likeness) for p in people)


def speaker_names(store: Store) -> dict[str, dict[str, str]]:
    """The names of speakers ("S1", …) by asset, of all assets; who has no name is left out."""
    said = {person: _name(rows) for person, rows in store.read(PERSON_NAMES).items()}
    names: dict[str, dict[str, str]] = defaultdict(dict)
    for row in store.columns(PEOPLE, ["speaker", "person", "listed"]).to_pylist():
        if name := said.get(row["person"]) or row["listed"]:
            names[row["asset_id"]][row["speaker"]] = name
    return dict(names)


def _name(rows: Sequence[PersonName]) -> str:
    return max(rows, key=lambda row: row.when).name if rows else ""


def name_person(person: str, name: str, *, who: str, when: str, store: Store) -> None:
    """Keep what an editor calls a person. Raises FeedbackError if there is no such person."""
    if not any(one.person == person for people in store.read(PEOPLE).values() for one in people):
        raise FeedbackError(f"no person {person[:40]!r}; the episode's page lists those who speak in it")
    rows = store.read(PERSON_NAMES, [person]).get(person, ())
    store.commit(f"name: {person}", {PERSON_NAMES: {person: [*rows, PersonName(name.strip(), who, when)]}})


def with_names(hearing: Hearing, people: Sequence[Known]) -> Hearing:
    """What was heard, with names in place of "S1", "S2", … where they are known."""
    names = {known.speaker: known.name for known in people if known.name}
    return replace(
        hearing,
        turns=tuple(replace(turn, speaker=names.get(turn.speaker, turn.speaker)) for turn in hearing.turns),
        sentences=tuple(replace(s, speaker=names.get(s.speaker, s.speaker)) for s in hearing.sentences),
    )
