"""Assets with simulated features: real rows of realistic sizes in the real tables, and no sound behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from featurization.media import (
    AdSpan,
    Asset,
    AudioProfile,
    LevelTrack,
    Segment,
    Sentence,
    SoundSpan,
    SpoilerSpan,
    Topic,
    Turn,
    Vector,
    Word,
)
from steps.choose import CANDIDATES, ScoredCandidate
from steps.previews import PREVIEWS, Preview
from steps.tables import (
    ADS,
    LEVELS,
    PROFILES,
    SENTENCES,
    SOUNDS,
    SPOILERS,
    TOPICS,
    TURNS,
    VECTORS,
    WORDS,
    Table,
)

SPACE = "made@0"
DIM = 384
WORDS_A_MINUTE, SENTENCES_A_MINUTE = 150, 10  # of speech
CANDIDATES_A_MINUTE = 5


@dataclass(frozen=True)
class MadeAssets:
    """Recordings of so many minutes each, the same sound in all of them under other names."""

    minutes: float

    def asset(self, number: int) -> Asset:
        """One recording; a later number was published later."""
        sha256 = hashlib.sha256(f"made {number}".encode()).hexdigest()
        return Asset(
            asset_id=sha256[:16],
            sha256=sha256,
            blob=f"blobs/{sha256[:2]}/{sha256}.mp3",
            size_bytes=round(self.minutes * 960_000),
            duration_s=60 * self.minutes,
            kind="audio",
            container="mp3",
            codec="mp3",
            rate_hz=44_100,
            channels=2,
            title=f"Episode {number}",
            source=f"https://example.org/{number}.mp3",
            show=f"Show {number % 97}",
            description="What this is about, in a few sentences, as feeds have it. " * 8,
            published=f"20{number % 25:02}-{1 + number % 12:02}-{1 + number % 28:02}T08:00:00Z",
        )

    def heard(self) -> dict[Table[Any], pa.Table]:
        """Everything that featurizing finds in one recording, as Arrow tables of the asset ""."""
        length_s, count = 60 * self.minutes, round(self.minutes * SENTENCES_A_MINUTE)
        each = length_s / count
        starts = [n * each for n in range(count)]
        per = WORDS_A_MINUTE // SENTENCES_A_MINUTE
        words = [
            Word(s + w * each / per, s + (w + 0.9) * each / per, f"word{w}", 0.9) for s in starts for w in range(per)
        ]
        text = " ".join(f"word{w}" for w in range(per))
        values = np.random.default_rng(0).normal(size=(count, DIM)).astype(np.float32)
        vectors = [
            Vector(s, s + each, "sentence", SPACE, tuple(v.tolist())) for s, v in zip(starts, values, strict=True)
        ]
        minutes = [(60 * m, 60 * (m + 1)) for m in range(max(1, round(self.minutes)))]
        rows: dict[Table[Any], list[Any]] = {
            PROFILES: [AudioProfile(length_s, -18.0, 6.0, "mono", 0.9 * length_s, 20.0, "made", ("made@0",))],
            WORDS: words,
            SENTENCES: [Sentence(s, s + each, text, "S1", 0.9, per) for s in starts],
            TURNS: [Turn(a, b, "S1") for a, b in minutes],
            SOUNDS: [SoundSpan(a, b, "speech") for a, b in minutes],
            TOPICS: [Topic(a, b, "made", ("word",)) for a, b in minutes[::5]],
            ADS: [AdSpan(0.0, 20.0, "sponsor", 0.9)],
            SPOILERS: [SpoilerSpan(0.9 * length_s, length_s, 0.5)],
            LEVELS: [LevelTrack(0.1, tuple([-20.0] * round(10 * length_s)))],
            VECTORS: vectors,
        }
        return {table: table.to_arrow({"": its}) for table, its in rows.items()}

    def published(self) -> dict[Table[Any], pa.Table]:
        """The rows of a published preview and of the clips that it was chosen from."""
        preview = Preview(
            status="published",
            title="Episode",
            recipe="0" * 16,
            run="PublishPreviews/0",
            model="prior",
            code="rushes",
            moments=(Segment(60.0, 90.0),),
            text="what is said in it " * 5,
            considered=round(CANDIDATES_A_MINUTE * self.minutes),
        )
        clips = [
            ScoredCandidate(12.0 * n, 12.0 * n + 30.0, 2 * n, 2 * n + 5, "what is said in it " * 5, 0.5)
            for n in range(round(CANDIDATES_A_MINUTE * self.minutes))
        ]
        rows: dict[Table[Any], list[Any]] = {PREVIEWS: [preview], CANDIDATES: clips}
        return {table: table.to_arrow({"": its}) for table, its in rows.items()}


def named(rows: Mapping[Table[Any], pa.Table], asset_id: str) -> dict[Table[Any], pa.Table]:
    """The rows as those of another asset, with vectors of its own."""
    again = {t: its.set_column(0, "asset_id", pa.array([asset_id] * len(its), pa.string())) for t, its in rows.items()}
    if vectors := again.get(VECTORS):
        values = np.random.default_rng(int(asset_id, 16)).normal(size=(len(vectors), DIM)).astype(np.float32)
        where = vectors.column_names.index("values")
        lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), DIM).cast(vectors.schema.field(where).type)
        again[VECTORS] = vectors.set_column(where, vectors.schema.field(where), lists)
    return again
