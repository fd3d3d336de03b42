"""The house keeps its own rules: arrows, owners of libraries, names."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from steps.store import ROOT

PACKAGES = ("featurization", "ranking", "annotation", "eval", "search", "steps", "serving", "flows", "benchmarks")
BELOW = {
    "featurization": {"featurization"},
    "ranking": {"featurization", "ranking"},
    "annotation": {"featurization", "annotation"},
    "eval": {"featurization", "eval"},
    "search": {"featurization", "search"},
    "steps": {"featurization", "ranking", "annotation", "eval", "search", "steps"},
    "serving": {"featurization", "ranking", "annotation", "eval", "search", "steps", "serving"},
    "flows": {"featurization", "steps", "project_flow"},
}
OWNERS = {
    "optuna": ("ranking/tune.py", "ranking/kinds.py"),
    "lightgbm": ("ranking/lambdarank.py",),
    "metaflow": ("flows/", "steps/runs.py"),
    "pymilvus": ("search/milvus_index.py",),
}
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """Top-level names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", BELOW)
def test_data_flows_one_way(package: str):
    ours = {*PACKAGES, "project_flow"}
    for path in sorted((ROOT / package).rglob("*.py")):
        assert set(imported(path)) & ours <= BELOW[package], path


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_known_to_its_owner_only(library: str):
    users = [str(path.relative_to(ROOT)) for path in SOURCES if library in set(imported(path))]
    product = [user for user in users if not user.startswith("benchmarks/")]
    assert product
    assert [user for user in product if not user.startswith(OWNERS[library])] == []


def test_import_linter_agrees():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_flow_shadows_a_package_or_the_standard_library():
    names = {path.stem for path in (ROOT / "flows").glob("*.py")}
    assert not names & (set(PACKAGES) | set(sys.stdlib_module_names))
    assert not (ROOT / "flows" / "__init__.py").exists()


def test_files_are_named_for_what_they_know():
    assert not {path.stem for path in SOURCES} & {"utils", "util", "helpers", "common", "misc"}


def test_the_lock_pins_every_declared_dependency():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    declared = config["options"]["install_requires"].split() + config["options.extras_require"]["dev"].split()
    names = {re.split(r"[=>\[]", line)[0].lower().replace("_", "-") for line in declared}
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "config" / "requirements.lock").read_text().splitlines()
        if "==" in line
    }
    assert names <= pinned


def test_every_setting_has_a_default_and_a_word_about_it():
    from dataclasses import fields

    from steps.settings import Settings

    for section in fields(Settings):
        options = type(getattr(Settings(), section.name))
        assert options.__doc__, section.name
        assert not options.__doc__.startswith(options.__name__ + "("), f"{options.__name__} needs a docstring"
