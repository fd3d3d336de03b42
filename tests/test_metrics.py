"""What Prometheus scrapes, what the alerts ask of it, and what the service says of its health and its requests."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from live_server import served
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from searchable_store import SEA, searchable
from stocked_store import DRUM, LAMP, LOST, ROPE, publish, refusal, stocked
from trace_collector import collecting

from serving.configured import settings
from steps import featurize
from steps import publish as steps_publish
from steps.feedback import LABELS, Label
from steps.index import open_store_index
from steps.index import publish as publish_index
from steps.models import Models
from steps.quarantine import set_aside
from steps.store import ROOT, Store
from steps.tables import QUARANTINE, SHOTS

Scrape = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(client: httpx.Client) -> Scrape:
    """Values by name and labels, as Prometheus' own parser reads them."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(scraped: Scrape, name: str, **labels: str) -> float | None:
    return scraped.get((name, frozenset(labels.items())))


def indexed(store: Store) -> None:
    index = open_store_index(store)
    publish_index(store, index, run="FeaturizeMedia/1", spaces=Models(settings()).spaces)
    index.close()


def test_states_queues_and_commits_are_counted(tmp_path: Path):
    store = stocked(tmp_path / "store")
    poison = set_aside(source="s", title="The drum", stage="featurize")
    with served(store) as client:
        before = scrape(client)
        store.commit("FeaturizeMedia/4", {QUARANTINE: {DRUM: [poison]}})
        after = scrape(client)
    states = {"published": 1, "refused": 1, "heard": 1, "ingested": 1, "quarantined": 1}
    assert {state: value(before, "rushes_assets", state=state) for state in states} == states
    assert value(before, "rushes_assets", state="quarantined") == 1  # a source that is lost
    assert (value(before, "rushes_previews", status="published"), value(before, "rushes_snapshot")) == (1, 3)
    assert value(before, "rushes_waiting", stage="featurize") == 1
    assert value(before, "rushes_waiting", stage="publish") == 1
    assert value(before, "rushes_quarantined", stage="ingest") == 1
    assert time.time() - 600 < (value(before, "rushes_snapshot_timestamp_seconds") or 0) <= time.time()
    assert (value(after, "rushes_snapshot"), value(after, "rushes_quarantined", stage="featurize")) == (4, 1)
    for stage, flow in (("featurize", featurize), ("publish", steps_publish)):
        assert value(after, "rushes_waiting", stage=stage) == len(flow.choose_assets("new", store=store))
    assert value(after, "rushes_assets", state="ingested") == 0
    assert value(after, "rushes_waiting", stage="featurize") == 0


def test_requests_are_counted_timed_and_under_way(tmp_path: Path):
    with served(stocked(tmp_path / "store")) as client:
        for path in (f"/assets/{ROPE}", f"/assets/{ROPE}", f"/assets/{LOST}", "/nowhere", "/nowhere/else"):
            client.get(path)
        scraped = scrape(client)
    route = "/assets/{asset_id}"
    assert value(scraped, "rushes_requests_total", path=route, status="200") == 2
    assert value(scraped, "rushes_requests_total", path=route, status="404") == 1
    assert value(scraped, "rushes_requests_total", path="other", status="404") == 2
    assert value(scraped, "rushes_request_seconds_count", path=route) == 3
    assert value(scraped, "rushes_request_seconds_bucket", path=route, le="+Inf") == 3
    assert value(scraped, "rushes_requests_in_flight") == 1  # this scrape
    assert not [name for name, _ in scraped if name.endswith("_created")]


def test_events_are_counted_when_they_are_kept(tmp_path: Path):
    event = {"id": "e1", "asset_id": LAMP, "kind": "open", "listener": "ann"}
    with served(stocked(tmp_path / "store")) as client:
        for _ in range(2):
            assert client.post("/events", json=event).status_code == 201
        client.post("/events", json={**event, "id": "e2", "asset_id": "unknown"})
        assert value(scrape(client), "rushes_events_total", kind="open") == 1


