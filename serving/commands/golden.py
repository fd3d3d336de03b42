"""`rushes golden`: what a training would learn from, and what it would refuse, before it is trained."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from serving.commands.terminal import clock, console, counted, print_json, table
from serving.configured import settings
from steps.golden import GoldenSet, RefusedClip, gather_golden
from steps.golden.clips import Source
from steps.store import Store

EXIT_SOME_REFUSED = 2
_SHOWN = 50  # refused clips; --json has all
_WAY = "studio picks go to POST /golden-clips, tables are named with --golden"


def show_golden(file: Path | None, *, as_json: bool) -> int:
    """Print the golden set of the store and of `file`; returns the exit status, 2 if a row of the file was refused.

    Raises SourceError if the file is no table of clips.
    """
    configured = settings()
    golden = gather_golden(store=Store(), options=configured.golden, off_policy=configured.off_policy, file=file)
    if as_json:
        print_json(_json(golden))
    else:
        _print(golden)
    return EXIT_SOME_REFUSED if any(refused.source == "file" for refused in golden.refused) else 0


def _json(golden: GoldenSet) -> dict[str, Any]:
    return {
        "clips": [asdict(clip) for of_asset in golden.clips.values() for clip in of_asset],
        "refused": [asdict(refused) for refused in golden.refused],
        "agreement": {**asdict(golden.agreement), "mean_iou": golden.agreement.mean_iou},
        "shows": dict(golden.shows),
    }


def _print(golden: GoldenSet) -> None:
    out = console()
    out.print(golden.describe(), markup=False, soft_wrap=True)
    if not (golden.clips or golden.refused):
        out.print(f"a feed's soundbites are some, once its episodes were heard; {_WAY}", markup=False, soft_wrap=True)
        return
    columns: tuple[str, ...] = ("Source!", ">Clips", ">Episodes", ">Editors", ">Moved", ">Refused")
    out.print(table(columns, [_source_row(source, golden) for source in get_args(Source)]))
    if golden.refused:
        columns = ("Source!", "Episode", "Editor", ">At", ">Length", "Reason!", "Why")
        out.print(table(columns, [_refused_row(one) for one in golden.refused[:_SHOWN]], title="Refused"))
    if len(golden.refused) > _SHOWN:
        out.print(f"and {counted(len(golden.refused) - _SHOWN, 'more clip')}; --json lists all")


def _source_row(source: Source, golden: GoldenSet) -> tuple[str, ...]:
    clips = [clip for of_asset in golden.clips.values() for clip in of_asset if clip.source == source]
    counts = (
        len(clips),
        len({clip.asset_id for clip in clips}),
        len({clip.editor for clip in clips}),
        sum(clip.realigned_s != 0 for clip in clips),
        sum(refused.source == source for refused in golden.refused),
    )
    return (source, *map(str, counts))


def _refused_row(refused: RefusedClip) -> tuple[str, ...]:
    at, length = (clock(refused.start), f"{refused.end - refused.start:.1f} s") if refused.end else ("", "")
    return (refused.source, refused.where, refused.editor, at, length, refused.reason, refused.detail)
