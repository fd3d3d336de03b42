"""What the store holds of heard assets against files that say what is really in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from featurization.errors import SourceError
from featurization.media import Asset
from steps.store import Store
from steps.tables import ASSETS, only
from steps.truth.figures import Ratios
from steps.truth.formats import SUFFIXES
from steps.truth.tasks import TASKS, Task


@dataclass(frozen=True)
class TruthFigures:
    """Figures of each detector, pooled over the assets that have truth."""

    figures: Mapping[str, Ratios] = field(default_factory=dict)  # by task; only what was measured
    files: Mapping[str, int] = field(default_factory=dict)  # how many were measured, by task
    problems: tuple[str, ...] = ()  # files that could not be used, a line each
    unmatched: tuple[str, ...] = ()  # files that are of no asset in the store

    def describe(self) -> str:
        """A few lines for people."""
        lines = [f"{task}, {count} files: {_listed(self.figures[task])}" for task, count in self.files.items()]
        if self.unmatched:
            lines.append(f"of no asset in the store, by id, guid or file name: {', '.join(self.unmatched)}")
        return "\n".join([*lines, *self.problems])


def measure_truth(folder: Path, *, store: Store) -> TruthFigures:
    """Measure every file NAME.txt, .words.csv, .rttm, .sounds.csv, .transitions.csv and .ads.csv in a folder.

    NAME is the id or guid of an asset, or the name of its source without suffix. What cannot be used is named in the
    result. Raises SourceError if there is no such file at all.
    """
    names = _names([asset for rows in store.read(ASSETS).values() if (asset := only(rows))])
    judged: dict[str, dict[str, Any]] = defaultdict(dict)  # task → asset → counts
    problems, unmatched = [], []
    for path, task, name in _truth_files(folder):
        owners = next((known[name] for known in names if name in known), [])
        if not owners:
            unmatched.append(path.name)
            continue
        try:
            asset = _only_owner(path, owners)
            if asset.asset_id in judged[task.name]:
                raise SourceError(f"{path}: {asset.title} has another file of the same kind; keep one")
            judged[task.name][asset.asset_id] = task.judge(path, asset, store)
        except SourceError as error:
            problems.append(" ".join(str(error).split()))  # titles come from anywhere
    counts = [(task, list(judged[task.name].values())) for task in TASKS if judged[task.name]]
    return TruthFigures(
        figures={task.name: task.figures(found) for task, found in counts},
        files={task.name: len(found) for task, found in counts},
        problems=tuple(problems),
        unmatched=tuple(unmatched),
    )


def _truth_files(folder: Path) -> list[tuple[Path, Task, str]]:
    """Each truth file with what it is truth for, and whose, by name."""
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder; give one with truth files, or leave it out")
    found = [
        (path, task, path.name.removesuffix(suffix))
        for path in sorted(folder.iterdir())
        for task in TASKS
        for suffix in task.suffixes
        if path.name.endswith(suffix) and path.is_file()
    ]
    if not found:
        raise SourceError(f"{folder}: no truth file in it; they are called {', '.join(f'NAME{s}' for s in SUFFIXES)}")
    return found


def _names(assets: Iterable[Asset]) -> list[dict[str, list[Asset]]]:
    """Assets by what they are called, the surest names first: id, guid, name of the source."""
    known: list[dict[str, list[Asset]]] = [defaultdict(list) for _ in range(3)]
    for asset in assets:
        for of_kind, name in zip(known, (asset.asset_id, asset.guid, _stem(asset.source)), strict=True):
            of_kind[name].append(asset)
    return known


def _only_owner(path: Path, owners: Sequence[Asset]) -> Asset:
    if len(owners) > 1:
        ids = ", ".join(asset.asset_id for asset in owners)
        raise SourceError(f"{path}: {len(owners)} assets are called so ({ids}); name the file for an id")
    return owners[0]


def _stem(source: str) -> str:
    """The last part of a path or address, without suffix."""
    return PurePosixPath(unquote(urlsplit(source).path) if "://" in source else source).stem


def _listed(figures: Ratios) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
