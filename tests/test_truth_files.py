"""What the store holds against truth files: matched by name, measured as benchmarks do, and named if unusable."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stocked_store import ASSETS_BY_ID, DRUM, JAR, LAMP, ROPE, asset, stocked

from eval.ad_metrics import ad_probabilities, judge_ads
from eval.detection_metrics import DetectionMetrics
from eval.shot_metrics import TransitionSpan
from featurization.errors import SourceError
from featurization.media import AdSpan, Segment, Sentence, Shot, SoundSpan, Turn
from steps.store import Store
from steps.tables import ADS, ASSETS, SHOTS
from steps.truth import measure_truth
from steps.truth.formats import read_rttm, read_sounds, read_spans, read_text, read_transitions, write_rttm
from steps.truth.tasks import as_shots_meet, transitions

FILM = "ff06" * 4
RATE = 25.0
SAID = "We found a lamp. Who lit it and why? Nobody knows. It burned all night."


def shots_at(*joints: tuple[int, int, int, str], end: int = 500) -> list[Shot]:
    """Shots that meet at frames (at, first, last), at 25 frames a second."""
    edges = [(0, 0, -1, "start"), *joints, (end, end, end, "cut")]
    made = []
    for number, ((at, _, last, kind), (until, first, _, _)) in enumerate(pairwise(edges)):
        fade_in_s = (last + 1 - at) / RATE if last > at else 0.0
        fade_out_s = (until - first) / RATE
        made.append(Shot(at / RATE, until / RATE, number, kind, fade_in_s=fade_in_s, fade_out_s=fade_out_s))
    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The lamp, the jar and the rope are heard, the drum is not, and a film has a cut and a dissolve."""
    made = stocked(tmp_path_factory.mktemp("truth") / "store")
    film = replace(
        asset(FILM, "The film"), kind="video", frame_rate=RATE, duration_s=20.0, source="/films/the film.mp4"
    )
    shots = shots_at((100, 100, 100, "cut"), (200, 195, 205, "dissolve"))
    ads = [AdSpan(0.0, 12.0, "sponsor", 0.9), AdSpan(12.0, 17.5, "sponsor", 0.4)]
    made.commit("test", {ASSETS: {FILM: [film]}, SHOTS: {FILM: shots}, ADS: {JAR: ads}})
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "truth"
    made.mkdir()
    return made


# measuring -----------------------------------------------------------------------------------------------------------


def test_word_errors_are_pooled_over_assets(store: Store, folder: Path):
    (folder / "lamp.txt").write_text("We found the lamp. Who lit it, and why? Nobody knows.")  # by guid; 11 words
    assert measure_truth(folder, store=store).figures == {"transcripts": {"wer": pytest.approx(5 / 11)}}
    (folder / f"{ROPE}.words.csv").write_text("start,end,text\n" + "".join(f"0,1,{word}\n" for word in SAID.split()))
    found = measure_truth(folder, store=store)
    assert found.figures == {"transcripts": {"wer": pytest.approx(5 / (11 + 15))}}
    assert found.files == {"transcripts": 2}
    assert (found.problems, found.unmatched) == ((), ())


def test_turns_are_measured_with_and_without_a_collar(store: Store, folder: Path):
    said = [Turn(1.0, 11.5, "anna"), Turn(12.0, 22.0, "ben")]  # half a second too long is what the store has
    (folder / f"{LAMP}.rttm").write_text(write_rttm("x", said))
    figures = measure_truth(folder, store=store).figures["speakers"]
    assert figures["der"] == figures["false_alarm"] == pytest.approx(0.5 / 20.5)
    assert figures["der_collar"] == pytest.approx(0.25 / (20.5 - 4 * 0.25))
    assert (figures["missed"], figures["confused"]) == (0, 0)


def test_sounds_are_measured_by_label(store: Store, folder: Path):
    (folder / f"{LAMP}.sounds.csv").write_text("start,end,label\n1,22.5,speech\n0,4,music\n")
    figures = measure_truth(folder, store=store).figures["sounds"]
    assert figures["speech f1"] == 1
    assert (figures["music precision"], figures["music recall"]) == (1, 0.5)
    assert "noise f1" not in figures


