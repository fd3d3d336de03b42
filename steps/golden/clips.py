"""Golden clips: the stretches that editors chose, and what became of those that cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from eval.agreement import Agreement
from featurization.media import Asset, Segment
from steps.golden.realign import RealignOptions

Source = Literal["soundbite", "studio", "file", "verdict", "streams"]
Refusal = Literal["unknown-asset", "unheard", "outside", "length", "ad", "miskeyed", "duplicate", "malformed"]
BEST = 4  # the highest grade
_CHOSEN = 3  # from this grade on an editor would publish it


@dataclass(frozen=True)
class SourceWeights:
    """How much a clip teaches, by where it comes from; 0 leaves the source out."""

    soundbite: float = 0.5  # also made for other ends than to win listeners
    studio: float = 1.0
    file: float = 1.0
    verdict: float = 0.7  # said of a clip that was shown, so it leans towards what is published already
    streams: float = 0.3  # what listeners did after clips that were shown at random; times how many there were

    def __post_init__(self) -> None:
        for source in fields(self):
            if not 0 <= getattr(self, source.name) < float("inf"):
                raise ValueError(f"weight {source.name} must be 0 or more, got {getattr(self, source.name)}")

    def of(self, source: Source) -> float:
        """The weight of a source."""
        return float(getattr(self, source))


@dataclass(frozen=True)
class GoldenOptions:
    """What a golden clip must be like to be believed."""

    weights: SourceWeights = field(default_factory=SourceWeights)
    min_s: float = 5.0  # plausible length
    max_s: float = 180.0
    slack_s: float = 1.0  # how far a clip may reach over the end, and lengths of one recording may differ
    max_ad_s: float = 1.0  # of ads inside it
    same_iou: float = 0.9  # above it, two clips of one editor are one
    realign: RealignOptions = field(default_factory=RealignOptions)

    def __post_init__(self) -> None:
        if not 0 < self.min_s < self.max_s:
            raise ValueError(f"lengths must satisfy 0 < min_s < max_s, got {self.min_s} and {self.max_s}")
        if not (self.slack_s >= 0 and self.max_ad_s >= 0):
            raise ValueError(f"slack_s and max_ad_s must be 0 or more, got {self.slack_s} and {self.max_ad_s}")
        if not 0 < self.same_iou <= 1:
            raise ValueError(f"same_iou must be above 0 and at most 1, got {self.same_iou}")


@dataclass(frozen=True, slots=True)
class Golden(Segment):
    """A stretch of an asset that somebody judged, checked."""

    asset_id: str
    editor: str
    source: Source
    grade: int  # 0, useless, to 4, the best there is
    weight: float  # how much it teaches
    title: str = ""
    realigned_s: float = 0.0  # by how much it was moved to where its words are in these bytes

    def __post_init__(self) -> None:
        Segment.__post_init__(self)
        if not 0 <= self.grade <= BEST:
            raise ValueError(f"a grade is 0 to {BEST}, got {self.grade}")
        if not 0 < self.weight < float("inf"):
            raise ValueError(f"the weight must be a positive number, got {self.weight}")

    @property
    def chosen(self) -> bool:
        """Whether its editor would publish it; the others say what not to pick."""
        return self.grade >= _CHOSEN


@dataclass(frozen=True, slots=True)
class RefusedClip:
    """A clip that is not learned from, why, and the way out."""

    source: Source
    editor: str
    where: str  # asset id, guid or title, as given
    start: float
    end: float
    reason: Refusal
    detail: str  # one line


@dataclass(frozen=True)
class GoldenSet:
    """All golden clips that passed the checks, by asset id, and those that did not."""

    clips: dict[str, tuple[Golden, ...]]
    refused: tuple[RefusedClip, ...] = ()
    agreement: Agreement = field(default_factory=Agreement)
    shows: Mapping[str, str] = field(default_factory=dict)  # show key by asset id

    def describe(self) -> str:
        """A few lines: how many clips from where, how far editors agree, and what was refused why."""
        clips = [clip for of_asset in self.clips.values() for clip in of_asset]
        lines = [_clips_line(self, clips), _agreement_line(self.agreement)]
        if moved := sum(clip.realigned_s != 0 for clip in clips):
            lines.append(f"{moved} moved to where their words are in other bytes")
        if self.refused:
            reasons = Counter[str](refused.reason for refused in self.refused)
            lines.append(f"{len(self.refused)} refused: {_listed(reasons)}")
        return "\n".join(lines)


def show_key(asset: Asset) -> str:
    """What tells shows apart: the address of the feed, else the name; what has neither is a show of its own."""
    return asset.feed or asset.show or asset.asset_id


def _clips_line(golden: GoldenSet, clips: list[Golden]) -> str:
    if not clips:
        return "no golden clips"
    shows = {golden.shows.get(asset_id, asset_id) for asset_id in golden.clips}
    sources, editors = Counter[str](clip.source for clip in clips), {clip.editor for clip in clips}
    places = (_counted(len(golden.clips), "episode"), _counted(len(shows), "show"), _counted(len(editors), "editor"))
    return f"{_counted(len(clips), 'golden clip')} ({_listed(sources)}): {', '.join(places)}"


def _agreement_line(found: Agreement) -> str:
    if not found.pairs:
        return "no episode has two editors, so their agreement is not known"
    stands_on = f"{_counted(found.pairs, 'pair')} in {_counted(found.episodes, 'episode')}"
    return f"editors agree with a mean IoU of {found.mean_iou:.2f} ({stands_on})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
