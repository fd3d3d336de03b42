"""Profiles of runs on this machine: what they change, and what is refused before anything runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Workplace
from media_factory import encode, tone

from steps.store import ROOT, Store
from steps.tables import ASSETS

REMOTE = 'platform = "argo"\nimage = "there/rushes:cpu"\n[environment]\nRUSHES_STORE = "s3://bucket/rushes"\n'


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("max_splits = 10\n", "[fanout] max_tasks is 90, and the profile allows max_splits = 10"),
        ('[steps."IngestMedia.fetsh"]\ncpu = 1', "a step 'IngestMedia.fetsh'; steps of IngestMedia are"),
        ('[steps."IngestMedia.fetch"]\nretries = 3', "IngestMedia.fetch is caught (@catch)"),
        (
            REMOTE + '[parameters.IngestMedia]\nsauce = "x"',
            "gives IngestMedia a parameter 'sauce'; it has limit, source",
        ),
        (REMOTE + '[steps."IngestMedia.fetch"]\ngpu = 1', "asks for 1 GPU, and the profile has no gpu_image"),
        ("platform = 'moon'", "the profile cannot be used: platform must be one of local, argo, step-functions"),
    ],
)
def test_a_wrong_profile_is_refused_before_any_work(profile: str, said: str, workplace: Workplace):
    (workplace.folder / "profile.toml").write_text(profile)
    done = workplace.flow("ingest_media", "--no-pylint", "--config", "profile", "profile.toml", "show")
    assert done.returncode == 1
    assert said in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout


def test_a_profile_that_is_no_file_is_refused(workplace: Workplace):
    done = workplace.flow("ingest_media", "--config", "profile", "nowhere.toml", "show")
    assert done.returncode != 0
    assert "nowhere.toml" in done.stdout
    assert "Traceback" not in done.stdout


def test_tasks_get_what_the_profile_says_and_a_resumed_run_keeps_it(workplace: Workplace):
    (workplace.folder / "media").mkdir()
    encode(workplace.folder / "media" / "tone.mp3", tone(2.0))
    (workplace.folder / "profile.toml").write_text(
        f'[environment]\nRUSHES_STORE = "{workplace.folder / "other"}"\n'
        '[steps."IngestMedia.fetch"]\ntimeout_minutes = 1\nretries = 0\n'
    )
    source = ["--source", str(workplace.folder / "media")]
    done = workplace.flow("ingest_media", "--config", "profile", "profile.toml", "run", *source)
    assert done.returncode == 0, done.stdout
    other = Store(str(workplace.folder / "other"))
    assert len(other.read(ASSETS)) == 1
    assert not Path(workplace.store.url).exists()
    assert workplace.flow("ingest_media", "resume", "commit").returncode == 0
    assert not Path(workplace.store.url).exists()


def test_a_profile_says_how_many_tasks_run_at_a_time(workplace: Workplace):
    (workplace.folder / "profile.toml").write_text("parallelism = 3\n")
    (workplace.folder / "config.toml").write_text("[ingest]\nitems_per_task = 1\n")
    (workplace.folder / "media").mkdir()
    for n in range(3):
        encode(workplace.folder / "media" / f"{n}.mp3", tone(1.0 + n))
    configs = ["--config", "profile", "profile.toml", "--config", "config", "config.toml"]
    done = workplace.flow("ingest_media", *configs, "run", "--source", str(workplace.folder / "media"))
    assert done.returncode == 0, done.stdout
    said = re.findall(r"/fetch/\d+ \(pid \d+\)\] Task (is starting|finished successfully)", done.stdout)
    assert said == 3 * ["is starting"] + 3 * ["finished successfully"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", "the credentials have expired, sign in again"),
        ("AccessDenied", "these credentials may not use the bucket 'ours' of METAFLOW_DATASTORE_SYSROOT_S3"),
        ("SlowDown", "cannot be used (An error occurred (SlowDown) when calling the ListObjectsV2 operation: busy)"),
    ],
)
def test_what_a_bucket_answers_is_told_in_one_line(code: str, said: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(ROOT / "flows")
    from botocore.exceptions import ClientError
    from preflight import meaning

    told = meaning(ClientError({"Error": {"Code": code, "Message": "busy"}}, "ListObjectsV2"), "ours")
    assert said in told
    assert "\n" not in told
