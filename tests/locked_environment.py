"""A Python that has the packages of the lock file and nothing else: not even this repository."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

from steps.environment import pinned
from steps.store import ROOT


def locked_python(folder: Path) -> Path:
    """The interpreter of a new virtual environment in `folder`, with links to what this one has installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in pinned(ROOT / "config" / "requirements.lock"):
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # pinned for another platform
        for part in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (site / part).exists():
                (site / part).symlink_to(Path(str(distribution.locate_file(part))))
    return folder / "bin" / "python"
