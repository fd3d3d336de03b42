"""What the search engine knows of the store, read whole from one snapshot, and the engine over it that stays fresh."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from featurization.errors import SearchIndexError
from featurization.extractor import Extractor, Vectors, installed_extractors
from featurization.media import Word
from search.corpus import Corpus, Layer
from search.nearest import Encoders, QueryEncoder
from search.query import Engine
from search.vector_index import VectorIndex
from steps.extracted import PREFIX, layers
from steps.index import open_store_index
from steps.index_rows import collections
from steps.models import TEXT_MODEL, Models
from steps.people import PEOPLE, PERSON_NAMES, speaker_names
from steps.store import Store
from steps.tables import ADS, ASSETS, SCENES, SENTENCES, SHOTS, SOUNDS, SPOILERS, TAGS, TOPICS, TURNS, WORDS, Table

log = logging.getLogger(__name__)
_SPANS: tuple[Table[Any], ...] = (SHOTS, SCENES, TAGS, SENTENCES, TURNS, SOUNDS, TOPICS, ADS, SPOILERS)
_ASSETS_IN_MEMORY = 64  # whose words are kept at hand


def read_corpus(store: Store) -> Corpus:
    """The corpus of the current snapshot; read again if a run commits meanwhile, so that its parts belong together."""
    while True:
        number = store.current().number
        read = Corpus(
            number,
            assets={asset_id: rows[0] for asset_id, rows in store.read(ASSETS).items()},
            layers={table.name: Layer(store.arrow(table).combine_chunks()) for table in _SPANS},
            extracted={name: Layer(table.combine_chunks()) for name, table in layers(store).items()},
            words=_words_of(store),
            names=speaker_names(store),
        )
        if store.current().number == number:
            return read


def _words_of(store: Store) -> Callable[[str], Sequence[Word]]:
    @lru_cache(maxsize=_ASSETS_IN_MEMORY)
    def words(asset_id: str) -> Sequence[Word]:
        return store.read(WORDS, [asset_id]).get(asset_id, ())

    return words


class Desk:
    """Where queries are answered: the newest state of the store, read when it changed, and the index, opened once."""

    def __init__(self, store: Store, encoders: Encoders) -> None:
        self.store, self.encoders = store, encoders
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._state: object = None
        self._index: VectorIndex | None = None

    def engine(self) -> Engine:
        """The engine over the current state. Whoever holds an older one may finish with it."""
        with self._lock:
            state = _pieces(self.store)
            if self._engine is None or self._state != state:
                self._engine, self._state = self._opened(), state
            return self._engine

    def close(self) -> None:
        """Release the index."""
        with self._lock:
            if self._index is not None:
                self._index.close()
            self._index = self._engine = None

    def _opened(self) -> Engine:
        corpus = read_corpus(self.store)
        try:
            self._index = self._index or open_store_index(self.store)
            self._index.current()
        except SearchIndexError as error:
            log.warning("%s", error)
            note = f"an exact search in memory answers, since the index does not: {error}"
            return Engine(corpus, _in_memory(self.store), self.encoders, (note,))
        return Engine(corpus, self._index, self.encoders)


def _pieces(store: Store) -> object:
    """What decides the corpus: the state of the tables that it reads, so that feedback alone reloads nothing."""
    tables = store.current().tables
    return {name: pieces for name, pieces in tables.items() if name in _READ or name.startswith(PREFIX)}


_READ = frozenset(table.name for table in (*_SPANS, ASSETS, WORDS, PEOPLE, PERSON_NAMES))


def _in_memory(store: Store) -> VectorIndex:
    from search.exact_index import ExactIndex

    index, snapshot = ExactIndex(), store.current()
    index.publish(list(collections(store, {})), snapshot=snapshot.number, digest="", run=snapshot.run)
    return index


def query_encoders(models: Models) -> Encoders:
    """The encoder of each collection, loaded when the first query needs it."""
    ours: dict[str, Callable[[], QueryEncoder]] = {
        "shots": cache(lambda: models.images),
        "sentences": cache(lambda: SentenceEncoder(models)),
        "sounds": cache(lambda: models.sound_vectors),
    }
    foreign = {extractor.name: _giving(extractor) for extractor in installed_extractors() if extractor.space}
    return {**foreign, **ours}


def _giving(extractor: Extractor) -> Callable[[], QueryEncoder]:
    return lambda: extractor


class SentenceEncoder:
    """The text model as sentences were encoded with it."""

    def __init__(self, models: Models) -> None:
        self.space = models.identity(TEXT_MODEL)
        self._encoder = models.text

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts."""
        return self._encoder.encode(texts)
