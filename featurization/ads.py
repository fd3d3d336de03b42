"""Advertisements: a classifier of sentences in context, a smooth decision, and spans on the edges of sentences.

Phrases, sponsors of the show notes, chapters, sound and repetition are evidence for one decision, and each span quotes
what gave it away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from featurization.ad_evidence.beside_words import BesideWords, beside_words
from featurization.ad_evidence.cues import CLOSER, KINDS, OPENER, CueHit, Kind
from featurization.ad_evidence.decision import smoothed
from featurization.ad_evidence.delivery import delivery_of
from featurization.ad_evidence.show_notes import sponsors_in
from featurization.ad_evidence.surroundings import strengths, surroundings
from featurization.ad_evidence.words import cue_hits, word_features
from featurization.media import AdSpan, Chapter, Segment, Sentence, SoundSpan

if TYPE_CHECKING:
    from featurization.ad_network import AdNetwork  # brings torch

MODEL, WEIGHTS = "ads", "ads.safetensors"
NOTES_ODDS = 4.0  # log odds for a certain sponsor of the show notes, times the weight of what is spoken of it
EVIDENCE_LIMIT = 8
QUOTED_WORDS = 8
DOUBTFUL, SURE = 0.7, 0.8  # a sentence at an edge is left out if it is this doubtful and its neighbour this sure
EDGE_SENTENCES = 2  # how far from an edge an announcement moves it


@dataclass(frozen=True)
class AdOptions:
    """From which probability on talk is an advertisement, and from which on it may be cut without asking."""

    min_confidence: float = 0.5  # best balance of precision and recall: nothing from here on belongs in a preview
    cut_confidence: float = 0.9  # precision of .85 and more, see docs/models/ads.md
    bridge: int = 1  # sentences of doubt inside one ad


@dataclass(frozen=True, slots=True)
class AdContext:
    """What is known of an episode beside its sentences; what is empty speaks neither for nor against an ad."""

    description: str = ""  # show notes, HTML or plain
    chapters: Sequence[Chapter] = ()
    sounds: Sequence[SoundSpan] = ()
    repeated: Sequence[Segment] = ()  # what other episodes have too


NO_CONTEXT = AdContext()


@dataclass(frozen=True)
class JudgedSentences:
    """Sentences with what speaks for their being part of an advertisement."""

    probabilities: NDArray[np.float64]  # (sentence,)
    kinds: NDArray[np.float64]  # probability of each kind, (sentence, kind)
    hits: tuple[tuple[CueHit, ...], ...]
    beside: BesideWords


def find_ads(
    sentences: Sequence[Sentence],
    vectors: NDArray[np.float32],
    context: AdContext = NO_CONTEXT,
    *,
    options: AdOptions | None = None,
) -> tuple[AdSpan, ...]:
    """Disjoint ad spans in order, from the start of a sentence to the end of one, with what gave them away.

    `vectors` are the unit vectors of the sentences, (n, dim).
    """
    options = options or AdOptions()
    judged = judge_sentences(sentences, vectors, context)
    runs = [_as_said(sentences, judged, run) for run in _runs(judged.probabilities, options)]
    return tuple(_span(sentences, judged, run, options) for run in runs)


def judge_sentences(
    sentences: Sequence[Sentence],
    vectors: NDArray[np.float32],
    context: AdContext = NO_CONTEXT,
    *,
    network: AdNetwork | None = None,
) -> JudgedSentences:
    """The probability of each sentence to be part of an advertisement, with its grounds.

    Without `network` the one that comes with rushes judges.
    """
    network = network or packaged_network()
    sponsors = sponsors_in(context.description)
    named = [sponsors.spoken_in(sentence.text) for sentence in sentences]
    hits = [(*cue_hits(sentence.text), *found) for sentence, found in zip(sentences, named, strict=True)]
    beside = beside_words(sentences, chapters=context.chapters, sounds=context.sounds, repeated=context.repeated)
    odds = network.log_odds(vectors, inputs([sentence.text for sentence in sentences], vectors, hits))
    odds[:, 1:] += (beside.odds + NOTES_ODDS * strengths(named))[:, None]
    probabilities, kinds = decide(odds, beside.edges, scale=network.scale, shift=network.shift)
    return JudgedSentences(probabilities, kinds, tuple(hits), beside)


def inputs(texts: Sequence[str], vectors: NDArray[np.float32], hits: Sequence[Sequence[CueHit]]) -> NDArray[np.float32]:
    """What the network is told beside the vectors, (sentence, FEATURES)."""
    return np.concatenate([word_features(texts, hits), surroundings(vectors, strengths(hits))], axis=1)


def decide(
    odds: NDArray[np.float64], edges: NDArray[np.float64], *, scale: float, shift: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities of an advertisement, (sentence,), and of each kind if it is one, (sentence, kind).

    `odds` are the network's, against talk, (sentence, state). Half of the say has the smoothed course, half the
    sentence with its neighbours: the first finds edges, the second ranks better.
    """
    course = smoothed(odds, edges)
    ad = np.clip(1 - course[:, 0], 1e-9, 1 - 1e-9)
    alone = np.logaddexp.reduce(odds[:, 1:], axis=1)
    standing = 0.5 * np.log(ad / (1 - ad)) + 0.5 * alone
    kinds = course[:, 1:] / np.maximum(course[:, 1:].sum(axis=1, keepdims=True), 1e-12)
    return np.asarray(1 / (1 + np.exp(-(scale * standing + shift)))), np.asarray(kinds)


