"""The detectors that `flows/train_detectors.py` trains: one module each, with the functions of `Detector`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from featurization.errors import ConfigError
from featurization.models import load_registry
from steps.settings import Settings
from steps.store import Store

Figures = Mapping[str, Any]  # name → number, or figures again
MODULES = {"sounds": "steps.detectors.sounds", "ads": "steps.detectors.ads"}
WEIGHTS = Path(__file__).resolve().parents[2] / "featurization" / "weights"  # those that rushes hears with


class Detector(Protocol):
    """What a module of a detector has. `sources` is a folder that keeps what was downloaded."""

    WEIGHTS: str  # name of its file

    def train(self, sources: Path, *, out: Path, settings: Settings, store: Store, seed: int) -> Figures:
        """Write `out`/WEIGHTS, trained from nothing, and return what is worth knowing of the training."""

    def judge(self, weights: Path, sources: Path, *, settings: Settings, store: Store, seed: int) -> Figures:
        """Figures of weights on sources that taught them nothing."""


@dataclass(frozen=True)
class Trained:
    """One detector after training, beside the weights in use."""

    name: str
    file: str
    weights: bytes
    training: Figures
    figures: Figures  # on what was held out
    in_use: Figures  # the same of the weights in use; empty if there are none


def chosen(names: str) -> list[str]:
    """Detectors by comma-separated names, all if there are none; ConfigError lists those that are known."""
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(MODULES)
    if unknown := sorted(set(wanted) - set(MODULES)):
        raise ConfigError(f"unknown detector {', '.join(unknown)}; known: {', '.join(MODULES)}")
    return wanted


def train_detector(name: str, *, settings: Settings, store: Store, seed: int) -> Trained:
    """Train one detector from nothing and judge it beside the weights in use, on the same held-out sources."""
    detector = cast(Detector, import_module(MODULES[name]))
    sources = load_registry().folder / "sources"
    with tempfile.TemporaryDirectory(prefix="rushes-") as folder:
        new, old = Path(folder) / detector.WEIGHTS, WEIGHTS / detector.WEIGHTS
        training = detector.train(sources, out=new.parent, settings=settings, store=store, seed=seed)
        judged = [
            detector.judge(weights, sources, settings=settings, store=store, seed=seed) if weights.is_file() else {}
            for weights in (new, old)
        ]
        return Trained(name, detector.WEIGHTS, new.read_bytes(), training, *judged)
