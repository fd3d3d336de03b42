"""Digests of model files: computed once, stamped beside the files, checked again when size or time changed."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from featurization.errors import ModelError

CONVERTED = "model.safetensors"
_STAMP = ".checked.json"  # file -> [sha256, size, mtime_ns]


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(digests: Mapping[str, str]) -> str:
    """The sha256 of a single file, else one that stands for several files and their names."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def files_in(folder: Path) -> Iterator[str]:
    """Names of the visible files under `folder`, sorted, as posix paths."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return iter(sorted(name for name in names if not name.startswith(".")))


def recorded(folder: Path) -> Mapping[str, str]:
    """The digests of the files in `folder`, from the stamp where it still fits."""
    return {name: entry[0] for name, entry in _examine(folder, tuple(files_in(folder))).items()}


def verify(folder: Path, expected: Mapping[str, str], *, name: str, way_out: str, stamp: bool = True) -> None:
    """Check the files of model `name` against `expected` (file -> sha256), or against the stamp if nothing is pinned.

    With `stamp` the result is written beside the files so that the next check is cheap. Raises ModelError.
    """
    known = _read_stamp(folder)
    found = _examine(folder, tuple(expected) or tuple(files_in(folder)))
    wanted = dict(expected) or {file: entry[0] for file, entry in known.items()}
    for file, digest in wanted.items():
        if file not in found:
            raise ModelError(f"model {name}: {folder / file} is gone; delete {folder} and run {way_out}")
        if found[file][0] != digest:
            raise ModelError(
                f"model {name}: {folder / file} has sha256 {found[file][0][:12]}…, not the pinned {digest[:12]}…; "
                f"delete {folder} and run {way_out}"
            )
    if stamp and found != known:
        _write_stamp(folder, found)


def _examine(folder: Path, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Digest, size and time of each file; the digest is taken from the stamp where size and time still fit."""
    known = _read_stamp(folder)
    found: dict[str, list[Any]] = {}
    for name in names:
        stat = (folder / name).stat()
        entry = known.get(name, [])
        fits = entry[1:] == [stat.st_size, stat.st_mtime_ns]
        found[name] = entry if fits else [sha256_of(folder / name), stat.st_size, stat.st_mtime_ns]
    return found


def _read_stamp(folder: Path) -> dict[str, list[Any]]:
    try:
        stamp = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(folder: Path, found: Mapping[str, list[Any]]) -> None:
    """Written whole or not at all; a folder that cannot be written is simply checked in full each time."""
    if not os.access(folder, os.W_OK):
        return
    handle, temporary = tempfile.mkstemp(prefix=_STAMP, dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1, sort_keys=True)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(folder / _STAMP)
