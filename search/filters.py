"""Which part of the corpus is asked: by asset, show, language, speaker and date."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.errors import SearchError
from featurization.media import Asset
from search.corpus import Corpus, Layer
from search.vector_index import Condition, Where

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_LATEST = "~"  # sorts behind whatever follows a date, so that a day ends with its last second


@dataclass(frozen=True, slots=True)
class Filters:
    """All must hold; empty ones let everything through."""

    asset: str = ""
    show: str = ""  # any case
    language: str = ""  # `en` takes en-GB too
    speaker: str = ""  # S1, S2, … within each asset; or a name, in any case
    since: str = ""  # 2024, 2024-03 or 2024-03-09, that day included
    until: str = ""

    def __post_init__(self) -> None:
        for date in (self.since, self.until):
            if date and not _DATE.fullmatch(date):
                raise SearchError(f"{date[:40]!r} is no date; write 2024, 2024-03 or 2024-03-09")

    @property
    def by_asset(self) -> bool:
        """Whether assets are chosen at all."""
        return any((self.asset, self.show, self.language, self.since, self.until))

    def accepts(self, asset: Asset) -> bool:
        """Whether an asset is asked for."""
        return (
            self.asset in ("", asset.asset_id)
            and self.show.casefold() in ("", asset.show.casefold())
            and _speaks(asset.language, self.language)
            and (not self.since or asset.published >= self.since)
            and (not self.until or "" < asset.published <= self.until + _LATEST)
        )


def _speaks(tag: str, wanted: str) -> bool:
    return not wanted or f"{tag.casefold()}-".startswith(f"{wanted.casefold()}-")


def accepted(filters: Filters, corpus: Corpus) -> set[str]:
    """Ids of the assets that are asked for. NotFound if one is named that is not there."""
    if filters.asset:
        corpus.asset(filters.asset)
    return {asset_id for asset_id, asset in corpus.assets.items() if filters.accepts(asset)}


def mask(filters: Filters, corpus: Corpus, layer: Layer) -> NDArray[np.bool_]:
    """Which rows of a layer are asked for."""
    if not filters.by_asset and not filters.speaker:
        return np.ones(len(layer), bool)
    assets, chosen = accepted(filters, corpus), np.zeros(len(layer), bool)
    for asset_id in assets & layer.bounds.keys():
        rows = layer.of(asset_id)
        chosen[rows.start : rows.stop] = True
    if filters.speaker:
        chosen &= _spoken_by(filters.speaker, corpus, layer)
    return chosen


def _spoken_by(speaker: str, corpus: Corpus, layer: Layer) -> NDArray[np.bool_]:
    speakers = np.array(layer.column("speaker"), dtype=object)
    chosen: NDArray[np.bool_] = speakers == speaker
    for asset_id, named in corpus.named(speaker).items():
        rows = layer.of(asset_id)
        chosen[rows.start : rows.stop] |= np.isin(speakers[rows.start : rows.stop], named)
    return chosen


def where(filters: Filters, corpus: Corpus) -> Where:
    """The same for the index, on its plain columns."""
    conditions: list[Condition] = []
    if filters.asset:
        conditions.append(Condition("asset_id", "==", corpus.asset(filters.asset).asset_id))
    if filters.show:
        shows = {a.show for a in corpus.assets.values() if a.show.casefold() == filters.show.casefold()}
        conditions.append(Condition("show", "in", tuple(sorted(shows)) or (filters.show,)))
    if filters.language:
        tongues = {a.language for a in corpus.assets.values() if _speaks(a.language, filters.language)}
        conditions.append(Condition("language", "in", tuple(sorted(tongues)) or (filters.language,)))
    if filters.speaker:
        conditions += _of_speaker(filters.speaker, corpus.named(filters.speaker))
    if filters.since:
        conditions.append(Condition("published", ">=", filters.since))
    if filters.until:
        conditions += [Condition("published", "<=", filters.until + _LATEST), Condition("published", "!=", "")]
    return tuple(conditions)


def _of_speaker(speaker: str, named: Mapping[str, Sequence[str]]) -> list[Condition]:
    """Rows that may be somebody's; which of an asset's speakers it is, the mask says. The index knows no names."""
    if not named:
        return [Condition("speaker", "==", speaker)]
    called = {speaker, *(one for its in named.values() for one in its)}
    return [Condition("asset_id", "in", tuple(sorted(named))), Condition("speaker", "in", tuple(sorted(called)))]
