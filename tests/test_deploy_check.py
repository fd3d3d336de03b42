"""What Metaflow makes of our flows on Argo Workflows and on Step Functions, and that a difference would be seen."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Workplace

from featurization.errors import ConfigError
from serving.commands.deploy_check.command import Checked, check_flow, check_profiles, load, places_of, run_deploy_check
from serving.commands.deploy_check.compiling import Compilation, check_installed
from serving.commands.deploy_check.flow_sources import read_flows
from serving.commands.deploy_check.packages import check_package, needed
from steps.profile import Profile
from steps.runs import FLOWS
from steps.store import ROOT

ARGO, BATCH = ROOT / "config" / "argo.toml", ROOT / "config" / "step-functions.toml"
Tamper = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="session")
def compiled() -> dict[Path, dict[str, Checked]]:
    """Both profiles of the repository, compiled once."""
    made = check_profiles([load(ARGO), load(BATCH)])
    return {path: {one.flow.name: one for one in found} for path, found in made.items()}


def templates(one: Checked) -> dict[str, Any]:
    return {template["name"]: template for template in one.compiled.definition["spec"]["templates"]}


def test_the_repository_is_as_its_profiles_say(compiled: Mapping[Path, Mapping[str, Checked]]):
    for path in (ARGO, BATCH):
        assert set(compiled[path]) == set(FLOWS)
        assert [finding.line() for one in compiled[path].values() for finding in one.findings] == []


def test_argo_gets_the_featurization_as_written(compiled: Mapping[Path, Mapping[str, Checked]]):
    one = compiled[ARGO]["FeaturizeMedia"]
    hear, commit = (templates(one)[name] for name in ("hear", "commit"))
    assert hear["container"]["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert hear["activeDeadlineSeconds"] == 12 * 3600
    assert hear["retryStrategy"]["limit"] == 5  # two retries, and three attempts to record what it died of
    assert hear["container"]["image"] == "REGISTRY/rushes:gpu"
    assert hear["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert commit["container"]["resources"]["limits"] == {}
    assert commit["container"]["image"] == "REGISTRY/rushes:cpu"
    assert ("RUSHES_STORE", "s3://BUCKET/rushes") in [(one["name"], one["value"]) for one in commit["container"]["env"]]
    assert one.compiled.definition["spec"]["parallelism"] == 50


def test_argo_starts_each_flow_when_it_should(compiled: Mapping[Path, Mapping[str, Checked]]):
    notes = {name: one.compiled.definition["metadata"]["annotations"] for name, one in compiled[ARGO].items()}
    crons = {name: json.loads(note["metaflow/cron"]) for name, note in notes.items() if "metaflow/cron" in note}
    assert crons == {
        "IngestMedia": {"schedule": "0 * * * *", "tz": "Europe/Stockholm"},
        "TrainRanker": {"schedule": "15 3 * * *", "tz": "Europe/Stockholm"},
        "TrainTagger": {"schedule": "45 3 * * *", "tz": "Europe/Stockholm"},
        "TrainDetectors": {"schedule": "15 5 1 * *", "tz": "Europe/Stockholm"},
    }
    after = {
        name: [event["name"].split(".")[-2] for event in json.loads(note["metaflow/triggers"])]
        for name, note in notes.items()
        if "metaflow/triggers" in note
    }
    assert after == {
        "FeaturizeMedia": ["IngestMedia"],
        "PublishPreviews": ["FeaturizeMedia"],
        "EvaluateModels": ["TrainRanker"],
    }


def test_step_functions_gets_it_as_written(compiled: Mapping[Path, Mapping[str, Checked]]):
    one = compiled[BATCH]["FeaturizeMedia"]
    wide = one.compiled.definition["States"]["*hear"]
    hear = (wide.get("Iterator") or wide["ItemProcessor"])["States"]["hear"]["Parameters"]
    assert wide["MaxConcurrency"] == 50
    assert {"Type": "GPU", "Value": "1"} in hear["ContainerOverrides"]["ResourceRequirements"]
    assert hear["RetryStrategy"] == {"Attempts": 6}
    assert hear["Timeout"] == {"AttemptDurationSeconds": 12 * 3600}
    assert hear["JobQueue"].endswith("rushes-gpu")
    assert (one.compiled.images or {})[hear["JobDefinition"]].endswith("/rushes:gpu")
    assert compiled[BATCH]["TrainRanker"].compiled.cron == "cron(15 2 * * ? *)"


def _hear(manifest: dict[str, Any]) -> dict[str, Any]:
    if "spec" in manifest:
        return next(one for one in manifest["spec"]["templates"] if one["name"] == "hear")
    wide = manifest["States"]["*hear"]
    return (wide.get("Iterator") or wide["ItemProcessor"])["States"]["hear"]


def _dag(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return next(one for one in manifest["spec"]["templates"] if one["name"] == "FeaturizeMedia")["dag"]["tasks"]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda m: _hear(m)["container"]["resources"]["limits"].clear(), "hear · gpu is 0, the profile says 1"),
        (lambda m: _hear(m).pop("activeDeadlineSeconds"), "hear · timeout_s is missing, the profile says 43200"),
        (lambda m: _hear(m)["retryStrategy"].update(limit=6), "hear · attempts is 7, the profile says 6"),
        (lambda m: _hear(m)["container"].update(image="python:3.11"), "hear · image is python:3.11, the profile says"),
        (lambda m: _hear(m)["container"]["env"].pop(0), "hear · RUSHES_STORE is missing, the profile says s3://BUCKET"),
        (lambda m: _hear(m).pop("tolerations"), "hear · tolerations is [], the profile says [{"),
        (lambda m: m["spec"].update(parallelism=5), "parallelism is 5, the profile says 50"),
        (lambda m: m["spec"]["templates"].remove(_hear(m)), "the template 'hear' is named, and does not exist"),
        (lambda m: _dag(m)[1].pop("withParam"), "hear · it is a foreach in the source, and runs once in the workflow"),
        (lambda m: _hear(m)["container"].update(image=7), "Argo's schema does not allow spec.templates"),
        (
            lambda m: m["metadata"]["annotations"].update({"metaflow/triggers": "[]"}),
            "triggers is [], the profile says ['metaflow.rushes.user.deploy-check.IngestMedia.end']",
        ),
        (
            lambda m: m["metadata"]["annotations"].update({"metaflow/cron": '{"schedule": "0 0 * * *"}'}),
            "schedule is 0 0 * * *, the profile says missing",
        ),
    ],
)
def test_a_template_that_differs_is_seen(tamper: Tamper, said: str, compiled: Mapping[Path, Mapping[str, Checked]]):
    assert said in "\n".join(_found(ARGO, tamper, compiled))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (
            lambda m: _hear(m)["Parameters"].update(JobQueue="other"),
            "hear · queue is other, the profile says rushes-gpu",
        ),
        (lambda m: _hear(m)["Parameters"].pop("RetryStrategy"), "hear · attempts is 1, the profile says 6"),
        (lambda m: _hear(m)["Parameters"].pop("Timeout"), "hear · timeout_s is missing, the profile says 43200"),
        (lambda m: _hear(m)["Parameters"].update(JobDefinition="other"), "hear · image is missing, the profile says"),
        (lambda m: m["States"]["*hear"].update(MaxConcurrency=0), "hear · MaxConcurrency is 0, the profile says 50"),
        (lambda m: m["States"].pop("commit"), "the state 'commit' is next somewhere, and does not exist"),
        (lambda m: m["States"]["commit"].pop("Next"), "the state 'commit' must either end or have a next state"),
        (lambda m: m["States"]["commit"].update(Next="end"), "nothing leads to the state 'publish_index'"),
    ],
)
def test_a_state_machine_that_differs_is_seen(
    tamper: Tamper, said: str, compiled: Mapping[Path, Mapping[str, Checked]]
):
    assert said in "\n".join(_found(BATCH, tamper, compiled))


def _found(path: Path, tamper: Tamper, compiled: Mapping[Path, Mapping[str, Checked]]) -> list[str]:
    one = compiled[path]["FeaturizeMedia"]
    changed = copy.deepcopy(dict(one.compiled.definition))
    tamper(changed)
    again = check_flow(one.flow, replace(one.compiled, definition=changed), load(path)[1], one.places)
    return [finding.line() for finding in again.findings]


def test_a_schedule_that_nobody_got_is_seen(compiled: Mapping[Path, Mapping[str, Checked]]):
    one = compiled[BATCH]["TrainRanker"]
    again = check_flow(one.flow, replace(one.compiled, cron=""), load(BATCH)[1], one.places)
    assert [finding.line() for finding in again.findings] == [
        "TrainRanker · schedule is '', the profile says cron(15 2 * * ? *)"
    ]


def test_a_package_that_lacks_a_module_or_holds_media_is_seen():
    names = set(needed(ROOT))
    assert {"featurize_media.py", "steps/store.py", "config/requirements.lock", "setup.cfg"} <= names
    assert list(check_package("F", names, 1000, ROOT)) == []
    lines = [
        finding.line()
        for finding in check_package("F", names - {"steps/store.py"} | {"tests/a.py", "steps/b.mp3"}, 30_000_000, ROOT)
    ]
    assert lines == [
        "F · the code package lacks steps/store.py",
        "F · the code package holds steps/b.mp3, which no task needs",
        "F · the code package holds tests/a.py, which no task needs",
        "F · the code package has 30 MB, and every task fetches it",
    ]


def test_what_cannot_be_compiled_says_why(tmp_path: Path):
    text = (
        ARGO.read_text().replace("[parameters.IngestMedia]", "[parameters.TrainRanker]").replace("source =", "golden =")
    )
    (tmp_path / "mine.toml").write_text(text)
    flows = [flow for flow in read_flows(ROOT / "flows") if flow.name == "IngestMedia"]
    path, profile = load(tmp_path / "mine.toml")
    (made,) = Compilation(path, profile, flows).result()
    checked = check_flow(flows[0], made, profile, places_of(flows[0], profile))
    (line,) = [finding.line() for finding in checked.findings]
    assert line.startswith("IngestMedia · it cannot be compiled: ")
    assert "source" in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("hear", "heer"), "the profile names a step 'FeaturizeMedia.heer'; steps of FeaturizeMedia are start, hear"),
        (
            ('gpu_image = "REGISTRY/rushes:gpu"', ""),
            "FeaturizeMedia.hear asks for 1 GPU, and the profile has no gpu_image",
        ),
        (("disk_mb = 40000", "retries = 3"), "FeaturizeMedia.hear is caught (@catch), which takes 3 of Metaflow's 6"),
        (('platform = "argo"', 'platform = "moon"'), "mine.toml: the profile cannot be used: platform must be one of"),
    ],
)
def test_a_wrong_profile_is_refused_before_anything_is_compiled(change: tuple[str, str], said: str, tmp_path: Path):
    (tmp_path / "mine.toml").write_text(ARGO.read_text().replace(*change))
    with pytest.raises(ConfigError) as refused:
        run_deploy_check([tmp_path / "mine.toml"], as_json=True)
    assert said in str(refused.value)


def test_there_is_nothing_to_deploy_on_this_machine():
    with pytest.raises(ConfigError, match="is for this machine, and there is nothing to deploy"):
        load(ROOT / "config" / "local.toml")
    with pytest.raises(ConfigError, match=r"the profile nowhere\.toml cannot be read"):
        load(Path("nowhere.toml"))


def test_what_is_missing_for_it_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ConfigError, match=r"deploy-check needs boto3, hera, kubernetes, moto: pip install '\.\[deploy\]'"
    ):
        check_installed()


def test_the_sources_say_what_metaflow_reads():
    flows = {flow.name: flow for flow in read_flows(ROOT / "flows")}
    assert set(flows) == set(FLOWS)
    assert flows["FeaturizeMedia"].repeated == {"hear"}
    assert list(flows["FeaturizeMedia"].steps) == ["start", "hear", "commit", "publish_index", "end"]
    assert flows["FeaturizeMedia"].steps["hear"].caught
    assert flows["FeaturizeMedia"].steps["hear"].options.gpu == 1
    assert Profile().platform == "local"


DEPLOY = """
import os, runpy, sys
from moto import mock_aws
with mock_aws():
    if os.environ.get("BUCKET"):
        import boto3
        boto3.client("s3").create_bucket(Bucket=os.environ["BUCKET"])
    sys.argv = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")
