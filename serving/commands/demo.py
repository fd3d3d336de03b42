"""The main job on the bundled samples, a feed and a film: four flows, one after another, as a user would run them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from featurization.media import Asset
from serving.commands.stages import PARTIAL, Stage, StageError, Stages, absolute, log_path
from serving.commands.terminal import console, counted, safe
from steps.store import ROOT, Store
from steps.tables import ASSETS

STORE = ROOT / ".rushes-demo"
FEED = "samples/feed.xml"
FILM = "samples/film/manifest.csv"


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """What the demo worked on, and whether all of it came through."""

    asset_ids: tuple[str, ...]
    complete: bool
    seconds: float


def run_demo() -> int:
    """Run the demo and show what came out; returns the exit status."""
    from serving.catalog import read_catalog
    from serving.commands.demo_summary import show_results, show_where

    store = Store(os.environ.get("RUSHES_STORE") or str(STORE))
    out, log = console(), log_path(store, "rushes-demo.log")
    what = "three short episodes and a film become previews and teach a ranker"
    out.print(f"[bold]rushes demo[/]: {what}, in {safe(absolute(store))}")
    out.print("[dim]two to four minutes the first time, on two cores[/]\n")
    try:
        done = demonstrate(store, log, out=out)
    except StageError as failure:
        for line in failure.last:
            console(stderr=True).print(f"  [dim]│[/] {safe(line)}", soft_wrap=True)
        raise
    catalog = read_catalog(store)
    published = show_results(done, catalog, console=out)
    show_where(published, store, log=log, console=out)
    out.print(f"\n{counted(len(published), 'preview')} in {done.seconds:.0f} s")
    return 1 if not published else 0 if done.complete else PARTIAL


def demonstrate(store: Store, log: Path, *, out: Console) -> Demonstrated:
    """Take the sample feed and film to previews, and train a ranker; the flows' output goes to `log`.

    What is done already is not done again. Raises StageError if a flow fails.
    """
    started = time.monotonic()
    log.write_text("", encoding="utf-8")
    stages = Stages(out, store, log)
    complete = stages.run(Stage("Ingest", "read the feed, fetch and check", "ingest_media", ("--source", FEED)))
    complete &= stages.run(Stage("Ingest", "read the film", "ingest_media", ("--source", FILM)))
    asset_ids = tuple(asset_id for asset_id, (asset,) in store.read(ASSETS).items() if _is_sample(asset))
    mine = ("--assets", ",".join(asset_ids))
    complete &= stages.run(Stage("Analyse", "words, speakers, topics, ads, shots; index", "featurize_media", mine))
    complete &= stages.run(Stage("Publish", "rank, gate, cut and master", "publish_previews", mine))
    complete &= stages.run(Stage("Train", "a ranker, from the publisher's soundbites", "train_ranker", ()))
    return Demonstrated(asset_ids, complete, time.monotonic() - started)


def _is_sample(asset: Asset) -> bool:
    return asset.feed == FEED or Path(asset.source).parent == (ROOT / FILM).parent
