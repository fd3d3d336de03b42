import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from featurization.decode import decode_audio
from featurization.diarization.grouping import assign, find_centres
from featurization.diarization.local_speakers import LocalSpeaker, LocalVoices
from featurization.diarization.segmentation import FIRST_S, FRAME_S, WINDOW_FRAMES, SpeakerSegmenter, window_starts
from featurization.diarization.voices import Voices, join_channels
from featurization.diarization.weaving import give_speech, turns_of, weave
from featurization.errors import ModelError
from featurization.media import Segment, Turn, overlap_s
from featurization.models import load_registry
from featurization.speaker_encoder import SpeakerEncoder, mel_filters
from featurization.speakers import SpeakerOptions, find_voices, load_diarizer
from featurization.tensor_pickle import load_tensors

EPISODES = Path(__file__).parent.parent / "samples" / "episodes"
TRUTH = json.loads((EPISODES.parent / "truth.json").read_text())
BEGINNING = Segment(0, 40)


@pytest.fixture(scope="module")
def encoder():
    return SpeakerEncoder(load_registry().locate("resemblyzer"))


@pytest.fixture(scope="module")
def segmenter():
    return SpeakerSegmenter(load_registry().locate("pyannote-segmentation"))


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """The sound of each sample."""
    return {name: decode_audio(EPISODES / name, scratch=tmp_path_factory.mktemp("scratch")).read for name in TRUTH}


@pytest.fixture(scope="module")
def heard(readers, encoder, segmenter):
    """Who speaks in the first seconds of each sample, without voice activity."""
    return {
        name: find_voices(read, BEGINNING, [], segmenter=segmenter, encoder=encoder) for name, read in readers.items()
    }


def spoken(name, until=BEGINNING.end):
    return [row for row in TRUTH[name]["speakers"] if row["end"] <= until]


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_who_speaks_in_the_samples(heard, name):
    truth, turns = spoken(name), heard[name].turns
    names = {row["speaker"] for row in truth}
    assert sorted({turn.speaker for turn in turns}) == [f"S{n + 1}" for n in range(len(names))]
    label = {turns[0].speaker: truth[0]["speaker"]}
    label |= dict.fromkeys({turn.speaker for turn in turns} - label.keys(), *(names - {truth[0]["speaker"]}))
    right = sum(
        overlap_s(Segment(row["start"], row["end"]), [t for t in turns if label[t.speaker] == row["speaker"]])
        for row in truth
    )
    assert right > 0.93 * sum(row["end"] - row["start"] for row in truth)


def test_every_speaker_has_a_vector_and_every_turn_says_how_sure_it_is(heard):
    for voices in heard.values():
        assert len(voices.vectors) == len({turn.speaker for turn in voices.turns})
        np.testing.assert_allclose(np.linalg.norm(voices.vectors, axis=1), 1, atol=1e-5)
        assert all(0 <= turn.confidence <= 1 and turn.end <= BEGINNING.end for turn in voices.turns)
        assert list(voices.turns) == sorted(voices.turns, key=lambda turn: (turn.start, turn.end))


def test_the_same_input_gives_the_same_turns(readers, encoder, segmenter):
    read = readers[sorted(TRUTH)[1]]
    first, again = (find_voices(read, Segment(8, 22), [], segmenter=segmenter, encoder=encoder) for _ in range(2))
    assert first.turns == again.turns and first.turns[0].start >= 8


def two_at_once(readers):
    """Eight seconds in which one person talks, four of them with another: (samples, of the first)."""
    name = sorted(TRUTH)[0]
    rows = {row["speaker"]: row for row in reversed(TRUTH[name]["speakers"]) if row["end"] - row["start"] > 6}
    first, second = (readers[name](Segment(row["start"], row["start"] + 6)) for row in rows.values())
    mixed = np.concatenate([first, np.zeros(16_000 * 6, dtype=np.float32)])
    mixed[16_000 * 4 : 16_000 * 10] += second
    return mixed


def reader(samples):
    return lambda span: samples[round(span.start * 16_000) : round(span.end * 16_000)]


def test_two_who_talk_at_once_both_have_turns(readers, encoder, segmenter):
    sound = two_at_once(readers)
    turns = find_voices(reader(sound), Segment(0, 12), [], segmenter=segmenter, encoder=encoder).turns
    assert {turn.speaker for turn in turns} == {"S1", "S2"}
    mine, theirs = ([turn for turn in turns if turn.speaker == name] for name in ("S1", "S2"))
    assert 1 < sum(overlap_s(turn, theirs) for turn in mine) < 2.6
    assert theirs[0].start == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.4, 2.0])
