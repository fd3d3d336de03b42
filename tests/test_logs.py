"""What is told while it runs, for people and for machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from steps.store import ROOT

TOLD = """
import contextvars, logging, threading, warnings
from steps.logs import about, configure

configure(run="FeaturizeMedia/7", step="hear", task="3")
ours, theirs = logging.getLogger("featurization.topics"), logging.getLogger("somelib")

def deep():
    ours.info("found %d topics", 4)

with about("72ab"):
    deep()
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(deep,))
    thread.start()
    thread.join()
    with about("99ff"):
        deep()
    deep()
deep()
theirs.info("chatter")
theirs.warning("disk is %s", "full")
try:
    1 / 0
except ZeroDivisionError:
    ours.exception("it broke\\nin two")
"""


def told(program: str, form: str = "") -> list[str]:
    """Lines that a program writes to standard error."""
    environment = {**os.environ, "RUSHES_LOG": form}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.stderr.splitlines()


def records(program: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told(program, "json")]


def test_people_read_messages_alone():
    lines = told(TOLD)
    assert lines[:7] == ["found 4 topics"] * 5 + ["disk is full", "it broke"]
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_machines_read_one_object_a_line_with_run_step_and_asset():
    lines = records(TOLD)
    assert [line.get("asset") for line in lines] == ["72ab", "72ab", "99ff", "72ab", None, None, None]
    assert {(line["run"], line["step"], line["task"]) for line in lines} == {("FeaturizeMedia/7", "hear", "3")}
    assert lines[0] | {"time": ""} == {
        "time": "",
        "level": "INFO",
        "run": "FeaturizeMedia/7",
        "step": "hear",
        "task": "3",
        "asset": "72ab",
        "logger": "featurization.topics",
        "message": "found 4 topics",
    }
    assert lines[0]["time"].endswith("+00:00")


def test_an_exception_stands_in_one_field_of_one_line():
    *_, warned, broke = records(TOLD)
    assert (warned["logger"], warned["message"], warned["level"]) == ("somelib", "disk is full", "WARNING")
    assert broke["message"] == "it broke\nin two"
    assert broke["exception"].endswith("ZeroDivisionError: division by zero")


def test_a_second_configuration_replaces_the_first():
    program = (
        "import logging\nfrom steps.logs import configure\n"
        "configure(run='A/1')\nconfigure(run='B/2')\nlogging.getLogger('steps').info('once')"
    )
    assert [line["run"] for line in records(program)] == ["B/2"]


def test_warnings_of_libraries_are_lines_too():
    program = "import warnings\nfrom steps.logs import configure\nconfigure()\nwarnings.warn('old ways')"
    (line,) = records(program)
    assert line["logger"] == "py.warnings"
    assert "old ways" in line["message"]


def test_an_unknown_form_is_refused_in_one_sentence():
    assert told("from steps.logs import configure\nconfigure()", "xml")[-1] == (
        "featurization.errors.ConfigError: RUSHES_LOG=xml: give json, or text for people"
    )
