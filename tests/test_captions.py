"""Cues are readable, timed by the words, and mapped into the preview."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Segment, Sentence, Word
from featurization.transcripts import parse_transcript
from steps.rendering.captions import CaptionOptions, caption_cues, to_srt, to_vtt
from steps.rendering.stitch import Placement

LONG = (
    "When the keeper climbed down, the lamp went out, and for nine hours nobody on the mainland "
    "knew whether the boat had turned back or had gone onto the rocks."
)


def said(
    text: str, start: float, *, word_s: float = 0.3, speaker: str = "", gap_at: int = -1
) -> tuple[Sentence, list[Word]]:
    """A sentence and its words, 0.3 s each, with two seconds of silence before word `gap_at`."""
    words, at = [], start
    for index, part in enumerate(text.split()):
        at += 2.0 if index == gap_at else 0.0
        words.append(Word(at, at + word_s, part))
        at += word_s
    return Sentence(start, at, text, speaker), words


def test_a_short_sentence_is_one_cue_that_stays_long_enough() -> None:
    sentence, words = said("It was dark.", 5.0)
    (cue,) = caption_cues([sentence], words)
    assert cue.text == "It was dark."
    assert (cue.start, round(cue.end, 3)) == (5.0, 6.2)
    sentence, words = said("No.", 5.0)
    (brief,) = caption_cues([sentence], words)
    assert brief.end == 6.0


def test_long_sentences_break_at_clauses_with_the_times_of_their_words() -> None:
    sentence, words = said(LONG, 10.0)
    cues = caption_cues([sentence], words)
    assert len(cues) == 3
    assert cues[0].text.replace("\n", " ").endswith("the lamp went out,")
    assert cues[1].start == next(w.start for w in words if w.text == "and")
    assert " ".join(c.text.replace("\n", " ") for c in cues) == LONG


def test_a_pause_ends_a_cue_and_lines_are_balanced() -> None:
    sentence, words = said("He waited on the step and then he knocked on the wooden door again", 0.0, gap_at=5)
    first, second = caption_cues([sentence], words)
    assert first.text == "He waited on the step"
    assert second.start == words[5].start
    upper, lower = second.text.split("\n")
    assert abs(len(upper) - len(lower)) <= 8


def test_stitched_moments_are_mapped_and_the_rest_is_left_out() -> None:
    parts = [said("Before it begins.", 0.0), said("The first moment.", 100.0), said("The second moment.", 40.0)]
    sentences, words = [p[0] for p in parts], [w for p in sorted(parts, key=lambda p: p[0].start) for w in p[1]]
    placements = [Placement(Segment(100, 100.9), 0.12), Placement(Segment(40, 40.9), 1.4)]
    first, second = caption_cues(sentences, words, placements=placements)
    assert (first.text, second.text) == ("The first moment.", "The second moment.")
    assert round(first.start, 3) == 0.12
    assert round(second.start, 3) == 1.4
    assert first.end <= second.start


def test_a_sentence_without_words_is_spread_over_its_letters() -> None:
    cues = caption_cues([Sentence(10, 20, LONG)], [])
    share = len(cues[0].text) / len(LONG)
    assert abs((cues[1].start - 10) / 10 - share) < 0.02


def test_words_of_another_channel_stay_out() -> None:
    cues = caption_cues(
        [Sentence(0, 2, "left side", "S1", channel=0), Sentence(0, 2, "right side", "S2", channel=1)],
        [Word(0, 1, " left"), Word(0.1, 1, "right", channel=1), Word(1, 2, "side"), Word(1, 2, "side", channel=1)],
    )
    assert [(c.text, c.speaker) for c in cues] == [("left side", "S1"), ("right side", "S2")]


def test_vtt_and_srt_read_back_with_hours_markup_and_voices() -> None:
    sentence, words = said("a < b & c --> d", 3723.4567, speaker="S1")
    cues = caption_cues([sentence], words)
    vtt, srt = to_vtt(cues, language="en", speakers=True), to_srt(cues)
    assert vtt.startswith("WEBVTT\nLanguage: en\n\n01:02:03.457 --> ")
    assert "<v S1>a &lt; b &amp; c --&gt; d" in vtt
    assert srt.startswith("1\n01:02:03,457 --> ")
    (read,) = parse_transcript(vtt.encode(), media_type="text/vtt")
    assert (read.text, read.speaker) == ("a < b & c --> d", "S1")


@given(
    texts=st.lists(st.text(alphabet="abc, .", min_size=1, max_size=200).filter(str.strip), min_size=1, max_size=6),
    word_s=st.floats(0.02, 1.0),
    width=st.integers(8, 60),
)
def test_nothing_is_lost_nothing_overlaps_and_lines_fit(texts: list[str], word_s: float, width: int) -> None:
    sentences, words, at = [], [], 0.0
    for text in texts:
        sentence, own = said(text, at, word_s=word_s)
        sentences.append(sentence)
        words += own
        at = sentence.end
    cues = caption_cues(sentences, words, options=CaptionOptions(line_chars=width))
    assert " ".join(c.text for c in cues).split() == " ".join(texts).split()
    assert all(a.end <= b.start for a, b in pairwise(cues))
    for cue in cues:
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        assert all(len(line) <= width or " " not in line for line in lines)
