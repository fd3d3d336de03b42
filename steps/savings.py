"""What a run could do without, as counted facts: hours, values and pictures. Money is made of them in `steps.costs`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce


@dataclass(frozen=True, slots=True)
class Reuse:
    """Values of one extractor that were read from the store, and those that had to be computed."""

    read: int = 0
    computed: int = 0
    read_s: float = 0.0  # seconds of media of which nothing had to be computed
    computed_s: float = 0.0  # and of which something had to be

    def __add__(self, other: Reuse) -> Reuse:
        return Reuse(
            self.read + other.read,
            self.computed + other.computed,
            self.read_s + other.read_s,
            self.computed_s + other.computed_s,
        )

    def over(self, media_s: float) -> Reuse:
        """The same, for the values of one asset that lasts `media_s`."""
        return Reuse(self.read, self.computed, 0.0 if self.computed else media_s, media_s if self.computed else 0.0)


@dataclass(frozen=True, slots=True)
class Savings:
    """What was heard and seen, and what of it needed no work. Adds up over assets."""

    media_s: float = 0.0
    first_s: float = 0.0  # of media that was never heard before
    reuse: Mapping[str, Reuse] = field(default_factory=dict)  # by extractor
    recognised_s: float = 0.0  # of speech, by the recogniser
    skipped_s: float = 0.0  # of speech that `middle_share` left out
    published_s: float = 0.0  # of speech whose words a publisher's transcript gave
    frames: int = 0  # decoded
    keyframes: int = 0  # of them, looked at by the image encoder

    def __add__(self, other: Savings) -> Savings:
        return Savings(
            self.media_s + other.media_s,
            self.first_s + other.first_s,
            _joined(self.reuse, other.reuse),
            self.recognised_s + other.recognised_s,
            self.skipped_s + other.skipped_s,
            self.published_s + other.published_s,
            self.frames + other.frames,
            self.keyframes + other.keyframes,
        )


def saved(many: Iterable[Savings]) -> Savings:
    """The savings of several assets together."""
    return reduce(Savings.__add__, many, Savings())


def _joined(ours: Mapping[str, Reuse], theirs: Mapping[str, Reuse]) -> dict[str, Reuse]:
    names = [*ours, *(name for name in theirs if name not in ours)]
    return {name: ours.get(name, Reuse()) + theirs.get(name, Reuse()) for name in names}
