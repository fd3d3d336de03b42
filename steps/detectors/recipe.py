"""What a detector is trained on: sources in packages, from a TOML file."""

from __future__ import annotations

import fnmatch
import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from featurization.errors import ConfigError

Kind = Literal["music", "effects", "speech"]
RECIPES = Path(__file__).resolve().parents[2] / "config" / "detectors"
_EACH_HELD_OUT = 6  # of a source that both teaches and judges, one file or voice in so many judges


@dataclass(frozen=True, slots=True)
class Source:
    """Files of one package that are all of a kind; `config/detectors/sounds.toml` explains the fields."""

    package: str
    kind: Kind
    members: tuple[str, ...]
    licence: str
    wheel: str = ""
    unlike: tuple[str, ...] = ()
    voices: Literal["", "folder", "language"] = ""
    held_out: bool = False
    most: int = 0

    def files(self, folder: Path) -> list[Path]:
        """The files of an unpacked package that belong to the source, in order of a hash of their paths."""
        found = {path for pattern in self.members for path in folder.glob(pattern) if path.is_file()}
        kept = (p for p in found if not any(fnmatch.fnmatchcase(p.name, one) for one in self.unlike))
        ordered = sorted(kept, key=lambda path: _hash(path.relative_to(folder).as_posix()))
        return ordered[: self.most or None]

    def judges(self, member: str, voice: str) -> bool:
        """Whether a file is held out: a voice as a whole, so that nobody who judges has taught."""
        return self.held_out or _hash(voice if self.kind == "speech" else member) % _EACH_HELD_OUT == 0

    def voice(self, path: Path) -> str:
        """Who speaks, as far as names say."""
        if self.voices == "language":
            return f"{self.package}/{path.stem.rpartition('_')[2]}"
        return f"{self.package}/{path.parent.name}" if self.voices == "folder" else self.package


def load_recipe(path: Path) -> tuple[Source, ...]:
    """The sources of a recipe. ConfigError says in one line what is wrong with it."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not a recipe: {error}") from error
    return tuple(_sources(tables.get("sources", []), path))


def _sources(tables: list[Mapping[str, Any]], path: Path) -> Iterator[Source]:
    known = [field.name for field in fields(Source)]
    for number, table in enumerate(tables, start=1):
        if unknown := sorted(table.keys() - set(known)):
            raise ConfigError(f"{path}: source {number}: unknown key {', '.join(unknown)}; known: {', '.join(known)}")
        try:
            given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
            yield Source(**given)
        except TypeError as error:
            raise ConfigError(f"{path}: source {number} is incomplete: {error}") from error


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
