"""What tests share: the samples and a made catalogue, taken through the real flows once."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from s3_server import S3Server, s3_server

from steps.store import ROOT, Store

SAMPLES = ROOT / "samples"
pytest_plugins = ("browser",)


@dataclass(frozen=True)
class Workplace:
    """A folder with a store and a Metaflow datastore of its own."""

    folder: Path

    @property
    def store(self) -> Store:
        return Store(str(self.folder / "store"))

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW", "RUSHES_OUT"))}
        return {**kept, "RUSHES_STORE": str(self.folder / "store"), "USERNAME": "tester", "COLUMNS": "200"}

    def flow(self, name: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run `python flows/NAME.py ARGUMENTS`; standard error and output come back as one text."""
        return self.python(str(ROOT / "flows" / f"{name}.py"), *arguments, **more)

    def python(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run this Python in the folder; what takes too long is killed with all that it started."""
        command = [sys.executable, *arguments]
        environment = {**self.environment, **more.pop("env", {})}
        shown = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        own = {"cwd": self.folder, "env": environment, "start_new_session": True}
        with subprocess.Popen(command, **{**own, **shown, **more}) as process:
            try:
                out, err = process.communicate(timeout=280)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def kill_at(self, step: str, name: str, *arguments: str) -> None:
        """Run `python flows/NAME.py ARGUMENTS` and kill it with all its tasks as soon as `step` has begun."""
        begun = f"/{step}/"
        self.kill_when(lambda _place, line: begun in line and "Task is starting" in line, name, *arguments)

    def kill_when(self, moment: Callable[[Workplace, str], bool], name: str, *arguments: str) -> None:
        """Run a flow and kill it with all its tasks at a moment, which is asked for every 10 ms and at every line."""
        with subprocess.Popen(
            [sys.executable, str(ROOT / "flows" / f"{name}.py"), *arguments],
            cwd=self.folder,
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            assert process.stdout
            told, open_ = "", True
            while open_:
                if select.select([process.stdout], [], [], 0.01)[0]:
                    read = os.read(process.stdout.fileno(), 65536).decode()
                    open_, told = bool(read), told + read
                *lines, told = told.split("\n")
                if any(moment(self, line) for line in ("", *lines)):
                    os.killpg(process.pid, signal.SIGKILL)
                    return
        raise AssertionError("the run ended before the moment to kill it")


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture(scope="session")
def truth() -> Mapping[str, Any]:
    """What is really in the samples, by file name."""
    return json.loads((SAMPLES / "truth.json").read_text())


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Workplace], None]) -> Workplace:
    """A workplace that the first worker to need it builds; every worker has a copy of its own."""
    ours = factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    built, done = Workplace(shared / f"{name}-built"), shared / f"{name}-done"
    with FileLock(shared / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(built.folder, ignore_errors=True)
            built.folder.mkdir()
            build(built)
            done.touch()
    copy = Workplace(ours / name)
    shutil.copytree(built.folder, copy.folder, symlinks=True)
    return copy


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The sample feed and film, ingested, featurized and published by the flows as a user runs them."""
    return built_once(tmp_path_factory, "published", _publish)


def _publish(place: Workplace) -> None:
    for name, arguments in (
        ("ingest_media", ["--source", str(SAMPLES / "feed.xml")]),
        ("ingest_media", ["--source", str(SAMPLES / "film" / "manifest.csv")]),
        ("featurize_media", []),
        ("publish_previews", []),
    ):
        done = place.flow(name, "run", *arguments)
        assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A made catalogue, learned from, grown by a third, learned from again, and evaluated by the flows."""
    return built_once(tmp_path_factory, "trained", _train)


def _train(place: Workplace) -> None:
    from benchmarks.made_catalogue import make_catalogue, stock

    smoke, catalogue = str(ROOT / "config" / "smoke.toml"), make_catalogue(32, shows=16, candidates=80)
    for fresh, flows in ((catalogue[:24], ["train_ranker"]), (catalogue[24:], ["train_ranker", "evaluate_models"])):
        stock(place.store, fresh)
        for name in flows:
            done = place.flow(name, "--config", "config", smoke, "run", "--max-workers", "2")
            assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 endpoint, one for each worker."""
    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket there, which this process finds as a user's would."""
    import s3fs

    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # clients of other endpoints
    return s3.bucket(f"rushes-{uuid.uuid4().hex[:12]}")
