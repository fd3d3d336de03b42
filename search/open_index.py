"""The one way to an index: by its address."""

from __future__ import annotations

from pathlib import Path

from featurization.errors import SearchIndexError
from search.exact_index import ExactIndex
from search.vector_index import VectorIndex

SERVERS = ("http://", "https://", "tcp://")
MEMORY = "memory:"


def open_index(address: str) -> VectorIndex:
    """The index at an address.

    | address | index |
    |---|---|
    | a path | a folder of generations in Milvus Lite, made by the first publish |
    | http://host:19530[/name], https://…, tcp://… | a Milvus server; `name` sets stores apart that share one |
    | memory: | exact, gone with the process |

    SearchIndexError if it cannot be opened. Call `close` when done.
    """
    if address == MEMORY:
        return ExactIndex()
    if address.startswith(SERVERS):
        from search.milvus_server import MilvusServer

        return MilvusServer(address)
    if "://" in address:
        raise SearchIndexError(f"RUSHES_INDEX={address}: not a path, nor an address that begins {', '.join(SERVERS)}")
    from search.milvus_folder import MilvusFolder

    return MilvusFolder(Path(address).expanduser().absolute())
