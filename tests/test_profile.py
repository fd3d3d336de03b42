"""Profiles: what they may say, what each step gets by them, and when engines start flows."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurization.errors import ConfigError
from steps.cron import check_cron
from steps.options import build
from steps.placement import CATCHING, ENGINE, MOST_ATTEMPTS, Declared, declared, place
from steps.profile import MOST_RETRIES, Profile, StepOptions, parse_profile
from steps.store import ROOT

ARGO = 'platform = "argo"\nimage = "there/rushes:cpu"\n'
STORE = '[environment]\nRUSHES_STORE = "s3://bucket/rushes"\n'
BATCH = 'platform = "step-functions"\nimage = "there/rushes:cpu"\nqueue = "cpu"\n'

options = st.builds(
    StepOptions,
    **{f.name: st.none() | st.integers(1, MOST_RETRIES) for f in fields(StepOptions)},
)


def profile(text: str) -> Profile:
    return build(Profile, parse_profile(text))


@given(options, options, options)
def test_options_give_way_in_order(a: StepOptions, b: StepOptions, c: StepOptions):
    assert (a | b) | c == a | (b | c)
    assert a | StepOptions() == StepOptions() | a == a | a == a
    assert (a | ENGINE).said().keys() == {f.name for f in fields(StepOptions)}
    for f in fields(StepOptions):
        said = [one for one in (getattr(a, f.name), getattr(b, f.name)) if one is not None]
        assert getattr(a | b, f.name) == (said[0] if said else None)


@given(st.integers(0, MOST_RETRIES), st.booleans())
def test_a_task_has_at_most_the_attempts_that_metaflow_keeps(retries: int, caught: bool):
    asked = Declared(StepOptions(retries=retries), caught)
    attempts = 1 + retries + CATCHING * caught
    if attempts > MOST_ATTEMPTS:
        with pytest.raises(ConfigError, match="retries must be at most 2"):
            place(Profile(), "FeaturizeMedia.hear", asked)
    else:
        assert place(Profile(), "FeaturizeMedia.hear", asked).attempts == attempts


def test_a_step_gets_what_the_nearest_says():
    ours = profile(
        ARGO + 'gpu_image = "there/rushes:gpu"\n' + STORE + "[default]\ncpu = 2\nmemory_mb = 2000\nretries = 1\n"
        '[gpu_node_selector]\ngpu = "yes"\n[node_selector]\nzone = "a"\n[steps."FeaturizeMedia.hear"]\nmemory_mb = 9000'
    )
    said = Declared(StepOptions(memory_mb=16_000, gpu=1, timeout_minutes=30))
    hear = place(ours, "FeaturizeMedia.hear", said)
    assert (hear.memory_mb, hear.cpu, hear.gpu, hear.timeout_minutes, hear.attempts) == (9000, 2, 1, 30, 2)
    assert (hear.image, hear.node_selector) == ("there/rushes:gpu", {"zone": "a", "gpu": "yes"})
    other = place(ours, "FeaturizeMedia.commit", Declared())
    assert (other.memory_mb, other.gpu, other.disk_mb) == (2000, 0, ENGINE.disk_mb)
    assert (other.image, other.node_selector) == ("there/rushes:cpu", {"zone": "a"})


def test_decorators_are_read_as_metaflow_means_them():
    said = declared({"step": {}, "catch": {"var": "failure"}, "retry": {}, "timeout": {"hours": 1, "seconds": 120}})
    assert said == Declared(StepOptions(timeout_minutes=62, retries=3), caught=True)
    assert declared({"resources": {"gpu": 1}}).options == StepOptions(cpu=1, memory_mb=4096, gpu=1)
    assert declared({"resources": {"cpu": "2", "memory": "8000", "gpu": None}}).options == StepOptions(2, 8000)
    assert declared({"step": {}}) == Declared()


@pytest.mark.parametrize("name", ["local", "argo", "step-functions"])
def test_the_profiles_of_the_repository_are_sound(name: str):
    ours = profile((ROOT / "config" / f"{name}.toml").read_text())
    assert ours.platform == name
    assert ours.max_splits >= 90


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("platform = 'moon'", "platform must be one of local, argo, step-functions, got 'moon'"),
        ("platform = ", "the profile is not TOML"),
        ("image = 'x'", "platform local has no image"),
        ("[schedules]\nIngestMedia = '0 * * * *'", "platform local has no schedules"),
        ('platform = "argo"\n' + STORE, "platform argo needs an image"),
        (ARGO, "environment.RUSHES_STORE must be an address such as s3://bucket/prefix, got ''"),
        (ARGO + "[environment]\nRUSHES_STORE = '/data'", "got '/data': the disk of a task is gone when it ends"),
        (ARGO + STORE + "AWS_SECRET_ACCESS_KEY = 'x'", "environment.AWS_SECRET_ACCESS_KEY looks like a secret"),
        (ARGO + STORE + "RUSHES_EVENT_SALT = 'x'", "environment.RUSHES_EVENT_SALT looks like a secret"),
        (ARGO + 'queue = "q"\n' + STORE, "platform argo has no queue"),
        (ARGO + "timezone = 'Mars/Base'\n" + STORE, "no time zone is called 'Mars/Base'"),
        (ARGO + STORE + "[schedules]\nTrainRanker = '15 3 * *'", "has 4 fields, this engine wants 5"),
        (ARGO + STORE + "[schedules]\nTrain = '15 3 * * *'", "the profile names a flow 'Train'; flows are IngestMedia"),
        (ARGO + STORE + "[triggers]\nTrainRanker = 'Moon'", "the profile names a flow 'Moon'"),
        (
            ARGO + STORE + "[triggers]\nTrainRanker = 'IngestMedia'\nIngestMedia = 'TrainRanker'",
            "triggers run in a circle: TrainRanker after IngestMedia after TrainRanker",
        ),
        (ARGO + STORE + '[steps."hear"]\ncpu = 1', "a step is named FLOW.STEP"),
        (ARGO + STORE + '[steps."Hear.hear"]\ncpu = 1', "the profile names a flow 'Hear'"),
        (ARGO + STORE + '[steps."TrainRanker.fit"]\ncpus = 1', "unknown key cpus in [steps.TrainRanker.fit]"),
        (ARGO + STORE + '[steps."TrainRanker.fit"]\ncpu = 0', "cpu must be at least 1, got 0"),
        (ARGO + STORE + "[default]\nretries = 5", "retries must be 0 to 4 (Metaflow keeps 6 attempts), got 5"),
        (ARGO + STORE + "[default]\ncpu = 'many'", "default.cpu must be int, got 'many'"),
        ('platform = "step-functions"\nimage = "x"\n' + STORE, "platform step-functions needs a queue"),
        (BATCH + STORE + "[triggers]\nTrainRanker = 'IngestMedia'", "platform step-functions has no triggers"),
        (BATCH + 'timezone = "UTC"\n' + STORE, "platform step-functions has no timezone"),
        (BATCH + STORE + "[schedules]\nTrainRanker = '15 3 * * *'", "has 5 fields, this engine wants 6"),
        ("colour = 'red'", "unknown key colour in it; known keys: platform, image"),
        ("max_splits = 0", "max_splits at least 1"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_in_one_line(text: str, said: str):
    with pytest.raises(ConfigError) as refused:
        parse_profile(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "step", "said"),
    [
        (ARGO + STORE, StepOptions(gpu=1), "F.s asks for 1 GPU, and the profile has no gpu_image"),
        (
            BATCH + "gpu_image = 'g'\n" + STORE,
            StepOptions(gpu=2),
            "F.s asks for 2 GPU, and the profile has no gpu_q",
        ),
        (BATCH + STORE, StepOptions(disk_mb=9000), "F.s asks for disk_mb = 9000, and AWS Batch gives disk by machine"),
    ],
)
def test_a_step_cannot_have_what_its_engine_does_not_give(text: str, step: StepOptions, said: str):
    with pytest.raises(ConfigError) as refused:
        place(profile(text), "F.s", Declared(step))
    assert said in str(refused.value)


def test_a_gpu_may_be_turned_off():
    ours = profile(ARGO + STORE + '[steps."FeaturizeMedia.hear"]\ngpu = 0')
    assert place(ours, "FeaturizeMedia.hear", Declared(StepOptions(gpu=1))).gpu == 0


@pytest.mark.parametrize(
    ("cron", "years"),
    [
        ("15 3 * * *", False),
        ("*/5 0-6 1,15 JAN-MAR mon-fri", False),
        ("0 0 ? * SUN", False),
        ("15 3 * * ? *", True),
        ("0/15 8-17 ? * MON-FRI 2026-2030", True),
        ("0 0 L * ? *", True),
        ("0 0 ? * 6#3 *", True),
        ("0 0 3W * ? *", True),
    ],
)
def test_a_time_that_an_engine_knows_is_taken(cron: str, years: bool):
    check_cron(cron, years=years)


@pytest.mark.parametrize(
    ("cron", "years", "said"),
    [
        ("", False, "has 0 fields"),
        ("60 3 * * *", False, "'60' is no minute (0 to 59)"),
        ("0 24 * * *", False, "'24' is no hour"),
        ("0 0 0 * *", False, "'0' is no day of month"),
        ("0 0 * 13 *", False, "'13' is no month"),
        ("0 0 * * 7", False, "'7' is no day of week"),
        ("0 0 L * *", False, "'L' is no day of month"),
        ("*/0 * * * *", False, "'0' is no step of a minute"),
        ("*/x * * * *", False, "'X' is no step of a minute"),
        ("now * * * *", False, "'NOW' is no minute"),
        ("0 0 * * * *", True, "either the day of month or the day of week must be ?"),
        ("0 0 ? * ? *", True, "either the day of month or the day of week must be ?"),
        ("0 0 ? * 0 *", True, "'0' is no day of week"),
        ("0 0 * * ? 1969", True, "'1969' is no year"),
    ],
)
def test_a_time_that_never_comes_is_refused(cron: str, years: bool, said: str):
    with pytest.raises(ValueError, match="cron") as refused:
        check_cron(cron, years=years)
    assert said in str(refused.value)


def test_options_of_a_profile_survive_being_kept_with_the_run():
    text = (ROOT / "config" / "argo.toml").read_text()
    kept: dict[str, Any] = tomllib.loads(text)
    assert parse_profile(text) == kept
    assert build(Profile, kept).gpu_tolerations[0]["operator"] == "Exists"
