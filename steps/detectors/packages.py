"""Packages of Debian and of PyPI as containers of recordings: downloaded, unpacked, and nothing of them run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from featurization.errors import SourceError
from featurization.model_files import sha256_of

_TIMEOUT_S = 1800
_DIGEST = ".sha256"


@dataclass(frozen=True, slots=True)
class Package:
    """An unpacked package, and the sha256 and name of the file that it was in."""

    folder: Path
    archive: str
    sha256: str


def fetch_package(
    name: str, *, wheel: str = "", cache: Path, progress: Callable[[str], None] = lambda _: None
) -> Package:
    """The package `name` unpacked under `cache`, from Debian, or version `wheel` of it from PyPI.

    Raises SourceError in one line if it cannot be had.
    """
    folder = cache / name
    if not (folder / _DIGEST).is_file():
        progress(f"downloading {name}")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=cache) as place:
            archive = _from_pypi(name, wheel, Path(place)) if wheel else _from_debian(name, Path(place))
            unpacked = Path(place) / "unpacked"
            unpacked.mkdir()
            _unpack(archive, unpacked)
            (unpacked / _DIGEST).write_text(f"{sha256_of(archive)} {archive.name}\n", encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            unpacked.rename(folder)
    sha256, _, archive_name = (folder / _DIGEST).read_text(encoding="utf-8").strip().partition(" ")
    return Package(folder, archive_name, sha256)


def _from_debian(name: str, place: Path) -> Path:
    if not all(map(shutil.which, ("apt-get", "dpkg-deb"))):
        raise SourceError(f"package {name} cannot be had: apt-get and dpkg-deb are missing; train on Debian or Ubuntu")
    _run(["apt-get", "download", "-q", name], place, name, "run `apt-get update`, and check the network")
    return _only(place, "*.deb", name)


def _from_pypi(name: str, version: str, place: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*command, "--only-binary=:all:", f"{name}=={version}"], place, name, "check the network")
    return _only(place, "*.whl", name)


def _run(command: Sequence[str], place: Path, name: str, way_out: str) -> None:
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"package {name} took over {_TIMEOUT_S} s to download; {way_out}") from error
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if line.startswith(("E:", "ERROR"))), "no reason said")
        raise SourceError(f"package {name} cannot be downloaded ({reason}); {way_out}")


def _only(place: Path, pattern: str, name: str) -> Path:
    found = sorted(place.glob(pattern))
    if len(found) != 1:
        raise SourceError(f"package {name}: {len(found)} files were downloaded instead of one")
    return found[0]


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as members:
            members.extractall(folder)
        return
    _run(["dpkg-deb", "-x", str(archive), str(folder)], folder, archive.name, "the download is damaged")