@pytest.mark.parametrize("level", [0.0, 1e-4, 1.0])
def test_what_is_short_silent_faint_or_clipped_gives_sane_turns(encoder, segmenter, seconds, level):
    noise = np.clip(level * np.random.default_rng(3).normal(size=round(seconds * 16_000)) * 4, -1, 1).astype(np.float32)
    span = Segment(0, seconds)
    voices = find_voices(reader(noise), span, [], segmenter=segmenter, encoder=encoder)
    assert all(turn.end <= seconds for turn in voices.turns) and len(voices.vectors) <= 1


def test_turns_may_start_late_in_a_recording(readers, encoder, segmenter):
    name = sorted(TRUTH)[0]
    voices = find_voices(readers[name], Segment(30, 41), [], segmenter=segmenter, encoder=encoder)
    assert voices.turns and all(30 <= turn.start < turn.end <= 41 for turn in voices.turns)


def test_steps_longer_than_a_window_are_refused():
    with pytest.raises(ValueError, match="step_s"):
        SpeakerOptions(step_s=6)


def test_channels_never_share_a_speaker():
    left = Voices((Turn(0, 1, speaker="S1"), Turn(4, 5, speaker="S2")), np.eye(3, dtype=np.float32)[:2])
    right = Voices((Turn(2, 3, speaker="S1"),), np.eye(3, dtype=np.float32)[2:])
    joined = join_channels([left, right])
    assert [(turn.start, turn.speaker) for turn in joined.turns] == [(0, "S1"), (2, "S2"), (4, "S3")]
    assert joined.vectors.argmax(axis=1).tolist() == [0, 2, 1]


def around(directions, counts, spread=0.02):
    """Unit vectors scattered about orthogonal directions."""
    drawn = np.random.default_rng(5)
    rows = [np.eye(256)[d] + spread * drawn.normal(size=(n, 256)) for d, n in zip(directions, counts, strict=True)]
    stacked = np.concatenate(rows)
    return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)


def centres(vectors, least_s=2.5, most=2000):
    alone = np.arange(len(vectors))  # each in a window of its own
    return find_centres(vectors, np.ones(len(vectors)), alone, threshold=0.3, least_s=least_s, most=most)


def test_three_directions_are_three_people():
    found = centres(around([0, 1, 2], [30, 20, 10]))
    assert sorted(found.argmax(axis=1).tolist()) == [0, 1, 2]


def test_who_hardly_speaks_founds_no_group_unless_alone():
    assert len(centres(around([0, 1, 2], [30, 20, 2]))) == 2
    assert len(centres(around([0], [1]))) == 1


def test_who_talks_in_one_window_is_two_people_though_they_sound_alike():
    angles = np.radians([0.0, 40.0] * 6)  # a cosine distance of .23, which a threshold of .3 joins
    voices = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    said = {"seconds": np.full(12, 3.0), "threshold": 0.3, "least_s": 2.5, "most": 100}
    assert len(find_centres(voices, windows=np.arange(12), **said)) == 1
    assert len(find_centres(voices, windows=np.repeat(np.arange(6), 2), **said)) == 2


def test_of_a_long_recording_a_sample_decides():
    assert len(centres(around([0, 1], [900, 600]), most=100)) == 2


@given(st.permutations(range(24)))
def test_people_do_not_depend_on_order(order):
    vectors = around([0, 1, 2], [8, 8, 8])
    found, shuffled = centres(vectors), centres(vectors[order])
    np.testing.assert_allclose(
        found[found.argmax(axis=1).argsort()], shuffled[shuffled.argmax(axis=1).argsort()], atol=1e-5
    )


def local(windows, speakers, vectors=None, step=100):
    """Windows given as activities of three places, 0 or 1 throughout, and who is whose."""
    activities = np.repeat(np.array(windows, dtype=np.uint8)[:, None] * 255, WINDOW_FRAMES, axis=1)
    rows = tuple(LocalSpeaker(window, place, 1.0, 1.0) for window, place in speakers)
    return LocalVoices(activities, step, rows, np.zeros((len(rows), 2)) if vectors is None else vectors)


def test_two_speakers_of_a_window_are_two_people():
    voices = local([[1, 1, 0]], [(0, 0), (0, 1)], np.array([[1.0, 0.0], [0.9, 0.1]], dtype=np.float32))
    assert assign(voices, np.eye(2, dtype=np.float32)).tolist() == [0, 1]


