"""What there is to export of one asset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from featurization.errors import ConfigError
from featurization.media import Asset, Hearing, Scene, Segment, Shot, Tag


@dataclass(frozen=True)
class Contents:
    """An asset and everything that was heard and seen of it."""

    asset: Asset
    hearing: Hearing | None = None  # None if it was not featurized yet
    shots: Sequence[Shot] = ()
    scenes: Sequence[Scene] = ()
    tags: Sequence[Tag] = ()

    @property
    def heard(self) -> Hearing:
        """What was heard; raises ConfigError with the way to have it heard."""
        if self.hearing is None:
            raise ConfigError(f"{self.asset.title} was not heard yet, so there is nothing to export; {self._way}")
        return self.hearing

    @property
    def cut(self) -> Sequence[Shot]:
        """The shots; raises ConfigError if there are none."""
        if self.asset.kind != "video":
            raise ConfigError(f"{self.asset.title} has no pictures, so it has no shots; export it as vtt or chapters")
        if not self.shots:
            raise ConfigError(f"{self.asset.title} was not looked at yet, so it has no shots; {self._way}")
        return self.shots

    def tags_of(self, span: Segment) -> list[Tag]:
        """The tags that hold in at least half of their own time or of `span`, surest first."""
        held = [tag for tag in self.tags if 2 * (tag.span & span).duration >= min(tag.duration, span.duration) > 0]
        return sorted(held, key=lambda tag: (-tag.confidence, tag.label))

    @property
    def _way(self) -> str:
        return f"run `python flows/featurize_media.py run --assets {self.asset.asset_id}`"
