"""What was said: exact phrases, all words, misspelt words, meaning, and by default words and meaning fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from featurization.errors import RushesError, SearchError
from search.corpus import Corpus, sentence_id
from search.filters import Filters, mask, where
from search.nearest import DEPTH, Nearest
from search.results import Hits, LineFound
from search.spoken import words_of
from search.wording import Line, Lines, Wording, marked, quoted, timed

Mode = Literal["auto", "phrase", "words", "fuzzy", "meaning"]
MAX_TEXT = 1000  # characters; more is a document, not a query
SURE = 0.5  # hits below are not shown unless asked for
_RRF_K = 60  # reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009
_SENTENCES = "sentences"


@dataclass(frozen=True, slots=True)
class DialogueQuery:
    """What somebody is looking for in what was said."""

    text: str
    mode: Mode = "auto"  # what stands in quotes exactly, else words and meaning fused
    filters: Filters = field(default_factory=Filters)
    min_confidence: float = SURE

    def __post_init__(self) -> None:
        checked_text(self.text)
        if self.mode not in get_args(Mode):
            raise SearchError(f"mode must be one of {', '.join(get_args(Mode))}, got {self.mode!r}")
        if not words_of(self.text):
            raise SearchError("the query has no words; type at least one")

    @property
    def asks_exactly(self) -> bool:
        """Whether the default mode looks for what stands in quotes."""
        return self.mode == "auto" and bool(quoted(self.text)[0])


def checked_text(text: str) -> str:
    """A text that can be asked. SearchError if it is empty or too long."""
    if not text.strip():
        raise SearchError("the query is empty; type what you are looking for")
    if len(text) > MAX_TEXT:
        raise SearchError(f"the query has {len(text)} characters, {MAX_TEXT} are allowed; ask for less at a time")
    return text


@dataclass(frozen=True, eq=False)
class Dialogue:
    """Searches what was said in a corpus."""

    corpus: Corpus
    nearest: Nearest

    @property
    def wording(self) -> Wording:
        return Wording(self.corpus)

    def search(self, query: DialogueQuery) -> Hits[LineFound]:
        """All sentences that answer the query with its confidence or more."""
        notes: list[str] = []
        lines = self._lines(query, notes)
        chosen = mask(query.filters, self.corpus, self.corpus.layer(_SENTENCES))
        kept = {row: line for row, line in lines.items() if chosen[row] and line.confidence >= query.min_confidence}
        ranked = query.mode == "meaning" or (query.mode == "auto" and not query.asks_exactly)
        found = tuple(self._found(row, line) for row, line in kept.items())
        return Hits(found, more=ranked and len(kept) >= DEPTH, notes=tuple(notes))

    def _lines(self, query: DialogueQuery, notes: list[str]) -> Lines:
        match query.mode:
            case "phrase":
                return self.wording.phrase(query.text)
            case "words":
                return self.wording.all_words(query.text)
            case "fuzzy":
                return self.wording.misspelt(query.text)
            case "meaning":
                return self._meaning(query)
            case _:
                return self.wording.exact(query.text) if query.asks_exactly else self._fused(query, notes)

    def _meaning(self, query: DialogueQuery) -> Lines:
        vector = self.nearest.of_texts(_SENTENCES, [query.text])
        allowed, rows = where(query.filters, self.corpus), self.corpus.sentence_rows
        found = self.nearest.search(_SENTENCES, vector, known_space=False, where=allowed, depth=DEPTH)
        near = {rows[one.hit.id]: one for one in found if one.hit.id in rows}
        return {row: Line(row, one.confidence, one.hit.score, [f"by meaning, {one.why}"]) for row, one in near.items()}

    def _fused(self, query: DialogueQuery, notes: list[str]) -> Lines:
        """A sentence counts by its rank in each list and is as sure as the surest of them."""
        lists = {"words": self._by_words(query)}
        try:
            lists["meaning"] = self._meaning(query)
        except RushesError as error:  # words can be searched whatever the index does
            notes.append(f"only words were searched, not meaning: {error}")
        if None in self.corpus.spoken.codes(words_of(query.text)):
            lists["similar words"] = self.wording.misspelt(query.text)
        return _fused(lists)

    def _by_words(self, query: DialogueQuery) -> Lines:
        """Sentences with any of the words, by BM25; by the share of the query that they hold where no index answers."""
        rows = self.corpus.sentence_rows
        try:
            hits = self.nearest.match(_SENTENCES, query.text, where=where(query.filters, self.corpus), depth=DEPTH)
        except RushesError:
            chosen = mask(query.filters, self.corpus, self.corpus.layer(_SENTENCES))
            lines = {row: line for row, line in self.wording.some_words(query.text).items() if chosen[row]}
            return dict(sorted(lines.items(), key=lambda item: -item[1].score)[:DEPTH])
        return self.wording.some_words(query.text, [rows[hit.id] for hit in hits if hit.id in rows])

    def _found(self, row: int, line: Line) -> LineFound:
        layer = self.corpus.layer(_SENTENCES)
        asset_id, start = layer.asset_ids[row], float(layer.starts[row])
        asset = self.corpus.assets.get(asset_id)
        return LineFound(
            start=start,
            end=max(start, float(layer.ends[line.last])),
            id=sentence_id(asset_id, row - layer.of(asset_id).start),
            asset_id=asset_id,
            title=asset.title if asset else "",
            confidence=line.confidence,
            score=line.score,
            why=tuple(dict.fromkeys(line.why)),
            sentences=line.last - row + 1,
        )

    def dressed(self, hits: tuple[LineFound, ...], query: DialogueQuery) -> tuple[LineFound, ...]:
        """Hits with their text, their speaker, and their words with their times."""
        phrases, single = self._phrases(query), self._single(query)
        return tuple(self._dressed(hit, phrases, single) for hit in hits)

    def _dressed(self, hit: LineFound, phrases: Sequence[Sequence[str]], single: set[str]) -> LineFound:
        first = self.corpus.sentence_rows[hit.id]
        records = self.corpus.layer(_SENTENCES).records(range(first, first + hit.sentences))
        text = " ".join(record["text"] for record in records)
        channel = records[0].get("channel", 0)
        own = [w for w in self.corpus.words(hit.asset_id) if hit.start <= w.middle < hit.end and w.channel == channel]
        words = marked(timed(text, hit.start, hit.end, own), phrases=phrases, single=single)
        speaker = self.corpus.called(hit.asset_id, records[0].get("speaker") or "")
        return replace(hit, text=text, speaker=speaker, words=words)

    def _phrases(self, query: DialogueQuery) -> Sequence[Sequence[str]]:
        if query.mode == "phrase":
            return [words_of(query.text)]
        return [words_of(part) for part in quoted(query.text)[0]] if query.asks_exactly else []

    def _single(self, query: DialogueQuery) -> set[str]:
        """Words that count one by one: those of the query, and in the lax modes those that they may be misspelt for."""
        if query.mode in ("phrase", "meaning"):
            return set()
        words = set(words_of(quoted(query.text)[1] if query.asks_exactly else query.text))
        if query.mode == "words" or query.asks_exactly:
            return words
        spoken, lax = self.corpus.spoken, query.mode == "fuzzy"
        unsure = [word for word in words if lax or word not in spoken.numbers]
        return words | {spoken.vocabulary[code] for word in unsure for code in spoken.similar(word)}


def _fused(lists: Mapping[str, Lines]) -> Lines:
    fused: Lines = {}
    for name, lines in lists.items():
        ranked = sorted(lines, key=lambda row: -lines[row].score) if name != "words" else list(lines)
        for rank, row in enumerate(ranked, start=1):
            line, known = lines[row], fused.setdefault(row, Line(row))
            known.last = max(known.last, line.last)
            known.confidence = max(known.confidence, line.confidence)
            known.score += 1 / (_RRF_K + rank)
            known.why += [*line.why, f"number {rank} by {name}"]
    return fused
