"""What a collector of traces gets to see, of flows and of the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import Workplace
from trace_collector import Collector, collecting

from steps.store import ROOT
from steps.traces import trace_id

RUN = "FeaturizeMedia/7"
TASK = """
import sys
from concurrent.futures import ThreadPoolExecutor
from steps.traces import span, task_span

def hear(asset):
    with span("asset", asset=asset, hours=0.5):
        with span("words"):
            pass

with span("before any task"), task_span("FeaturizeMedia/7", "hear", sys.argv[1]):
    hear("72ab")
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(hear, ["99ff"]))
    if sys.argv[1] == "4":
        raise ValueError("no ears")
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


def task(number: str = "3", **environment: str) -> subprocess.CompletedProcess[str]:
    """One task in a process of its own, as Metaflow runs it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL")}
    command = [sys.executable, "-c", TASK, number]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def test_assets_and_extractors_stand_within_their_task(collector: Collector):
    assert task(**collector.environment).stderr == ""
    (step,) = collector.named("FeaturizeMedia.hear")
    assets, words = collector.named("asset"), collector.named("words")
    assert len(collector.spans) == 5
    assert step.parent == ""
    assert {span.parent for span in assets} == {step.span}
    assert {span.parent for span in words} == {span.span for span in assets}
    assert sorted(span.attributes["rushes.asset"] for span in assets) == ["72ab", "99ff"]
    assert assets[0].attributes["rushes.hours"] == 0.5
    assert step.service == "rushes"
    assert step.attributes == {
        "rushes.flow": "FeaturizeMedia",
        "rushes.run": "7",
        "rushes.step": "hear",
        "rushes.task": "3",
    }


def test_tasks_of_one_run_are_one_trace_wherever_they_run(collector: Collector):
    for number in ("3", "5"):
        task(number, **collector.environment, OTEL_SERVICE_NAME="catalogue")
    assert {span.trace for span in collector.spans} == {trace_id(RUN)}
    assert {span.service for span in collector.spans} == {"catalogue"}
    assert trace_id(RUN) != trace_id("FeaturizeMedia/8")


def test_what_a_task_dies_of_stands_in_its_span(collector: Collector):
    assert task("4", **collector.environment).returncode == 1
    (step,) = collector.named("FeaturizeMedia.hear")
    assert step.error == "ValueError: no ears"


def test_nothing_is_imported_where_no_collector_is_named():
    program = f"{TASK}\nassert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL")}
    for off in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}):
        subprocess.run([sys.executable, "-c", program, "3"], cwd=ROOT, env={**kept, **off}, check=True)


def test_a_collector_that_is_down_costs_one_line_and_no_task():
    done = task(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_TIMEOUT="1")
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    assert "Failed to export" in done.stderr


def test_a_protocol_that_is_not_spoken_is_refused():
    done = task(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4317", OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    assert done.stderr.splitlines()[-1] == (
        "featurization.errors.ConfigError: OTEL_EXPORTER_OTLP_PROTOCOL=grpc: only http/protobuf is spoken here; "
        "name the HTTP port of the collector, as a rule 4318"
    )


def test_a_run_of_a_flow_is_one_trace_with_a_span_a_step_and_its_lines_name_them(
    collector: Collector, workplace: Workplace
):
    (broken := workplace.folder / "broken.mp3").write_text("no sound at all")
    told = {**collector.environment, "RUSHES_LOG": "json"}
    done = workplace.flow("ingest_media", "run", "--source", str(broken), env=told)
    assert done.returncode == 3, done.stdout
    steps = {span.name for span in collector.spans if not span.parent}
    assert steps == {"IngestMedia.start", "IngestMedia.fetch", "IngestMedia.commit"}
    run = "IngestMedia/" + collector.spans[0].attributes["rushes.run"]
    assert {span.trace for span in collector.spans} == {trace_id(run)}
    (line,) = (line for line in done.stdout.splitlines() if '{"time": ' in line)
    record = json.loads("{" + line.partition(" {")[2])
    assert (record["run"], record["step"], record["level"]) == (run, "fetch", "WARNING")
    assert "quarantined" in record["message"]


def test_a_flow_refuses_what_it_cannot_follow_in_one_line(workplace: Workplace):
    done = workplace.flow("ingest_media", "run", "--source", "x", env={"RUSHES_LOG": "xml"})
    assert done.returncode == 1
    assert "RUSHES_LOG=xml: give json, or text for people" in done.stdout
    assert "Traceback" not in done.stdout
