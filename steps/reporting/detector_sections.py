"""Sections on what was detected: tags against what people said of them, detectors against truth files."""

from __future__ import annotations

from markupsafe import Markup

from eval.tag_metrics import SpotCheck, TagMetrics
from steps.reporting.numbers import counted, sentence, spanned, three
from steps.reporting.page import absent, block, columns, folded, joined, note, section, table
from steps.tag_figures import TagFigures
from steps.truth import TruthFigures

_NO_TRUTH = (
    "No truth was given: a folder of files such as `NAME.rttm`, `NAME.sounds.csv` or `NAME.ads.csv`, NAME being the "
    "id, guid or file name of an asset, measures what was heard of it."
)


def tags_section(tags: TagFigures) -> Markup:
    """Precision, recall and average precision of tags, pooled and by label."""
    title = "Tags"
    if tags.pooled is None:
        return absent(title, sentence(tags.describe()))
    figures, *rest = tags.describe().splitlines()
    rows = [_tag_row("all together", tags.pooled, tags.spot)]
    rows += [_tag_row(name, one, tags.spot_by_label.get(name, SpotCheck())) for name, one in tags.by_label.items()]
    names = ("Label", "Precision", "Recall", "Average precision", "Spot-checked", "Checked")
    return section(title, table(names, rows), joined(note(sentence(line)) for line in rest), lead=sentence(figures))


def _tag_row(name: str, found: TagMetrics, spot: SpotCheck) -> list[str]:
    figures = (found.precision, found.recall, found.average_precision)
    checked = three(spot.precision) if spot.checked else "–"
    return [name, *(spanned(one) if one else "–" for one in figures), checked, f"{spot.checked:,} of {spot.shown:,}"]


def truth_section(truth: TruthFigures | None) -> Markup:
    """The figures of each detector, and which files could not be used."""
    title = "Detectors against truth"
    if truth is None:
        return absent(title, _NO_TRUTH)
    blocks = [
        block(
            f"{task}, {counted(truth.files[task], 'file')}",
            table(("Figure", "Value"), [(name, three(value)) for name, value in figures.items()]),
        )
        for task, figures in truth.figures.items()
    ]
    unused = [*(f"{name}: of no asset in the store" for name in truth.unmatched), *truth.problems]
    return section(
        title,
        columns(*blocks) if blocks else note("No file of truth could be used."),
        folded(f"{counted(len(unused), 'file')} not used", joined(map(note, unused))) if unused else Markup(""),
        lead="Pooled over assets; the same metrics as `python -m benchmarks`.",
    )
