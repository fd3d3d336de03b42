"""What a Whisper engine says, and whether to believe it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from featurization.media import Word

_WITHOUT_BLANKS = frozenset({"zh", "yue", "ja", "th", "lo", "my", "bo", "km"})
Timed = tuple[float, float, str, float]  # start, end, text as Whisper spells it, probability


@dataclass(frozen=True, slots=True)
class BeliefOptions:
    """When recognised text is believed."""

    no_speech: float = 0.6  # over this chance of no speech, text must be probable (min_logprob) to be kept
    min_logprob: float = -1.0  # mean log probability of its tokens
    max_compression: float = 2.4  # ratio of plain to compressed text: over this a segment repeats itself
    max_pack_compression: float = 4.0  # the same for all that is heard at once, as speeches do repeat phrases
    min_probability: float = 0.3  # mean probability of its words, so that music and noise are not put into words


@dataclass(frozen=True, slots=True)
class Stretch:
    """One segment of an engine's output."""

    words: tuple[Word, ...]
    text: str
    no_speech: float
    logprob: float


def joined_words(heard: Iterable[Timed], language: str) -> tuple[Word, ...]:
    """The words of a stretch; what Whisper spells with no blank before it belongs to the word before.

    So "forty", "-two" becomes "forty-two". Languages written without blanks keep their parts apart.
    """
    words: list[Word] = []
    for start, end, text, probability in heard:
        begin, chance = max(0.0, float(start)), min(1.0, max(0.0, float(probability)))
        word = Word(begin, max(begin, float(end)), text.strip(), probability=chance)
        if words and not text.startswith(" ") and language not in _WITHOUT_BLANKS:
            words[-1] = _joined(words[-1], word)
        else:
            words.append(word)
    return tuple(words)


def is_repetitive(stretches: Sequence[Stretch], options: BeliefOptions) -> bool:
    """Whether one of them, or all in a row, repeat themselves more than people do."""
    alone = any(_compression(stretch.text) > options.max_compression for stretch in stretches)
    return alone or _compression("".join(stretch.text for stretch in stretches)) > options.max_pack_compression


def _compression(text: str) -> float:
    """The ratio of plain to compressed length."""
    return len(text.encode()) / max(1, len(zlib.compress(text.encode())))


def believed(stretches: Iterable[Stretch], options: BeliefOptions) -> tuple[Word, ...]:
    """The words of the stretches that are probably speech."""
    return tuple(word for stretch in stretches if _is_believed(stretch, options) for word in stretch.words)


def _is_believed(stretch: Stretch, options: BeliefOptions) -> bool:
    if not stretch.words or (stretch.no_speech > options.no_speech and stretch.logprob < options.min_logprob):
        return False
    return float(np.mean([word.probability for word in stretch.words])) >= options.min_probability


def _joined(left: Word, right: Word) -> Word:
    probability = min(left.probability, right.probability)
    return Word(left.start, max(left.end, right.end), left.text + right.text, probability=probability)