def test_each_app_counts_for_itself(tmp_path: Path):
    store = stocked(tmp_path / "store")
    with served(store) as one, served(store) as two:
        one.get("/assets")
        assert value(scrape(two), "rushes_requests_total", path="/assets", status="200") is None


def test_the_index_lags_from_the_first_commit_that_it_lacks(tmp_path: Path):
    store = searchable(tmp_path / "store")
    indexed(store)
    snapshots = tmp_path / "store" / "snapshots"
    with served(store) as client:
        fresh = scrape(client)
        label = Label(0.0, 1.0, "l1", SEA, "boat", True, "ann", "2026-01-01T00:00:00+00:00")
        store.commit("by hand", {LABELS: {SEA: [label]}})
        only_feedback = scrape(client)
        store.commit("FeaturizeMedia/2", {SHOTS: {SEA: []}})
        os.utime(snapshots / "00000003.json", (time.time() - 500, time.time() - 500))
        behind = scrape(client)
    assert value(fresh, "rushes_index_generation") == 1
    assert value(fresh, "rushes_index_snapshot") == 1
    assert value(fresh, "rushes_index_rows", collection="shots") == 7
    assert abs((value(fresh, "rushes_index_timestamp_seconds") or 0) - time.time()) < 600
    assert (value(fresh, "rushes_index_lag_seconds"), value(only_feedback, "rushes_index_lag_seconds")) == (0, 0)
    assert value(behind, "rushes_snapshot") == 3
    assert 500 <= (value(behind, "rushes_index_lag_seconds") or 0) < 600


def test_the_models_in_use_are_named_with_their_digests(tmp_path: Path):
    with served(stocked(tmp_path / "store")) as client:
        models = {
            labels["task"]: labels
            for name, pairs in scrape(client)
            if name == "rushes_model_info" and (labels := dict(pairs))
        }
    assert models.keys() == {"words", "speech", "speakers", "text", "shots", "images", "sounds", "ranker"}
    assert models["ranker"]["model"] == "prior"
    assert all(re.fullmatch(r"[0-9a-f]{12}", labels["digest"]) for labels in models.values())


def test_a_scraper_that_asks_for_openmetrics_gets_it(tmp_path: Path):
    with served(stocked(tmp_path / "store")) as client:
        answer = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert {family.name for family in openmetrics(answer.text)} >= {"rushes_build", "rushes_requests", "rushes_up"}


def test_a_store_that_cannot_be_read_still_leaves_the_counts(tmp_path: Path):
    with served(_broken(stocked(tmp_path / "store"))) as client:
        client.get("/livez")
        scraped = scrape(client)
    assert value(scraped, "rushes_up", part="store") == 0
    assert value(scraped, "rushes_snapshot") is None
    assert value(scraped, "rushes_requests_total", path="/livez", status="200") == 1


def test_a_scrape_between_two_commits_reads_no_table(tmp_path: Path):
    store = stocked(tmp_path / "store")
    with served(store) as client:
        first = scrape(client)
        shutil.rmtree(tmp_path / "store" / "tables")
        second = scrape(client)
    assert value(first, "rushes_assets", state="heard") == value(second, "rushes_assets", state="heard") == 1


def _broken(store: Store) -> Store:
    for snapshot in Path(store.files.root, "snapshots").iterdir():
        snapshot.unlink()
        snapshot.mkdir()
    return Store(store.url)  # one that remembers nothing


# health -------------------------------------------------------------------------------------------------------------


def test_a_process_lives_also_when_its_store_does_not(tmp_path: Path):
    with served(_broken(stocked(tmp_path / "store"))) as client:
        assert client.get("/livez").json()["status"] == "ok"
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "store")


def test_an_index_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = searchable(tmp_path / "store")
    indexed(store)
    with served(store) as client:
        assert client.get("/healthz").json() | {"version": ""} == {
            "status": "ok",
            "version": "",
            "snapshot": 1,
            "generation": 1,
        }
    monkeypatch.setenv("RUSHES_INDEX", "http://127.0.0.1:9")
    with served(store) as client:
        answer = client.get("/healthz")
        assert value(scrape(client), "rushes_up", part="index") == 0
    assert (answer.status_code, answer.json()["reason"]) == (503, "index")
    assert "127.0.0.1:9" in answer.json()["detail"]


