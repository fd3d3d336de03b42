"""What a detector finds, in frames; shots are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BoundaryKind = Literal["cut", "fade", "dissolve"]


@dataclass(frozen=True, slots=True, order=True)
class Boundary:
    """A transition: frames [first, last], both included. Of a cut both are the first frame of the new shot."""

    first: int
    last: int
    kind: BoundaryKind = "cut"
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise ValueError(f"a boundary must satisfy 0 <= first <= last, got {self.first}..{self.last}")

    @property
    def middle(self) -> int:
        """The frame where the new shot is said to begin."""
        return (self.first + self.last + 1) // 2
