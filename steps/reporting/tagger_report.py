"""The card of train_tagger: every label with what became of it, and the figures that decided it."""

from __future__ import annotations

from markupsafe import Markup

from steps.reporting.page import absent, document, heading, joined, provenance, section, table, tiles
from steps.tagging import Retrained, Summary
from steps.version import VERSION

_NAMES = ("Label", "Became", "Why", "Yes", "No", "Average precision", "Words alone")


def tagger_report(summary: Summary, run: str, *, died: str, costs: Markup) -> str:
    """A self-contained page on a run."""
    counts = [(str(sum(one.verdict == verdict for one in summary.labels)), verdict) for verdict in _VERDICTS]
    shown = [(count, name) for count, name in counts if count != "0"]
    body = (
        section("Labels", table(_NAMES, map(_row, summary.labels), words=3), lead=_LEAD)
        if summary.labels
        else absent("Labels", "None was judged yet; teach one in the studio: `rushes serve`.")
    )
    lost = absent("Tasks that died", died) if died else Markup("")
    parts = (heading("Tags", run), tiles([*shown, (str(summary.tags), "tags of replaced heads")]), body, lost, costs)
    return document("Tags", joined([*parts, provenance([("run", run), ("code", f"rushes {VERSION}")])]))


_VERDICTS = ("replaced", "first", "kept", "unchanged", "impossible")
_LEAD = (
    "A head is replaced only by one that is not worse on titles that taught neither. A first head waits for an editor."
)


def _row(one: Retrained) -> tuple[str, ...]:
    if one.head is None:
        return one.label, one.verdict, one.why, "", "", "", ""
    quality = one.head.quality
    figures = ("" if figure is None else f"{figure:.2f}" for figure in (quality.average_precision, quality.by_words))
    return one.label, one.verdict, one.why, str(one.head.positives), str(one.head.negatives), *figures