# alerts -------------------------------------------------------------------------------------------------------------


def test_alerts_ask_for_metrics_that_exist_with_labels_that_they_have(tmp_path: Path):
    store = searchable(tmp_path / "store")
    indexed(store)
    publish(store, "PublishPreviews/2", {SEA: refusal()})
    with served(store) as client:
        client.get("/assets")
        scraped = scrape(client)
    labels: dict[str, set[str]] = {}
    for name, pairs in scraped:
        labels.setdefault(name, set()).update(key for key, _ in pairs)
    groups = yaml.safe_load((ROOT / "docs" / "alerts.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 8
    for rule in rules:
        asked = set(re.findall(r"\brushes_\w+", rule["expr"]))
        assert asked <= labels.keys(), rule["alert"]
        known = set().union(*(labels[name] for name in asked)) | {"job"}
        grouped = re.findall(r"\bby \(([^)]*)\)", rule["expr"])
        selected = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", rule["expr"])
        assert {label.strip() for part in grouped for label in part.split(",")} | set(selected) <= known, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "do"}
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_alerts_are_told_in_operations_by_the_metrics_they_ask_for():
    told = (ROOT / "docs" / "operations.md").read_text()
    asked = set(re.findall(r"\brushes_[a-z_]+", (ROOT / "docs" / "alerts.yaml").read_text()))
    assert [name for name in sorted(asked) if name.removesuffix("_bucket") not in told] == []


# lines and traces of requests -----------------------------------------------------------------------------------------


@contextmanager
def running(store: Store, errors: Path, **environment: str) -> Iterator[httpx.Client]:
    """A client of `rushes serve` as a process, whose standard error goes to a file."""
    given = {**os.environ, "RUSHES_STORE": store.url, "PYTHONUNBUFFERED": "1", **environment}
    command = [sys.executable, "-m", "serving.cli", "serve", "--port", "0"]
    with (
        errors.open("w") as stderr,
        subprocess.Popen(command, cwd=ROOT, env=given, text=True, stdout=subprocess.PIPE, stderr=stderr) as process,
    ):
        assert process.stdout
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address
        with httpx.Client(base_url=address.group()) as client:
            yield client
        process.terminate()
        process.wait(20)


def test_every_request_is_a_line_for_machines_and_a_span_of_the_callers_trace(tmp_path: Path):
    told = tmp_path / "stderr"
    caller = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "x-request-id": "from-the-player.7"}
    with (
        collecting() as collector,
        running(stocked(tmp_path / "store"), told, RUSHES_LOG="json", **collector.environment) as client,
    ):
        first = client.get(f"/assets/{LAMP}", headers=caller)
        second = client.get(f"/assets/{LOST}", headers={"x-request-id": "with spaces"})
        client.get("/healthz")
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    assert first.headers["x-request-id"] == "from-the-player.7"
    assert re.fullmatch(r"[0-9a-f]{16}", second.headers["x-request-id"])
    assert [line["request"] for line in lines] == [first.headers["x-request-id"], second.headers["x-request-id"]]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/assets/{asset_id}", 200),
        ("GET", "/assets/{asset_id}", 404),
    ]
    assert all(0 < line["ms"] < 20_000 for line in lines)
    found, lost = collector.named("GET /assets/{asset_id}")
    assert (found.trace, found.parent) == ("ab" * 16, "cd" * 8)
    assert lost.trace != found.trace
    assert lost.attributes["http.response.status_code"] == 404


def test_people_are_not_told_of_every_request(tmp_path: Path):
    with running(stocked(tmp_path / "store"), tmp_path / "stderr", RUSHES_LOG="") as client:
        client.get("/assets")
    assert (tmp_path / "stderr").read_text() == ""
