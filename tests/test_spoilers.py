"""Spoiler risk by position, words, answers, resolution and genre."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_model import text_encoder

from featurization.loudness import Levels
from featurization.media import Sentence, SpoilerSpan
from featurization.spoiler_evidence.arcs import turning
from featurization.spoilers import SpoilerOptions, find_spoilers

FILLER = ("The wind was strong that day.", "We had coffee in the small kitchen.", "The road follows the river.",
          "Many houses there are painted red.", "The library opens at nine.")  # fmt: skip
REVEAL = "It turned out that the killer was his own brother."


def story(**at: str) -> tuple[Sentence, ...]:
    """Forty sentences of nine seconds; `s12="…"` replaces the thirteenth."""
    texts = [at.get(f"s{n}", FILLER[n % len(FILLER)]) for n in range(40)]
    return tuple(Sentence(n * 10.0, n * 10.0 + 9.0, text) for n, text in enumerate(texts))


def spoilers(sentences: tuple[Sentence, ...], **options: float) -> tuple[SpoilerSpan, ...]:
    vectors = text_encoder().encode([sentence.text for sentence in sentences])
    return find_spoilers(sentences, vectors, duration_s=400.0, options=replace(SpoilerOptions(), **options))


def risk_at(found: tuple[SpoilerSpan, ...], time: float) -> float:
    return max((span.risk for span in found if time in span), default=0.0)


def test_the_ending_is_a_risk_whatever_is_said():
    (ending,) = spoilers(story())
    assert (ending.start, ending.end) == (340.0, 399.0)
    assert ending.risk == pytest.approx(0.6)
    assert ending.evidence == ("in the ending",)


def test_the_same_words_weigh_more_the_later_they_come():
    early, late, last = (risk_at(spoilers(story(**{f"s{n}": REVEAL})), n * 10.0 + 1) for n in (5, 30, 37))
    assert 0.3 <= early < late < last


def test_evidence_quotes_the_words():
    first = spoilers(story(s30=REVEAL))[0]
    assert first.start == 300.0
    assert 'says "It turned out that"' in first.evidence
    assert any("killer was" in reason for reason in first.evidence)


def test_an_answer_to_an_earlier_question_adds_to_the_risk():
    question = "But who lit the lamp in the lighthouse after the keeper vanished?"
    answer = "The lamp in the lighthouse was lit by the boatman's daughter."
    asked = risk_at(spoilers(story(s4=question, s30=answer), min_risk=0.05), 301.0)
    unasked = risk_at(spoilers(story(s30=answer), min_risk=0.05), 301.0)
    assert asked > unasked + 0.1


@pytest.mark.parametrize(
    "text",
    [
        "What if the killer was his brother?",
        "The answer to your letter took a week.",
        "She won a small prize at school.",
        "Turn left at the church.",
        "The road was closed.",
    ],
)
def test_ordinary_talk_in_the_first_half_is_no_great_risk(text):
    assert risk_at(spoilers(story(s8=text)), 81.0) < 0.35


def test_no_sentences_no_spoilers():
    assert spoilers(()) == ()


STRAINED = ("The storm broke the mast and the men screamed in the dark.", "He was trapped, wounded, and afraid to die.",
            "Smoke filled the cabin and the fire chased them out.")  # fmt: skip
RELIEVED = ("In the morning the sea was calm and the sun was warm.", "They came home, and their friends thanked them.",
            "She smiled and slept in peace.")  # fmt: skip


def told(texts: list[str]) -> tuple[Sentence, ...]:
    return tuple(Sentence(n * 10.0, n * 10.0 + 9.0, text) for n, text in enumerate(texts))


def drama() -> tuple[Sentence, ...]:
    """Sixty sentences: plain talk, strain from the 38th to the 44th, relief from then on."""
    return told([FILLER[n % 5] if n < 38 else STRAINED[n % 3] if n < 45 else RELIEVED[n % 3] for n in range(60)])


def test_a_story_turns_where_its_strain_peaks():
    found = turning(drama(), duration_s=600.0)
    assert found is not None
    assert 380 <= found.time <= 450


def test_loudness_sharpens_the_turn():
    levels = np.full(6000, -30.0, np.float32)
    levels[3800:4500] = -15.0
    found, quiet = (turning(drama(), duration_s=600.0, levels=one) for one in (Levels(levels, 0.1), None))
    assert found and quiet
    assert 380 <= found.time <= 450


def test_talk_without_a_story_does_not_turn():
    assert turning(told([FILLER[n % 5] for n in range(60)]), duration_s=600.0) is None
    steady = [(STRAINED + RELIEVED + FILLER)[n * 7 % 11] for n in range(60)]
    assert turning(told(steady), duration_s=600.0) is None
    assert turning(told([*STRAINED, *RELIEVED]), duration_s=60.0) is None


def test_a_story_that_stays_strained_to_its_last_word_does_not_turn():
    assert turning(told([FILLER[n % 5] if n < 40 else STRAINED[n % 3] for n in range(60)]), duration_s=600.0) is None


def test_what_comes_after_the_turn_is_a_risk_and_says_why():
    sentences = drama()
    vectors = np.zeros((60, 4), np.float32)
    spans = find_spoilers(sentences, vectors, duration_s=600.0, options=SpoilerOptions(min_risk=0.1))
    resolved = [span for span in spans if any("strain of the story peaked" in reason for reason in span.evidence)]
    assert resolved
    assert min(span.start for span in resolved) > 380
    assert risk_at(spans, 595.0) > SpoilerOptions().ending_risk


@pytest.mark.parametrize(
    ("show", "genres", "is_open"),
    [
        ("Morning Desk", ("News", "Daily News"), True),
        ("Algebra in Ten Minutes", ("Education",), True),
        ("Cold Cases", ("True Crime",), False),
        ("Harbor Hour", ("Society & Culture", "Documentary"), False),
        ("quiet  rooms", ("Fiction",), True),
        ("", (), False),
    ],
)
def test_endings_of_news_of_lessons_and_of_named_shows_are_open(show, genres, is_open):
    options = SpoilerOptions(open_shows=("Quiet Rooms",))
    found = find_spoilers(
        story(s30=REVEAL), np.zeros((40, 4), np.float32), duration_s=400.0, show=show, genres=genres, options=options
    )
    assert options.gives_nothing_away(show, genres) == is_open == (found == ())


def test_a_genre_weighs_the_words_of_its_kind():
    def risk(text: str, genre: str) -> float:
        found = find_spoilers(
            story(s30=text),
            np.zeros((40, 4), np.float32),
            duration_s=400.0,
            genres=(genre,),
            options=SpoilerOptions(min_risk=0.01),
        )
        return risk_at(found, 301.0)

    won, died = "In the rain the underdogs won the final.", "The old king died that night."
    assert risk(won, "Sports") > risk(won, "Fiction")
    assert risk(died, "Fiction") > risk(died, "Documentary") > risk(died, "Health & Fitness")


def test_an_answer_says_which_question_and_how_long_before():
    vectors = np.eye(40, dtype=np.float32)
    vectors[30] = vectors[4]
    sentences = story(s4="Who lit the lamp?", s30="It was lit by the boatman's daughter.")
    found = find_spoilers(sentences, vectors, duration_s=400.0, options=SpoilerOptions(min_risk=0.05))
    assert any('may answer "Who lit the lamp?", 4 minutes before' in span.evidence for span in found)


@given(
    strains=st.lists(st.sampled_from([*STRAINED, *RELIEVED, *FILLER, REVEAL]), max_size=50), genre=st.text(max_size=9)
)
def test_spans_are_in_order_on_sentence_edges_with_a_risk_below_one(strains, genre):
    sentences = told(strains)
    found = find_spoilers(
        sentences, np.zeros((len(strains), 2), np.float32), duration_s=10.0 * len(strains), genres=(genre,)
    )
    assert {span.start for span in found} <= {s.start for s in sentences}
    assert {span.end for span in found} <= {s.end for s in sentences}
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(SpoilerOptions().min_risk <= span.risk <= 1 and span.evidence for span in found)
