"""Stores of episodes whose words, ads and golden clips are known, without any media."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from episode_factory import ASSET

from featurization.media import AdSpan, Asset, AudioProfile, Segment, Word
from steps.feedback import GOLDEN_CLIPS, GoldenClip
from steps.store import Store
from steps.tables import ADS, ASSETS, PROFILES, WORDS

WORD_S = 0.5  # from one word to the next; each lasts 0.4 s


def told(texts: Sequence[str], *, start: float = 0.0) -> tuple[Word, ...]:
    """These words, one every half second."""
    return tuple(Word(start + k * WORD_S, start + k * WORD_S + 0.4, text) for k, text in enumerate(texts))


def words_of(seed: int, count: int) -> list[str]:
    """Words of nine letters that are spelt like no others."""
    drawn = random.Random(seed)
    return ["".join(drawn.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(count)]


def made_asset(name: str, **facts: object) -> Asset:
    """An asset of ten minutes whose id and bytes are named by one letter."""
    known = replace(ASSET, asset_id=name * 16, sha256=name * 64, title=f"Episode {name}", guid=f"guid-{name}")
    return replace(known, blob=f"blobs/{name}.mp3", show="Night", feed="https://night.example/feed.xml", **facts)


def put(store: Store, asset: Asset, words: Sequence[Word] = (), *, ads: Sequence[Segment] = (), heard: bool = True):
    """Keep an asset, and what was heard of it."""
    store.files.write(asset.blob, b"bytes")
    rows = {ASSETS: {asset.asset_id: [asset]}, WORDS: {asset.asset_id: words}}
    if heard:
        rows[PROFILES] = {asset.asset_id: [AudioProfile(asset.duration_s, -16, 5, "mono", 500, 0, "none")]}
        rows[ADS] = {asset.asset_id: [AdSpan(ad.start, ad.end, "sponsor", 0.9) for ad in ads]}
    store.commit(f"put {asset.title}", rows)


def mark(store: Store, asset: Asset, start: float, end: float, who: str = "ann", **facts: object) -> None:
    """Keep a golden clip as the studio does; each is said a second after the one before."""
    number = sum(len(rows) for rows in store.read(GOLDEN_CLIPS).values())
    row = GoldenClip(
        start, end, id=f"clip{number}", asset=asset.asset_id, who=who, when=f"2026-01-01T00:00:{number:02d}+00:00"
    )
    store.commit("feedback", {GOLDEN_CLIPS: {f"{asset.asset_id}-{number}": [replace(row, **facts)]}})
