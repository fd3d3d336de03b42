"""A store that holds one film of plain colours, looked at and heard, and its preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from colour_films import colour_film
from episode_factory import ASSET, heard, say

from featurization.media import Hearing, LevelTrack, Shot, Vector
from steps.previews import PREVIEWS, Preview
from steps.publish import Summary, commit_previews, publish_chunk
from steps.settings import Settings
from steps.store import Store
from steps.tables import ASSETS, LEVELS, PROFILES, SENTENCES, SHOTS, SOUNDS, VECTORS, WORDS

FILM = "ee01" * 4
CYCLE = ("red", "green", "blue", "yellow")
REEL = [(CYCLE[k % 4], 3.0) for k in range(20)]  # a minute: a cut every three seconds
CUTS = [3.0 * k for k in range(21)]
SETTINGS = Settings()


def shots(brightness: Sequence[float] = (0.5,) * 20) -> tuple[Shot, ...]:
    """A shot every three seconds, as bright as is said."""
    return tuple(
        Shot(a, b, k, "cut" if k else "start", keyframes=((a + b) / 2,), brightness=light, motion=0.1)
        for k, ((a, b), light) in enumerate(zip(pairwise(CUTS), brightness, strict=True))
    )


def film_store(folder: Path, hearing: Hearing, *, beeps: bool, seen: Sequence[Shot] | None = None) -> Store:
    """A store that holds one film of plain colours, looked at and heard."""
    store = Store(str(folder / "store"))
    media = colour_film(folder / "reel.mp4", REEL, beeps=beeps)
    asset = replace(
        ASSET,
        asset_id=FILM,
        sha256=FILM * 4,
        blob=store.put_bytes(media.read_bytes(), ".mp4"),
        kind="video",
        duration_s=60.0,
        title="The reel",
        show="Colours",
        language="en",
        width=160,
        height=90,
        has_audio=beeps,
    )
    seen = shots() if seen is None else seen
    vectors = [Vector(s.start, s.end, "sentence", "text", (1.0, 0.0)) for s in hearing.sentences]
    vectors += [Vector(s.start, s.end, "image", "look", (1.0, 0.0, 0.0)) for s in seen]
    store.commit("IngestMedia/1", {ASSETS: {FILM: [asset]}})
    rows = {
        PROFILES: [hearing.profile],
        WORDS: hearing.words,
        SENTENCES: hearing.sentences,
        SOUNDS: hearing.sounds,
        LEVELS: [LevelTrack(0.1, (-20.0,) * 600)],
        SHOTS: seen,
        VECTORS: vectors,
    }
    store.commit("FeaturizeMedia/2", {table: {FILM: list(content)} for table, content in rows.items()})
    return store


def published(store: Store, run: str = "PublishPreviews/3") -> tuple[Preview, Summary]:
    """The film's preview of half a minute, and what the run says."""
    outcomes = publish_chunk([FILM], length_s=30.0, run=run, settings=SETTINGS, store=store)
    summary = commit_previews([[FILM]], outcomes, died="", run=run, store=store)
    assert not summary.problems, summary.problems
    return store.read(PREVIEWS)[FILM][0], summary


def spoken_film(folder: Path) -> Store:
    """A film that beeps at every cut, in which three sentences are said from 12.4 to 41.4 s, without music."""
    talk = say(
        "Who lit the lamp?",
        "Nobody knows why it burned.",
        "Arthur Grant never told.",
        start=12.4,
        length_s=9.0,
        gap_s=1.0,
    )
    return film_store(folder, heard(talk, 60.0), beeps=True)