def test_shots_are_measured_in_frames(store: Store, folder: Path):
    rows = "type,start_frame,end_frame\ncut,102,102\ngradual,190,198\ncut,300,300\n"
    (folder / "the film.transitions.csv").write_text(rows)  # by the name of the source
    figures = measure_truth(folder, store=store).figures["shots"]
    assert (figures["tolerance_2 all precision"], figures["tolerance_2 all recall"]) == (1, pytest.approx(2 / 3))
    assert (figures["tolerance_0 cuts recall"], figures["tolerance_0 gradual recall"]) == (0, 1)


def test_ads_are_measured_in_sentences(store: Store, folder: Path):
    (folder / f"{JAR}.ads.csv").write_text("start,end\n6.5,17\n")  # the second and the third sentence of four
    figures = measure_truth(folder, store=store).figures["ads"]
    assert figures == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "content_loss_s": 6.5, "ad_leak_s": 5.0}


def test_no_ads_at_all_is_a_truth_too(store: Store, folder: Path):
    (folder / f"{JAR}.ads.csv").write_text("start,end\n")
    figures = measure_truth(folder, store=store).figures["ads"]
    assert figures == {"precision": 0, "recall": 0, "f1": 0, "content_loss_s": 12.0, "ad_leak_s": 0}


@given(st.lists(st.tuples(st.integers(2, 30), st.integers(0, 12), st.booleans()), max_size=6))
def test_transitions_come_back_from_shots(gaps):
    joints, start = [], 0
    for gap, length, gradual in gaps:
        first = start + gap
        last = first + length if gradual else first
        joints.append(((first + last + 1) // 2, first, last, "dissolve" if gradual else "cut"))
        start = last + 1
    expected = [TransitionSpan(first, last, gradual=kind != "cut") for _, first, last, kind in joints]
    assert transitions(shots_at(*joints, end=start + 50), RATE) == expected


def test_a_fade_out_and_the_fade_in_after_it_are_one_transition_as_in_the_store():
    found = [TransitionSpan(30, 30), TransitionSpan(180, 239), TransitionSpan(331, 422, gradual=True)]
    fades = [TransitionSpan(332, 359, gradual=True), TransitionSpan(394, 423, gradual=True)]
    truth = [TransitionSpan(30, 30), TransitionSpan(180, 180), TransitionSpan(211, 239, gradual=True), *fades]
    missed = TransitionSpan(600, 610, gradual=True)
    assert as_shots_meet([*truth, missed], found) == [
        TransitionSpan(30, 30),
        TransitionSpan(180, 239),
        TransitionSpan(332, 423, gradual=True),
        missed,
    ]


# names and problems --------------------------------------------------------------------------------------------------


def test_files_of_no_asset_are_listed_and_do_no_harm(store: Store, folder: Path):
    (folder / "README.txt").write_text("about these files")
    (folder / "notes.md").write_text("no truth")
    (folder / f"{LAMP}.txt").write_text(SAID)
    found = measure_truth(folder, store=store)
    assert found.unmatched == ("README.txt",)
    assert found.figures == {"transcripts": {"wer": 0}}
    assert "of no asset in the store, by id, guid or file name: README.txt" in found.describe()


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (f"{LAMP}.sounds.csv", "start,end,label\n0,1,speech\n1,2,song\n", "row 2: unknown label 'song'; known labels"),
        (f"{LAMP}.sounds.csv", "start,end,label\n", "nothing in it to measure by"),
        (f"{LAMP}.rttm", "SPEAKER a 1 soon\n", "line 1: not an RTTM line"),
        (f"{LAMP}.rttm", "SPEAKER a 1 700 5 <NA> <NA> x <NA> <NA>\n", "705.0 s lies behind the end"),
        (f"{LAMP}.txt", " \n", "no words in it"),
        (f"{LAMP}.words.csv", "word\nlamp\n", "no column text"),
        (f"{JAR}.ads.csv", "start,end\n5,1\n", "row 1: segment must satisfy 0 <= start <= end"),
        (f"{DRUM}.txt", SAID, "of [bold]Ash[/] Lane was not heard yet; featurize it"),
        (f"{LAMP}.transitions.csv", "type,start_frame,end_frame\ncut,1,1\n", "no shots of The lamp are in the store"),
        (f"{FILM}.transitions.csv", "type,start_frame,end_frame\ncut,9000,9000\n", "frame 9000 lies behind the end"),
    ],
)
def test_what_cannot_be_used_is_named_and_the_rest_is_measured(store: Store, folder: Path, name, text, complaint):
    (folder / name).write_text(text)
    (folder / f"{ROPE}.txt").write_text(SAID)
    found = measure_truth(folder, store=store)
    assert found.figures == {"transcripts": {"wer": 0}}
    (problem,) = found.problems
    assert complaint in problem
    assert "\n" not in problem


