"""What ran, as Metaflow itself recorded it: a run that ended, one that failed, and one that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stocked_store import LAMP, preview, publish, stocked

from steps.commits import commits, short_run
from steps.run_life import BETWEEN_TASKS_S, HEARTBEAT_S, QUIET_S, at_work
from steps.store import ROOT, Store
from steps.traces import trace_id

FLOW = """
import time
from metaflow import FlowSpec, Parameter, current, retry, step

class IngestMedia(FlowSpec):
    fate = Parameter("fate", default="")

    @retry(times=1, minutes_between_retries=0)
    @step
    def start(self):
        if self.fate == "" and current.retry_count == 0:
            raise OSError("not yet")
        if self.fate == "fail":
            raise ValueError("as asked")
        if self.fate == "sleep":
            print("asleep", flush=True)
            time.sleep(60)
        self.next(self.end)

    @step
    def end(self):
        self.outcome = "partial"
        self.report = "took in 3 assets\\n  one \\x1b[31mred"
        self.html = "<p>the page</p>"

if __name__ == "__main__":
    IngestMedia()
"""
READ = """
import dataclasses, json
from steps.runs import recent_runs
print(json.dumps([dataclasses.asdict(run) for run in recent_runs({limit})], default=str))
"""
FIND = """
import sys
from featurization.errors import RushesError
from steps.runs import artifact, find_run, latest, parameters
for asked in sys.argv[1:]:
    try:
        run = find_run(asked).run
        print(run, artifact(run, "outcome"), artifact(run, "nothing"), parameters(run))
    except RushesError as error:
        print(error)