def test_places_of_different_windows_are_woven_into_one_person():
    voices = local([[1, 0, 0], [0, 0, 1]], [(0, 0), (1, 2)])
    likely, talks = weave(voices, np.array([0, 0]), 1)
    assert talks.all() and talks.shape == (WINDOW_FRAMES + 100, 1)
    np.testing.assert_allclose(likely, 1, atol=1e-6)


def test_no_more_people_talk_than_windows_hear():
    voices = local([[1, 1, 0]], [(0, 0), (0, 1)])
    assert weave(voices, np.array([0, 1]), 3)[1].sum(axis=1).tolist() == [2] * WINDOW_FRAMES
    assert weave(local([[1, 0, 0]], [(0, 0)]), np.array([2]), 3)[1].sum(axis=0).tolist() == [0, 0, WINDOW_FRAMES]


def test_speech_that_nobody_said_is_given_to_who_is_near():
    likely, talks = np.zeros((100, 2), dtype=np.float32), np.zeros((100, 2), dtype=bool)
    talks[:10, 1] = True
    likely[50:60, 0] = 0.2
    speech = [Segment(0.3, 0.6), Segment(FIRST_S + 50 * FRAME_S, FIRST_S + 60 * FRAME_S), Segment(1.5, 1.6)]
    given = give_speech(speech, likely, talks, start=0)
    assert given[20].tolist() == [False, True]
    assert given[50:60].tolist() == [[True, False]] * 10
    assert not given[90].any()


def test_short_pauses_are_part_of_a_turn_and_short_turns_are_none():
    talks = np.zeros((400, 1), dtype=bool)
    talks[10:70] = talks[75:100] = talks[300:303] = True
    likely = np.full((400, 1), 0.75, dtype=np.float32)
    ((turn, sure),) = turns_of(likely, talks, 0, span=Segment(5, 11), max_gap_s=0.35, least_s=0.1)
    assert (turn.start, turn.end) == pytest.approx((5 + FIRST_S + 10 * FRAME_S, 5 + FIRST_S + 100 * FRAME_S))
    assert sure == pytest.approx(0.75)


def test_windows_cover_the_whole_span():
    assert window_starts(Segment(3, 5), 148) == [3]
    starts = window_starts(Segment(0, 12), 148)
    assert starts[-1] + 5 >= 12 and starts[-2] + 5 < 12


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


def test_foreign_weights_are_no_segmentation(tmp_path):
    with pytest.raises(ModelError, match="pyannote/segmentation"):
        SpeakerSegmenter(tmp_path)
    save_file({"classifier.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="pyannote/segmentation"):
        SpeakerSegmenter(tmp_path)


def test_the_segmentation_is_that_of_pyannote(readers, segmenter):
    (activity,) = segmenter([readers[sorted(TRUTH)[0]](Segment(20, 25))])
    assert activity.shape == (WINDOW_FRAMES, 3)
    # pyannote.audio 4.0.7 on the same samples: one talks in 268 frames, nobody else
    assert sorted((activity > 0.5).sum(axis=0).tolist()) == [0, 0, 268]


def test_the_better_engine_says_how_to_get_it(tmp_path):
    with pytest.raises(ModelError, match="rushes models fetch pyannote-community-1"):
        load_diarizer(SpeakerOptions(engine="pyannote"), load_registry(folder=tmp_path))
    (tmp_path / "pyannote-community-1").mkdir()
    (tmp_path / "pyannote-community-1" / "config.yaml").write_text("pipeline: {}")
    with pytest.raises(ModelError, match=r"install -e \.\[pyannote\]|cannot load the pipeline"):
        load_diarizer(SpeakerOptions(engine="pyannote"), load_registry(folder=tmp_path))


class Foreign:
    """An object of the program that wrote a checkpoint."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was run')",)


def test_of_a_checkpoint_only_tensors_are_read(tmp_path):
    checkpoint = {"state_dict": {"weight": torch.arange(3.0)}, "hyper_parameters": Foreign()}
    torch.save(checkpoint, tmp_path / "model.pt")
    assert load_tensors(tmp_path / "model.pt")["weight"].tolist() == [0, 1, 2]


def test_what_is_no_checkpoint_is_a_model_error(tmp_path):
    for content in (b"", b"not a pickle", pickle.dumps({"epoch": 3})):
        (tmp_path / "model.pt").write_bytes(content)
        with pytest.raises(ModelError, match="checkpoint"):
            load_tensors(tmp_path / "model.pt")
