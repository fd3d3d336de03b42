"""Packs cover the speech, stay within a recogniser's window, and lead every time back to the recording."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.media import Segment, Word, merge, overlap_s
from featurization.recognition.packs import RATE_HZ, Pack, Samples, pieces, quietest, take_pack

spans = st.builds(lambda start, length: Segment(start, start + length), st.floats(0, 300), st.floats(0.1, 70))


def silence(segment: Segment) -> Samples:
    return np.zeros(round(segment.duration * RATE_HZ), np.float32)


def all_packs(speech: list[Segment], pack_s: float = 29.5, pad_s: float = 0.3) -> list[Pack]:
    waiting, packs = deque(pieces(speech, pad_s=pad_s)), []
    while waiting:
        packs.append(take_pack(waiting, silence, pack_s=pack_s))
    return packs


@given(speech=st.lists(spans, max_size=12), pack_s=st.floats(5, 30), pad_s=st.floats(0, 0.5))
def test_packs_cover_all_speech_within_the_window(speech: list[Segment], pack_s: float, pad_s: float) -> None:
    packs = all_packs(speech, pack_s, pad_s)
    heard = [piece for pack in packs for piece in pack.pieces]
    assert all(pack.duration <= pack_s + 1e-6 for pack in packs)
    assert all(left.end <= right.start + 1e-6 for left, right in pairwise(heard))
    for span in merge(speech):
        assert overlap_s(span, heard) == pytest.approx(span.duration)
    assert sum(piece.speech.duration for piece in heard) == pytest.approx(sum(s.duration for s in merge(speech)))


@given(speech=st.lists(spans, min_size=1, max_size=12), at=st.floats(0, 1))
def test_a_time_in_a_pack_leads_back_to_its_place(speech: list[Segment], at: float) -> None:
    for pack in all_packs(speech):
        before = 0.0
        for piece in pack.pieces:
            time = before + at * 0.999 * piece.duration
            word = pack.to_recording(Word(time, time, "x"))
            assert word.start == pytest.approx(piece.start + at * 0.999 * piece.duration, abs=1e-6)
            before += piece.duration


def test_packs_are_filled_and_long_pauses_left_out() -> None:
    speech = [Segment(20.0 * i, 20.0 * i + 4) for i in range(12)]
    packs = all_packs(speech)
    assert [len(pack.pieces) for pack in packs] == [6, 6]
    assert packs[1].duration == pytest.approx(6 * 4.6)


def test_long_speech_is_cut_where_it_is_quietest() -> None:
    def read(segment: Segment) -> Samples:
        time = segment.start + np.arange(round(segment.duration * RATE_HZ)) / RATE_HZ
        return np.where(abs(time - 21.7) < 0.1, 0.0, 0.5).astype(np.float32)

    waiting = deque(pieces([Segment(0, 40)], pad_s=0.0))
    first, second = take_pack(waiting, read, pack_s=29), take_pack(waiting, read, pack_s=29)
    assert first.pieces[0].end == second.pieces[0].start == pytest.approx(21.7, abs=0.06)


def test_the_quietest_place_is_found() -> None:
    samples = np.full(RATE_HZ, 0.3, np.float32)
    samples[8000:9600] = 0.01
    assert quietest(samples) == pytest.approx(0.55, abs=0.001)


def test_what_was_not_heard_is_given_back() -> None:
    (pack,) = all_packs([Segment(1, 5), Segment(8, 10)], pad_s=0.25)
    assert [(p.start, p.speech) for p in pack.unheard(4.0, least_s=0.4)] == [
        (4.0, Segment(4, 5)),
        (7.75, Segment(8, 10)),
    ]
    assert pack.unheard(9.8, least_s=0.4) == []
    assert pack.unheard(1.2, least_s=0.4) == []


def test_a_recording_that_ends_early_is_filled_with_silence() -> None:
    (pack,) = all_packs([Segment(0, 2)], pad_s=0.5)
    assert pack.read(lambda _: np.ones(16_000, np.float32)).tolist() == [1.0] * 16_000 + [0.0] * 24_000
