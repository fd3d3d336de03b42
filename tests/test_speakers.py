import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from featurization.decode import decode_audio
from featurization.errors import ModelError
from featurization.media import Segment, Turn, overlap_s
from featurization.models import load_registry
from featurization.speaker_encoder import SpeakerEncoder, mel_filters
from featurization.speakers import SpeakerOptions, find_turns, find_voices, group_voices, join_channels

EPISODES = Path(__file__).parent.parent / "samples" / "episodes"
TRUTH = json.loads((EPISODES.parent / "truth.json").read_text())


@pytest.fixture(scope="module")
def encoder():
    return SpeakerEncoder(load_registry().locate("resemblyzer"))


@pytest.fixture(scope="module")
def episodes(tmp_path_factory):
    return {name: decode_audio(EPISODES / name, scratch=tmp_path_factory.mktemp("scratch")) for name in TRUTH}


def spoken(name, until=60.0):
    return [row for row in TRUTH[name]["speakers"] if row["end"] <= until]


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_who_speaks_in_the_samples(episodes, encoder, name):
    truth = spoken(name)
    turns = find_turns(episodes[name].read, [Segment(row["start"], row["end"]) for row in truth], encoder)
    names = {row["speaker"] for row in truth}
    assert sorted({turn.speaker for turn in turns}) == [f"S{n + 1}" for n in range(len(names))]
    label = {turns[0].speaker: truth[0]["speaker"]}
    label |= dict.fromkeys({turn.speaker for turn in turns} - label.keys(), *(names - {truth[0]["speaker"]}))
    right = sum(
        overlap_s(Segment(row["start"], row["end"]), [t for t in turns if label[t.speaker] == row["speaker"]])
        for row in truth
    )
    assert right > 0.97 * sum(row["end"] - row["start"] for row in truth)


def test_turns_are_ordered_disjoint_and_inside_speech(episodes, encoder):
    name = sorted(TRUTH)[0]
    speech = [Segment(row["start"], row["end"]) for row in spoken(name, 60)]
    voices = find_voices(episodes[name].read, speech, encoder)
    for before, after in zip(voices.turns, voices.turns[1:], strict=False):
        assert before.end <= after.start
    assert all(0 <= turn.confidence <= 1 for turn in voices.turns)
    assert voices.turns[0].start == speech[0].start
    assert voices.turns[-1].end == speech[-1].end
    np.testing.assert_allclose(np.linalg.norm(voices.vectors, axis=1), 1, atol=1e-5)


def test_the_same_input_gives_the_same_turns(episodes, encoder):
    name = sorted(TRUTH)[1]
    speech = [Segment(row["start"], row["end"]) for row in spoken(name, 20)]
    assert find_turns(episodes[name].read, speech, encoder) == find_turns(episodes[name].read, speech, encoder)


def test_a_change_inside_one_span_of_speech_is_found(episodes, encoder):
    name = sorted(TRUTH)[0]
    first, second = (next(r for r in TRUTH[name]["speakers"] if r["speaker"] == who) for who in speakers_of(name))
    halves = [episodes[name].read(Segment(r["start"], min(r["end"], r["start"] + 7))) for r in (first, second)]
    joined = np.concatenate(halves)
    turns = find_turns(
        lambda s: joined[round(s.start * 16_000) : round(s.end * 16_000)], [Segment(0, len(joined) / 16_000)], encoder
    )
    assert [turn.speaker for turn in turns] == ["S1", "S2"]
    assert turns[1].start == pytest.approx(len(halves[0]) / 16_000, abs=0.6)


def speakers_of(name):
    return list(dict.fromkeys(row["speaker"] for row in TRUTH[name]["speakers"]))


def test_no_speech_no_turns(encoder):
    assert find_turns(lambda segment: np.zeros(0, dtype=np.float32), [], encoder) == ()


def test_channels_never_share_a_speaker():
    left = [Turn(0, 1, speaker="S1"), Turn(4, 5, speaker="S2")]
    right = [Turn(2, 3, speaker="S1")]
    joined = join_channels([left, right])
    assert [(turn.start, turn.speaker) for turn in joined] == [(0, "S1"), (2, "S2"), (4, "S3")]


def around(directions, counts, spread=0.02):
    """Unit vectors scattered about orthogonal directions."""
    drawn = np.random.default_rng(5)
    rows = [np.eye(256)[d] + spread * drawn.normal(size=(n, 256)) for d, n in zip(directions, counts, strict=True)]
    stacked = np.concatenate(rows)
    return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)


def test_three_directions_are_three_voices():
    labels = group_voices(around([0, 1, 2], [30, 20, 10]), windows_s=0.8)
    assert [len(set(labels[part])) for part in (slice(0, 30), slice(30, 50), slice(50, 60))] == [1, 1, 1]
    assert len(set(labels)) == 3


def test_who_hardly_speaks_is_somebody_else():
    assert len(set(group_voices(around([0, 1, 2], [30, 20, 2]), windows_s=0.8))) == 2


def test_of_a_long_recording_a_sample_decides():
    labels = group_voices(around([0, 1], [900, 600]), windows_s=0.8, options=SpeakerOptions(max_clustered=100))
    assert (len(set(labels[:900])), len(set(labels[900:])), len(set(labels))) == (1, 1, 2)


@given(st.permutations(range(24)))
def test_grouping_does_not_depend_on_order(order):
    vectors = around([0, 1, 2], [8, 8, 8])
    labels, shuffled = group_voices(vectors, windows_s=0.8), group_voices(vectors[order], windows_s=0.8)
    same = labels[:, None] == labels[None]
    np.testing.assert_array_equal(same[np.ix_(order, order)], shuffled[:, None] == shuffled[None])


def test_vectors_are_unit_and_short_windows_are_repeated(encoder):
    voice = np.random.default_rng(0).normal(0, 0.05, 8_000).astype(np.float32)
    vectors = encoder([voice, np.resize(voice, 25_600), np.resize(voice, 40_000)])
    assert vectors.shape == (3, 256)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)
    np.testing.assert_allclose(vectors[1], vectors[2], atol=1e-5)


def test_mel_filters_have_equal_area_and_rising_centres():
    filters = mel_filters()
    assert filters.shape == (40, 201)
    assert (np.diff(filters.argmax(axis=1)) >= 0).all()
    # librosa.filters.mel(sr=16000, n_fft=400, n_mels=40): heights of the first and the last peak
    assert filters[[0, -1]].max(axis=1) == pytest.approx([0.012404521, 0.0017249404], rel=1e-5)
    np.testing.assert_allclose(filters[10:].sum(axis=1) * 40, 1, rtol=0.1)


def test_wrong_weights_are_a_model_error(tmp_path):
    with pytest.raises(ModelError, match="speaker encoder"):
        SpeakerEncoder(tmp_path)
    save_file({"linear.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="speaker encoder"):
        SpeakerEncoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not safetensors at all")
    with pytest.raises(ModelError, match="speaker encoder"):
        SpeakerEncoder(tmp_path)
