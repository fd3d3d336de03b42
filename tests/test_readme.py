"""Every command that README shows is run, in order, on the samples."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import Workplace

from steps.store import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line.partition("#")[0].strip() for block in BLOCKS for line in block.strip().splitlines()]
SERVED = [command for command in COMMANDS if command.startswith(("rushes serve", "curl"))]
MADE = [command for command in COMMANDS if command.startswith("make")]
PLAIN = [command for command in COMMANDS if command not in [*SERVED, *MADE]]


@pytest.fixture(scope="module")
def environment(published: Workplace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A shell in the repository root, with this Python first on its path and a store of its own."""
    store = tmp_path_factory.mktemp("readme") / "store"
    subprocess.run(["cp", "-r", str(published.folder / "store"), str(store)], check=True)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**published.environment, "PATH": path, "RUSHES_STORE": str(store)}


def shell(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        shlex.split(command),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )


def test_what_make_does_is_there():
    assert MADE == ["make demo", "make test", "make deploy-check", "make serve"]


@pytest.mark.parametrize("command", PLAIN)
def test_a_command_works(command: str, environment: dict[str, str]):
    done = shell(command, environment)
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip()


def test_the_demo_ends_with_previews_and_says_where_they_are(environment: dict[str, str]):
    done = shell("rushes demo", environment)  # what `make demo` calls once it has set up
    assert done.returncode == 0, done.stdout
    assert "The Lamp on Raven Rock" in done.stdout
    assert "preview.mp3" in done.stdout
    assert "report.html" in done.stdout


def test_make_sets_up_first():
    done_by = {
        "demo": "rushes demo",
        "test": "-m pytest",
        "deploy-check": "rushes deploy-check",
        "serve": "rushes serve",
    }
    for target, calls in done_by.items():
        plan = subprocess.run(["make", "-Bn", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert plan.index("-m venv") < plan.index("requirements.lock") < plan.index("models fetch") < plan.index(calls)


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = next(command for command in SERVED if command.startswith("rushes serve"))
    process = subprocess.Popen(shlex.split(command), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    yield process
    process.terminate()
    process.wait(timeout=20)
    if process.stdout:
        process.stdout.close()


def test_the_service_answers_as_shown(server: subprocess.Popen[str]):
    urls = [f"http://{command.split()[-1]}" for command in SERVED if command.startswith("curl")]
    assert urls
    deadline = time.monotonic() + 60
    for url in urls:
        while True:
            try:
                answer = httpx.get(url)
                break
            except httpx.TransportError:
                assert server.poll() is None, "the service ended"
                assert time.monotonic() < deadline, "the service does not answer"
                time.sleep(0.2)
        assert answer.status_code == 200
        assert answer.json()


def test_the_python_example_works(environment: dict[str, str]):
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    code = example + "\nprint(len(sentences), sorted(sentences.columns))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    count, _, columns = done.stdout.partition(" ")
    assert int(count) > 100
    assert "text" in columns
