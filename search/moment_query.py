"""What a moment shall be, as people type it: `says:harbour tag:night sound:music -ad:any`.

LAYER:VALUE, with spaces between; all must hold. A value with spaces stands in quotes: says:"the old harbour". `a|b`
takes either, `-` before a condition takes what it is not. Layers: says (words), means and looks (by meaning), tag,
sound, speaker, topic, ad, and the name of any extractor.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from featurization.errors import SearchError
from search.dialogue import SURE, checked_text
from search.filters import Filters

BUILT_IN = ("says", "means", "looks", "tag", "sound", "speaker", "topic", "ad")
MAX_CONDITIONS = 12
_PART = re.compile(r'(?P<no>-?)(?P<layer>[a-z][a-z0-9-]*):(?:"(?P<quoted>[^"]*)"|(?P<bare>\S+))|(?P<other>\S+)')
_HOW = 'write LAYER:VALUE, for example says:harbour tag:night sound:music -speaker:S1 says:"the old harbour"'


@dataclass(frozen=True, slots=True)
class Held:
    """One layer has one of the values, or has none of them."""

    layer: str
    values: tuple[str, ...]
    absent: bool = False

    def __post_init__(self) -> None:
        if not self.values or not all(value.strip() for value in self.values):
            raise SearchError(f"{self.layer}: has no value; {_HOW}")
        for value in self.values:
            checked_text(value)

    def __str__(self) -> str:
        return f"{'-' if self.absent else ''}{self.layer}:{'|'.join(self.values)}"


@dataclass(frozen=True, slots=True)
class MomentQuery:
    """What shall hold at the same time."""

    conditions: tuple[Held, ...]
    min_duration_s: float = 0.0
    filters: Filters = field(default_factory=Filters)
    min_confidence: float = SURE

    def __post_init__(self) -> None:
        if not any(not held.absent for held in self.conditions):
            raise SearchError(f"say at least one thing that holds; {_HOW}")
        if len(self.conditions) > MAX_CONDITIONS:
            raise SearchError(f"{len(self.conditions)} conditions are too many; at most {MAX_CONDITIONS}")


def either(layer: str, value: str, *, absent: bool = False) -> Held:
    """A condition whose value may be one of several, `a|b`."""
    return Held(layer, tuple(value.split("|")), absent)


def parse_conditions(text: str) -> tuple[Held, ...]:
    """The conditions of a query as typed. SearchError says how to write them."""
    checked_text(text)
    return tuple(_held(part) for part in _PART.finditer(text))


def reads_as_moment(text: str, layers: Collection[str]) -> bool:
    """Whether a query is nothing but conditions on known layers."""
    parts = list(_PART.finditer(text))
    return bool(parts) and all(part["layer"] in (*BUILT_IN, *layers) for part in parts)


def _held(part: re.Match[str]) -> Held:
    if part["other"] is not None:
        raise SearchError(f"{part['other'][:40]!r} is no condition; {_HOW}")
    value = part["quoted"] if part["quoted"] is not None else part["bare"]
    return either(part["layer"], value, absent=bool(part["no"]))
