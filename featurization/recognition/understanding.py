"""Whether a recogniser understands what it hears: nonsense in a language it does not know is worse than no words.

Whisper puts foreign speech, or speech played backwards, into words that it believes in less: measured with tiny.en, the
mean probability of the words of a pack is .90 to .98 in English, .7 in English at 3 dB over noise, .4 to .66 in French,
Italian, Russian, Spanish and backwards (docs/models/words.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from featurization.media import Word


@dataclass(frozen=True, slots=True)
class Guess:
    """The language that a recogniser hears, as ISO 639-1, and how sure it is."""

    language: str
    probability: float


@dataclass(frozen=True, slots=True)
class LanguageOptions:
    """When a language is believed, and when it is unknown."""

    sure: float = 0.5  # probability from which a detected language is believed
    doubt: float = 0.65  # mean probability of a pack's words under which they may be another language
    unknown_share: float = 0.6  # share of doubtful words from which nothing of a recording is believed
    least_words: int = 8  # in fewer, nothing is doubted


def is_doubtful(words: Sequence[Word], options: LanguageOptions) -> bool:
    """Whether the words of a pack may be another language than the one they are written in."""
    return len(words) >= options.least_words and fmean(word.probability for word in words) < options.doubt


def is_unknown(packs: Sequence[Sequence[Word]], options: LanguageOptions) -> bool:
    """Whether so many words of a recording, given by packs, are doubtful that its language must be an unknown one."""
    total = sum(len(words) for words in packs)
    doubtful = sum(len(words) for words in packs if is_doubtful(words, options))
    return total >= options.least_words and doubtful >= options.unknown_share * total
