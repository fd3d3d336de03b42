"""What holds at the same time: spans of several layers, met on buckets of one second.

Second k of an asset is the bucket [k, k + 1). A span fills every bucket that it shares time with; conditions meet in
the buckets that all of them fill, so two things meet if they happen within the same second, even if not at the same
instant. Neighbouring buckets are one moment. It begins with the layer that begins last and ends with the one that ends
first, where that leaves anything; else it is its buckets. A moment is as sure as its least sure layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from featurization.errors import SearchError
from search.corpus import Corpus, Layer
from search.dialogue import Dialogue, DialogueQuery
from search.filters import accepted
from search.moment_query import BUILT_IN, Held, MomentQuery
from search.nearest import Nearest
from search.pictures import Pictures, ShotQuery
from search.results import Evidence, Found, Hits, MomentFound
from search.spoken import words_of

Seconds = NDArray[np.bool_]  # one bucket a second
Spans = Mapping[str, Sequence[Evidence]]  # by asset, in order
_DEPTH = 1000  # shots or sentences that are looked at by meaning
_TABLES = {"tag": "tags", "sound": "sounds", "speaker": "turns", "topic": "topics", "ad": "ads"}
_LABELS = {"tags": "label", "sounds": "label", "turns": "speaker", "topics": "title", "ads": "kind"}
ANY = "any"


@dataclass(frozen=True, eq=False)
class Moments:
    """Searches for moments in a corpus."""

    corpus: Corpus
    nearest: Nearest

    def search(self, query: MomentQuery) -> Hits[MomentFound]:
        """All moments in which every condition holds."""
        spans = [(held, self._spans(held, query)) for held in query.conditions]
        present = [found for held, found in spans if not held.absent]
        absent = [found for held, found in spans if held.absent]
        assets = accepted(query.filters, self.corpus).intersection(*present)
        moments: list[MomentFound] = []
        for asset_id in sorted(assets):
            missing = [spans.get(asset_id, ()) for spans in absent]
            moments += self._of_asset(asset_id, [spans[asset_id] for spans in present], missing)
        moments = [moment for moment in moments if moment.duration >= query.min_duration_s]
        return Hits(tuple(moments), notes=() if moments else (_nothing(spans),))

    def _of_asset(
        self, asset_id: str, present: Sequence[Sequence[Evidence]], absent: Sequence[Sequence[Evidence]]
    ) -> Iterable[MomentFound]:
        length = 1 + ceil(max(span.end for spans in present for span in spans))
        holds = np.logical_and.reduce([_buckets(spans, length) for spans in present])
        for spans in absent:
            holds &= ~_buckets(spans, length)
        title = self.corpus.assets[asset_id].title
        for first, last in _runs(holds):
            yield _moment(asset_id, title, first, last, present)

    def _spans(self, held: Held, query: MomentQuery) -> Spans:
        find = self._finder(held.layer)
        found: dict[str, list[Evidence]] = {}
        for value in held.values:
            for asset_id, evidence in find(value, query):
                found.setdefault(asset_id, []).append(evidence)
        return {asset_id: sorted(spans) for asset_id, spans in found.items()}

    def _finder(self, layer: str) -> Callable[[str, MomentQuery], Iterable[tuple[str, Evidence]]]:
        if layer in ("says", "means"):
            return lambda value, query: self._said(layer, value, query)
        if layer == "looks":
            return self._seen
        if layer in _TABLES:
            return lambda value, query: self._labelled(layer, _TABLES[layer], value, query)
        if layer in BUILT_IN or layer not in self.corpus.extracted:
            known = ", ".join([*BUILT_IN, *sorted(self.corpus.extracted)])
            raise SearchError(f"there is no layer {layer!r}; layers: {known}")
        return lambda value, query: self._labelled(layer, layer, value, query)

    def _said(self, layer: str, value: str, query: MomentQuery) -> Iterable[tuple[str, Evidence]]:
        """Sentences with the words in their order, or with their meaning."""
        mode = "phrase" if layer == "says" else "meaning"
        asked = DialogueQuery(value, mode, query.filters, query.min_confidence)  # type: ignore[arg-type]
        for hit in Dialogue(self.corpus, self.nearest).search(asked).items:
            yield hit.asset_id, _evidence(hit, layer, value)

    def _seen(self, value: str, query: MomentQuery) -> Iterable[tuple[str, Evidence]]:
        asked = ShotQuery(text=value, filters=query.filters, min_confidence=query.min_confidence)
        for hit in Pictures(self.corpus, self.nearest).search(asked, _DEPTH).items:
            yield hit.asset_id, _evidence(hit, "looks", value)

    def _labelled(self, layer: str, table: str, value: str, query: MomentQuery) -> Iterable[tuple[str, Evidence]]:
        """Rows of a table by their label: equal to the value, or of topics, holding its words."""
        rows = self.corpus.extracted[table] if layer not in _TABLES else self.corpus.layer(table)
        name = _LABELS.get(table, "label")
        labels, sure = rows.column(name), rows.column("confidence") if "confidence" in rows.rows.column_names else None
        if layer == "speaker":
            labels = [self._who(asset_id, label, value) for asset_id, label in zip(rows.asset_ids, labels, strict=True)]
        accept = _topic(rows, value) if layer == "topic" else _equal(labels, value)
        for row in accept:
            confidence = 1.0 if sure is None else float(sure[row])
            if confidence >= query.min_confidence:
                span = Evidence(float(rows.starts[row]), float(rows.ends[row]), layer, str(labels[row]), confidence)
                yield rows.asset_ids[row], span

    def _who(self, asset_id: str, speaker: str, asked: str) -> str:
        """What a speaker is called: as they were asked for, else by their name."""
        return speaker if speaker.casefold() == asked.casefold() else self.corpus.called(asset_id, speaker)


def _equal(labels: Sequence[str], value: str) -> list[int]:
    wanted = value.casefold()
    return [row for row, label in enumerate(labels) if wanted in (ANY, str(label).casefold())]


def _topic(rows: Layer, value: str) -> list[int]:
    """Topics whose title or keywords hold every word."""
    wanted = set(words_of(value))
    texts = zip(rows.column("title"), rows.column("keywords"), strict=True)
    return [n for n, (title, keys) in enumerate(texts) if wanted <= set(words_of(" ".join([title, *(keys or ())])))]


def _evidence(hit: Found, layer: str, value: str) -> Evidence:
    return Evidence(hit.start, hit.end, layer, value, hit.confidence)


def _buckets(spans: Sequence[Evidence], length: int) -> Seconds:
    """Which seconds the spans fill."""
    filled = np.zeros(length, bool)
    for span in spans:
        filled[floor(span.start) : max(floor(span.start) + 1, ceil(span.end))] = True
    return filled


def _fills(span: Evidence, first: int, last: int) -> bool:
    """Whether a span fills any of the seconds [first, last)."""
    return floor(span.start) < last and max(floor(span.start) + 1, ceil(span.end)) > first


def _runs(holds: Seconds) -> list[tuple[int, int]]:
    """First second and the one after the last of every run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _moment(asset_id: str, title: str, first: int, last: int, present: Sequence[Sequence[Evidence]]) -> MomentFound:
    touching = [[span for span in spans if _fills(span, first, last)] for spans in present]
    start = max(first, *(min(span.start for span in spans) for spans in touching))
    end = min(last, *(max(span.end for span in spans) for spans in touching))
    if start >= end:  # they meet in the same second, but not at the same instant
        start, end = first, last
    evidence = tuple(span for spans in touching for span in spans)
    confidence = min(max(span.confidence for span in spans) for spans in touching)
    why = tuple(dict.fromkeys(f"{span.layer} {span.label} {span.confidence:.2f}" for span in evidence))
    name = f"{asset_id}-m{first:06d}"
    return MomentFound(float(start), float(end), name, asset_id, title, confidence, confidence, why, evidence)


def _nothing(spans: Sequence[tuple[Held, Spans]]) -> str:
    """Which condition holds nowhere, or that they never meet."""
    nowhere = [str(held) for held, found in spans if not held.absent and not found]
    if nowhere:
        return f"nothing matches: {', '.join(nowhere)} holds nowhere"
    return "nothing matches: each of the conditions holds somewhere, but never all at the same time"
