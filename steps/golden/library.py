"""What the store knows of the episodes that clips are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from featurization.media import AdSpan, Asset
from steps.golden.claims import Claim, UnusableClip
from steps.golden.clips import show_key
from steps.golden.realign import Transcript
from steps.store import Store
from steps.tables import ADS, ASSETS, PROFILES, WORDS

_TRANSCRIPTS = 16  # kept at hand; one of ten hours takes some 50 MB


class Library:
    """Assets of a store, by id, guid and bytes. Words are read when somebody asks for them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.assets = {asset_id: rows[0] for asset_id, rows in sorted(store.read(ASSETS).items())}
        self.heard = frozenset(store.arrow(PROFILES)["asset_id"].to_pylist()) & self.assets.keys()
        self._by_sha256 = {asset.sha256: asset for asset in self.assets.values()}
        self._ads = store.read(ADS)
        self._guids: dict[str, list[Asset]] = {}
        for asset in self.assets.values():
            self._guids.setdefault(asset.guid, []).append(asset)
        self.transcript = lru_cache(maxsize=_TRANSCRIPTS)(self._read_transcript)

    def ads(self, asset: Asset) -> Sequence[AdSpan]:
        """What was heard as advertising."""
        return self._ads.get(asset.asset_id, ())

    def find(self, claim: Claim, *, slack_s: float) -> Asset:
        """The heard asset that a clip is about. Raises UnusableClip if there is none, or no telling which."""
        assets = self._named(claim)
        heard = [asset for asset in assets if asset.asset_id in self.heard]
        if not heard:
            raise UnusableClip(
                "unheard", f"{assets[0].title} was not heard yet; run `python flows/featurize_media.py run`"
            )
        stated = [a for a in heard if a.sha256 == claim.sha256] or [
            a for a in heard if abs(a.duration_s - claim.duration_s) <= slack_s
        ]
        return self.newest(stated or heard)

    def _named(self, claim: Claim) -> list[Asset]:
        return [self._by_id(claim)] if claim.asset_id else self._with_guid(claim)

    def _by_id(self, claim: Claim) -> Asset:
        asset = self.assets.get(claim.asset_id)
        if asset is None:
            raise UnusableClip(
                "unknown-asset", f"no asset {claim.asset_id[:80]!r}; `rushes assets` lists what there is"
            )
        if claim.guid and claim.guid != asset.guid:
            raise UnusableClip(
                "miskeyed", f"asset {asset.asset_id} is {asset.title}, not episode {claim.guid[:200]!r}; correct either"
            )
        return asset

    def _with_guid(self, claim: Claim) -> list[Asset]:
        named = f"episode {claim.guid[:200]!r}" + (f" of {claim.feed[:200]}" if claim.feed else "")
        known = self._guids.get(claim.guid, [])
        assets = [asset for asset in known if not claim.feed or claim.feed in (asset.feed, asset.show)]
        shows = sorted({show_key(asset) for asset in assets})
        if not shows:
            raise UnusableClip("unknown-asset", f"no {named} in the store; ingest it first")
        if len(shows) > 1:
            raise UnusableClip(
                "unknown-asset", f"{named} is in {' and '.join(shows)}; name the feed's address in a column feed"
            )
        return assets

    def heard_as(self, claim: Claim) -> Asset | None:
        """The asset with the very bytes that the editor heard, if they were heard here, too."""
        asset = self._by_sha256.get(claim.sha256)
        return asset if asset and asset.asset_id in self.heard else None

    def reissues(self) -> Iterator[tuple[Asset, ...]]:
        """Heard assets that are one episode of one show in several bytes."""
        episodes: dict[tuple[str, str], list[Asset]] = {}
        for asset_id in sorted(self.heard):
            asset = self.assets[asset_id]
            if asset.guid:
                episodes.setdefault((show_key(asset), asset.guid), []).append(asset)
        yield from (tuple(assets) for assets in episodes.values() if len(assets) > 1)

    def newest(self, assets: Sequence[Asset]) -> Asset:
        """The asset whose bytes came last."""
        if len(assets) == 1:
            return assets[0]
        return max(assets, key=lambda asset: (self._store.files.modified(asset.blob), asset.asset_id))

    def _read_transcript(self, asset_id: str) -> Transcript:
        return Transcript.of(self._store.read(WORDS, [asset_id]).get(asset_id, ()))
