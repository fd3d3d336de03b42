"""Conditions on scalar columns: checked once, then a mask over Arrow columns or an expression for Milvus."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from featurization.errors import SearchError, SearchIndexError
from search.vector_index import Condition, Hit, Where

Kind = Literal["text", "number", "truth"]
Kinds = Mapping[str, Kind]  # by column
TEXT_ONLY = ("in", "has", "contains")
COMPARE = {
    "==": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
UNPATTERNED = {"%": "\\%", "_": "\\_", "\\": "_"}


def kinds_of(schema: pa.Schema) -> dict[str, Kind]:
    """What can be asked of each column. SearchIndexError for a type that a column of the index cannot have."""
    return {field.name: _kind(field) for field in schema}


def _kind(field: pa.Field) -> Kind:
    if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
        return "text"
    if pa.types.is_boolean(field.type):
        return "truth"
    if pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
        return "number"
    raise SearchIndexError(
        f"column {field.name} is {field.type}; columns of the index are text, numbers or truth values"
    )


def check_where(where: Where, kinds: Kinds) -> None:
    """Refuse, as SearchError, what cannot be asked of these columns."""
    for condition in where:
        if condition.column not in kinds:
            known = ", ".join(kinds)
            raise SearchError(f"no column {condition.column!r} to filter on; there are {known}")
        _check_value(condition, kinds[condition.column])


def _check_value(condition: Condition, kind: Kind) -> None:
    asked = f"{condition.column} {condition.operator} {condition.value!r}"
    if condition.operator in TEXT_ONLY and kind != "text":
        raise SearchError(
            f"{asked}: {condition.column} holds {kind}s, which cannot be asked with {condition.operator!r}"
        )
    if condition.operator == "in":
        fits = isinstance(condition.value, tuple) and all(isinstance(value, str) for value in condition.value)
    elif kind == "text":
        fits = isinstance(condition.value, str)
    elif kind == "truth":
        fits = isinstance(condition.value, bool) and condition.operator in ("==", "!=")
    else:
        fits = _is_number(condition.value)
    if not fits:
        raise SearchError(f"{asked}: not a value that column {condition.column} ({kind}) can be compared with")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def never_holds(where: Where) -> bool:
    """Whether a condition lets nothing through, whatever the rows are: `in` with nothing in it."""
    return any(condition.operator == "in" and not condition.value for condition in where)


def rows_where(table: pa.Table, where: Where) -> NDArray[np.bool_] | None:
    """Which rows hold all conditions, (rows,); None for all of them."""
    if not where:
        return None
    held = np.ones(table.num_rows, dtype=np.bool_)
    for condition in where:
        held &= _mask(table.column(condition.column), condition)
    return held


def _mask(column: pa.ChunkedArray, condition: Condition) -> NDArray[np.bool_]:
    if condition.operator == "in":
        held = pc.is_in(column, value_set=pa.array(condition.value, column.type))
    elif condition.operator == "has":
        held = pc.match_substring(column, f"|{condition.value}|")
    elif condition.operator == "contains":
        held = pc.match_substring(column, condition.value)
    else:
        held = COMPARE[condition.operator](column, pa.scalar(condition.value))
    return np.asarray(held.to_numpy(), dtype=np.bool_)


def expression(where: Where) -> str:
    """The conditions as a filter expression of Milvus; empty lets everything through."""
    return " and ".join(map(_term, where))


def _term(condition: Condition) -> str:
    column, value = condition.column, condition.value
    if condition.operator == "in":
        return f"{column} in [{_listed(value)}]"
    if condition.operator == "has":
        return f"{column} like {_literal(f'%|{_unpatterned(str(value))}|%')}"
    if condition.operator == "contains":
        return f"{column} like {_literal(f'%{_unpatterned(str(value))}%')}"
    return f"{column} {condition.operator} {_literal(value)}"


def _listed(values: Any) -> str:
    return ", ".join(map(_literal, values))


def membership(column: str, values: Sequence[str] | Sequence[int]) -> str:
    """`column in […]` as an expression of Milvus."""
    return f"{column} in [{_listed(values)}]"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return '"' + "".join(ESCAPES.get(letter, letter) for letter in value) + '"'
    return json.dumps(value)


def _unpatterned(text: str) -> str:
    # Milvus Lite cannot match a backslash in a pattern: any letter stands for it, and `sifted` looks again
    return "".join(UNPATTERNED.get(letter, letter) for letter in text)


def sifted(hits: list[Hit], where: Where) -> list[Hit]:
    """Hits of `expression(where)` that really hold; it is too kind to texts with a backslash."""
    if not hits or not any("\\" in str(condition.value) for condition in where):
        return hits
    mask = rows_where(pa.Table.from_pylist([dict(hit.row) for hit in hits]), where)
    return hits if mask is None else [hit for hit, held in zip(hits, mask, strict=True) if held]
