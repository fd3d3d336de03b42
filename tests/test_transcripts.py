"""Publishers' transcripts: untidy files to cues, cues to words inside speech."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.cue_words import FAR_S, agreement, words_from_cues
from featurization.errors import MediaError
from featurization.media import Segment, overlap_s
from featurization.transcripts import Cue, parse_transcript, read_transcript

VTT = """\ufeffWEBVTT - A title

STYLE
::cue { color: red }

NOTE written by hand,
00:01 --> 00:02 is no cue here

intro
00:01.000 --> 00:02.500 align:start position:0%
<v Fred>Hi, I&#39;m <b>Fred</b></v>

00:00:03.000 --> 00:00:05.000
<v.loud Mary Ann>Hello.
<v Fred>Oh no.

00:00:06.000 --> 00:00:6x.000
lost

00:00:08.000 --> 00:00:07.000
backwards

00:00:09.000 --> 00:00:10.000
[applause]
"""

SRT = """1\r
00:00:01,000 --> 00:00:02,000\r
Travis: When you\r
start, remember: listen.\r
\r
2\r
00:00:02,000 --> 00:00:03,000\r
- It works.\r
3\r
00:00:03,000 --> 00:00:04,000\r
Sarah: Does it?\r
"""


def cues_of(text: str) -> tuple[Cue, ...]:
    return parse_transcript(text.encode(), media_type="text/plain")


def test_webvtt_with_everything():
    transcript = read_transcript(VTT.encode(), media_type="text/vtt")
    assert [(cue.speaker, cue.text) for cue in transcript.cues] == [
        ("Fred", "Hi, I'm Fred"),
        ("Mary Ann", "Hello."),
        ("Fred", "Oh no."),
    ]
    assert transcript.cues[0].span == Segment(1.0, 2.5)
    assert transcript.cues[1].start == 3.0
    assert transcript.cues[2].end == 5.0
    assert (transcript.format, transcript.skipped) == ("vtt", 2)


def test_subrip_names_stay_until_the_next():
    assert [(cue.speaker, cue.text) for cue in cues_of(SRT)] == [
        ("Travis", "When you start, remember: listen."),
        ("Travis", "It works."),
        ("Sarah", "Does it?"),
    ]


def test_a_colon_in_running_text_names_nobody():
    text = "1\n00:00:01,000 --> 00:00:02,000\nWell, yes.\n\n2\n00:00:02,000 --> 00:00:03,000\nWarning: hot.\n"
    assert [(cue.speaker, cue.text) for cue in cues_of(text)] == [("", "Well, yes."), ("", "Warning: hot.")]


def test_subviewer():
    transcript = read_transcript(b"0:00:00.5,0:00:01.5\nOne\ntwo\n\n0:00:0f.0,0:00:03.0\nlost\n", media_type="text/sbv")
    assert transcript.cues == (Cue(0.5, 1.5, "One two"),)
    assert (transcript.format, transcript.skipped) == ("sbv", 1)


def test_json_of_podcasting_2_and_of_recognisers():
    segments = {"segments": [{"speaker": "A", "startTime": 1, "endTime": 2.5, "body": "Hi there"}, {"body": "lost"}]}
    transcript = read_transcript(json.dumps(segments).encode(), media_type="application/json")
    assert transcript.cues == (Cue(1.0, 2.5, "Hi there", "A"),)
    assert transcript.skipped == 1
    words = [{"start": 1, "end": 2, "text": "a b", "words": [{"word": " a", "start": 1, "end": 1.4}]}]
    assert cues_of(json.dumps(words)) == (Cue(1.0, 1.4, "a"),)


def test_roll_up_captions_are_read_once():
    shown = [("yeah",), ("yeah", "what"), ("what", "this will"), ("this will", "happen now")]
    blocks = [f"00:0{n}.000 --> 00:0{n + 1}.000\n" + "\n".join(lines) for n, lines in enumerate(shown)]
    assert " ".join(cue.text for cue in cues_of("WEBVTT\n\n" + "\n\n".join(blocks))) == "yeah what this will happen now"


def test_a_repeated_answer_is_not_roll_up():
    lines = ["No.", "No.", "Why not?", "It is late.", "It rains.", "I am tired.", "So am I.", "Then sleep."]
    blocks = [f"00:0{n}.000 --> 00:0{n + 1}.000\n{line}" for n, line in enumerate(lines)]
    assert [cue.text for cue in cues_of("WEBVTT\n\n" + "\n\n".join(blocks))] == lines


def test_times_inside_a_cue_split_it():
    text = "WEBVTT\n\n00:16.500 --> 00:18.500\nWhen the moon <00:17.500>hits your eye\n"
    assert cues_of(text) == (Cue(16.5, 17.5, "When the moon"), Cue(17.5, 18.5, "hits your eye"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"WEBVTT\n", "no cue"),
        (b"1\nsome text", "no cue"),
        (b'{"segments": [', "broken JSON"),
        (b'{"chapters": []}', "no cue"),
        (b"<cite>Ann:</cite><time>0:00</time><p>Hi</p>", "HTML"),
        (bytes(range(256)), "no cue"),
    ],
)
def test_what_has_no_times_is_refused_in_one_line(data, reason):
    with pytest.raises(MediaError, match=reason) as error:
        parse_transcript(data, media_type="text/vtt")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding):
    data = "WEBVTT\n\n00:01.000 --> 00:02.000\nCafé\n".encode(encoding)
    assert parse_transcript(data, media_type="text/vtt")[0].text == "Café"


TIMINGS = ["00:00:01.000 --> 00:00:02.000", "0:00:01.0,0:00:02.0", "<00:01.5>", "-->"]
MARKS = ["WEBVTT", "NOTE", "\n", "\n\n", "1", "<v Ann>", "Ann: hi", "[", "{", "<b>", "&amp;", "\x00", "é", '"segments"']
PIECES = st.sampled_from(TIMINGS + MARKS)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_gives_sane_cues_or_one_error(text):
    try:
        cues = cues_of(text)
    except MediaError:
        return
    assert cues
    assert list(cues) == sorted(cues)
    assert all(cue.start < cue.end and cue.text for cue in cues)


SPEECH = (Segment(1.0, 4.0), Segment(4.6, 8.0), Segment(12.0, 15.0))


def test_words_share_the_cue_by_characters():
    words = words_from_cues([Cue(1.0, 4.0, "aa aa aa")], [Segment(0.0, 9.0)])
    assert [word.start for word in words] == pytest.approx([1.0, 2.0, 3.0])
    assert all(word.estimated for word in words)


def test_sentence_edges_go_to_the_pause_nearby():
    cues = [Cue(1.2, 4.3, "The door was shut."), Cue(4.3, 8.3, "Nobody had a key."), Cue(11.7, 15.4, "None at all.")]
    words = words_from_cues(cues, SPEECH)
    by_text = {word.text: word for word in words}
    assert (by_text["The"].start, by_text["shut."].end) == pytest.approx((1.0, 4.0))
    assert (by_text["Nobody"].start, by_text["key."].end) == pytest.approx((4.6, 8.0))
    assert (by_text["None"].start, by_text["all."].end) == pytest.approx((12.0, 15.0))


def test_a_line_broken_in_mid_sentence_does_not_jump_to_a_pause():
    words = words_from_cues(
        [Cue(1.0, 4.2, "and then I went straight"), Cue(4.2, 8.0, "home to my old mother.")], SPEECH
    )
    assert next(word.text for word in words if word.start >= 4.6) == "home"
    assert words[4].text == "straight"


def test_what_nobody_was_heard_to_say_is_left_out():
    words = words_from_cues([Cue(1.0, 4.0, "Hello there."), Cue(9.0, 11.0, "la la la")], SPEECH)
    assert [word.text for word in words] == ["Hello", "there."]


def test_one_word_cues_keep_their_heard_times():
    words = words_from_cues([Cue(1.5, 1.9, "two"), Cue(2.0, 2.5, "words")], SPEECH)
    assert [word.estimated for word in words] == [False, False]
    assert words_from_cues([], SPEECH) == words_from_cues([Cue(1.0, 2.0, "x")], []) == ()


spans = st.lists(st.floats(0.05, 5), min_size=2, max_size=24).map(
    lambda steps: [Segment(sum(steps[:i]), sum(steps[: i + 1])) for i in range(0, len(steps), 2)]
)
texts = st.lists(st.sampled_from(["one", "two.", "three,", "a", "extraordinarily", "Yes?"]), min_size=1, max_size=9)


@given(spans, spans, st.lists(texts, min_size=12, max_size=12))
def test_words_are_in_order_and_inside_speech(speech, places, said):
    cues = [Cue(p.start, p.end, " ".join(words)) for p, words in zip(places, said, strict=False)]
    words = words_from_cues(cues, speech)
    for before, after in pairwise(words):
        assert before.end <= after.start + 1e-6
    for word in words:
        assert word.duration >= 0.009
        assert overlap_s(word, speech) == pytest.approx(word.duration, abs=1e-6)
        assert any(cue.start - FAR_S <= word.end and word.start <= cue.end + FAR_S for cue in cues)


def talk(count: int) -> list[Cue]:
    """Sentences of varying length with pauses between."""
    cues, clock = [], 0.0
    for n in range(count):
        end = clock + 1.5 + (n * 7 % 5) * 0.9
        cues.append(Cue(clock, end, f"Sentence {n} is said here."))
        clock = end + 0.4 + (n * 3 % 4) * 0.1
    return cues


def test_agreement_tells_a_shifted_transcript():
    cues = talk(60)
    speech = [Segment(cue.start, cue.end) for cue in cues]
    rough = [Cue(cue.start, cue.end + 0.2, cue.text) for cue in cues]
    shifted = [Cue(cue.start + 31.3, cue.end + 31.3, cue.text) for cue in cues]
    assert agreement(cues, speech) == pytest.approx(1.0)
    assert agreement(rough, speech) > 0.9
    assert agreement(shifted, speech) < 0.7
    assert agreement(cues[:6], speech) < 0.4
    assert agreement([], speech) == agreement([], []) == 0.0
