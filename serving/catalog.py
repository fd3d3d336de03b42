"""What is in the store, as both front doors list it: each asset with its state, preview and problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from featurization.errors import ConfigError
from featurization.media import Asset, Quarantined
from steps.previews import PREVIEWS, Preview
from steps.standing import State
from steps.store import Store
from steps.tables import ASSETS, PROFILES, QUARANTINE, Table

Row = TypeVar("Row")
_SHOWN_REASONS = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing. A source that never became an asset has the digest of its address as id."""

    asset_id: str
    title: str
    show: str
    duration_s: float  # 0 if it could not be read
    published: str  # ISO 8601, as the feed says
    state: State
    reason: str  # why it has no preview, or why it is quarantined
    source: str


@dataclass(frozen=True)
class Catalog:
    """Assets, previews and problems of one snapshot, by asset id."""

    snapshot: int = 0
    assets: Mapping[str, Asset] = field(default_factory=dict)
    heard: frozenset[str] = frozenset()
    previews: Mapping[str, Preview] = field(default_factory=dict)
    problems: Mapping[str, Quarantined] = field(default_factory=dict)

    def entries(self) -> list[Entry]:
        """Assets, newest first, then the sources that never became one."""
        newest_first = sorted(self.assets.values(), key=lambda asset: (asset.published, asset.asset_id), reverse=True)
        lost = [(key, problem) for key, problem in self.problems.items() if key not in self.assets]
        return [*map(self.entry, newest_first), *(_lost(key, problem) for key, problem in sorted(lost))]

    def entry(self, asset: Asset) -> Entry:
        """The line of one asset."""
        state, reason = self._state(asset.asset_id)
        return Entry(
            asset.asset_id, asset.title, asset.show, asset.duration_s, asset.published, state, reason, asset.source
        )

    def _state(self, asset_id: str) -> tuple[State, str]:
        if problem := self.problems.get(asset_id):
            return "quarantined", problem.detail
        if preview := self.previews.get(asset_id):
            return preview.status, preview.reason
        return ("heard" if asset_id in self.heard else "ingested"), ""

    def find(self, name: str) -> Asset:
        """The asset with this id, title, or unique beginning of an id; ConfigError says what else there is."""
        if name in self.assets:
            return self.assets[name]
        titled = [asset for asset in self.assets.values() if asset.title.casefold() == name.casefold()]
        found = titled or [asset for asset_id, asset in self.assets.items() if name and asset_id.startswith(name)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise ConfigError(f"no asset {name!r}; `rushes assets` lists what there is")
        names = ", ".join(f"{asset.asset_id} ({asset.title})" for asset in found[:_SHOWN_REASONS])
        raise ConfigError(f"{name!r} names {len(found)} assets, such as {names}; give the whole id of one")


def _lost(key: str, problem: Quarantined) -> Entry:
    return Entry(key, problem.title or problem.source, "", 0.0, "", "quarantined", problem.detail, problem.source)


def read_catalog(store: Store) -> Catalog:
    """The catalog of the current snapshot; read again if a run commits meanwhile, so that its parts belong together."""
    while True:
        number = store.current().number
        read = Catalog(
            number,
            assets=_single(store, ASSETS),
            heard=frozenset(store.read(PROFILES)),
            previews=_single(store, PREVIEWS),
            problems=_single(store, QUARANTINE),
        )
        if store.current().number == number:
            return read


def _single(store: Store, table: Table[Row]) -> dict[str, Row]:
    return {asset_id: rows[0] for asset_id, rows in store.read(table).items()}


def strongest(preview: Preview) -> list[str]:
    """Names of the features that spoke most for the pick, the strongest first."""
    spoke_for = [(part, name) for name, part in preview.contributions.items() if part > 0]
    return [name for _, name in sorted(spoke_for, key=lambda item: (-item[0], item[1]))[:_SHOWN_REASONS]]
