"""Arrow tables as the bytes of Parquet files, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def to_parquet(table: pa.Table) -> bytes:
    """The bytes of a Parquet file, the same for the same table."""
    stream = pa.BufferOutputStream()
    pq.write_table(table, stream, compression="zstd")
    return bytes(stream.getvalue().to_pybytes())


def from_parquet(data: bytes, *, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
    """The inverse; of some columns, or of the rows that pass filters, if they are given."""
    # Not io.BytesIO: Arrow's threads would need the interpreter's lock for every read.
    return pq.read_table(pa.BufferReader(data), columns=None if columns is None else list(columns), filters=filters)
