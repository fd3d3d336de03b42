"""Labels that editors teach: what each means, and what of all that was said of it still stands.

What is said is kept by asset and time (steps/feedback.py), so it outlives new shots, new vectors and new encoders.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from featurization.errors import AnnotationError
from steps.feedback import LABEL_DEFINITIONS, LABELS, Label, LabelDefinition
from steps.store import Store

MAX_NAME = 80
MAX_QUERIES = 12
_Place = tuple[str, str, str]  # asset, what was looked at, label


@dataclass(frozen=True)
class Verdicts:
    """The newest word on each stretch and label, oldest first, and how far people agree."""

    newest: tuple[Label, ...]
    doubled: int = 0  # stretches that more than one person judged
    disputed: int = 0  # of those, on how many they disagree

    @property
    def agreement(self) -> float | None:
        """The share of doubly judged stretches on which all agree: no head can be expected to pass it."""
        return 1 - self.disputed / self.doubled if self.doubled else None


def same_name(name: str) -> str:
    """A name as it is compared: capitals, spaces and how accents are composed make no difference."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def label_key(name: str) -> str:
    """The key of a label in tables and addresses; equal for names that are the same."""
    return hashlib.sha256(same_name(name).encode()).hexdigest()[:16]


def checked_name(name: str) -> str:
    """The name without needless spaces. AnnotationError if nobody could read, search or export it."""
    told = " ".join(unicodedata.normalize("NFC", name).split())
    if not told:
        raise AnnotationError("a label needs a name")
    if len(told) > MAX_NAME:
        raise AnnotationError(f"a label's name has at most {MAX_NAME} characters, this one {len(told)}")
    if "|" in told or any(unicodedata.category(mark) in ("Cc", "Cs", "Co", "Cn") for mark in told):
        raise AnnotationError("a label's name must have no | and no character that cannot be seen")
    return told


def defined(store: Store) -> dict[str, LabelDefinition]:
    """Every label by its key, in the order of names."""
    rows = {key: its[-1] for key, its in store.read(LABEL_DEFINITIONS).items()}
    return dict(sorted(rows.items(), key=lambda item: same_name(item[1].name)))


def definition_of(key: str, store: Store) -> LabelDefinition:
    """One label. AnnotationError if there is none."""
    if rows := store.read(LABEL_DEFINITIONS, [key]).get(key):
        return rows[-1]
    raise AnnotationError(f"there is no label {key[:80]!r}; /studio/labels lists them")


def define(definition: LabelDefinition, store: Store) -> str:
    """Keep a new label, or what an old one means now; returns its key. Raises AnnotationError."""
    queries = tuple(dict.fromkeys(filter(None, (" ".join(query.split()) for query in definition.queries))))
    if len(queries) > MAX_QUERIES:
        raise AnnotationError(f"a label has at most {MAX_QUERIES} example queries, this one {len(queries)}")
    told = replace(definition, name=checked_name(definition.name), queries=queries)
    key = label_key(told.name)
    store.commit(f"label: {told.name}", {LABEL_DEFINITIONS: {key: [told]}})
    return key


def texts_of(definition: LabelDefinition) -> tuple[str, ...]:
    """What stands for a label in words: its example queries, else its name."""
    return definition.queries or (definition.name,)


def standing(labels: Iterable[Label]) -> list[Label]:
    """What was said and not taken back, oldest first."""
    ordered = sorted(labels, key=lambda label: (label.when, label.id))
    withdrawn = {label.withdraws for label in ordered if label.withdraws}
    return [label for label in ordered if not label.withdraws and label.id not in withdrawn]


def judgements(store: Store) -> dict[str, list[Label]]:
    """What stands, oldest first, by the key of the label."""
    found: dict[str, list[Label]] = defaultdict(list)
    for label in standing(label for rows in store.read(LABELS).values() for label in rows):
        found[label_key(label.label)].append(label)
    return dict(found)


def verdicts(labels: Iterable[Label]) -> Verdicts:
    """What counts of what was said: of one person the newest word, of several people the newest of these."""
    said: dict[_Place, dict[str, Label]] = defaultdict(dict)
    for label in standing(labels):
        people = said[_place(label)]
        people.pop(label.who, None)  # so that the last one is the newest
        people[label.who] = label
    newest = [list(people.values())[-1] for people in said.values()]
    ordered = sorted(newest, key=lambda label: (label.when, label.id))
    return Verdicts(tuple(ordered), _doubled(said), _disputed(said))


def _place(label: Label) -> _Place:
    return label.asset, label.shot or f"{label.start:.2f} {label.end:.2f}", same_name(label.label)


def _doubled(said: Mapping[_Place, Mapping[str, Label]]) -> int:
    return sum(len(people) > 1 for people in said.values())


def _disputed(said: Mapping[_Place, Mapping[str, Label]]) -> int:
    return sum(len({label.holds for label in people.values()}) > 1 for people in said.values())


def counted_by_feed(labels: Sequence[Label]) -> dict[str, int]:
    """How many judgements came from each feed."""
    counts: dict[str, int] = defaultdict(int)
    for label in labels:
        counts[label.feed or "elsewhere"] += 1
    return dict(sorted(counts.items()))
