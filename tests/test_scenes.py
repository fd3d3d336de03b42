"""Scenes and context, on vectors whose answers are plain to see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from featurization.context import ContextOptions, fuse, neighbour_mean, words_in
from featurization.media import Segment, Shot
from featurization.scenes import find_scenes
from featurization.shot_vectors import unit

KITCHEN, STREET, BEACH = np.eye(3, dtype=np.float32)


def shots(count: int, *, length_s: float = 4.0) -> tuple[Shot, ...]:
    return tuple(Shot(n * length_s, (n + 1) * length_s, n, "cut" if n else "start") for n in range(count))


def spans(found) -> list[tuple[int, int]]:
    return [(scene.first, scene.last) for scene in found]


def test_a_dialogue_that_cuts_back_and_forth_is_one_scene():
    faces = [KITCHEN + 0.1 * STREET, KITCHEN - 0.3 * STREET]
    vectors = unit(np.stack([*faces * 3, BEACH, BEACH, BEACH, BEACH]))
    assert spans(find_scenes(shots(10), vectors)) == [(0, 6), (6, 10)]


def test_a_shot_that_returns_too_late_joins_nothing():
    vectors = np.stack([KITCHEN, STREET, BEACH, KITCHEN])
    assert spans(find_scenes(shots(4, length_s=100.0), vectors)) == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_one_picture_throughout_is_one_scene():
    assert spans(find_scenes(shots(5), np.stack([KITCHEN] * 5))) == [(0, 5)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_shots_are_one_scene_at_most(count: int):
    found = find_scenes(shots(count), np.stack([KITCHEN, STREET, BEACH])[:count])
    assert spans(found) == [(0, count)][: min(count, 1)]


@given(arrays(np.float32, st.tuples(st.integers(1, 30), st.just(4)), elements=st.floats(-1, 1, width=32)))
def test_scenes_partition_the_shots(vectors: np.ndarray):
    made = shots(len(vectors))
    found = find_scenes(made, unit(vectors))
    assert [n for scene in found for n in range(scene.first, scene.last)] == list(range(len(made)))
    assert all(scene.start == made[scene.first].start and scene.end == made[scene.last - 1].end for scene in found)


def test_neighbours_are_the_shots_before_and_after_the_nearer_the_more():
    near = neighbour_mean(np.stack([KITCHEN, STREET, BEACH]), reach=2)
    assert near[1] == pytest.approx(unit((KITCHEN + BEACH)[None])[0])
    assert near[0] == pytest.approx(unit((STREET + BEACH / 2)[None])[0])
    assert not neighbour_mean(KITCHEN[None], reach=2).any()


def test_words_belong_to_the_shots_they_are_heard_in():
    sentences = [Segment(0.0, 3.0), Segment(3.0, 9.0)]
    heard = words_in([Segment(0.0, 4.0), Segment(4.0, 8.0), Segment(20.0, 30.0)], sentences, np.stack([KITCHEN, BEACH]))
    assert heard[0] == pytest.approx(unit((3 * KITCHEN + BEACH)[None])[0])
    assert heard[1] == pytest.approx(BEACH)
    assert not heard[2].any()


def test_the_cosine_of_fused_shots_is_the_weighted_mean_of_their_cosines():
    image, sound, words = np.stack([KITCHEN, STREET]), np.stack([BEACH, BEACH]), np.stack([KITCHEN, KITCHEN])
    options = ContextOptions(image=1.0, neighbours=0.0, sound=1.0, words=2.0)
    first, second = fuse(image, sound, words, options)
    assert float(first @ second) == pytest.approx((1 * 0 + 1 * 1 + 4 * 1) / 6)
