"""`rushes models`: which weights there are, and fetching them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from featurization.models import ModelStatus, load_registry
from serving.commands.terminal import console, print_json, safe, table

_STYLES = {"present": "green", "missing": "yellow", "corrupt": "red"}


def show_models(*, as_json: bool) -> None:
    """Print the state of every model in the registry."""
    statuses = load_registry().status()
    if as_json:
        print_json([asdict(status) for status in statuses])
        return
    names = ("Model!", "State!", "Task", "Licence!", "Note")
    console().print(table(names, [_row(status) for status in statuses]))


def _row(status: ModelStatus) -> tuple[str | Text, ...]:
    note = status.hint or ("the default for its task" if status.serves else "")
    return (status.name, Text(status.state, style=_STYLES[status.state]), status.task, status.licence, note)


def fetch(names: Sequence[str]) -> None:
    """Fetch the named models, else the defaults, and say where they are. ModelError if one cannot be had."""
    registry, out = load_registry(), console()
    wanted = [registry.model(name).name for name in names] or registry.defaults()
    here = {status.name for status in registry.status() if status.state == "present"}
    for name in wanted:
        if name in here:
            out.print(f"[green]✓[/] {name:<22} [dim]already here[/]")
            continue
        with out.status(f"{name}: starting"):
            folder = registry.fetch(name, lambda line: out.print(f"  [dim]{safe(line)}[/]"))
        out.print(f"[green]✓[/] {name:<22} [dim]{safe(str(folder))}[/]", soft_wrap=True)