"""
NOBODY = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "METAFLOW_DATASTORE_SYSROOT_S3": "s3://ours/metaflow",
}
EVENTS = {f"METAFLOW_ARGO_EVENTS_{name}": "x" for name in ("EVENT", "EVENT_SOURCE", "SERVICE_ACCOUNT", "WEBHOOK_URL")}


@pytest.mark.parametrize(
    ("environment", "profile", "command", "said"),
    [
        ({}, "local", "argo-workflows", "the profile is for this machine; before `argo-workflows create` give one for"),
        ({}, "step-functions", "argo-workflows", "the profile is for Step Functions; before `argo-workflows create`"),
        ({}, "argo", "argo-workflows", "Argo Workflows needs METAFLOW_ARGO_EVENTS_EVENT, METAFLOW_ARGO_EVENTS_EVENT_S"),
        ({}, "step-functions", "step-functions", "Step Functions needs METAFLOW_ECS_S3_ACCESS_IAM_ROLE, METAFLOW_SFN"),
        (EVENTS, "argo", "argo-workflows", "the bucket 'ours' of METAFLOW_DATASTORE_SYSROOT_S3 does not exist"),
    ],
)
def test_a_deployment_that_cannot_be_is_one_clear_line(
    environment: dict[str, str], profile: str, command: str, said: str, workplace: Workplace
):
    arguments = [
        "--config",
        "profile",
        str(ROOT / "config" / f"{profile}.toml"),
        "--datastore",
        "s3",
        command,
        "create",
    ]
    done = workplace.python(
        "-c", DEPLOY, str(ROOT / "flows" / "ingest_media.py"), "--no-pylint", *arguments, env={**NOBODY, **environment}
    )
    assert done.returncode == 1
    assert said in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout


def test_a_run_without_credentials_for_its_datastore_is_one_clear_line(workplace: Workplace):
    nobody = {**NOBODY, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": str(workplace.folder)}
    done = workplace.flow("train_ranker", "--no-pylint", "--datastore", "s3", "run", env=nobody)
    assert done.returncode == 1
    assert "needs credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret" in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout
    assert "Workflow starting" not in done.stdout
