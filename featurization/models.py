"""The model registry: a name becomes a folder of weights whose bytes are the pinned ones.

`config/models.toml` says what each model is for, under which licence, and where its files come from. `fetch` may use
the network; `locate` never does. Files are checked by sha256 when they arrive, and again when size or time changed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from featurization import model_files, model_sources
from featurization.errors import ModelError
from featurization.model_sources import Wheel

Progress = Callable[[str], None]
CONFIG = Path(__file__).resolve().parent.parent / "config" / "models.toml"
ENVIRONMENT = "RUSHES_MODELS"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One table of models.toml: what a model is, and the source of its files."""

    name: str
    task: str
    licence: str
    origin: str
    default: bool = False
    better_than: str = ""
    files: Mapping[str, str] = field(default_factory=dict)  # file name -> sha256
    wheels: tuple[Wheel, ...] = ()
    packaged: str = ""
    hub: str = ""
    made_from: str = ""
    convert: Literal["", "torch-pickle", "training-checkpoint", "ctranslate2-whisper"] = ""

    @property
    def identity(self) -> str:
        """`name@` and 12 hex digits over the pinned digests; `name@unpinned` where the registry pins none."""
        return f"{self.name}@{model_files.digest_of(self.files)[:12] if self.files else 'unpinned'}"

    @property
    def expected(self) -> Mapping[str, str]:
        """Files that must lie in the folder, by sha256; empty if conversion or the hub decides them."""
        return {} if self.convert else self.files

    @property
    def required(self) -> tuple[str, ...]:
        """Files without which the model is not there, whether or not their digest is pinned."""
        return (model_files.CONVERTED,) if self.convert else tuple(self.files)

    @property
    def way_to_get(self) -> str:
        return "`make install`" if self.packaged else f"`rushes models fetch {self.name}`"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What `rushes doctor` says of one model."""

    name: str
    task: str
    licence: str
    identity: str
    state: Literal["present", "missing", "corrupt"]
    serves: bool  # it is the one its task uses unless the config says otherwise
    hint: str  # empty, or the way to get or repair it


@dataclass(frozen=True, slots=True)
class Registry:
    """Models by name, and the folder that keeps their files: `folder/NAME/FILE`."""

    specs: Mapping[str, ModelSpec]
    folder: Path

    def names(self) -> tuple[str, ...]:
        return tuple(self.specs)

    def defaults(self) -> tuple[str, ...]:
        """Models that everything needs when nothing is configured."""
        return tuple(name for name, spec in self.specs.items() if spec.default)

    def model(self, name: str) -> ModelSpec:
        """The model called `name`; ModelError lists the known ones."""
        if name not in self.specs:
            raise ModelError(f"unknown model {name!r}; known models: {', '.join(self.specs)}")
        return self.specs[name]

    def locate(self, name: str) -> Path:
        """The folder with the checked files of `name`, without touching the network.

        Raises ModelError, which names the way out, if files are missing or are not the pinned ones.
        """
        spec = self.model(name)
        folder = self._place(spec)
        if missing := [file for file in spec.required if not (folder / file).is_file()]:
            raise ModelError(f"model {name} is not here ({folder / missing[0]} is missing); run {spec.way_to_get}")
        if not spec.required and not any(model_files.files_in(folder)):
            raise ModelError(f"model {name} is not here ({folder} is empty); run {spec.way_to_get}")
        model_files.verify(folder, spec.expected, name=name, way_out=spec.way_to_get, stamp=not spec.packaged)
        return folder

    def identity(self, name: str) -> str:
        """`name@12hex` of the weights in use: the pinned digests, else those recorded when the files arrived."""
        spec = self.model(name)
        if spec.made_from:
            return f"{name}@{self.identity(spec.made_from).partition('@')[2]}"
        if spec.files:
            return spec.identity
        return f"{name}@{model_files.digest_of(model_files.recorded(self.locate(name)))[:12]}"

    def fetch(self, name: str, progress: Progress = lambda _: None) -> Path:
        """The folder with the checked files of `name`, downloaded or converted if need be.

        `progress` gets one line per thing done. Raises ModelError if the source fails or delivers other bytes.
        """
        spec = self.model(name)
        try:
            return self.locate(name)
        except ModelError:
            if spec.packaged:
                raise
        self.folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=self.folder))
        try:
            self._obtain(spec, staging, progress)
            model_files.verify(staging, spec.expected, name=name, way_out="check the source in models.toml")
            _open_to_readers(staging)
            _put_in_place(staging, self._place(spec))
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return self.locate(name)

    def status(self) -> tuple[ModelStatus, ...]:
        """The state of every model, in the order of the registry; never touches the network."""
        return tuple(self._status(spec) for spec in self.specs.values())

    def _status(self, spec: ModelSpec) -> ModelStatus:
        state: Literal["present", "missing", "corrupt"] = "present"
        hint, identity = "", spec.identity
        try:
            self.locate(spec.name)
            identity = self.identity(spec.name)
        except ModelError as error:
            state = "corrupt" if "sha256" in str(error) else "missing"
            better = f"better than {spec.better_than}: " if spec.better_than else ""
            hint = str(error) if state == "corrupt" else f"{better}get it with {spec.way_to_get}"
        return ModelStatus(spec.name, spec.task, spec.licence, identity, state, spec.default, hint)

    def _place(self, spec: ModelSpec) -> Path:
        return model_sources.package_folder(spec.packaged) if spec.packaged else self.folder / spec.name

    def _obtain(self, spec: ModelSpec, staging: Path, progress: Progress) -> None:
        """Fill `staging` from the model's source, checked and converted."""
        if spec.made_from:
            progress(f"{spec.name}: converting {spec.made_from}")
            model_sources.convert(spec.convert, self.fetch(spec.made_from, progress), staging)
            return
        if spec.wheels:
            model_sources.from_wheels(spec.wheels, staging, progress)
        else:
            model_sources.from_hub(spec.hub, staging, progress)
        if spec.convert:
            model_files.verify(
                staging, spec.files, name=spec.name, way_out="check the source in models.toml", stamp=False
            )
            progress(f"{spec.name}: converting to safetensors")
            model_sources.convert(spec.convert, staging, staging)
            for file in spec.files:
                (staging / file).unlink()


