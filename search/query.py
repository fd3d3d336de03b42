"""The one front door to all that can be found: a typed query goes in, a page of hits that say why comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TypeVar

from featurization.errors import ModelError, SearchError, SearchIndexError
from search.corpus import Corpus
from search.dialogue import Dialogue, DialogueQuery
from search.moment_query import MomentQuery
from search.moments import Moments
from search.nearest import Encoders, Nearest
from search.pages import Page, fingerprint, needed, paged
from search.pictures import Pictures, ShotQuery, SoundQuery, Sounds
from search.results import Answer, Found, Group, Hits, LineFound, MomentFound, ShotFound, SoundFound
from search.vector_index import VectorIndex

Hit = TypeVar("Hit", bound=Found)
Dress = Callable[[tuple[Hit, ...]], tuple[Hit, ...]]  # looks up what hits show, for those that are shown


@dataclass(frozen=True, slots=True)
class Everything:
    """What was said and what is seen."""

    dialogue: Answer[LineFound]
    shots: Answer[ShotFound] | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Engine:
    """Answers queries on one state of the corpus; the index behind it shows its newest generation."""

    corpus: Corpus = field(default_factory=Corpus)
    index: VectorIndex | None = None
    encoders: Encoders = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # what everybody should know who asks: that another index answers, say

    @cached_property
    def nearest(self) -> Nearest:
        return Nearest(self.index, self.encoders)

    def dialogue(self, query: DialogueQuery, page: Page | None = None) -> Answer[LineFound]:
        """What was said."""
        search = Dialogue(self.corpus, self.nearest)
        return self._answer(search.search(query), page or Page(), [query], partial(search.dressed, query=query))

    def shots(self, query: ShotQuery, page: Page | None = None) -> Answer[ShotFound]:
        """What is seen; listed by asset and time if nothing is looked for."""
        page, search = page or Page(), Pictures(self.corpus, self.nearest)
        if not query.ranked and page.sort == "score":
            page = replace(page, sort="time")
        pictures = [hashlib.sha256(image.tobytes()).hexdigest() for image in query.images]
        return self._answer(search.search(query, needed(page)), page, [query, pictures], search.dressed)

    def shot(self, name: str) -> ShotFound:
        """The shot with this id; NotFound if there is none."""
        return Pictures(self.corpus, self.nearest).shot(name)

    def sounds(self, query: SoundQuery, page: Page | None = None) -> Answer[SoundFound]:
        """What sounds alike."""
        page, search = page or Page(), Sounds(self.corpus, self.nearest)
        heard = [hashlib.sha256(sound.tobytes()).hexdigest() for sound in query.sounds]
        return self._answer(search.search(query, needed(page)), page, [query, heard], search.dressed)

    def moments(self, query: MomentQuery, page: Page | None = None) -> Answer[MomentFound]:
        """What holds at the same time."""
        hits = Moments(self.corpus, self.nearest).search(query)
        return self._answer(hits, page or Page(), [query], lambda found: found)

    def everything(self, said: DialogueQuery, seen: ShotQuery, page: Page | None = None) -> Everything:
        """Words and pictures; where pictures cannot be searched, a note says why."""
        lines = self.dialogue(said, page)
        try:
            return Everything(lines, self.shots(seen, page))
        except (SearchIndexError, SearchError, ModelError) as error:
            return Everything(lines, None, (f"pictures were not searched: {error}",))

    def _answer(self, hits: Hits[Hit], page: Page, asked: list[object], dressed: Dress[Hit]) -> Answer[Hit]:
        """The page, with whatever its hits show looked up for them alone."""
        generation = self.nearest.generation
        state = (self.corpus.snapshot, generation.number if generation else 0)
        answer = paged(hits, page, fingerprint(asked, state))
        return replace(
            answer,
            items=dressed(answer.items),
            groups=tuple(_dressed(group, dressed) for group in answer.groups),
            notes=(*answer.notes, *self.notes),
        )


def _dressed(group: Group[Hit], dressed: Dress[Hit]) -> Group[Hit]:
    return replace(group, items=dressed(group.items))
