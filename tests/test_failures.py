"""Kills, full disks, rivals and hopeless recordings: the store stays readable and the next run goes on."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Workplace
from media_factory import RATE_HZ, encode, encode_video, music, noise, silence
from spoken_sample import episode_samples

from steps.previews import PREVIEWS
from steps.store import ROOT
from steps.tables import ASSETS, PROFILES, QUARANTINE, WORDS

EPISODE = SAMPLES / "episodes" / "02-the-jar-in-the-cold-barn.mp3"


def first_seconds(seconds: float) -> np.ndarray:
    """The beginning of a talk, from a sample episode's first words on."""
    start = round(7.4 * RATE_HZ)
    return episode_samples(EPISODE, RATE_HZ)[start : start + round(seconds * RATE_HZ)]


def test_hopeless_recordings_get_reasons_and_the_run_goes_on(workplace: Workplace):
    folder = workplace.folder / "media"
    folder.mkdir()
    encode(folder / "silence.mp3", silence(60))
    encode(folder / "music.mp3", music(60, seed=3))
    encode(folder / "noise.flac", noise(30))
    encode(folder / "five-seconds.mp3", first_seconds(5))
    encode(folder / "truncated.mp3", first_seconds(30))
    whole = (folder / "truncated.mp3").read_bytes()
    (folder / "truncated.mp3").write_bytes(whole[: len(whole) // 2 + 7])
    shutil.copy(folder / "five-seconds.mp3", folder / "wrong-extension.wav")
    (folder / "wrong-extension.wav").write_bytes((folder / "five-seconds.mp3").read_bytes() + b"\0" * 9)
    encode_video(folder / "no-sound.mp4", 2.0)
    (folder / "zero.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\x10\0data\0\0\0\0")

    ingested = workplace.flow("ingest_media", "run", "--source", str(folder))
    assert ingested.returncode == 3, ingested.stdout
    reasons = {rows[0].title: rows[0].reason for rows in workplace.store.read(QUARANTINE).values()}
    assert reasons == {"zero": "empty"}

    assert workplace.flow("featurize_media", "run").returncode == 0
    titles = {asset_id: rows[0].title for asset_id, rows in workplace.store.read(ASSETS).items()}
    assert {titles[asset_id] for asset_id in workplace.store.read(PROFILES)} == set(titles.values())
    heard = {titles[asset_id] for asset_id, words in workplace.store.read(WORDS).items() if words}
    assert heard == {"five-seconds", "truncated", "wrong-extension"}

    published = workplace.flow("publish_previews", "run")
    assert published.returncode == 0, published.stdout
    assert "Traceback" not in ingested.stdout + published.stdout
    fate = {titles[asset_id]: rows[0] for asset_id, rows in workplace.store.read(PREVIEWS).items()}
    assert {preview.status for preview in fate.values()} == {"refused"}
    assert "no words" in fate["silence"].reason
    assert "no words" in fate["music"].reason
    assert "5.0 s long" in fate["five-seconds"].reason
    assert "2.0 s long" in fate["no-sound"].reason
    assert workplace.store.files.list("previews") == []


def test_a_run_that_was_killed_is_taken_up_where_it_stopped(workplace: Workplace):
    assert workplace.flow("ingest_media", "run", "--source", str(EPISODE)).returncode == 0
    before = workplace.store.current()
    command = [sys.executable, str(ROOT / "flows" / "featurize_media.py"), "run"]
    run = subprocess.Popen(
        command,
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    features = workplace.folder / "store" / "features" / "speech"
    deadline = time.monotonic() + 120
    while not list(features.rglob("*.parquet")):
        assert time.monotonic() < deadline, "nothing was computed"
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()

    assert workplace.store.current() == before
    assert workplace.store.read(PROFILES) == {}
    kept = {path: path.stat().st_mtime_ns for path in features.rglob("*.parquet")}
    assert workplace.flow("featurize_media", "run").returncode == 0
    assert len(workplace.store.read(PROFILES)) == 1
    assert {path: path.stat().st_mtime_ns for path in features.rglob("*.parquet")} == kept
    leftovers = [path.name for path in (workplace.folder / "store").rglob(".part-*")]
    assert len(leftovers) <= 1  # at most the file that was being written when the run was killed


def test_two_runs_at_once_both_land(workplace: Workplace):
    folders = [workplace.folder / name for name in ("one", "two")]
    for number, folder in enumerate(folders):
        folder.mkdir()
        encode(folder / f"noise-{number}.wav", noise(2.0, seed=number))
    runs = [
        subprocess.Popen(
            [sys.executable, str(ROOT / "flows" / "ingest_media.py"), "run", "--source", str(folder)],
            cwd=workplace.folder,
            env=workplace.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for folder in folders
    ]
    outputs = [run.communicate(timeout=120)[0].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    titles = {rows[0].title for rows in workplace.store.read(ASSETS).values()}
    assert titles == {"noise-0", "noise-1"}
    assert len(workplace.store.history()) == 2


@pytest.fixture
def crowded(workplace: Workplace) -> Path:
    """A folder whose first file fits on the small disk of the next test, and whose second does not."""
    folder = workplace.folder / "media"
    folder.mkdir()
    encode(folder / "small.mp3", noise(3.0))
    encode(folder / "large.wav", noise(30.0))
    return folder


def test_a_full_disk_quarantines_what_does_not_fit_and_says_what_to_do(workplace: Workplace, crowded: Path):
    def small_disk() -> None:  # the kernel refuses to let any file grow beyond this
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = workplace.flow("ingest_media", "run", "--source", str(crowded), preexec_fn=small_disk)
    assert done.returncode == 3, done.stdout
    assert "no space left" in done.stdout
    assert "RUSHES_STORE" in done.stdout
    assert "Traceback" not in done.stdout
    assert [rows[0].title for rows in workplace.store.read(ASSETS).values()] == ["small"]
    assert list((workplace.folder / "store").rglob(".part-*")) == []

    assert workplace.flow("ingest_media", "run", "--source", str(crowded)).returncode == 0
    assert len(workplace.store.read(ASSETS)) == 2
