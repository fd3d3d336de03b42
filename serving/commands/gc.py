"""`rushes gc`: what the store keeps and nothing needs, by kind; and deleting it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from featurization.errors import ConfigError
from serving.commands.terminal import console, counted, print_json, safe, size, table
from serving.configured import settings
from steps.garbage import Findings, delete_garbage, find_garbage
from steps.place import Found
from steps.settings import GarbageOptions
from steps.store import Store

_UNOWNED = (
    "stay although nobody is known to use them: assets were heard before that was recorded; "
    "`python flows/featurize_media.py run --assets all` records it and computes nothing again"
)


def collect_garbage(*, keep_days: int | None, keep_snapshots: int | None, dry_run: bool, as_json: bool) -> None:
    """Print what is garbage, and delete it unless this is a dry run. What is None is as the config says."""
    store, options = Store(), _options(keep_days, keep_snapshots)
    findings = find_garbage(store, options)
    if not dry_run:
        delete_garbage(findings, store)
    if as_json:
        print_json({"store": store.url, "deleted": not dry_run, **_plain(findings)})
    else:
        _show(findings, store, deleted=not dry_run)


def _options(keep_days: int | None, keep_snapshots: int | None) -> GarbageOptions:
    given = {"keep_days": keep_days, "keep_snapshots": keep_snapshots}
    try:
        return replace(settings().garbage, **{name: value for name, value in given.items() if value is not None})
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _show(findings: Findings, store: Store, *, deleted: bool) -> None:
    out = console()
    everything = [found for kind in findings.garbage.values() for found in kind]
    if everything:
        rows = [(kind, *_row(found)) for kind, found in findings.garbage.items() if found]
        out.print(table(("Garbage", ">Files", ">Size", "Oldest!"), [*rows, ("all", *_row(everything))]))
    said = "deleted" if deleted and everything else "would be deleted" if everything else "nothing to delete"
    out.print(f"{safe(store.url)}: {said}; snapshots since {findings.oldest_kept} stay", soft_wrap=True)
    if findings.unowned:
        out.print(f"{counted(findings.unowned, 'feature')} {_UNOWNED}", soft_wrap=True)


def _row(found: Sequence[Found]) -> tuple[str, str, str]:
    oldest = datetime.fromtimestamp(min(one.modified for one in found)).astimezone()
    return f"{len(found):,}", size(sum(one.bytes for one in found)), f"{oldest:%Y-%m-%d %H:%M}"


def _plain(findings: Findings) -> dict[str, Any]:
    kinds = [{"kind": kind, **_sums(found)} for kind, found in findings.garbage.items()]
    return {"garbage": kinds, "unowned_features": findings.unowned, "oldest_snapshot": findings.oldest_kept}


def _sums(found: Sequence[Found]) -> dict[str, Any]:
    oldest = min((one.modified for one in found), default=None)
    when = None if oldest is None else datetime.fromtimestamp(oldest).astimezone().isoformat(timespec="seconds")
    return {"files": len(found), "bytes": sum(one.bytes for one in found), "oldest": when}
