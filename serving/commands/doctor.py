"""Is everything here that rushes needs? One check per thing, with the way out where something is missing."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from featurization.errors import RushesError
from featurization.models import ModelStatus, Registry, load_registry
from serving.commands.terminal import console, print_json, safe, size
from steps.store import Store, store_url

State = Literal["ok", "note", "missing"]
_MARKS = {"ok": "[green]✓[/]", "note": "[yellow]·[/]", "missing": "[red]✗[/]"}
_PYTHONS = ((3, 11), (3, 14))  # from, to (excluded), as in setup.cfg
_LOW_BYTES = 2e9  # about 20 hours of podcasts


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `note` is worth knowing; `missing` is needed."""

    group: Literal["python", "packages", "models", "store", "metaflow", "gpu", "codecs"]
    name: str
    state: State
    found: str
    hint: str = ""


def run_doctor(*, as_json: bool) -> int:
    """Print all checks as they are made; returns the exit status, 1 if something needed is missing."""
    from serving.configured import settings
    from steps.models import SPEECH_MODEL, TEXT_MODEL

    used = settings()
    models = (used.transcribe.model, SPEECH_MODEL, *used.speakers.models, TEXT_MODEL)
    made = examine(registry=load_registry(), serving=models, store_url=store_url())
    if as_json:
        checks = list(made)
        print_json({"ok": healthy(checks), "checks": [asdict(check) for check in checks]})
    else:
        checks = list(_shown(made))
    return 0 if healthy(checks) else 1


def _shown(checks: Iterable[Check]) -> Iterator[Check]:
    """The checks, printed as they pass by: a heading per group, a line each, and a last word."""
    out, passed, group = console(), [], ""
    for check in checks:
        if check.group != group:
            group = check.group
            out.print(f"[bold]{group}[/]")
        hint = f"  [dim]{safe(check.hint)}[/]" if check.hint else ""
        out.print(f"  {_MARKS[check.state]} {safe(check.name):<22} {safe(check.found)}{hint}", soft_wrap=True)
        passed.append(check)
        yield check
    missing = [check.name for check in passed if check.state == "missing"]
    verdict = f"[red]missing: {safe(', '.join(missing))}[/]" if missing else "[green]everything needed is here[/]"
    out.print(f"\n{verdict}")


def examine(*, registry: Registry, serving: Collection[str], store_url: str) -> Iterator[Check]:
    """All checks, in the order in which they are shown; `serving` names the models in use. Nothing is fetched."""
    yield _python()
    yield from _packages()
    yield from _models(registry.status(), serving)
    yield from _store(store_url)
    yield from _guarded("metaflow", _metaflow)
    yield from _guarded("gpu", _gpu)
    yield from _guarded("codecs", _codecs)


def healthy(checks: Sequence[Check]) -> bool:
    """Whether nothing needed is missing."""
    return all(check.state != "missing" for check in checks)


def _python() -> Check:
    low, high = _PYTHONS
    fits = low <= sys.version_info[:2] < high
    hint = "" if fits else "rushes needs Python 3.11, 3.12 or 3.13; run `make clean install PYTHON=/path/to/python`"
    return Check("python", "Python", "ok" if fits else "missing", platform.python_version(), hint)


def _packages() -> Iterator[Check]:
    try:
        needed = [Requirement(text) for text in importlib.metadata.requires("rushes") or ()]
    except importlib.metadata.PackageNotFoundError:
        yield Check("packages", "rushes", "missing", "not installed", "run `make install`")
        return
    yield Check("packages", "rushes", "ok", importlib.metadata.version("rushes"))
    yield from (_package(one) for one in needed if not one.marker or one.marker.evaluate({"extra": ""}))


def _package(needed: Requirement) -> Check:
    try:
        version = importlib.metadata.version(needed.name)
    except importlib.metadata.PackageNotFoundError:
        return Check("packages", needed.name, "missing", "not installed", "run `make install`")
    if needed.specifier.contains(version, prereleases=True):
        return Check("packages", needed.name, "ok", version)
    return Check("packages", needed.name, "missing", version, f"needs {needed.specifier}; run `make install`")


def _models(statuses: Sequence[ModelStatus], serving: Collection[str]) -> Iterator[Check]:
    for status in statuses:
        serves = status.name in serving
        found = f"{status.task}: {status.state}" + (", serves" if serves else "")
        state: State = "ok" if status.state == "present" else "missing" if serves else "note"
        yield Check("models", status.name, state, found, status.hint)


def _store(url: str) -> Iterator[Check]:
    try:
        store = Store(url)
        rights = list(_local_folder(Path(store.files.root)) if store.files.local else _remote(store))
        yield Check("store", "place", "ok", url, "" if store.current().number else "empty; an ingest fills it")
        yield from rights
    except (RushesError, OSError, ValueError, ImportError) as error:
        yield Check("store", "place", "missing", url, f"cannot be used ({_line(error)}); check RUSHES_STORE")


def _local_folder(root: Path) -> Iterator[Check]:
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    with tempfile.TemporaryFile(dir=there):
        yield Check("store", "writable", "ok", str(there))
    free = shutil.disk_usage(there).free
    low = "free some space, or point RUSHES_STORE elsewhere" if free < _LOW_BYTES else ""
    yield Check("store", "free space", "note" if low else "ok", size(free), low)


def _remote(store: Store) -> Iterator[Check]:
    from steps.store_check import check_store

    check_store(store)
    yield Check("store", "writable", "ok", store.url)


def _guarded(group: Literal["metaflow", "gpu", "codecs"], checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The checks of a package that may itself be broken."""
    try:
        yield from checks()
    except (ImportError, OSError) as error:
        yield Check(group, group, "missing", f"cannot be loaded: {_line(error)}", "run `make install`")


def _metaflow() -> Iterator[Check]:
    from steps.runs import metaflow_facts

    facts = metaflow_facts()
    yield Check("metaflow", "metadata", "ok", facts.metadata)
    yield Check("metaflow", "datastore", "ok", facts.datastore)
    yield Check("metaflow", "user", "ok", facts.user)


def _gpu() -> Iterator[Check]:
    import ctranslate2
    import torch

    count = ctranslate2.get_cuda_device_count()
    seen = f"{count} seen" if count else "none seen; the processor is used"
    yield Check("gpu", "ctranslate2", "ok" if count else "note", seen)
    name = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none seen; the processor is used"
    yield Check("gpu", "torch", "ok" if torch.cuda.is_available() else "note", name)


def _codecs() -> Iterator[Check]:
    import av
    import av.filter

    hint = "this PyAV lacks it; install the wheel from PyPI: pip install --force-reinstall av"
    for name, there in (
        ("libmp3lame", "libmp3lame" in av.codecs_available),
        ("ebur128", "ebur128" in av.filter.filters_available),
    ):
        found = f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}"
        yield Check("codecs", name, "ok" if there else "missing", found, "" if there else hint)


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
