"""The section on slices: how a ranker does by show, language, length, speakers and loudness, and where it got worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from steps.reporting.charts import Axis, Bar, bar_svg
from steps.reporting.numbers import gained, spanned, with_minus
from steps.reporting.page import absent, joined, note, section
from steps.slices import SliceFigures

_MOST = 12  # values of a trait; a catalogue may have hundreds of shows
_TITLE = "By slice"
_HEAD = Markup(
    '<tr><th></th><th class="right">Episodes</th><th class="plot">IoU of the pick</th><th></th>'
    "<th>Since the last run</th></tr>"
)


def slices_section(slices: Sequence[SliceFigures]) -> Markup:
    """A table of all slices, by trait; those that surely got worse are flagged."""
    if not slices:
        return absent(_TITLE, "No episode was judged.")
    axis = Axis.over(one.iou.high for one in slices)
    compared = any(one.since for one in slices)
    return section(
        _TITLE,
        Markup('<div class="scroll"><table class="slices">{}{}</table></div>').format(
            _HEAD, joined(_traits(slices, axis))
        ),
        lead="The ranker in use on the episodes that share a trait."
        + (
            ""
            if compared
            else " No earlier evaluation judged any of these episodes, so there is nothing to compare with."
        ),
    )


def _traits(slices: Sequence[SliceFigures], axis: Axis) -> Iterator[Markup]:
    for trait, among in groupby(slices, key=lambda one: one.trait):
        values = list(among)
        shown = _shown(values)
        yield Markup('<tr class="trait"><th colspan="5">{}</th></tr>').format(trait)
        yield from (_row(one, axis) for one in shown)
        if len(shown) < len(values):
            rest = note(f"{len(values) - len(shown):,} more, none of them worse than in the last run")
            yield Markup('<tr><td colspan="5">{}</td></tr>').format(rest)


def _shown(values: Sequence[SliceFigures]) -> list[SliceFigures]:
    """All of a few; of many, those that got worse, and those with the lowest figures."""
    if len(values) <= _MOST:
        return list(values)
    lowest = sorted(values, key=lambda one: (not one.dropped, one.iou.mean))
    dropped = sum(one.dropped for one in values)
    return lowest[: max(_MOST, dropped)]


def _row(one: SliceFigures, axis: Axis) -> Markup:
    bar = Bar.of(one.value, one.iou, spanned(one.iou))
    return Markup(
        '<tr><td>{}</td><td class="right number">{:,}</td><td class="plot">{}</td><td class="number dim">{}</td>'
        '<td class="number">{}</td></tr>'
    ).format(with_minus(one.value), one.episodes, bar_svg(bar, axis), spanned(one.iou), _change(one))


def _change(one: SliceFigures) -> Markup | str:
    if one.since is None:
        return "–"
    if one.dropped:
        return Markup('<span class="chip quarantined">worse {}</span>').format(gained(one.since))
    if one.since.low > 0:
        return Markup('<span class="chip published">better {}</span>').format(gained(one.since))
    return Markup('<span class="dim">{}</span>').format(gained(one.since))
