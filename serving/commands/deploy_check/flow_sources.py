"""What the sources of the flows say about their steps, read without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steps.placement import Declared, declared


@dataclass(frozen=True)
class FlowSource:
    """One flow: its file, its steps in the order of the source, and those that a foreach runs many times."""

    name: str
    file: Path
    steps: Mapping[str, Declared]
    repeated: frozenset[str]


def read_flows(folder: Path) -> list[FlowSource]:
    """The flows in a folder of Python files, by name."""
    found = [flow for path in sorted(folder.glob("*.py")) for flow in _flows_in(path)]
    return sorted(found, key=lambda flow: flow.name)


def _flows_in(path: Path) -> Iterator[FlowSource]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and any(_called(base) == "ProjectFlow" for base in node.bases):
            functions = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            steps = {one.name: declared(_decorators(one)) for one in functions if "step" in _decorators(one)}
            repeated = frozenset(step for one in functions for step in _repeats(one))
            yield FlowSource(node.name, path, steps, repeated)


def _decorators(function: ast.FunctionDef) -> dict[str, dict[str, Any]]:
    """Decorators by name, with those of their arguments that are plain values."""
    return {_called(node): _arguments(node) for node in function.decorator_list}


def _arguments(node: ast.expr) -> dict[str, Any]:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    return {one.arg: ast.literal_eval(one.value) for one in keywords if one.arg and isinstance(one.value, ast.Constant)}


def _called(node: ast.expr) -> str:
    target = node.func if isinstance(node, ast.Call) else node
    return target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""


def _repeats(function: ast.FunctionDef) -> Iterator[str]:
    """The steps that `self.next(self.STEP, foreach=…)` starts."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _called(node) == "next" and "foreach" in {one.arg for one in node.keywords}:
            yield from (one.attr for one in node.args if isinstance(one, ast.Attribute))
