"""What a check found: one line each, saying what is and what the profile says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the profile, the sources or the engine want it."""

    flow: str
    step: str  # empty: the flow as a whole
    text: str

    def line(self) -> str:
        """`flow · step · what is, what the profile says`."""
        return " · ".join(part for part in (self.flow, self.step, self.text) if part)


def differences(flow: str, step: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each key of `wanted` that `found` has otherwise, or lacks."""
    for name, value in wanted.items():
        if found.get(name) != value:
            yield Finding(flow, step, f"{name} is {_shown(found.get(name))}, the profile says {_shown(value)}")


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value) if value == "" else str(value)
