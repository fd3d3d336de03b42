"""The connection to Milvus, a file of Milvus Lite or a server; nothing else in the project imports pymilvus.

`milvus_folder.MilvusFolder` and `milvus_server.MilvusServer` make a VectorIndex of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from featurization.errors import SearchIndexError
from search.checks import LONGEST_TEXT
from search.conditions import expression, kinds_of, never_holds
from search.full_text import K1, B
from search.vector_index import Collection, Vectors, Where

if TYPE_CHECKING:
    from pymilvus import CollectionSchema, MilvusClient

HNSW = {"M": 32, "efConstruction": 400}
EF = 512  # candidates that HNSW keeps per query
BATCH_BYTES = 8 << 20  # a server takes messages of 64 MB
TIMEOUT_S = 60.0
CONNECT_S = 10.0
QUIET = {"grpc.keepalive_time_ms": 2**31 - 1}  # `milvus-lite server` hangs up on clients that ping as pymilvus does
Found = list[tuple[int, float, dict[str, Any]]]  # row number, score, columns asked for


class Milvus:
    """One Milvus, a file of Milvus Lite or a server. Whatever goes wrong comes out as SearchIndexError."""

    def __init__(self, address: str, *, shown: str, way_out: str, **credentials: str) -> None:
        from pymilvus import MilvusClient

        for name in ("pymilvus", "milvus_lite"):  # what they would log with a traceback is raised as one line here
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._address, self._shown, self._way_out = address, shown, way_out
        with self._speaking():
            self._client: MilvusClient = MilvusClient(address, timeout=CONNECT_S, grpc_options=QUIET, **credentials)

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        from pymilvus import MilvusException

        try:
            yield
        except MilvusException as error:
            said = " ".join(str(error.message).split())[:300]
            raise SearchIndexError(f"{self._shown}: {said}; {self._way_out}") from error

    def _ask(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self._speaking():
            return call(*arguments, timeout=TIMEOUT_S, **named)

    def write(self, name: str, collection: Collection, *, exact: bool) -> None:
        """Create a collection, fill it, and see that it is all there. `exact` compares every vector, else HNSW."""
        client, rows = self._client, collection.columns.num_rows
        self._ask(client.create_collection, name, schema=self._schema(collection), consistency_level="Strong")
        for batch in _batches(collection):
            self._ask(client.insert, name, batch)
        self._ask(client.flush, name)
        indexes = client.prepare_index_params()
        kind: dict[str, Any] = {"index_type": "FLAT"} if exact else {"index_type": "HNSW", "params": HNSW}
        indexes.add_index("vector", metric_type="IP", **kind)
        if collection.text:
            tuning = {"bm25_k1": K1, "bm25_b": B}
            indexes.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=tuning)
        with self._speaking():  # without a time limit: building takes as long as it takes
            client.create_index(name, indexes, sync=not exact)  # waiting for it means sleeping half a second
            client.load_collection(name)
        (counted,) = self._ask(client.query, name, filter="", output_fields=["count(*)"], consistency_level="Strong")
        if counted["count(*)"] != rows:
            raise SearchIndexError(f"{self._shown}: {name} has {counted['count(*)']} of {rows} rows; run it again")

    def _schema(self, collection: Collection) -> CollectionSchema:
        from pymilvus import DataType, Function, FunctionType

        types = {"text": DataType.VARCHAR, "number": DataType.DOUBLE, "truth": DataType.BOOL}
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("row_number", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=collection.vectors.shape[1])
        for field in collection.columns.schema:
            kind = kinds_of(pa.schema([field]))[field.name]
            more: dict[str, Any] = {"max_length": LONGEST_TEXT} if kind == "text" else {}
            if field.name == collection.text:
                more |= {"enable_analyzer": True, "analyzer_params": {"type": "standard"}}
            whole = pa.types.is_integer(field.type)
            schema.add_field(field.name, DataType.INT64 if whole else types[kind], **more)
        if collection.text:
            schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
            words = Function("words", FunctionType.BM25, [collection.text], ["bm25"])
            schema.add_function(words)
        return schema

    def nearest(
        self, name: str, queries: Vectors, *, limit: int, where: Where, output: Sequence[str] = ()
    ) -> list[Found]:
        """Rows by inner product for each query, best first."""
        search = {"metric_type": "IP", "params": {"ef": max(EF, 2 * limit)}}
        return self._search(name, list(queries), "vector", search, limit=limit, where=where, output=output)

    def matching(self, name: str, text: str, *, limit: int, where: Where, output: Sequence[str] = ()) -> Found:
        """Rows by BM25, best first."""
        search = {"metric_type": "BM25"}
        (found,) = self._search(name, [text], "bm25", search, limit=limit, where=where, output=output)
        return found

    def _search(
        self, name: str, data: list[Any], field: str, search: Any, *, limit: int, where: Where, output: Sequence[str]
    ) -> list[Found]:
        if never_holds(where):
            return [[] for _ in data]
        named = {"data": data, "anns_field": field, "search_params": search, "limit": limit}
        answers = self._ask(self._client.search, name, filter=expression(where), output_fields=list(output), **named)
        # Milvus Lite counts BM25 as a negative distance, a server as a positive score
        sign = abs if field == "bm25" else float
        return [[(hit["row_number"], sign(hit["distance"]), hit["entity"]) for hit in hits] for hits in answers]

    def rows(self, name: str, condition: str, fields: list[str]) -> list[dict[str, Any]]:
        """Fields of the rows for which an expression holds, in no order."""
        return [dict(row) for row in self._ask(self._client.query, name, filter=condition, output_fields=fields)]

    def load(self, name: str) -> None:
        """Make a collection answer, after a restart too."""
        self._ask(self._client.load_collection, name)

    def release(self, name: str) -> None:
        """Free the memory of a collection that is kept but not read."""
        self._ask(self._client.release_collection, name)

    def names(self) -> list[str]:
        """All collections."""
        return sorted(self._ask(self._client.list_collections))

    def drop(self, names: Sequence[str]) -> None:
        """Remove collections."""
        for name in names:
            self._ask(self._client.drop_collection, name)

    def followed(self, alias: str) -> str:
        """The collection that an alias names; "" if there is no such alias."""
        if alias not in self._ask(self._client.list_aliases)["aliases"]:
            return ""
        return str(self._ask(self._client.describe_alias, alias)["collection_name"])

    def follow(self, alias: str, name: str) -> None:
        """Let an alias name a collection, at once."""
        move = self._client.alter_alias if self.followed(alias) else self._client.create_alias
        self._ask(move, name, alias)

    def close(self) -> None:
        """End the connection; a file of Milvus Lite is let go, which closing the client alone would not do."""
        from milvus_lite.server_manager import server_manager_instance

        self._client.close()
        server_manager_instance.release_server(self._address)


def _batches(collection: Collection) -> Iterator[list[dict[str, Any]]]:
    size = max(1, BATCH_BYTES // (4 * collection.vectors.shape[1] + 1000))
    for start in range(0, collection.columns.num_rows, size):
        rows = collection.columns.slice(start, size).to_pylist()
        yield [{**row, "row_number": start + n, "vector": collection.vectors[start + n]} for n, row in enumerate(rows)]


def plain_name(collection: str) -> str:
    """The name of a collection as Milvus takes it."""
    return collection.replace("-", "_")
