"""Words to sentences: borders by text, pause and speaker; edges at the voice."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Segment, Sentence, Turn, Word
from featurization.sentences import SentenceOptions, build_sentences


def said(text: str, *, start: float = 0.0, word_s: float = 0.3, pauses: dict[str, float] | None = None) -> list[Word]:
    """Words back to back; `pauses` gives the silence after some of them."""
    words, clock = [], start
    for token in text.split():
        words.append(Word(clock, clock + word_s, token))
        clock += word_s + (pauses or {}).get(token, 0.0)
    return words


def texts(words: list[Word], **arguments: object) -> list[str]:
    return [s.text for s in build_sentences(words, speech=[], **arguments)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sentences",
    [
        ["He came home.", "Nobody was there!", "Why?", "Because."],
        ["Dr. Grant met Mrs. Price at St. Mary's.", "They talked."],
        ["It costs 3.5 dollars, e.g. at example.com today.", "Go to example.com.", "That is all."],
        ["He moved to the U.S. Army base in May.", "It was cold."],
        ["J. R. Smith wrote No. 5 in a week.", "No.", "Then he stopped."],
        ['"Where to?" he asked.', '"Home."', "She laughed..."],
        ["Wait... what was that?", "A bear."],
        ["Is it 5 p.m. already?", "Yes."],
    ],
    ids=lambda sentences: sentences[0][:20],
)
def test_punctuation_that_ends_and_that_does_not(sentences):
    assert texts(said(" ".join(sentences))) == sentences


WHOLE = (
    "On Jan. 5 we met Dr. Price in St. Louis.", "In Sept. 1999 it cost $1,299.99 plus tax.", "Go to example.com/offer.",
    "Version 2.0.1 grew by 2.5% at 3:30 p.m. and stopped.", "Is it www.example.org?",
    "See Fig. 3 and Sec. 2 of Vol. 7.",
    "It happened in 1842.", "Write to dr.jones@example.co.uk today!", "The temperature was -3.5 degrees.",
    "J. R. Smith wrote No. 5, e.g. with Mr. Lee.", "He weighed 6 oz. and 2 lbs. in all.", "Call 555.0199 now.",
)  # fmt: skip


@given(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=6))
def test_numbers_prices_addresses_and_dates_do_not_cut_a_sentence(sentences):
    assert texts(said(" ".join(sentences))) == sentences


def test_an_abbreviation_ends_a_sentence_before_a_pause_and_a_capital():
    assert texts(said("He lives in the U.S. She does not.", pauses={"U.S.": 0.6})) == [
        "He lives in the U.S.",
        "She does not.",
    ]


def test_a_gap_ends_a_sentence_that_is_then_incomplete():
    words = said("and then we went to the old house.", pauses={"went": 2.0})
    first, second = build_sentences(words, speech=[])
    assert (first.text, second.text) == ("and then we went", "to the old house.")
    assert (first.complete, second.complete) == (False, False)


def test_a_recording_that_stops_in_mid_sentence_is_incomplete():
    whole, cut = build_sentences(said("This is whole. This is"), speech=[])
    assert (whole.complete, cut.complete) == (True, False)


def test_a_new_speaker_ends_a_sentence_at_a_comma_or_pause():
    words = said("I think that we should, no we should not.")
    turns = [Turn(0.0, 1.5, "S1"), Turn(1.5, 4.0, "S2")]
    first, second = build_sentences(words, speech=[], turns=turns)
    assert (first.text, first.speaker, first.complete) == ("I think that we should,", "S1", False)
    assert (second.text, second.speaker) == ("no we should not.", "S2")


def test_one_word_given_to_the_wrong_speaker_is_no_change():
    words = said("one two, three four five six seven, eight nine ten.")
    turns = [Turn(0.0, 0.9, "S1"), Turn(0.9, 1.2, "S2"), Turn(1.2, 3.0, "S1")]
    assert len(build_sentences(words, speech=[], turns=turns)) == 1


def test_missing_punctuation_is_made_up_for_by_pauses_before_capitals():
    clause = "the men walked along the shore until it was dark and nobody said a word about it"
    words = said(f"Then {clause} So {clause} And I {clause}", pauses={"it": 0.7})
    assert texts(words) == [f"Then {clause}", f"So {clause}", f"And I {clause}"]


def test_a_long_sentence_is_cut_after_a_clause():
    words = said(" ".join(["word"] * 50 + ["clause,"] + ["word"] * 50 + ["end."]))
    first, *others = build_sentences(words, speech=[], options=SentenceOptions(max_length_s=20.0))
    assert first.text.endswith("clause,")
    assert not any(sentence.complete for sentence in (first, *others))
    assert all(sentence.duration <= 20.0 for sentence in (first, *others))


def test_edges_are_those_of_the_voice():
    words = [*said("It was late.", start=1.15), *said("Nobody came.", start=2.4)]
    speech = [Segment(1.0, 2.0), Segment(2.55, 3.1)]
    late, nobody = build_sentences(words, speech=speech)
    assert (late.start, late.end) == pytest.approx((1.0, 2.0))
    assert (nobody.start, nobody.end) == pytest.approx((2.55, 3.1))


def test_a_word_stretched_over_silence_gives_it_back():
    words = [Word(0.0, 1.0, "Yes."), Word(2.0, 4.2, "And"), Word(4.2, 4.5, "then.")]
    _, second = build_sentences(words, speech=[Segment(0.0, 1.0), Segment(3.9, 4.5)])
    assert second.start == pytest.approx(3.9)


def test_a_word_that_begins_in_the_sound_before_a_pause_starts_after_it():
    words = [Word(0.0, 0.9, "Twelve."), Word(0.9, 1.8, "You"), Word(1.8, 2.2, "waited.")]
    first, second = build_sentences(words, speech=[Segment(0.0, 1.0), Segment(1.5, 2.2)])
    assert (first.end, second.start) == pytest.approx((1.0, 1.5))


def test_channels_are_kept_apart():
    left = [Word(0.0, 1.0, "Left", channel=0), Word(1.0, 2.0, "side.", channel=0)]
    right = [Word(0.5, 1.0, "Right", channel=1), Word(1.0, 1.5, "side.", channel=1)]
    assert [(s.text, s.channel) for s in build_sentences(left + right, speech=[])] == [
        ("Left side.", 0),
        ("Right side.", 1),
    ]


def test_no_words_no_sentences():
    assert build_sentences([], speech=[Segment(0.0, 3.0)]) == ()


TOKENS = st.sampled_from(["a", "The", "end.", "Dr.", "why?", "and,", "U.S.", "3.5", "I", "well...", "no"])
STEPS = st.tuples(st.sampled_from([0.02, 0.2, 0.5, 3.0]), st.sampled_from([0.0, 0.0, 0.1, 0.6, 2.5]), TOKENS)
SPANS = st.lists(st.floats(0.05, 4), max_size=20).map(
    lambda steps: [Segment(sum(steps[:i]), sum(steps[: i + 1])) for i in range(1, len(steps), 2)]
)


@given(st.lists(STEPS, min_size=1, max_size=60), SPANS, SPANS)
def test_sentences_partition_the_words_in_order(steps, speech, changes):
    words, clock = [], 0.0
    for length, pause, text in steps:
        words.append(Word(clock, clock + length, text))
        clock += length + pause
    turns = [Turn(span.start, span.end, f"S{n % 2}") for n, span in enumerate(changes)]
    sentences = build_sentences(words, speech=speech, turns=turns)
    assert " ".join(s.text for s in sentences) == " ".join(word.text for word in words)
    assert sum(s.words for s in sentences) == len(words)
    assert_ordered(sentences)
    place = 0
    for sentence in sentences:
        run = words[place : place + sentence.words]
        place += sentence.words
        assert all(b.start - a.end <= SentenceOptions().max_gap_s for a, b in pairwise(run))


def assert_ordered(sentences: tuple[Sentence, ...]) -> None:
    for before, after in pairwise(sentences):
        assert before.end <= after.start
