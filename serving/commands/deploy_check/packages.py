"""The code package of a flow: all that tasks import, and nothing that is heavy or private."""

from __future__ import annotations

import configparser
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from serving.commands.deploy_check.findings import Finding

MOST_BYTES = 20_000_000
_KINDS = {".py", ".toml", ".cfg", ".lock", ".html", ".css", ".js", ".svg", ".csv", ".safetensors"}
_METAFLOW = (".mf_code/", ".mf_meta/", ".mf_install")


def check_package(flow: str, names: Collection[str], size: int, root: Path) -> Iterator[Finding]:
    """Findings of a package that holds `names` and has `size` bytes, for the repository at `root`."""
    ours = {name for name in names if not name.startswith(_METAFLOW)}
    wanted = set(needed(root))
    for name in sorted(wanted - ours)[:5]:
        yield Finding(flow, "", f"the code package lacks {name}")
    for name in sorted(ours - wanted)[:5]:
        if PurePosixPath(name).suffix not in _KINDS or name.startswith(("tests/", "samples/", "benchmarks/")):
            yield Finding(flow, "", f"the code package holds {name}, which no task needs")
    if size > MOST_BYTES:
        yield Finding(flow, "", f"the code package has {size / 1e6:.0f} MB, and every task fetches it")


def needed(root: Path) -> Iterator[str]:
    """The files that a task may read: the flows, the packages that setup.cfg names, and the configuration."""
    yield from (path.name for path in (root / "flows").glob("*.py"))
    yield "setup.cfg"
    setup = configparser.ConfigParser()
    setup.read(root / "setup.cfg")
    folders = [name.rstrip("*") for name in setup["options.packages.find"]["include"].split()]
    for folder in [*folders, "config"]:
        for path in (root / folder).rglob("*"):
            if path.suffix in _KINDS and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix()
