"""The notebooks run from top to bottom, draw what they promise, and are kept without what they drew."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest
from conftest import Workplace
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from featurization.errors import ConfigError
from steps.episodes import heard_episode
from steps.store import ROOT

FOLDER = ROOT / "notebooks"
SHOWN = {  # pictures, and what is said in words
    "look_at_one_episode": (3, ("ranked by", "minute", "Not published yet: `python flows/publish_previews.py run")),
    "compare_two_runs": (2, ("The ranker in use after TrainRanker/", "nDCG@5", "episodes", "24", "32")),
    "what_the_ranker_learned": (4, ("taught it", "Share of the scores' movement", "learning_rate", "<iframe")),
    "what_a_label_costs": (3, ("64 golden clips", "minutes per point", "A point is 0.01 of nDCG@5")),
    "read_an_experiment": (4, ("these listeners are simulated", "ranked beats control", "nothing to complete")),
}
MISSING = {
    "look_at_one_episode": "has no heard episode yet; run ingest_media and featurize_media first",
    "compare_two_runs": "no run of TrainRanker is done yet; `rushes runs` lists them",
}


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What kernels write beside the notebooks goes to a folder of the test."""
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return tmp_path


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def execute(notebook: nbformat.NotebookNode, place: Workplace) -> list[nbformat.NotebookNode]:
    """Run a notebook as if the place were the repository; its outputs, which it holds too if a cell fails."""
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}})
    client.execute(env={**place.environment, "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(place.folder)})
    return outputs_of(notebook)


def outputs_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def told(outputs: list[nbformat.NotebookNode]) -> str:
    """All that is said in words."""
    kinds = ("text/markdown", "text/html")
    return "\n".join(output.data[kind] for output in outputs for kind in kinds if kind in output.get("data", {}))


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_shows_what_it_promises(name: str, trained: Workplace, surroundings: Path):
    outputs = execute(read(name), trained)
    pictures, texts = SHOWN[name]
    assert [output.text for output in outputs if output.output_type == "stream"] == []
    assert sum("image/png" in output.get("data", {}) for output in outputs) == pictures
    assert [text for text in texts if text not in told(outputs)] == []


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_said_in_one_sentence(name: str, workplace: Workplace, surroundings: Path):
    notebook = read(name)
    with pytest.raises(CellExecutionError):
        execute(notebook, workplace)
    (said,) = outputs_of(notebook)[-1].traceback
    assert MISSING[name] in said
    assert "\n" not in said


def test_an_episode_is_the_one_that_was_named(trained: Workplace):
    first = heard_episode("", store=trained.store)
    assert heard_episode(first.asset.asset_id, store=trained.store).asset == first.asset
    with pytest.raises(ConfigError, match=r"no heard episode 'nowhere' in .*; `rushes assets` lists them"):
        heard_episode("nowhere", store=trained.store)


def test_every_notebook_is_executed_here():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_is_kept_clean(name: str):
    code = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code if cell.outputs] == []
    assert [cell.execution_count for cell in code if cell.execution_count] == []
    assert not re.search(r"""["'(]/(home|root|work|tmp|Users|mnt)/""", (FOLDER / f"{name}.ipynb").read_text())


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_says_what_it_needs_and_only_imports_and_plots(name: str):
    first, *rest = read(name).cells
    assert first.cell_type == "markdown"
    assert "Needs " in first.source
    trees = [ast.parse(cell.source) for cell in rest if cell.cell_type == "code"]
    assert 6 <= len(trees) <= 12
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.While, ast.Try)
    assert [node for tree in trees for node in ast.walk(tree) if isinstance(node, definitions)] == []