def load_registry(path: Path | None = None, folder: Path | None = None) -> Registry:
    """The registry of a models.toml; unknown keys and sources that are missing or doubled raise ModelError.

    Files are kept in `folder`, else in $RUSHES_MODELS, else in `.models/` beside the `config` folder, else (where that
    cannot be written) in ~/.cache/rushes/models.
    """
    path = path or CONFIG
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"the model registry {path} cannot be read: {error}") from error
    specs = {name: _spec(name, table, path) for name, table in tables.items()}
    for spec in specs.values():
        for other in filter(None, (spec.made_from, spec.better_than)):
            if other not in specs:
                raise ModelError(f"{path}: model {spec.name} refers to {other!r}, which is not in the registry")
    return Registry(specs, folder or _default_folder(path))


def _spec(name: str, table: Any, path: Path) -> ModelSpec:
    if not isinstance(table, dict):
        raise ModelError(f"{path}: {name!r} must be a table such as [{name}]")
    _refuse_unknown(table, ModelSpec, f"{path}: model {name}", hidden=frozenset({"name"}))
    for wheel in table.get("wheels", ()):
        _refuse_unknown(wheel, Wheel, f"{path}: a wheel of model {name}")
    try:
        wheels = tuple(Wheel(**wheel) for wheel in table.get("wheels", ()))
        spec = ModelSpec(**{**table, "name": name, "wheels": wheels})
    except TypeError as error:
        raise ModelError(f"{path}: model {name} is incomplete: {error}") from error
    if sum(map(bool, (spec.wheels, spec.packaged, spec.hub, spec.made_from))) != 1:
        raise ModelError(f"{path}: model {name} needs exactly one of wheels, packaged, hub, made_from")
    return spec


def _refuse_unknown(table: Mapping[str, Any], cls: type, where: str, hidden: frozenset[str] = frozenset()) -> None:
    known = [f.name for f in fields(cls) if f.name not in hidden]
    if unknown := sorted(table.keys() - set(known)):
        raise ModelError(f"{where}: unknown key {', '.join(unknown)}; known keys: {', '.join(known)}")


def _default_folder(path: Path) -> Path:
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen).expanduser()
    beside = path.resolve().parent.parent / ".models"
    writable = os.access(beside if beside.exists() else beside.parent, os.W_OK)
    return beside if writable else Path("~/.cache/rushes/models").expanduser()


def _open_to_readers(folder: Path) -> None:
    """Temporary folders are private to their maker; a model folder may be shared."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _put_in_place(staging: Path, place: Path) -> None:
    """Rename `staging` to `place`; what lay there (corrupt, or put there by another process) is replaced whole."""
    for _ in range(3):
        try:
            staging.rename(place)
            return
        except OSError:
            aside = Path(tempfile.mkdtemp(prefix=".old.", dir=place.parent))
            if place.exists():
                place.rename(aside / "model")
            shutil.rmtree(aside, ignore_errors=True)
    raise ModelError(f"{place} cannot be written: other processes keep replacing it; try again")
