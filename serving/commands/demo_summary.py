"""What the demo ends with: what was published, what was refused and why, and where to look."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from serving.catalog import Catalog, strongest
from serving.commands.demo import Demonstrated
from serving.commands.stages import absolute
from serving.commands.terminal import clock, safe, table
from steps.previews import Preview
from steps.reporting.run_report import REPORT
from steps.reporting.training_report import TRAINING_REPORT
from steps.store import Store, store_url


def show_results(done: Demonstrated, catalog: Catalog, *, console: Console) -> list[str]:
    """A table of the previews and a line for each asset without one; returns the ids of what was published."""
    entries = [entry for entry in catalog.entries() if entry.asset_id in done.asset_ids]
    published = [entry.asset_id for entry in entries if entry.state == "published"]
    if published:
        names = ("Preview", "From – to!", ">Length", ">LUFS", ">dBTP", "Why this moment")
        console.print()
        console.print(table(names, [_row(catalog.previews[asset_id]) for asset_id in published]))
    for entry in entries:
        if entry.state != "published":
            console.print(f"[yellow]{entry.state}[/] [bold]{safe(entry.title)}[/]: {safe(entry.reason)}")
    return published


def _row(preview: Preview) -> tuple[str, ...]:
    span = ", ".join(f"{clock(moment.start)} – {clock(moment.end)}" for moment in preview.moments)
    levels = (f"{preview.loudness_lufs:.1f}", f"{preview.true_peak_dbtp:.1f}")
    why = ", ".join(name.replace("_", " ") for name in strongest(preview))
    return (preview.title, span, f"{preview.duration_s:.1f} s", *levels, why)


def show_where(published: Sequence[str], store: Store, *, log: Path, console: Console) -> None:
    """Where the previews, the report, the feed and the log are, and how to serve them."""
    places = {
        "play": [key for asset_id in published for key in _media(asset_id, store)],
        "report": [name for name in (REPORT, TRAINING_REPORT) if store.files.exists(name)],
        "feed": [f"feeds/{name}" for name in store.files.list("feeds")],
    }
    console.print("\n[bold]Where to look[/]")
    for name, keys in places.items():
        for number, key in enumerate(keys):
            place = shown(store.files.path(key)) if store.files.local else f"{store.url}/{key}"
            _point(console, name if number == 0 else "", place)
    _point(console, "search", command(store, 'search "a cup of coffee"'))
    _point(console, "browse", command(store, "serve"))
    _point(console, "log", shown(str(log)))


def _point(console: Console, name: str, place: str) -> None:
    console.print(f"  [dim]{name:<8}[/] {safe(place)}", soft_wrap=True)


def shown(path: str) -> str:
    """A path as short as it can be given from here."""
    relative = os.path.relpath(path) if path.startswith("/") else path
    return path if relative.startswith("..") else relative


def _media(asset_id: str, store: Store) -> list[str]:
    """Keys of what is played of a preview: sound or film."""
    names = store.files.list(f"previews/{asset_id}")
    return [f"previews/{asset_id}/{name}" for name in names if name in ("preview.mp3", "preview.mp4")]


def command(store: Store, arguments: str) -> str:
    """A `rushes` command on this store, as it works from here."""
    program = "rushes" if shutil.which("rushes") else shlex.quote(shown(str(Path(sys.argv[0]).absolute())))
    elsewhere = Store(store_url()).files.root != store.files.root
    whole = f"{program} {arguments}"
    return f"RUSHES_STORE={shlex.quote(shown(absolute(store)))} {whole}" if elsewhere else whole
