"""What somebody said of a stretch, before anything was checked: soundbites of feeds, rows of the store, streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from featurization.errors import RushesError
from featurization.media import Asset, Segment
from steps.feedback import GoldenClip, standing
from steps.golden.clips import BEST, Refusal, RefusedClip, Source
from steps.streams import StreamedClip

_MOST_OF_LISTENERS = 2  # their grades end below what an editor would publish: they judge beside editors, not as one


@dataclass(frozen=True, slots=True)
class Claim(Segment):
    """A clip as it was stated, and what tells which bytes its editor heard."""

    source: Source
    editor: str
    grade: int = BEST
    title: str = ""
    asset_id: str = ""
    guid: str = ""  # if there is no asset id
    feed: str = ""  # address of the feed or name of the show, if the guid alone is not enough
    sha256: str = ""  # of the bytes that were heard; empty if that was not said
    duration_s: float = 0.0  # of what was heard; 0 if that was not said
    text: str = ""  # words said in the clip
    place: str = ""  # file and row that it stands in
    trust: float = 1.0  # share of the weight of its source

    def refused(self, problem: UnusableClip) -> RefusedClip:
        """The row that says why this clip is not learned from."""
        detail = f"{self.place}: {problem}" if self.place else str(problem)
        where = self.asset_id or self.guid
        return RefusedClip(self.source, self.editor, where, self.start, self.end, problem.slug, detail)


class UnusableClip(RushesError):
    """A clip cannot be learned from; the text says why, and the way out."""

    reason = "golden"

    def __init__(self, slug: Refusal, detail: str) -> None:
        super().__init__(" ".join(detail.split()))  # titles come from feeds, and break lines
        self.slug = slug


def from_feeds(assets: Iterable[Asset]) -> Iterator[Claim]:
    """The clips that publishers chose, in the order of the assets."""
    for asset in assets:
        editor = f"publisher of {asset.show or asset.feed or asset.title}"
        for bite in asset.soundbites:
            yield Claim(bite.start, bite.end, "soundbite", editor, title=bite.title, asset_id=asset.asset_id)


def from_store(rows: Mapping[str, Sequence[GoldenClip]]) -> list[Claim]:
    """The clips that were marked in the studio or judged in a review and not taken back, oldest first."""
    said = standing(row for of_asset in rows.values() for row in of_asset)
    return [Claim(row.start, row.end, row.source, row.who, row.grade, asset_id=row.asset) for row in said]


def from_streams(clips: Iterable[StreamedClip]) -> Iterator[Claim]:
    """The order in which listeners liked the clips of an episode: the worst has grade 0, the best 2."""
    by_asset: dict[str, list[StreamedClip]] = {}
    for clip in clips:
        if clip.trust > 0:
            by_asset.setdefault(clip.asset_id, []).append(clip)
    for asset_id, shown in by_asset.items():
        if len(shown) < 2:  # nothing to compare it with
            continue
        for rank, clip in enumerate(sorted(shown, key=lambda clip: (clip.rate, clip.start))):
            grade = round(_MOST_OF_LISTENERS * rank / (len(shown) - 1))
            yield Claim(clip.start, clip.end, "streams", "listeners", grade, asset_id=asset_id, trust=clip.trust)
