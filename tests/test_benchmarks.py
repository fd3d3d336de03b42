"""Every task on data made for the purpose, through the real command line; what it writes is read by others."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import av.logging
import numpy as np
import pytest
from media_factory import RATE_HZ, encode, noise, silence, tone
from spoken_sample import RATE_HZ as SPOKEN_HZ
from spoken_sample import excerpt

from benchmarks.bare_loudnorm import loudnorm
from benchmarks.long_file import repeated
from benchmarks.processes import ProgramFailedError, run_measured, run_peer
from benchmarks.scale_model import Catalogue, Measurements, estimate
from eval.word_errors import word_errors
from featurization.decode import decode_audio
from featurization.errors import SourceError
from featurization.media import Segment, Turn
from featurization.model_files import sha256_of
from featurization.models import load_registry
from steps.costs import PriceOptions
from steps.store import ROOT
from steps.truth.formats import read_rttm, write_rttm

TASKS = ("asr", "diarization", "sounds", "shots", "ads", "tags", "pipeline", "search", "studio", "scale", "ranking")


def benchmarks(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


def measure(task: str, data: Path, folder: Path, *more: str) -> tuple[dict[str, Any], Path, str]:
    """The report, the folder of predictions, and what was printed."""
    out, predictions = folder / "made" / "report.json", folder / "predictions"
    done = benchmarks(task, data, "--out", out, "--predictions", predictions, *more)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text()), predictions, done.stdout


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, columns: list[str], values: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *values])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def spoken(path: Path, first: int, last: int) -> str:
    """Write sentences [first, last) of the sample to `path`; returns what they say."""
    part = excerpt().sentences[first:last]
    start, end = part[0].start - 0.2, part[-1].end + 0.2
    encode(path, excerpt().samples[round(start * SPOKEN_HZ) : round(end * SPOKEN_HZ)], SPOKEN_HZ)
    return " ".join(sentence.text for sentence in part)


def test_recognition_is_measured_beside_the_bare_engine(data: Path, tmp_path: Path):
    texts = {"one.wav": spoken(data / "one.wav", 1, 2), "two.flac": spoken(data / "two.flac", 2, 4)}
    write_csv(
        data / "refs.csv", ["file", "language", "duration_s", "text"], [(f, "en", "", t) for f, t in texts.items()]
    )
    report, predictions, printed = measure("asr", data, tmp_path)

    errors = word_errors("", "")
    for file, text in texts.items():
        predicted = json.loads((predictions / f"{file}.json").read_text())["words"]
        assert all(set(word) == {"start", "end", "text", "probability"} for word in predicted)
        assert all(0 <= a["start"] < a["end"] <= b["start"] for a, b in pairwise(predicted))
        errors += word_errors(text, " ".join(word["text"] for word in predicted))
    assert report["metrics"]["wer"] == pytest.approx(errors.rate, abs=1e-5)
    assert errors.rate < 0.4
    assert report["counts"]["words"] == errors.words
    assert (report["metrics"]["words_in_music"], report["metrics"]["words_in_silence"]) == (0, 0)
    assert set(report["peers"]["faster-whisper alone"]) == set(report["metrics"])
    assert [file["file"] for file in report["files"]] == list(texts)
    assert "wer" in printed
    assert "faster-whisper alone" in printed


def test_turns_are_measured_beside_a_naive_pipeline(data: Path, tmp_path: Path):
    spoken(data / "talk.flac", 0, 5)
    zero_s = excerpt().sentences[0].start - 0.2
    names = ("marcus", "marcus", "helen", "helen", "marcus")
    said = [
        Turn(s.start - zero_s, s.end - zero_s, name) for s, name in zip(excerpt().sentences[:5], names, strict=True)
    ]
    (data / "talk.rttm").write_text(write_rttm("talk", said))
    report, predictions, _ = measure("diarization", data, tmp_path)
    found = read_rttm(predictions / "talk.rttm")
    assert len({turn.speaker for turn in found}) == 2
    assert report["metrics"]["der"] < 0.3
    assert report["metrics"]["der_collar"] <= report["metrics"]["der"]
    assert report["counts"]["spoken_s"] == pytest.approx(sum(turn.duration for turn in said), abs=0.01)
    (peer,) = report["peers"].values()
    assert set(peer) == set(report["metrics"]) - {"peak_mb"}  # it shares our process


def test_sounds_are_measured_in_frames(data: Path, tmp_path: Path):
    sample = excerpt(seconds=20.0)
    encode(data / "show.mp3", sample.samples, SPOKEN_HZ)
    truth = [(m.start, m.end, "music") for m in sample.music] + [(s.start, s.end, "speech") for s in sample.sentences]
    write_csv(data / "show.sounds.csv", ["start", "end", "label"], truth)
    report, predictions, _ = measure("sounds", data, tmp_path)
    assert report["metrics"]["speech"]["f1"] > 0.9
    assert report["metrics"]["music"]["f1"] > 0.9
    assert report["counts"]["music_frames"] == pytest.approx(100 * sum(m.duration for m in sample.music), abs=1)
    found = rows(predictions / "show.sounds.csv")
    assert list(found[0]) == ["start", "end", "label"]
    assert {row["label"] for row in found} >= {"speech", "music"}


def test_ads_are_measured_in_sentences(data: Path, tmp_path: Path):
    talk = [("O", f"The keeper wrote line number {n} of the logbook by the light of the lamp.") for n in range(20)]
    ad = [
        ("sponsor", "This episode is brought to you by Northwind Lamps."),
        ("sponsor", 'Use the code "LANTERN" for ten percent off, at northwind dot com.'),
    ]
    sentences = [*talk, *ad, *talk]
    write_csv(data / "show.csv", ["label", "sentence"], sentences)
    report, predictions, _ = measure("ads", data, tmp_path)
    found = rows(predictions / "show.csv")
    assert [row["sentence"] for row in found] == [sentence for _, sentence in sentences]
    assert all(0 <= float(row["probability"]) <= 1 for row in found)
    assert all(float(row["probability"]) >= 0.5 for row in found[20:22])
    assert report["metrics"]["recall"] == 1
    assert report["counts"] == {"files": 1, "sentences": 42, "ads": 2}
    assert {"precision", "recall", "f1", "average_precision"} <= set(report["peers"]["keywords"])
    assert_says_on_what_it_was_measured(report)


def assert_says_on_what_it_was_measured(report: dict[str, Any]) -> None:
    assert report["task"] == "ads"
    assert report["wall_s"] > 0
    assert report["cpu_s"] > 0
    assert report["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert report["versions"]["numpy"] == np.__version__
    registry = load_registry()
    model = report["models"]["minilm-l6-v2"]
    assert model["identity"] == registry.identity("minilm-l6-v2")
    assert {name: sha256_of(registry.locate("minilm-l6-v2") / name) for name in model["sha256"]} == model["sha256"]


def test_the_pipeline_is_measured_stage_by_stage_on_one_long_file(data: Path, tmp_path: Path):
    spoken(data / "talk.mp3", 0, 3)
    report, _, _ = measure("pipeline", data, tmp_path, "--repeat-to", "0.006")
    metrics, stages = report["metrics"], report["stages"]
    assert report["counts"]["assets"] == 1
    assert report["counts"]["media_s"] == pytest.approx(21.6, abs=0.1)
    assert list(stages) == ["ingest", "featurize", "publish"]
    assert sum(stage["wall_s"] for stage in stages.values()) == pytest.approx(metrics["wall_s"], rel=1e-4)
    assert max(stage["peak_mb"] for stage in stages.values()) == pytest.approx(metrics["peak_mb"], rel=1e-4)
    assert {"decode", "words", "turns", "sounds"} <= set(report["extractors_s_per_media_hour"])
    assert 0 < metrics["orchestration_s"] < metrics["wall_s"]
    assert 0 < metrics["second_run"] < 1
    peers = report["peers"]
    assert peers["faster-whisper alone"]["recognition"] > 0
    assert 0 < peers["ffmpeg loudnorm alone"]["real_time_factor"] < 1


def test_growth_is_measured_in_the_real_store_and_the_real_flows(tmp_path: Path):
    done = benchmarks("scale", "--assets", "2", "--out", tmp_path / "scale.json")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "scale.json").read_text())
    found = report["metrics"]["by_assets"]["2"]
    assert found["per_asset_ms"].keys() == {"ingest", "choose", "stage", "commit", "index", "publish"}
    assert all(ms > 0 for ms in found["more_per_asset_ms"].values())
    assert report["metrics"]["flows_s_per_asset"]["2"]["featurize_media"] > 0
    assert report["peers"]["one file a table"]["by_assets"]["2"]["more_per_asset_ms"]["commit"] > 0


def test_what_a_catalogue_costs_is_arithmetic():
    """1,000 episodes of half an hour at a tenth of real time: 180 s each, by ten workers in tasks of 20 minutes."""
    catalogue = Catalogue(episodes=1000, hours_each=0.5, workers=10, run_episodes=500, task_minutes=20.0)
    measured = Measurements(hear_factor=0.1, publish_s=20.0, task_start_s=4.0, commit_s=0.5, index_s=0.1, index_mb=2.0)
    found = estimate(catalogue, measured, PriceOptions(cpu_hour=0.5))
    assert found["media_hours"] == 500
    assert found["tasks"] == pytest.approx(150)  # 1000 * 180 s / 1200 s
    assert found["runs"] == 2
    assert found["hearing_days"] == pytest.approx(18_000 / 86_400)
    assert found["commit_days"] == pytest.approx(500 / 86_400)
    assert found["index_days"] == pytest.approx(100 / 86_400)
    assert found["index_each_run_days"] == pytest.approx(150 / 86_400)  # of 500 assets, then of 1,000
    assert found["index_gb"] == pytest.approx(2.0)
    core_hours = 2 * (1000 * 200 + 150 * 4 + 500 + 100) / 3600
    assert found["core_hours"] == pytest.approx(core_hours)
    assert found["cost_per_media_hour"] == pytest.approx(core_hours * 0.5 / 500)


def test_help_names_every_task_and_shows_how():
    shown = benchmarks("--help").stdout
    assert all(f"  {task} " in shown for task in TASKS)
    assert "python -m benchmarks asr" in shown


@pytest.mark.parametrize(
    ("task", "files", "complaint"),
    [
        ("guess", {}, f"unknown task 'guess'; known tasks: {', '.join(TASKS)}"),
        ("asr", {}, "refs.csv: not a readable CSV file"),
        ("asr", {"refs.csv": "file,text\n"}, "refs.csv: no column language"),
        ("asr", {"refs.csv": "file,language,text\ngone.wav,en,hello\n"}, "gone.wav is not in that folder"),
        ("sounds", {}, "no file NAME.sounds.csv in it"),
        ("diarization", {"a.rttm": "SPEAKER a 1 0 1 <NA> <NA> x\n"}, "a has a truth file but no sound"),
        ("sounds", {"a.sounds.csv": "start,end,label\n0,1,song\n"}, "unknown label 'song'"),
        ("ads", {"a.csv": "kind,sentence\n"}, "a.csv: no column label"),
        ("pipeline", {"notes.txt": "nothing to hear"}, "no media in it"),
    ],
)
def test_data_that_cannot_be_used_is_refused_in_one_line(data: Path, tmp_path: Path, task, files, complaint):
    for name, text in files.items():
        (data / name).write_text(text)
    done = benchmarks(task, data, "--out", tmp_path / "out.json")
    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.json").exists()


def test_a_long_file_repeats_its_parts(tmp_path: Path):
    parts = [encode(tmp_path / "a.wav", tone(1.0, 500.0)), encode(tmp_path / "b.flac", silence(0.5))]
    made = repeated(parts, tmp_path / "long.mp3", hours=7 / 3600)
    pcm = decode_audio(made, scratch=tmp_path)
    assert pcm.duration_s == pytest.approx(7.0, abs=0.1)
    assert pcm.damaged_packets == 0
    loud = np.abs(pcm.read(Segment(0, 7))).reshape(-1, 160).max(axis=1) > 0.1  # by hundredths of a second
    edges = np.flatnonzero(np.diff(loud.astype(int)))
    assert len(edges) == 9
    assert np.diff(edges).tolist() == pytest.approx([100, 50] * 4, abs=5)


def test_a_program_is_charged_for_its_processes(tmp_path: Path):
    child = "import numpy; kept = numpy.ones(25_000_000); print(kept.sum())"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    # Measured from a process of its own: a program is charged for the memory of whoever starts it, and pytest is large.
    measure = (
        "import json, os, pathlib; from benchmarks.processes import run_measured\n"
        f"cost, printed = run_measured(['-c', {parent!r}], folder=pathlib.Path.cwd(), environment=os.environ)\n"
        "print(json.dumps([printed, cost.figures()]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", measure], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    printed, cost = json.loads(done.stdout)
    assert printed.strip() == "25000000.0"
    assert 200 < cost["peak_mb"] < 500
    assert cost["cpu_s"] > 0


def test_a_program_that_fails_says_why(tmp_path: Path):
    with pytest.raises(ProgramFailedError, match="no such episode"):
        run_measured(["-c", "raise SystemExit('no such episode')"], folder=tmp_path, environment=os.environ)
    peer = run_peer("bare_loudnorm", "gone.mp3", folder=tmp_path, environment={**os.environ, "PYTHONPATH": str(ROOT)})
    assert "gone.mp3" in peer["failed"]


def test_loudnorm_measures_what_the_meter_in_the_pipeline_measures(tmp_path: Path):
    path = encode(tmp_path / "noise.wav", noise(6.0, 0.05, rate_hz=RATE_HZ))
    ours = decode_audio(path, scratch=tmp_path).loudness_lufs
    assert float(loudnorm(path)["input_i"]) == pytest.approx(ours, abs=0.2)
    assert av.logging.get_level() is None  # decoders that log hang whoever closes them


def test_turns_survive_rttm(tmp_path: Path):
    turns = (Turn(0.5, 2.25, "anna"), Turn(2.0, 3.0, "S2"))
    path = tmp_path / "a.rttm"
    path.write_text(f";; comment\n{write_rttm('a', turns)}")
    assert read_rttm(path) == turns
    path.write_text("SPEAKER a 1 soon\n")
    with pytest.raises(SourceError, match="line 1: not an RTTM line"):
        read_rttm(path)
