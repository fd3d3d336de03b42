"""Spoiler risk by position, words and resolution."""

from dataclasses import replace

import pytest
from text_model import text_encoder

from featurization.media import Sentence, SpoilerSpan
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
