"""`rushes rankers`: which rankers were trained, which one is in use, and changing that by hand."""

from __future__ import annotations

from dataclasses import asdict

from serving.commands.terminal import console, print_json, safe, table
from serving.configured import settings
from steps.rankers import Lineage, current_ranker, known_rankers, promote, retire
from steps.store import Store

_NONE = "no ranker was trained yet; train one: python flows/train_ranker.py run"


def show_rankers(*, as_json: bool) -> None:
    """Print every trained ranker with what was measured of it, and which one is in use."""
    store = Store()
    in_use, known = current_ranker(store, settings()).identity, known_rankers(store)
    if as_json:
        print_json({"in_use": in_use, "trained": [asdict(lineage) for lineage in known]})
        return
    out = console()
    if known:
        names = ("Ranker!", "", ">Episodes", ">Shows", ">IoU", ">nDCG@5", "Run!", "Verdict")
        out.print(table(names, [_row(lineage, in_use) for lineage in known]))
    else:
        out.print(_NONE)
    out.print(f"in use: {safe(in_use)}", soft_wrap=True)


def use_ranker(identity: str) -> None:
    """Put a trained ranker in use, named by its identity or the beginning of it."""
    store = Store()
    promote(identity, store=store)
    _say_what_follows(store)


def use_prior() -> None:
    """Take no trained ranker: the documented prior is in use again."""
    store = Store()
    retire(store=store)
    _say_what_follows(store)


def _say_what_follows(store: Store) -> None:
    in_use = current_ranker(store, settings()).identity
    console().print(
        f"{safe(in_use)} is in use; previews follow with `python flows/publish_previews.py run --assets all`",
        soft_wrap=True,
    )


def _row(lineage: Lineage, in_use: str) -> tuple[str, ...]:
    here = "in use" if lineage.identity == in_use else ""
    counts = (str(lineage.episodes), str(len(lineage.shows)))
    figures = (f"{lineage.metrics.get(name, 0.0):.3f}" for name in ("IoU", "nDCG@5"))
    return (lineage.identity, here, *counts, *figures, lineage.run, lineage.verdict)
