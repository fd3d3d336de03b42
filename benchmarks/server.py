"""A real `rushes serve` over a store, for as long as something is measured."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from featurization.errors import StoreError
from steps.store import ROOT, Store

LISTENING = re.compile(r"http://[\w.]+:(\d+)")
STARTS_S = 120.0


@contextmanager
def serving(store: Store, index: Path, scratch: Path) -> Iterator[int]:
    """The port of a `rushes serve` over the store, for as long as the block runs."""
    environment = {**os.environ, "RUSHES_STORE": store.url, "RUSHES_INDEX": str(index)}
    command = [sys.executable, "-m", "serving.cli", "serve", "--port", "0"]
    said = scratch / "serve.txt"
    with (
        said.open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield _port(said, process)
        finally:
            process.terminate()
            process.wait(20)


def _port(said: Path, process: subprocess.Popen[bytes]) -> int:
    until = time.monotonic() + STARTS_S
    while time.monotonic() < until and process.poll() is None:
        if found := LISTENING.search(said.read_text(errors="replace")):
            return int(found.group(1))
        time.sleep(0.1)
    raise StoreError(f"rushes serve did not start: {said.read_text(errors='replace')[-500:]}")
