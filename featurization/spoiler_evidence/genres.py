"""What the genre of a show makes of endings and of words of outcome. Genres are the categories of its feed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from featurization.spoiler_evidence.cues import Theme

# A category holds one of the words → how much more, or less, the phrases of a theme give away there.
_WEIGHTS: tuple[tuple[frozenset[str], dict[Theme, float]], ...] = (
    (frozenset({"crime"}), {"crime": 1.4, "death": 0.8, "reveal": 1.2}),  # who died is known from the start
    (frozenset({"fiction", "drama", "film", "tv", "stories", "books"}), {"death": 1.4, "fate": 1.3, "reveal": 1.2}),
    (frozenset({"sports", "games", "football", "soccer", "baseball", "basketball"}), {"contest": 1.5, "death": 0.8}),
    (frozenset({"history", "documentary"}), {"death": 0.7}),  # everybody in it has died
    (frozenset({"health", "science", "medicine"}), {"death": 0.5, "reveal": 0.7}),
    (frozenset({"business", "technology", "government", "politics"}), {"death": 0.6, "contest": 0.6, "fate": 0.7}),
)


def theme_weights(genres: Iterable[str]) -> dict[Theme, float]:
    """Factor of each theme's risk, from all genres that say something of it: the largest."""
    words = {word for genre in genres for word in _words(genre)}
    found: dict[Theme, float] = {}
    for names, weights in _WEIGHTS:
        if names & words:
            for theme, weight in weights.items():
                found[theme] = max(found.get(theme, 0.0), weight)
    return found


def is_open(show: str, genres: Sequence[str], *, open_shows: Sequence[str], open_genres: Sequence[str]) -> bool:
    """Whether a show's endings give nothing away: it is named, or one of its genres holds an open one's words."""
    if _plain(show) in {_plain(name) for name in open_shows} - {""}:
        return True
    wanted = [set(_words(genre)) for genre in open_genres]
    return any(words and words <= set(_words(genre)) for words in wanted for genre in genres)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
