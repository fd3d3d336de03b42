"""Features of what is said: does the clip open well, stand alone, and stand for the episode?"""

from __future__ import annotations

import numpy as np

from ranking.context import Clips, EpisodeContext, Feature, ratio
from ranking.spans import Floats
from ranking.word_cues import Cue

_MOST_CUES = 3.0  # further cues of one kind in two sentences add nothing


def complete(clips: Clips, context: EpisodeContext) -> Floats:
    """Mean of two answers: does the first sentence begin as one, does the last one end as one?"""
    whole = np.array([*(sentence.complete for sentence in context.hearing.sentences), False], dtype=np.float64)
    begins = whole[clips.first] * context.at(clips.first, Cue.CAPITAL)
    ends = whole[clips.last - 1] * context.at(clips.last - 1, Cue.STOP)
    return clips.spoken * (begins + ends) / 2


def opening_question(clips: Clips, context: EpisodeContext) -> Floats:
    return np.minimum(1.0, context.opening(clips, Cue.QUESTION))


def opening_curiosity(clips: Clips, context: EpisodeContext) -> Floats:
    return np.minimum(_MOST_CUES, context.opening(clips, Cue.CURIOSITY))


def opening_address(clips: Clips, context: EpisodeContext) -> Floats:
    return np.minimum(_MOST_CUES, context.opening(clips, Cue.ADDRESS))


def closing_question(clips: Clips, context: EpisodeContext) -> Floats:
    return clips.spoken * context.at(clips.last - 1, Cue.QUESTION)


def questions(clips: Clips, context: EpisodeContext) -> Floats:
    return context.total(clips, Cue.QUESTION)


def curiosity(clips: Clips, context: EpisodeContext) -> Floats:
    return _per_hundred_words(clips, context, Cue.CURIOSITY)


def names(clips: Clips, context: EpisodeContext) -> Floats:
    return _per_hundred_words(clips, context, Cue.NAMES)


def numbers(clips: Clips, context: EpisodeContext) -> Floats:
    return _per_hundred_words(clips, context, Cue.NUMBERS)


def keyword_coverage(clips: Clips, context: EpisodeContext) -> Floats:
    return context.keywords_in(clips) / max(1, len(context.keywords))


def dangling_start(clips: Clips, context: EpisodeContext) -> Floats:
    return clips.spoken * context.at(clips.first, Cue.DANGLING)


def unresolved(clips: Clips, context: EpisodeContext) -> Floats:
    """Third-person pronouns up to the first name: whole sentences without one, then the part before it."""
    sentences = np.arange(len(context.hearing.sentences))
    places = np.append(np.flatnonzero(context.at(sentences, Cue.NAMES)), len(sentences))
    name_at = places[np.searchsorted(places, clips.first)]
    before = Clips(clips.first, np.minimum(name_at, clips.last), clips.start, clips.end)
    within = np.where(name_at < clips.last, context.at(name_at, Cue.UNRESOLVED), 0.0)
    return context.total(before, Cue.PRONOUNS) + within


def orphan_answer(clips: Clips, context: EpisodeContext) -> Floats:
    return clips.spoken * context.at(clips.first - 1, Cue.QUESTION)


def vocabulary(clips: Clips, context: EpisodeContext) -> Floats:
    return ratio(context.distinct_words(clips), context.total(clips, Cue.WORDS))


def _per_hundred_words(clips: Clips, context: EpisodeContext, cue: Cue) -> Floats:
    return 100.0 * ratio(context.total(clips, cue), context.total(clips, Cue.WORDS))


WORD_FEATURES = (
    Feature("complete", "words", "edges that are the start and the end of a sentence, share of the two", complete),
    Feature("opening_question", "words", "1 if one of the first two sentences asks something", opening_question),
    Feature(
        "opening_curiosity",
        "words",
        "surprising or withholding words in the first two sentences, at most 3",
        opening_curiosity,
    ),
    Feature(
        "opening_address",
        "words",
        "words that speak to the listener in the first two sentences, at most 3",
        opening_address,
    ),
    Feature("closing_question", "words", "1 if the clip ends on a question and so leaves it open", closing_question),
    Feature("questions", "words", "questions in the clip", questions),
    Feature("curiosity", "words", "surprising or withholding words per 100 words", curiosity),
    Feature("names", "words", "capitalised words inside sentences per 100 words", names),
    Feature("numbers", "words", "numbers per 100 words", numbers),
    Feature(
        "keyword_coverage", "words", "share of the episode's most frequent keywords that are said", keyword_coverage
    ),
    Feature(
        "dangling_start",
        "words",
        "1 if the first word leans on what came before: he, that, so, and, it",
        dangling_start,
    ),
    Feature("unresolved", "words", "third-person pronouns before anybody is named", unresolved),
    Feature("orphan_answer", "words", "1 if the sentence just before the clip is a question", orphan_answer),
    Feature("vocabulary", "words", "different words / words", vocabulary),
)
