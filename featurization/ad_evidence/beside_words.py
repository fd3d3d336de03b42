"""What speaks for a message beside its words: chapters, sound, and the same audio in other episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurization.ad_evidence.cues import CHAPTER
from featurization.media import Chapter, Segment, Sentence, SoundSpan, merge, overlap_s

Floats = NDArray[np.float64]

MAX_CHAPTER_S = 300.0  # a longer chapter that is called an ad is a subject, not a break
LONG_PAUSE_S = 0.8
BED_SHARE = 0.5  # of a sentence over music
RARE_BED = 0.3  # music under more of the sentences than this is the style of the show

# Log odds, set by hand: the corpus that the network learns from is text alone.
CHAPTER_ODDS, REPEATED_ODDS, BED_ODDS, STRANGER_ODDS = 8.0, 4.0, 1.0, 0.5
OTHER_CHAPTER_ODDS = -3.0  # where a show calls its ads by name, its other chapters hardly hold any
PAUSE_EDGE, VOICE_EDGE, BED_EDGE, CHAPTER_EDGE = 0.7, 0.7, 1.0, 2.0


@dataclass(frozen=True)
class BesideWords:
    """Per sentence: log odds of a message, of an edge before it, whether a bed of music marks it, and quotes."""

    odds: Floats  # (sentence,)
    edges: Floats  # (sentence,)
    bed: NDArray[np.bool_]  # (sentence,)
    stranger: NDArray[np.bool_]  # (sentence,) spoken by a voice that is hardly heard elsewhere
    quotes: tuple[tuple[str, ...], ...]


def beside_words(
    sentences: Sequence[Sentence],
    *,
    chapters: Sequence[Chapter] = (),
    sounds: Sequence[SoundSpan] = (),
    repeated: Sequence[Segment] = (),
) -> BesideWords:
    """All that is known beside the words; what is not known adds nothing."""
    quotes: list[tuple[str, ...]] = [()] * len(sentences)
    odds = np.zeros(len(sentences))
    breaks = [c for c in chapters if CHAPTER.match(c.title) and c.duration <= MAX_CHAPTER_S]
    for chapter in breaks:
        _add(odds, quotes, _inside(sentences, [chapter]), CHAPTER_ODDS, f'chapter "{chapter.title}"')
    if breaks:
        odds[_inside(sentences, [c for c in chapters if c not in breaks])] += OTHER_CHAPTER_ODDS
    _add(odds, quotes, _inside(sentences, repeated), REPEATED_ODDS, "the same audio in other episodes")
    bed, stranger = _bed(sentences, sounds), _strangers(sentences)
    _add(odds, quotes, bed, BED_ODDS, "a bed of music")
    _add(odds, quotes, stranger, STRANGER_ODDS, "another voice")
    edges = _edges(sentences, bed) + CHAPTER_EDGE * _begun(sentences, chapters)
    return BesideWords(odds, edges, bed, stranger, tuple(quotes))


def _add(odds: Floats, quotes: list[tuple[str, ...]], where: NDArray[np.bool_], gain: float, quote: str) -> None:
    odds[where] += gain
    for place in np.flatnonzero(where):
        quotes[place] = (*quotes[place], quote)


def _inside(sentences: Sequence[Sentence], spans: Sequence[Segment]) -> NDArray[np.bool_]:
    return np.array([any(sentence.middle in span for span in spans) for sentence in sentences], dtype=bool)


def _begun(sentences: Sequence[Sentence], chapters: Sequence[Chapter]) -> NDArray[np.bool_]:
    """Before which sentences a chapter begins."""
    begins = np.searchsorted([sentence.middle for sentence in sentences], [chapter.start for chapter in chapters])
    return np.isin(np.arange(len(sentences)), begins[begins > 0])


def _bed(sentences: Sequence[Sentence], sounds: Sequence[SoundSpan]) -> NDArray[np.bool_]:
    """Sentences over music in a recording where talk has none."""
    shares = _shares(sentences, merge(sound for sound in sounds if sound.label == "music"))
    over = shares > BED_SHARE
    return over if len(over) and over.mean() <= RARE_BED else np.zeros(len(sentences), dtype=bool)


def _strangers(sentences: Sequence[Sentence]) -> NDArray[np.bool_]:
    """Sentences of voices that say a twentieth of the recording at most, where several are known."""
    spoken_s: dict[str, float] = {}
    for sentence in sentences:
        spoken_s[sentence.speaker] = spoken_s.get(sentence.speaker, 0.0) + sentence.duration
    rare = {name for name, seconds in spoken_s.items() if name and seconds <= sum(spoken_s.values()) / 20}
    return np.array([sentence.speaker in rare for sentence in sentences], dtype=bool)


def _edges(sentences: Sequence[Sentence], bed: NDArray[np.bool_]) -> Floats:
    """How much likelier an edge lies before each sentence than usual."""
    edges = np.zeros(len(sentences))
    for place in range(1, len(sentences)):
        before, here = sentences[place - 1], sentences[place]
        edges[place] += PAUSE_EDGE * (here.start - before.end >= LONG_PAUSE_S)
        edges[place] += VOICE_EDGE * (here.speaker != before.speaker)
        edges[place] += BED_EDGE * (bed[place] != bed[place - 1])
    return edges


def _shares(sentences: Sequence[Sentence], music: Sequence[Segment]) -> Floats:
    """Share of each sentence that lies over music, (sentence,)."""
    shares, place = np.zeros(len(sentences)), 0
    for row, sentence in enumerate(sentences):
        while place < len(music) and music[place].end <= sentence.start:
            place += 1
        shares[row] = overlap_s(sentence, music[place : place + 8]) / max(sentence.duration, 1e-9)
    return shares
