"""The search task through the real command line, on few rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from steps.store import ROOT


def benchmarks(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", "search", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


def test_search_is_measured_beside_its_peers(tmp_path: Path) -> None:
    out = tmp_path / "search.json"
    done = benchmarks("--rows", 2500, "--dim", 16, "--out", out)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert report["counts"] == {"rows": 2500, "dim": 16, "queries": 100}
    for figures in (report["metrics"], *report["peers"].values()):
        assert figures["recall_at_10"] >= 0.99
        assert figures["filtered_recall_at_10"] >= 0.99
    assert set(report["peers"]) == {"numpy", "faiss", "milvus lite"}
    for clients in (report["metrics"]["clients"], report["metrics"]["api"]["clients"]):
        assert clients["clients"] == 32
        assert clients["queries"] > 0
        assert clients["errors"] == 0


def test_a_folder_is_neither_needed_nor_taken(tmp_path: Path) -> None:
    refused = benchmarks(tmp_path, "--out", tmp_path / "search.json")
    assert refused.returncode == 2
    assert refused.stderr.startswith("benchmarks: search makes what it measures")
    few = benchmarks("--rows", "some", "--out", tmp_path / "search.json")
    assert few.returncode == 2
    assert "whole number" in few.stderr
