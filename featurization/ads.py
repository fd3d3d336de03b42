"""Advertisements by transparent rules: telling phrases, then the whole read around them, on sentence edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from featurization.ad_evidence.cues import ABOUT_ADS, CHAPTER, NARRATED, CueHit, Kind
from featurization.ad_evidence.extent import AdExtent, ExtentOptions
from featurization.ad_evidence.promotion_cues import PROMOTION_CUES
from featurization.ad_evidence.show_notes import Sponsors, sponsors_in
from featurization.ad_evidence.sponsor_cues import SPONSOR_CUES
from featurization.media import AdSpan, Chapter, Sentence, SoundSpan

CUES = (*SPONSOR_CUES, *PROMOTION_CUES)
MAX_CHAPTER_S = 300.0  # a longer chapter that is called an ad is a subject, not a break
CHAPTER_CONFIDENCE = 0.9
EVIDENCE_LIMIT = 8


@dataclass(frozen=True)
class AdOptions:
    """When phrases make an advertisement, and how far it reaches."""

    min_confidence: float = 0.5  # of a passage's phrases together, 0..1
    min_phrase: float = 0.35  # weight that at least one of the phrases needs
    join_s: float = 30.0  # telling phrases nearer than this belong to one passage
    damping: float = 0.45  # factor on phrases that are told of others or in talk about advertising
    reach_s: float = 40.0  # an ad begins and ends at most this far from its first and last telling phrase
    max_length_s: float = 120.0  # growing stops at this length
    margin: float = -0.03  # lead in cosine to the ad over the talk around it that a neighbour needs; recall first


@dataclass(frozen=True, slots=True)
class _Passage:
    """Sentences first..last with telling phrases of one kind."""

    first: int
    last: int
    kind: Kind
    confidence: float
    evidence: tuple[str, ...]


def find_ads(
    sentences: Sequence[Sentence],
    vectors: NDArray[np.float32],
    *,
    description: str = "",
    chapters: Sequence[Chapter] = (),
    sounds: Sequence[SoundSpan] = (),
    options: AdOptions | None = None,
) -> tuple[AdSpan, ...]:
    """Disjoint ad spans in order, from the start of a sentence to the end of one, with the words that gave them away.

    `vectors` are the unit vectors of the sentences, (n, dim); `description` is the show notes, HTML or plain.
    """
    options = options or AdOptions()
    hits = _sentence_hits(sentences, sponsors_in(description), damping=options.damping)
    passages = [passage for kind in _kinds() for passage in _passages(sentences, hits, kind=kind, options=options)]
    limits = ExtentOptions(options.reach_s, options.max_length_s, options.margin)
    extent = AdExtent(sentences, vectors, sounds=sounds, options=limits)
    grown = [_grown(passage, extent, hits) for passage in passages]
    grown += _chapter_passages(sentences, chapters)
    return tuple(_span(sentences, passage) for passage in _merged(grown))


def _kinds() -> tuple[Kind, ...]:
    return ("sponsor", "self-promotion", "cross-promotion")


def _sentence_hits(sentences: Sequence[Sentence], sponsors: Sponsors, *, damping: float) -> list[list[CueHit]]:
    """The telling phrases of each sentence, weakened where it tells of others or talks about advertising."""
    hits = []
    about = [bool(ABOUT_ADS.search(sentence.text)) for sentence in sentences]
    for place, sentence in enumerate(sentences):
        found = [*_cue_hits(sentence.text), *sponsors.spoken_in(sentence.text)]
        if any(about[max(0, place - 2) : place + 3]) or NARRATED.search(sentence.text):
            found = [CueHit(hit.quote, hit.weight * damping, hit.family, hit.kind) for hit in found]
        hits.append(found)
    return hits


def _cue_hits(text: str) -> Iterator[CueHit]:
    for cue in CUES:
        if match := cue.pattern.search(text):
            yield CueHit(" ".join(match[0].split()), cue.weight, cue.family, cue.kind)


def _passages(
    sentences: Sequence[Sentence], hits: Sequence[Sequence[CueHit]], *, kind: Kind, options: AdOptions
) -> Iterator[_Passage]:
    """Passages of one kind whose phrases together are convincing."""
    places = [place for place, found in enumerate(hits) if any(hit.kind == kind for hit in found)]
    far = [b for a, b in pairwise(places) if sentences[b].start - sentences[a].end > options.join_s]
    for start, stop in pairwise([0, *(places.index(place) for place in far), len(places)]):
        run = places[start:stop]
        found = [hit for place in run for hit in hits[place] if hit.kind == kind]
        confidence = _together(found)
        if found and confidence >= options.min_confidence and max(h.weight for h in found) >= options.min_phrase:
            strongest = sorted(found, key=lambda hit: -hit.weight)
            evidence = tuple(dict.fromkeys(hit.evidence for hit in strongest))
            yield _Passage(run[0], run[-1], kind, round(confidence, 3), evidence)


def _together(hits: Sequence[CueHit]) -> float:
    """Noisy or over families of phrases, each by its strongest."""
    strongest: dict[str, float] = {}
    for hit in hits:
        strongest[hit.family] = max(strongest.get(hit.family, 0.0), hit.weight)
    return 1.0 - float(np.prod([1.0 - weight for weight in strongest.values()]))


def _grown(passage: _Passage, extent: AdExtent, hits: Sequence[Sequence[CueHit]]) -> _Passage:
    """The passage with the rest of the read; one that says it begins or ends is not grown past that."""
    opened = any(hit.family == "opening" and hit.kind == passage.kind for hit in hits[passage.first])
    first, last = extent.grow(passage.first, passage.last, opened=opened)
    return _Passage(first, last, passage.kind, passage.confidence, passage.evidence)


def _chapter_passages(sentences: Sequence[Sentence], chapters: Sequence[Chapter]) -> Iterator[_Passage]:
    for chapter in chapters:
        if CHAPTER.match(chapter.title) and chapter.duration <= MAX_CHAPTER_S:
            inside = [place for place, sentence in enumerate(sentences) if sentence.middle in chapter]
            if inside:
                evidence = (f'chapter "{chapter.title}"',)
                yield _Passage(inside[0], inside[-1], "sponsor", CHAPTER_CONFIDENCE, evidence)


def _merged(passages: Sequence[_Passage]) -> list[_Passage]:
    """Disjoint passages: those that overlap become one of the more certain kind."""
    merged: list[_Passage] = []
    for passage in sorted(passages, key=lambda p: (p.first, p.last)):
        if not merged or passage.first > merged[-1].last:
            merged.append(passage)
            continue
        before = merged.pop()
        surer = before if before.confidence >= passage.confidence else passage
        evidence = tuple(dict.fromkeys((*before.evidence, *passage.evidence)))
        merged.append(_Passage(before.first, max(before.last, passage.last), surer.kind, surer.confidence, evidence))
    return merged


def _span(sentences: Sequence[Sentence], passage: _Passage) -> AdSpan:
    inside = sentences[passage.first : passage.last + 1]
    end = max(sentence.end for sentence in inside)
    return AdSpan(inside[0].start, end, passage.kind, passage.confidence, passage.evidence[:EVIDENCE_LIMIT])
