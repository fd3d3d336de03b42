"""What is seen: shots by words, by a picture, by another shot, by their tags; and sounds by a sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurization.errors import SearchError
from featurization.extractor import Image
from featurization.pcm import Samples
from search.corpus import Corpus, shot_id
from search.dialogue import SURE, checked_text
from search.filters import Filters, mask, where
from search.nearest import DEPTH, Nearest, Neighbour
from search.results import Hits, ShotFound, SoundFound, TagFound
from search.vector_index import MAX_WINDOW, Condition, Vectors, Where

_DEEPER = 5  # how much deeper to look where hits are sifted after the index answered


@dataclass(frozen=True, slots=True)
class ShotQuery:
    """What somebody would like to see. Without text, picture or shot, the shots are listed that pass the filters."""

    text: str = ""
    like: str = ""  # id of a shot that others shall be like
    images: tuple[Image, ...] = field(default=(), repr=False, compare=False)  # one picture, or keyframes of a clip
    by: str = "shots"  # the collection to ask: pictures, "fused", or that of an extractor
    tags: tuple[str, ...] = ()  # all must hold
    min_duration_s: float = 0.0
    max_duration_s: float = float("inf")
    filters: Filters = field(default_factory=Filters)
    min_confidence: float = SURE  # of the hit, and of each tag that is asked for

    def __post_init__(self) -> None:
        if sum(map(bool, (self.text, self.like, self.images))) > 1:
            raise SearchError("ask with one of text, like and a picture at a time")
        if self.text:
            checked_text(self.text)
        if self.min_duration_s > self.max_duration_s:
            raise SearchError(f"no shot lasts at least {self.min_duration_s:g} and at most {self.max_duration_s:g} s")
        if self.by == "sentences":
            raise SearchError("sentences are no shots; look for them in dialogue")
        if self.filters.speaker:
            raise SearchError("pictures have no speaker; look in dialogue, or use moments with speaker: and looks:")

    @property
    def ranked(self) -> bool:
        """Whether anything is looked for, beyond filters."""
        return bool(self.text or self.like or self.images)


@dataclass(frozen=True, eq=False)
class Pictures:
    """Searches the shots of a corpus."""

    corpus: Corpus
    nearest: Nearest

    def search(self, query: ShotQuery, depth: int = DEPTH) -> Hits[ShotFound]:
        """Shots that answer the query with its confidence or more; of a listing, all that pass."""
        notes = tuple(self._unknown_tags(query))
        passing = self._passing(query)
        if not query.ranked:
            return Hits(tuple(self._listed(int(row), query) for row in np.flatnonzero(passing)), notes=notes)
        depth = min(MAX_WINDOW, max(depth, DEPTH) * (_DEEPER if query.tags else 1))
        near = self._near(query, depth)
        sure = [one for one in near if one.confidence >= query.min_confidence and one.hit.id != query.like]
        rows = [(self.corpus.shot_rows.get(one.hit.id), one) for one in sure]
        found = tuple(self._ranked(row, one, query) for row, one in rows if row is not None and passing[row])
        gone = any(row is None for row, _ in rows)
        notes += (_OUTDATED,) if gone else ()
        return Hits(found, more=len(near) >= depth and near[-1].confidence >= query.min_confidence, notes=notes)

    def _near(self, query: ShotQuery, depth: int) -> list[Neighbour]:
        return self.nearest.search(
            query.by, self._vectors(query), known_space=bool(query.like), where=self._where(query), depth=depth
        )

    def _vectors(self, query: ShotQuery) -> Vectors:
        if query.like:
            self.corpus.shot_row(query.like)
            return self.nearest.of_row(query.by, query.like)
        if query.text:
            return self.nearest.of_texts(query.by, [query.text])
        return self.nearest.of_images(query.by, query.images)

    def _where(self, query: ShotQuery) -> Where:
        conditions = [*where(query.filters, self.corpus)]
        if query.min_duration_s > 0:
            conditions.append(Condition("duration", ">=", query.min_duration_s))
        if query.max_duration_s < float("inf"):
            conditions.append(Condition("duration", "<=", query.max_duration_s))
        return tuple(conditions)

    def _passing(self, query: ShotQuery) -> NDArray[np.bool_]:
        """Which shots pass the filters, by row."""
        shots = self.corpus.layer("shots")
        lengths = shots.ends - shots.starts
        passing = mask(query.filters, self.corpus, shots)
        # Times are sums of floats: a shot of 5 s may measure a hair less.
        passing &= (lengths >= query.min_duration_s - 1e-6) & (lengths <= query.max_duration_s + 1e-6)
        for tag in query.tags:
            tagged = self.corpus.tagged.get(tag.casefold(), {})
            having = np.zeros(len(shots), bool)
            having[[row for row, confidence in tagged.items() if confidence >= query.min_confidence]] = True
            passing &= having
        return passing

    def _unknown_tags(self, query: ShotQuery) -> list[str]:
        known = ", ".join(sorted(self.corpus.tagged)[:12]) or "none yet"
        unknown = [tag for tag in query.tags if tag.casefold() not in self.corpus.tagged]
        return [f"nothing is tagged {tag[:80]!r}; tags: {known}" for tag in unknown]

    def _tags_asked(self, row: int, query: ShotQuery) -> list[tuple[str, float]]:
        return [(tag, self.corpus.tagged[tag.casefold()][row]) for tag in query.tags]

    def _listed(self, row: int, query: ShotQuery) -> ShotFound:
        tags = self._tags_asked(row, query)
        confidence = min((sure for _, sure in tags), default=1.0)
        return self._found(row, confidence, confidence, tuple(f"tagged {tag} {sure:.2f}" for tag, sure in tags))

    def _ranked(self, row: int, near: Neighbour, query: ShotQuery) -> ShotFound:
        tags = tuple(f"tagged {tag} {sure:.2f}" for tag, sure in self._tags_asked(row, query))
        return self._found(row, near.confidence, near.hit.score, (near.why, *tags))

    def _found(self, row: int, confidence: float, score: float, why: tuple[str, ...]) -> ShotFound:
        shots = self.corpus.layer("shots")
        asset_id, number = shots.asset_ids[row], self.corpus.shot_numbers[row]
        asset = self.corpus.assets.get(asset_id)
        return ShotFound(
            start=float(shots.starts[row]),
            end=float(shots.ends[row]),
            id=shot_id(asset_id, number),
            asset_id=asset_id,
            title=asset.title if asset else "",
            confidence=confidence,
            score=score,
            why=why,
            number=number,
        )

    def shot(self, name: str) -> ShotFound:
        """The shot with this id; NotFound if there is none."""
        (shot,) = self.dressed((self._found(self.corpus.shot_row(name), 1.0, 1.0, ()),))
        return shot

    def dressed(self, hits: tuple[ShotFound, ...]) -> tuple[ShotFound, ...]:
        """Hits with their tags, their thumbnails and what was measured."""
        rows = [self.corpus.shot_rows[hit.id] for hit in hits]
        records = self.corpus.layer("shots").records(rows)
        return tuple(map(self._dressed, hits, rows, records))

    def _dressed(self, hit: ShotFound, row: int, record: Mapping[str, Any]) -> ShotFound:
        tags = sorted(self.corpus.shot_tags.get(row, {}).items(), key=lambda tag: (-tag[1], tag[0]))
        return replace(
            hit,
            transition=record["transition"],
            tags=tuple(TagFound(label, confidence) for label, confidence in tags),
            brightness=record["brightness"],
            motion=record["motion"],
            thumbnail=next(iter(record["thumbnails"] or ()), ""),
        )


@dataclass(frozen=True, slots=True)
class SoundQuery:
    """A sound (16 kHz mono) or a stretch of sound that others shall be like."""

    sounds: tuple[Samples, ...] = field(default=(), repr=False, compare=False)
    like: str = ""  # id of a row of the collection of sounds
    filters: Filters = field(default_factory=Filters)
    min_confidence: float = SURE


@dataclass(frozen=True, eq=False)
class Sounds:
    """Searches the sound of a corpus."""

    corpus: Corpus
    nearest: Nearest

    def search(self, query: SoundQuery, depth: int = DEPTH) -> Hits[SoundFound]:
        """Stretches of sound that are like the query with its confidence or more."""
        depth = max(depth, DEPTH)
        vectors = self.nearest.of_row("sounds", query.like) if query.like else self._heard(query.sounds)
        allowed = where(query.filters, self.corpus)
        near = self.nearest.search("sounds", vectors, known_space=bool(query.like), where=allowed, depth=depth)
        sure = [one for one in near if one.confidence >= query.min_confidence and one.hit.id != query.like]
        found = tuple(self._found(one) for one in sure if one.hit.row["asset_id"] in self.corpus.assets)
        return Hits(found, more=len(near) >= depth and near[-1].confidence >= query.min_confidence)

    def _heard(self, sounds: Sequence[Samples]) -> Vectors:
        return self.nearest.of_sounds("sounds", sounds)

    def _found(self, near: Neighbour) -> SoundFound:
        row = near.hit.row
        return SoundFound(
            start=row["start"],
            end=row["end"],
            id=near.hit.id,
            asset_id=row["asset_id"],
            title=self.corpus.assets[row["asset_id"]].title,
            confidence=near.confidence,
            score=near.hit.score,
            why=(near.why,),
        )

    def dressed(self, hits: tuple[SoundFound, ...]) -> tuple[SoundFound, ...]:
        """Hits with what is heard in them, and the shots that they lie under."""
        return tuple(replace(hit, labels=self._labels(hit), shot=self._shot(hit)) for hit in hits)

    def _labels(self, hit: SoundFound) -> tuple[str, ...]:
        layer = self.corpus.layer("sounds")
        rows = [row for row in layer.of(hit.asset_id) if layer.starts[row] < hit.end and layer.ends[row] > hit.start]
        return tuple(sorted({record["label"] for record in layer.records(rows)}))

    def _shot(self, hit: SoundFound) -> str:
        shots = self.corpus.layer("shots")
        under = [row for row in shots.of(hit.asset_id) if shots.starts[row] <= hit.middle < shots.ends[row]]
        return shot_id(hit.asset_id, self.corpus.shot_numbers[under[0]]) if under else ""


_OUTDATED = "the index names shots that the store no longer has; run `rushes index rebuild`"
