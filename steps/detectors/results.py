"""What becomes of trained weights: files with their figures, and on demand the weights in use."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from featurization.errors import ConfigError
from featurization.models import CONFIG
from steps.detectors.registry import WEIGHTS, Trained
from steps.version import VERSION


def describe(trained: Sequence[Trained]) -> str:
    """A line or two for each detector."""
    return "\n".join(line for one in trained for line in _lines(one))


def flat(figures: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Figures within figures under one name each: `speech f1`."""
    found: dict[str, float] = {}
    for name, value in figures.items():
        found |= flat(value, f"{prefix}{name} ") if isinstance(value, Mapping) else {f"{prefix}{name}": float(value)}
    return found


def deliver(trained: Sequence[Trained], *, out: str, update: bool, run: str) -> None:
    """Write weights and figures to the folder `out`, if one is named, and with `update` put the weights in use."""
    for one in trained:
        if out:
            _write(Path(out), one, run)
        if update:
            _put_in_use(one)


def _lines(one: Trained) -> Iterator[str]:
    yield f"{one.name}: " + ", ".join(f"{name} {value:.3f}" for name, value in flat(one.figures).items())
    if one.in_use:
        yield f"{one.name} in use: " + ", ".join(f"{name} {value:.3f}" for name, value in flat(one.in_use).items())


def _write(folder: Path, one: Trained, run: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / one.file).write_bytes(one.weights)
    facts = {
        "detector": one.name,
        "run": run,
        "code": VERSION,
        "sha256": hashlib.sha256(one.weights).hexdigest(),
        "held_out": one.figures,
        "in_use": one.in_use,
        "training": one.training,
    }
    (folder / f"{one.name}.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _put_in_use(one: Trained) -> None:
    """Replace the weights in the working copy, and their digest in the registry of models."""
    pinned = re.compile(rf'("weights/{re.escape(one.file)}" = ")[0-9a-f]{{64}}(")')
    registry = CONFIG.read_text(encoding="utf-8")
    if not pinned.search(registry):
        raise ConfigError(f"{CONFIG}: no model has a file {one.file}; add one before its weights are put in use")
    (WEIGHTS / one.file).write_bytes(one.weights)
    digest = hashlib.sha256(one.weights).hexdigest()
    CONFIG.write_text(pinned.sub(rf"\g<1>{digest}\g<2>", registry), encoding="utf-8")
