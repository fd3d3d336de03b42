"""Edges of words find the quiet between them, and nothing else about the words changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurization.media import Segment, Word
from featurization.recognition.packs import RATE_HZ, Samples
from featurization.recognition.word_edges import EdgeOptions, on_time, refined


def bursts(*spans: tuple[float, float], seconds: float, floor: float = 1e-4) -> Samples:
    """Noise that is loud in the spans and faint elsewhere."""
    loudness = np.full(round(seconds * RATE_HZ), floor)
    for start, end in spans:
        loudness[round(start * RATE_HZ) : round(end * RATE_HZ)] = 0.2
    return (loudness * np.random.default_rng(0).standard_normal(len(loudness))).astype(np.float32)


def moved(words: list[Word], samples: Samples, speech: Sequence[Segment] = (), **options: float) -> tuple[Word, ...]:
    def read(span: Segment) -> Samples:
        return samples[round(span.start * RATE_HZ) : round(span.end * RATE_HZ)]

    return refined(words, speech or [Segment(0, len(samples) / RATE_HZ)], read, EdgeOptions(**options))


def test_an_edge_moves_to_where_it_is_quiet() -> None:
    samples = bursts((0.0, 0.48), (0.52, 1.0), seconds=1.0)
    first, second = moved([Word(0.0, 0.43, "lamp"), Word(0.43, 1.0, "room")], samples)
    assert (first.start, second.end) == (0.0, 1.0)
    assert first.end == second.start == pytest.approx(0.5, abs=0.02)


def test_a_pause_belongs_to_neither_word() -> None:
    samples = bursts((0.0, 0.4), (0.6, 1.0), seconds=1.0)
    first, second = moved([Word(0.0, 0.45, "lamp"), Word(0.45, 1.0, "room")], samples)
    assert first.end == pytest.approx(0.4, abs=0.03)
    assert second.start == pytest.approx(0.6, abs=0.03)


def test_where_nothing_is_quiet_letters_share_the_time() -> None:
    samples = bursts((0.0, 1.2), seconds=1.2)
    first, second = moved([Word(0.0, 0.7, "a"), Word(0.7, 1.2, "lighthouse")], samples)
    assert first.end == second.start < 0.6


def test_words_far_apart_share_no_edge() -> None:
    words = [Word(0.0, 0.4, "yes"), Word(0.9, 1.2, "no")]
    assert moved(words, bursts((0.0, 0.4), (0.9, 1.2), seconds=1.2)) == tuple(words)


def test_words_stay_in_their_span_of_speech() -> None:
    samples = bursts((0.0, 0.48), (0.7, 1.2), seconds=1.2)
    speech = [Segment(0.0, 0.5), Segment(0.65, 1.2)]
    first, second = moved([Word(0.0, 0.5, "lamp"), Word(0.65, 1.2, "room")], samples, speech)
    assert (first.end, second.start) == (0.5, 0.65)


def test_no_reach_moves_nothing() -> None:
    words = [Word(0.0, 0.43, "lamp"), Word(0.43, 1.0, "room")]
    assert moved(words, bursts((0.0, 0.48), (0.52, 1.0), seconds=1.0), reach_s=0.0) == tuple(words)


def test_what_a_model_is_late_by_is_taken_back() -> None:
    word = Word(1.0, 1.3, "lamp")
    moved_word = on_time(word, "whisper-tiny.en")
    assert moved_word.start < word.start
    assert moved_word.duration == pytest.approx(word.duration)
    assert on_time(word, "whisper-of-tomorrow") == word
    assert on_time(Word(0.0, 0.05, "a"), "whisper-tiny.en") == Word(0.0, 0.0, "a")


@settings(max_examples=50, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.floats(0.02, 1.5), st.sampled_from([0.0, 0.05, 0.2, 2.0]), st.sampled_from(["a", "lamp", "1942", "—"])
        ),
        min_size=1,
        max_size=10,
    ),
    loud=st.lists(st.tuples(st.floats(0, 10), st.floats(0.02, 3)), max_size=5),
    quiet_floor=st.sampled_from([0.0, 1e-4, 0.1]),
)
def test_words_stay_in_order_and_between_their_outer_edges(
    steps: list[tuple[float, float, str]], loud: list[tuple[float, float]], quiet_floor: float
) -> None:
    words, clock = [], 0.0
    for length, pause, text in steps:
        words.append(Word(round(clock, 3), round(clock + max(length, 0.02), 3), text))
        clock = words[-1].end + pause
    samples = bursts(*((at, at + long) for at, long in loud), seconds=clock + 0.1, floor=quiet_floor)
    found = moved(words, samples)
    assert [word.text for word in found] == [word.text for word in words]
    assert (found[0].start, found[-1].end) == (words[0].start, words[-1].end)
    assert all(word.duration >= 0.02 - 1e-6 for word in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
    assert all(abs(a.start - b.start) < 3 and abs(a.end - b.end) < 3 for a, b in zip(words, found, strict=True))