print(latest("IngestMedia").run, latest("IngestMedia", back=1), latest("TrainRanker"))
"""

ALL_FLOWS = "IngestMedia, FeaturizeMedia, PublishPreviews, TrainRanker, TrainTagger, TrainDetectors or EvaluateModels"


class Place:
    """A folder with a flow of one of our names and its own Metaflow datastore."""

    at_work: dict[str, Any]  # the run that was killed, as it was told before

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "flow.py").write_text(FLOW)
        names = ("METAFLOW", "RUSHES")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
        self.environment = {**kept, "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder), "METAFLOW_USER": "tester"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "flow.py", "run", *arguments]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, text=True, start_new_session=True, **output
        )

    def read(self, *, limit: int = 20) -> list[dict[str, Any]]:
        """`recent_runs`, in a process of its own, since Metaflow reads its configuration once."""
        return list(json.loads(self.python(READ.format(limit=limit))))

    def python(self, program: str, *arguments: str) -> str:
        """What a program prints that sees this datastore."""
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def rushes(self, *arguments: str, **environment: str) -> str:
        """What `rushes ARGUMENTS` says to people."""
        given = {**self.environment, "RUSHES_STORE": str(self.folder / "store"), **environment}
        command = [sys.executable, "-m", "serving.cli", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
        return done.stdout or done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("runs"))
    for arguments in ((), ("--fate", "fail")):
        with made.start(*arguments) as process:
            process.communicate(timeout=60)
    with made.start("--fate", "sleep") as process:
        assert process.stdout
        assert any("asleep" in line for line in process.stdout)
        made.at_work = made.read(limit=1)[0]
        os.killpg(process.pid, signal.SIGKILL)
    time.sleep(BETWEEN_TASKS_S)
    return made


def test_runs_come_newest_first_with_how_they_ended(place: Place):
    killed, failed, done = place.read()
    assert [run["status"] for run in (killed, failed, done)] == ["unfinished", "failed", "done"]
    assert [run["outcome"] for run in (killed, failed, done)] == ["", "", "partial"]
    assert {run["user"] for run in (killed, failed, done)} == {"tester"}
    assert killed["duration_s"] is None
    assert 0 < done["duration_s"] < 60
    assert abs(datetime.fromisoformat(done["started"]).timestamp() - time.time()) < 600


def test_a_run_is_running_until_its_processes_are_gone(place: Place):
    killed, failed, done = place.read()
    assert (place.at_work["run"], place.at_work["status"]) == (killed["run"], "running")
    assert datetime.fromisoformat(killed["started"]) <= datetime.fromisoformat(killed["seen"])
    assert failed["seen"]
    assert done["seen"] is None


def test_the_newest_runs_can_be_had_alone(place: Place):
    assert [run["status"] for run in place.read(limit=1)] == ["unfinished"]


def test_a_run_that_is_done_is_found_by_what_people_call_it(place: Place):
    killed, failed, done = (run["run"] for run in place.read())
    asked = (done, done.partition("/")[2], "latest", "IngestMedia/latest", "latest~1", killed, failed)
    others = ("7", "PublishPreviews/7", "IngestMedia/..", "Night/7", "PublishPreviews/latest")
    *found, newest = place.python(FIND, *asked, *others).splitlines()
    assert found[:4] == [f"{done} partial None {{'fate': ''}}"] * 4
    assert found[4:] == [
        f"too few runs before {done} are done for latest~1; `rushes runs` lists them",
        f"{killed} is unfinished, and only a run that is done has results; `rushes runs` lists them",
        f"{failed} is failed, and only a run that is done has results; `rushes runs` lists them",
        f"no run of {ALL_FLOWS} is called '7'; `rushes runs` lists them",
        "no run of PublishPreviews is called '7'; `rushes runs` lists them",
        "no run of IngestMedia is called '..'; `rushes runs` lists them",
        f"Night/7 is a run of Night; name one of {ALL_FLOWS}",
        "no run of PublishPreviews is done yet; `rushes runs` lists them",
    ]
    assert newest == f"{done} None None"


@pytest.mark.parametrize(
    ("heartbeat_s", "seen_s", "local", "working"),
    [
        (HEARTBEAT_S / 2, 10 * QUIET_S, False, True),
        (HEARTBEAT_S * 2, 0.0, False, False),
        (None, QUIET_S / 2, False, True),
        (None, QUIET_S * 2, False, False),
        (None, BETWEEN_TASKS_S / 3, True, True),
        (None, BETWEEN_TASKS_S * 2, True, False),
    ],
)
def test_signs_of_life(heartbeat_s: float | None, seen_s: float, local: bool, working: bool):
    now = time.time()
    beat = None if heartbeat_s is None else now - heartbeat_s
    assert at_work("no-such-run", heartbeat=beat, seen=now - seen_s, local=local) is working


def test_a_machine_where_nothing_ran_has_no_runs(tmp_path: Path):
    assert Place(tmp_path).read() == []


def test_one_run_is_looked_at_closely(place: Place):
    store = Store(str(place.folder / "store"))
    killed, failed, done = (run["run"] for run in place.read())
    effort = {"assets": 3, "media_s": 5400.0}
    store.files.write(f"runs/{done}.json", json.dumps({"run": done, "steps": [], "effort": effort}).encode())
    store.commit(f"{done}/end/2", {})
    found = json.loads(place.rushes("runs", done, "--json"))
    assert (found["state"], found["snapshots"], found["trace"]) == ("partial", [1], trace_id(done))
    assert found["parameters"] == {"fate": ""}
    assert found["artifacts"] == ["html", "outcome", "report"]
    start, end = found["steps"]
    assert (start["name"], start["state"], start["attempts"]) == ("start", "done", 2)
    assert (end["name"], end["attempts"], end["tasks"], end["ended"]) == ("end", 1, 1, 1)
    told = place.rushes("runs", "latest~2")
    assert all(part in told for part in (done, "partial", "3 assets, 1.50 h", "took in 3 assets", "snapshot 1"))
    assert "\x1b" not in told

    found = json.loads(place.rushes("runs", failed, "--json"))
    assert (found["state"], found["steps"][0]["state"], found["steps"][0]["attempts"]) == ("failed", "failed", 2)
    assert found["steps"][0]["error"].endswith("as asked")
    assert "start: ValueError: as asked" in place.rushes("runs", failed)

    found = json.loads(place.rushes("runs", killed, "--json"))
    assert (found["state"], found["steps"][0]["state"]) == ("unfinished", "unfinished")
    assert "last seen" in place.rushes("runs", "latest")


def test_lists_tell_states_and_assets(place: Place):
    killed, failed, done = json.loads(place.rushes("runs", "--json"))["runs"]
    assert [run["state"] for run in (killed, failed, done)] == ["unfinished", "failed", "partial"]
    assert (done["did"], done["outcome"], killed["did"]) == ("took in 3 assets", "partial", "")
    narrow, wide = (place.rushes("runs", COLUMNS=columns).splitlines() for columns in ("80", "120"))
    assert max(map(len, narrow)) <= 80
    assert any(done["run"] in line and "partial" in line for line in narrow)
    assert any(done["run"] in line and "took in 3 assets" in line for line in wide)


def test_the_card_of_a_run_is_written_where_it_was_asked_for(place: Place, tmp_path: Path):
    killed, _, done = (run["run"] for run in place.read())
    place.rushes("runs", done, "--out", str(tmp_path / "card.html"))
    assert (tmp_path / "card.html").read_text() == "<p>the page</p>"
    shown = place.rushes("runs", done, "--card", DISPLAY="", WAYLAND_DISPLAY="")
    assert Path(shown.split()[-1]).read_text() == "<p>the page</p>"
    assert place.rushes("runs", killed, "--card").startswith(f"rushes: {killed} has no card: ")


def test_commits_name_their_runs_and_times(tmp_path: Path):
    store = stocked(tmp_path / "store")
    publish(store, "PublishPreviews/4/join/3", {LAMP: preview(store, b"another take")})
    store.rollback()
    made = commits(store)
    assert [(commit.number, commit.run) for commit in made] == [
        (5, "rollback of PublishPreviews/4"),
        (4, "PublishPreviews/4"),
        (3, "PublishPreviews/3"),
        (2, "FeaturizeMedia/2"),
        (1, "IngestMedia/1"),
    ]
    assert [commit.current for commit in made] == [True, False, False, False, False]
    assert datetime.now().astimezone() - made[-1].committed < timedelta(minutes=5)


def test_only_paths_of_our_flows_are_shortened():
    assert short_run("IngestMedia/12/join/3") == "IngestMedia/12"
    assert short_run("rollback of rollback of FeaturizeMedia/5/join/9") == "rollback of rollback of FeaturizeMedia/5"
    assert short_run("by hand/at noon") == "by hand/at noon"