@cache
def packaged_network() -> AdNetwork:
    """The network that comes with rushes. Raises ModelError if its file is not the pinned one."""
    from featurization.ad_network import load_ad_network
    from featurization.models import load_registry

    return load_ad_network(load_registry().locate(MODEL) / "weights" / WEIGHTS)


def _runs(probabilities: NDArray[np.float64], options: AdOptions) -> Iterator[range]:
    """Sentences of each ad; a sentence or two of doubt in the middle of one belong to it."""
    sure = np.flatnonzero(probabilities >= options.min_confidence)
    if not len(sure):
        return
    gaps = np.flatnonzero(np.diff(sure) > options.bridge + 1) + 1
    for part in np.split(sure, gaps):
        yield range(int(part[0]), int(part[-1]) + 1)


def _as_said(sentences: Sequence[Sentence], judged: JudgedSentences, run: range) -> range:
    """The run from where a message is announced to the return to the show, without doubtful talk at its edges."""
    opening = [any(hit.family == "opening" for hit in judged.hits[place]) for place in run[: EDGE_SENTENCES + 1]]
    starts = [
        place for place, opens in zip(run, opening, strict=False) if opens or OPENER.search(sentences[place].text)
    ]
    ends = [place for place in run[-EDGE_SENTENCES - 1 :] if CLOSER.search(sentences[place].text)]
    first, last = min(starts, default=run[0]), min(ends, default=run[-1])
    first += not starts and _spills(judged, first, first + 1, run)
    last -= not ends and _spills(judged, last, last - 1, run)
    return range(first, last + 1) if first <= last else run


def _spills(judged: JudgedSentences, edge: int, inner: int, run: range) -> bool:
    """Whether the edge is talk that only its neighbour makes look like a message."""
    if inner not in run or judged.hits[edge]:
        return False
    return bool(judged.probabilities[edge] < DOUBTFUL and judged.probabilities[inner] > SURE)


def _span(sentences: Sequence[Sentence], judged: JudgedSentences, run: range, options: AdOptions) -> AdSpan:
    inside = [sentences[place] for place in run]
    found = judged.probabilities[run.start : run.stop]
    confidence = float(found[found >= options.min_confidence].mean())
    return AdSpan(
        inside[0].start,
        max(sentence.end for sentence in inside),
        _kind(judged, run),
        round(confidence, 3),
        _evidence(inside, judged, run),
        delivery_of([sentence.text for sentence in inside], judged.beside, run),
        "cut" if confidence >= options.cut_confidence else "review",
    )


def _kind(judged: JudgedSentences, run: range) -> Kind:
    """The kind that the classifier and the telling phrases together speak for most."""
    spoken = [[hit for place in run for hit in judged.hits[place] if hit.kind == kind] for kind in KINDS]
    return KINDS[int((judged.kinds[run.start : run.stop].mean(axis=0) + strengths(spoken)).argmax())]


def _evidence(inside: Sequence[Sentence], judged: JudgedSentences, run: range) -> tuple[str, ...]:
    """What speaks for the span, the strongest first."""
    found = sorted((hit for place in run for hit in judged.hits[place]), key=lambda hit: -hit.weight)
    beside = [quote for place in run for quote in judged.beside.quotes[place]]
    spoken = [hit.evidence for hit in found]
    if not spoken and not beside:
        best = max(run, key=lambda place: judged.probabilities[place]) - run.start
        spoken = [f'sounds like an ad: "{" ".join(inside[best].text.split()[:QUOTED_WORDS])}"']
    return tuple(dict.fromkeys((*beside, *spoken)))[:EVIDENCE_LIMIT]
