"""S3 that fails: told in one line with the way out, before the work, with the store as it was."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
import s3fs
from conftest import SAMPLES, Workplace
from s3_server import Fault, S3Server

from featurization.errors import StoreError
from featurization.media import AdSpan
from featurization.models import load_registry
from serving.commands.doctor import examine
from steps.files import Files
from steps.store import Store
from steps.store_check import check_store
from steps.tables import ADS

NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
ELSEWHERE = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}  # where nobody listens
REFUSED = {
    "no permission": (Fault("AccessDenied", 403), "no permission; the credentials need GetObject"),
    "may not list": (Fault("AccessDenied", 403, method="GET", address="list-type"), "ListBucket"),
    "may not delete": (Fault("AccessDenied", 403, method="DELETE"), "DeleteObject"),
    "may not know": (Fault("AccessDenied", 403, method="HEAD"), "ListBucket"),
    "expired token": (Fault("ExpiredToken", 400), "the credentials have expired; get new ones"),
    "unknown key": (Fault("InvalidAccessKeyId", 403), "the key is unknown there"),
    "wrong secret": (Fault("SignatureDoesNotMatch", 403), "does not fit the key"),
    "other region": (Fault("PermanentRedirect", 301), "set AWS_REGION"),
    "wrong clock": (Fault("RequestTimeTooSkewed", 403), "clock"),
    "full": (Fault("XMinioStorageFull", 507), "no space left in the bucket"),
    "down for long": (Fault("InternalError", 500), "try again later"),
    "too busy for long": (Fault("SlowDown", 503), "try again later"),
    "breaks off": (Fault("reset"), "AWS_ENDPOINT_URL_S3"),
}


@pytest.fixture
def store(bucket: str) -> Store:
    made = Store(f"s3://{bucket}/store")
    made.commit("FeaturizeMedia/1", {ADS: {"aa01": [AdSpan(5.0, 6.0, "sponsor", 0.7)]}})
    return made


def told(store: Store) -> str:
    """What the check says, in one line."""
    with pytest.raises(StoreError) as caught:
        check_store(store)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_store_that_can_be_used_is_left_as_it_was(store: Store, bucket: str, s3: S3Server):
    before = s3.objects(bucket)
    check_store(store)
    assert s3.objects(bucket) == before


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_told_in_one_line(store: Store, bucket: str, s3: S3Server, case: str):
    fault, way_out = REFUSED[case]
    before, begun = s3.objects(bucket), time.monotonic()
    with s3.failing(fault):
        said = told(store)
    assert way_out in said
    assert f"{bucket}/store" in said
    assert time.monotonic() - begun < 20
    left = s3.objects(bucket)
    assert before.items() <= left.items()
    assert all("/check-" in key for key in left.keys() - before.keys())


def test_a_bucket_that_is_not_there_is_not_made(store: Store, s3: S3Server):
    assert "there is no such bucket" in told(Store("s3://rushes-nowhere/store"))
    with pytest.raises(StoreError, match="there is no such bucket"):
        Store("s3://rushes-nowhere/store").current()
    with pytest.raises(StoreError, match="there is no such bucket"):
        Store("s3://rushes-nowhere/store").files.list("events")
    assert "there is no such bucket" in told(Store("s3://No_Bucket_Is_Called_So!/store"))


@pytest.mark.parametrize(
    ("environment", "way_out"),
    [(NO_KEYS, "no credentials; set AWS_ACCESS_KEY_ID"), (ELSEWHERE, "see that AWS_ENDPOINT_URL_S3 is right")],
    ids=["no credentials", "endpoint down"],
)
def test_a_client_that_is_not_set_up_is_told_how(
    bucket: str, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], way_out: str
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    assert way_out in told(Store(f"s3://{bucket}/store"))
    checks = examine(registry=load_registry(), serving=(), store_url=f"s3://{bucket}/store")
    missing = next(check for check in checks if check.group == "store" and check.state == "missing")
    assert way_out in missing.hint


def test_an_endpoint_that_lets_runs_overwrite_each_other_is_no_place(store: Store, s3: S3Server):
    with s3.failing(Fault("unconditional")):
        assert "ignores If-None-Match" in told(store)


def test_what_fails_for_a_while_is_no_reason_to_give_up(store: Store, s3: S3Server):
    with s3.failing(Fault("SlowDown", 503, times=2)):
        check_store(store)


def test_a_store_that_fails_while_a_run_commits_is_as_it_was(store: Store, s3: S3Server):
    before = store.current()
    with s3.failing(Fault("AccessDenied", 403, method="PUT", address="/snapshots/")), pytest.raises(StoreError):
        store.commit("FeaturizeMedia/2", {ADS: {"aa01": []}})
    assert Store(store.url).current() == before


def test_keys_with_odd_characters_are_what_they_are(bucket: str):
    files = Files(f"s3://{bucket}/a store/ü")
    files.write("feeds/it's 100 % +=&?#.xml", b"x")
    assert files.list("feeds") == ["it's 100 % +=&?#.xml"]
    assert files.read("feeds/it's 100 % +=&?#.xml") == b"x"
    files.clear("feeds")
    assert files.list("feeds") == []


@pytest.mark.parametrize(
    ("environment", "fault", "way_out"),
    [
        (NO_KEYS, None, "credentials"),
        (ELSEWHERE, None, "see that AWS_ENDPOINT_URL_S3 is right"),
        ({}, Fault("ExpiredToken", 400), "the credentials have expired"),
        ({"RUSHES_STORE": "s3://rushes-nowhere/store"}, None, "there is no such bucket"),
    ],
    ids=["no credentials", "endpoint down", "expired token", "wrong bucket"],
)
@pytest.mark.parametrize("datastore", ["local", "s3"])
def test_a_flow_ends_before_the_work(
    workplace: Workplace,
    bucket: str,
    s3: S3Server,
    datastore: str,
    environment: dict,
    fault: Fault | None,
    way_out: str,
):
    with s3.failing(*[fault] if fault else []):
        done = workplace.flow(
            "ingest_media",
            "run",
            "--source",
            str(SAMPLES / "feed.xml"),
            env={
                **s3.environment,
                "RUSHES_STORE": f"s3://{bucket}/store",
                "METAFLOW_DEFAULT_DATASTORE": datastore,
                "METAFLOW_DATASTORE_SYSROOT_S3": f"s3://{bucket}/metaflow",
                **environment,
            },
        )
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert sum(way_out in line for line in done.stdout.splitlines()) >= 1, done.stdout
    assert not [key for key in s3.objects(bucket, "store/") if "check-" not in key]
