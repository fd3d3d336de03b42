"""What the files of a store refer to: every text in them, however deep, that is the key of another file.

Tables and features are searched without knowing their rows, so that a new kind of row keeps what it names alive by
itself. Those that are large and name no files are left out by name.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from featurization.errors import StoreError
from steps.choose import CANDIDATES
from steps.parquet import from_parquet
from steps.people import PEOPLE, PERSON_NAMES
from steps.store import Store
from steps.tables import (
    ADS,
    FINGERPRINTS,
    LEVELS,
    MARKERS,
    SCENES,
    SENTENCES,
    SHOT_FEATURES,
    SOUNDS,
    SPOILERS,
    TAGS,
    TOPICS,
    TURNS,
    VECTORS,
    VOICES,
    WORDS,
)

PREFIXES = ("blobs/", "features/")
_SILENT = (
    ADS,
    CANDIDATES,
    FINGERPRINTS,
    LEVELS,
    MARKERS,
    PEOPLE,
    PERSON_NAMES,
    SCENES,
    SENTENCES,
    SHOT_FEATURES,
    SOUNDS,
    SPOILERS,
    TAGS,
    TOPICS,
    TURNS,
    VECTORS,
    VOICES,
    WORDS,
)
SILENT_TABLES = frozenset(table.name for table in _SILENT)
SILENT_FEATURES = frozenset(
    {"picture-fingerprint", "profile", "sound-fingerprint", "sounds", "speech", "tags", "turns", "voices", "words"}
)


def in_table(table: pa.Table) -> set[str]:
    """Keys that a table's texts name."""
    texts = (text for column in table.columns for chunk in column.chunks for text in _texts(chunk))
    return {key for text in texts for key in pc.unique(text.filter(_names_a_file(text))).to_pylist()}


def _names_a_file(text: pa.Array) -> pa.Array:
    return pc.match_substring_regex(text, f"^(?:{'|'.join(PREFIXES)})")


def _texts(values: pa.Array) -> Iterator[pa.Array]:
    """The texts in a column, in its lists, maps and records too."""
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield values
    elif pa.types.is_map(kind):
        yield from _texts(values.keys)
        yield from _texts(values.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _texts(values.flatten())
    elif pa.types.is_struct(kind):
        for part in values.flatten():
            yield from _texts(part)


def in_pieces(keys: Iterable[str], store: Store) -> set[str]:
    """Keys that pieces of tables name. StoreError if one cannot be read."""
    return _in_rows((key for key in keys if key.split("/")[1] not in SILENT_TABLES), store)


def in_features(keys: Iterable[str], store: Store) -> set[str]:
    """Keys that computed rows name, such as the keyframes of shots. StoreError if some cannot be read."""
    return _in_rows((key for key in keys if key.split("/")[1] not in SILENT_FEATURES), store)


def _in_rows(keys: Iterable[str], store: Store) -> set[str]:
    tables = (key for key in keys if key.endswith(".parquet"))
    return set().union(*_read(tables, lambda data: in_table(from_parquet(data)), store).values())


def in_staged(keys: Iterable[str], store: Store) -> set[str]:
    """Keys that the staged rows of runs name; a run may end meanwhile. StoreError if some cannot be read."""
    archives = (key for key in keys if key.endswith(".zip"))
    return set().union(*_read(archives, _in_zip, store, may_vanish=True).values())


def in_documents(keys: Iterable[str], store: Store) -> dict[str, set[str]]:
    """Keys that JSON documents name, by document. StoreError if one cannot be read."""
    return _read(keys, lambda data: set(_in_json(json.loads(data))), store, may_vanish=True)


def _in_zip(data: bytes) -> set[str]:
    found: set[str] = set()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            with pa.ipc.open_file(archive.read(name)) as file:
                found |= in_table(file.read_all())
    return found


def _in_json(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(PREFIXES):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _in_json(item)


def _read(
    keys: Iterable[str], names: Callable[[bytes], set[str]], store: Store, *, may_vanish: bool = False
) -> dict[str, set[str]]:
    def named(key: str) -> set[str]:
        data = store.files.read_if_there(key) if may_vanish else store.files.read(key)
        try:
            return set() if data is None else names(data)
        except (ValueError, zipfile.BadZipFile) as error:  # what Arrow and json raise are ValueErrors
            raise StoreError(f"{store.url}: {key} is damaged ({error}); nothing was deleted") from error

    wanted = list(keys)
    return dict(zip(wanted, store.pieces.at_once(named, wanted), strict=True))
