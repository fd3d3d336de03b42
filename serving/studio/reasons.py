"""Why a preview is the one that was published, as the studio tells it."""

from __future__ import annotations

from dataclasses import dataclass

from ranking.features import FEATURES
from steps.previews import Preview

_MOST = 8
_IN_WORDS = {feature.name: feature.description for feature in FEATURES}
GATES = {
    "ad": "advertising",
    "music": "music",
    "spoiler": "may give the ending away",
    "rights": "rights",
    "review": "rejected in review",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """What a feature says, what it added to the score, and that as a share of the strongest reason."""

    text: str
    part: float
    share: float  # 0 to 1


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many clips a gate excluded, in words, with examples of why."""

    why: str
    count: int
    examples: tuple[str, ...]


def reasons(preview: Preview) -> list[Reason]:
    """What added most to the score of a preview and what took most from it, the strongest first."""
    strongest = sorted(preview.contributions.items(), key=lambda item: (-abs(item[1]), item[0]))[:_MOST]
    top = max((abs(part) for _, part in strongest), default=0.0) or 1.0
    return [Reason(_IN_WORDS.get(name, name), part, abs(part) / top) for name, part in strongest]


def left_out(preview: Preview) -> list[LeftOut]:
    """What the gates excluded before anything was scored."""
    return [LeftOut(GATES.get(gate.gate, gate.gate), gate.excluded, gate.examples) for gate in preview.gates]
