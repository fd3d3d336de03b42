"""`rushes index`: where the search index stands, building it again, and going back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from search.vector_index import Generation, VectorIndex
from serving.commands.terminal import console, print_json, safe, table
from serving.configured import settings
from steps.index import content_digest, index_address, open_store_index, publish
from steps.models import Models
from steps.store import Store


@contextmanager
def _opened(store: Store) -> Iterator[VectorIndex]:
    index = open_store_index(store)
    try:
        yield index
    finally:
        index.close()


def show_status(*, as_json: bool) -> None:
    """Print the generations that are kept, and whether the current one holds what the store holds."""
    store = Store()
    with _opened(store) as index:
        current, kept = index.current(), index.generations()
    fresh = current is not None and current.digest == content_digest(store.current(), Models(settings()).spaces)
    if as_json:
        print_json({"address": index_address(store), "fresh": fresh, "generations": [_plain(g, current) for g in kept]})
        return
    out = console()
    if current is None:
        out.print("no index yet; build it with `rushes index rebuild`, or run featurize_media")
        return
    names = (">Generation", ">Snapshot", "Built!", "By", "Rows", "")
    out.print(
        table(names, [_row(generation, current) for generation in kept], title=f"Index in {index_address(store)}")
    )
    for name, stamp in sorted(current.stamps.items()):
        out.print(f"  {name}: {stamp.rows} rows of {stamp.dim} numbers, made by {safe(stamp.space)}", soft_wrap=True)
    if not fresh:
        out.print("[yellow]it does not hold what the store holds now[/]; bring it up to date: rushes index rebuild")


def _plain(generation: Generation, current: Generation | None) -> dict[str, Any]:
    return {**asdict(generation), "current": current is not None and generation.number == current.number}


def _row(generation: Generation, current: Generation) -> tuple[str, ...]:
    rows = ", ".join(f"{stamp.rows} {name}" for name, stamp in sorted(generation.stamps.items()))
    here = "current" if generation.number == current.number else ""
    return (str(generation.number), str(generation.snapshot), generation.built, generation.run, rows, here)


def rebuild() -> None:
    """Build the index from the store alone, and switch readers to it."""
    store = Store()
    out = console()
    with out.status("building the index"), _opened(store) as index:
        generation = publish(store, index, run="rushes index rebuild", spaces=Models(settings()).spaces)
    rows = ", ".join(f"{stamp.rows} {name}" for name, stamp in sorted(generation.stamps.items()))
    out.print(f"generation {generation.number} holds snapshot {generation.snapshot} of the store: {rows or 'nothing'}")


def roll_back() -> None:
    """Switch readers to the generation before the current one."""
    with _opened(Store()) as index:
        generation = index.rollback()
    console().print(f"generation {generation.number} (snapshot {generation.snapshot} of the store) is current again")
