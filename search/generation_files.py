"""The files of a local index: a folder per generation, unchanged once it is current, and a pointer to one of them.

FOLDER/
  current                       name of the generation that readers see; replaced by rename, so it switches at once
  publishing                    locked by the process that writes, with who that is inside
  generations/000007-5f0c91aa/
    manifest.json               the Generation, and the text column of each collection; written last
    milvus.db/                  the collections in Milvus Lite
    shots.arrow  shots.npy      columns and vectors of a collection, mapped into memory by readers
  readers/…/milvus.db/          a reader's own view of one milvus.db (milvus_folder.py)
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from featurization.errors import SearchIndexError
from search.publisher_lock import LOCK
from search.reader_view import READERS
from search.rows import Rows
from search.vector_index import Collection, Generation, Stamp

POINTER = "current"
MANIFEST = "manifest.json"
GENERATIONS = "generations"
DATABASE = "milvus.db"
OURS = (POINTER, GENERATIONS, LOCK, READERS)


@dataclass(frozen=True, slots=True)
class GenerationFolder:
    """One generation on disk."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def number(self) -> int:
        return int(self.name.partition("-")[0])

    @property
    def database(self) -> Path:
        return self.path / DATABASE

    @property
    def whole(self) -> bool:
        """Whether it was written to its end."""
        return (self.path / MANIFEST).is_file()

    def write(self, collections: Sequence[Collection], generation: Generation) -> None:
        """Write columns and vectors, then the manifest."""
        for each in collections:
            with (
                pa.OSFile(str(self.path / f"{each.name}.arrow"), "wb") as sink,
                pa.ipc.new_file(sink, each.columns.schema) as writer,
            ):
                writer.write_table(each.columns)
            np.save(self.path / f"{each.name}.npy", each.vectors)
        texts = {each.name: each.text for each in collections}
        write_durably(self.path / MANIFEST, json.dumps({**asdict(generation), "texts": texts}, indent=1))

    def remove(self) -> None:
        """Delete it; readers who have it open keep what they opened."""
        shutil.rmtree(self.path, ignore_errors=True)

    def generation(self) -> Generation:
        """What the manifest says."""
        with self._readable():
            return generation_of(self._manifest())

    def rows(self) -> dict[str, Rows]:
        """The collections, mapped into memory."""
        with self._readable():
            return {name: self._rows(name, text) for name, text in self._manifest()["texts"].items()}

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SearchIndexError(f"{self.path}: cannot be read ({error}); run `rushes index rebuild`") from error

    def _rows(self, name: str, text: str) -> Rows:
        mapped = pa.memory_map(str(self.path / f"{name}.arrow"))
        vectors = np.load(self.path / f"{name}.npy", mmap_mode="r")
        return Rows(name, pa.ipc.open_file(mapped).read_all(), np.asarray(vectors), text)

    def _manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        return manifest


def generation_of(manifest: Mapping[str, Any]) -> Generation:
    """A Generation from what was written of it."""
    stamps = {name: Stamp(**stamp) for name, stamp in manifest["stamps"].items()}
    plain = {name: manifest[name] for name in ("number", "snapshot", "digest", "run", "built")}
    return Generation(**plain, stamps=stamps)


@dataclass(frozen=True, slots=True)
class IndexFolder:
    """The folder of a local index."""

    path: Path

    def check(self) -> None:
        """SearchIndexError if something else lies here."""
        if self.path.is_dir():
            foreign = sorted(entry.name for entry in self.path.iterdir() if entry.name not in OURS)
            if not foreign or (self.path / GENERATIONS).is_dir():
                return
            raise SearchIndexError(
                f"{self.path}: not an index of rushes (it holds {foreign[0]}); name an empty folder in RUSHES_INDEX"
            )
        if self.path.exists():
            raise SearchIndexError(
                f"{self.path}: a file, where an index of rushes is a folder; name another in RUSHES_INDEX"
            )

    def current(self) -> GenerationFolder | None:
        """The generation that the pointer names; None before the first."""
        try:
            name = (self.path / POINTER).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        return GenerationFolder(self.path / GENERATIONS / name)

    def point_at(self, generation: GenerationFolder) -> None:
        """Switch readers, at once."""
        write_durably(self.path / POINTER, generation.name)

    def all(self) -> list[GenerationFolder]:
        """Every generation that was begun, oldest first."""
        home = self.path / GENERATIONS
        names = sorted(entry.name for entry in home.iterdir() if entry.is_dir()) if home.is_dir() else []
        return [GenerationFolder(home / name) for name in names]

    def kept(self) -> list[GenerationFolder]:
        """The whole ones up to the current one, oldest first."""
        current = self.current()
        return [each for each in self.all() if current and each.whole and each.number <= current.number]

    def begin(self) -> GenerationFolder:
        """An empty folder for the next generation, under a name that never comes twice."""
        number = max((each.number for each in self.all()), default=0) + 1
        begun = GenerationFolder(self.path / GENERATIONS / f"{number:06d}-{secrets.token_hex(4)}")
        begun.path.mkdir(parents=True)
        return begun

    def remove_newer(self, *, but: GenerationFolder) -> None:
        """Remove what a publish that died left behind, and what was rolled back."""
        current = self.current()
        for each in self.all():
            if each != but and (current is None or each.number > current.number):
                each.remove()

    def remove_older(self, kept: int) -> None:
        """Keep the newest `kept` generations up to the current one."""
        for each in self.kept()[:-kept]:
            each.remove()


def write_durably(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all, also after a power cut."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