def test_two_truths_of_one_asset_and_one_name_of_two_assets_are_refused(store: Store, folder: Path):
    store = Store(store.url)
    twin = replace(ASSETS_BY_ID[DRUM], guid="twins")
    store.commit("test", {ASSETS: {DRUM: [twin], "ee07" * 4: [replace(twin, asset_id="ee07" * 4)]}})
    for name in (f"{LAMP}.txt", "lamp.txt", "twins.txt"):
        (folder / name).write_text(SAID)
    found = measure_truth(folder, store=store)
    assert found.files == {"transcripts": 1}
    second, twins = found.problems
    assert "lamp.txt: The lamp has another file of the same kind; keep one" in second
    assert "2 assets are called so" in twins


def test_a_folder_without_truth_is_refused(store: Store, folder: Path):
    with pytest.raises(SourceError, match=r"no truth file in it; they are called NAME\.txt, NAME\.words\.csv"):
        measure_truth(folder, store=store)
    with pytest.raises(SourceError, match="no such folder"):
        measure_truth(folder / "none", store=store)


# formats -------------------------------------------------------------------------------------------------------------


def test_truth_is_read_as_it_was_written(folder: Path):
    path = folder / "a.csv"
    path.write_text("\ufeffstart,end,label,note\n0,1.5, speech ,x\n")
    assert read_sounds(path) == (SoundSpan(0, 1.5, "speech"),)
    path.write_text("end,start\n2,1\n")
    assert read_spans(path) == (Segment(1, 2),)
    path.write_text("type,start_frame,end_frame\nHard cut,7.0,7\nfade,9,12\n")
    assert read_transitions(path) == (TransitionSpan(7, 7), TransitionSpan(9, 12, gradual=True))


@pytest.mark.parametrize(
    ("reader", "text", "complaint"),
    [
        (read_sounds, "start,end,label\n0,inf,speech\n", "row 1: 'inf' is no time"),
        (read_sounds, "start,end,label\n0\n", "row 1: unknown label ''"),
        (read_spans, "start,end\nnan,1\n", "row 1: 'nan' is no time"),
        (read_transitions, "type,start_frame,end_frame\ncut,x,1\n", "row 1: not a transition: frames 'x' to '1'"),
        (read_transitions, "type,start_frame,end_frame\ncut,9,1\n", "not a transition"),
        (read_rttm, "SPEAKER a 1 0 inf <NA> <NA> x\n", "line 1: not an RTTM line"),
    ],
)
def test_rows_that_say_nothing_usable_are_named(folder: Path, reader, text, complaint):
    path = folder / "a.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match=complaint):
        reader(path)


def test_bytes_that_are_no_text_are_refused(folder: Path):
    path = folder / "a.txt"
    path.write_bytes(b"\xff\xfe\x00lamp")
    for reader in (read_text, read_rttm, read_sounds):
        with pytest.raises(SourceError, match=r"not (a readable CSV file|readable text)"):
            reader(path)


def test_a_sentence_is_an_ad_if_its_middle_is():
    sentences = [Sentence(0, 4, "a"), Sentence(4, 8, "b"), Sentence(8, 12, "c")]
    found = [AdSpan(5, 11, "sponsor", 0.7), AdSpan(9, 12, "sponsor", 0.9)]
    assert ad_probabilities(sentences, found).tolist() == [0, 0.7, 0.9]
    assert judge_ads(sentences, [Segment(0, 7)], found) == DetectionMetrics(1, 1, 1, 0)
