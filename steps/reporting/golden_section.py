"""The section on golden clips: where they come from, how far their editors agree, and which were refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from steps.golden import Golden, GoldenSet, RefusedClip
from steps.reporting.numbers import counted, three
from steps.reporting.page import block, note, section, table
from steps.reporting.timeline_scale import clock

_SHOWN = 20
_SOURCES = {
    "soundbite": "publishers' soundbites",
    "streams": "what listeners streamed",
    "studio": "marked in the studio",
    "file": "from a file",
    "verdict": "verdicts on previews",
}


def editors_of(golden: GoldenSet) -> set[str]:
    """Everybody who marked a clip that is used."""
    return {clip.editor for clip in _clips(golden)}


def golden_section(golden: GoldenSet) -> Markup:
    """Clips by source, agreement, and the first refused ones with their reasons."""
    sources = Counter(clip.source for clip in _clips(golden))
    rows = [_source_row(source, count, golden) for source, count in sources.most_common()]
    parts = [
        table(("Where from", "Clips", "Episodes", "Editors", "Mean length", "Weight"), rows),
        note(_moved(golden)) if _moved(golden) else Markup(""),
        _refused(golden.refused),
    ]
    return section("Golden clips", *parts, lead=_agreed(golden))


def _clips(golden: GoldenSet) -> Iterator[Golden]:
    for clips in golden.clips.values():
        yield from clips


def _source_row(source: str, count: int, golden: GoldenSet) -> list[str]:
    clips = [clip for clip in _clips(golden) if clip.source == source]
    return [
        _SOURCES.get(source, source),
        f"{count:,}",
        f"{len({clip.asset_id for clip in clips}):,}",
        f"{len({clip.editor for clip in clips}):,}",
        f"{sum(clip.duration for clip in clips) / count:.1f} s",
        f"{sum(clip.weight for clip in clips) / count:.3g}",
    ]


def _agreed(golden: GoldenSet) -> str:
    agreed = golden.agreement
    if not agreed.pairs:
        return "No episode has two editors, so how far they agree is not known. Let two people mark the same episodes."
    stands_on = f"{counted(agreed.pairs, 'pair')} of editors in {counted(agreed.episodes, 'episode')}"
    return (
        f"Editors agree with a mean IoU of {three(agreed.mean_iou)} ({stands_on}): a ranker that agrees "
        "with them as well as they do with each other does what an editor does."
    )


def _moved(golden: GoldenSet) -> str:
    moved = sum(clip.realigned_s != 0 for clip in _clips(golden))
    return f"{counted(moved, 'clip')} moved to where the words are in these bytes." if moved else ""


def _refused(refused: Sequence[RefusedClip]) -> Markup:
    if not refused:
        return note("No clip was refused.")
    reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(r.reason for r in refused).most_common())
    rest = len(refused) - _SHOWN
    return block(
        f"{counted(len(refused), 'clip')} refused: {reasons}",
        table(("Of", "From", "Said by", "Why"), map(_refused_row, refused[:_SHOWN]), words=4),
        note(f"{rest:,} more; `rushes golden` lists them all.") if rest > 0 else Markup(""),
    )


def _refused_row(clip: RefusedClip) -> list[str | Markup]:
    span = Markup('<span class="number">{} to {}</span>').format(clock(clip.start), clock(clip.end))
    return [clip.where, span, f"{clip.editor} ({clip.source})", clip.detail]
