"""The card of train_detectors: what each detector reaches on what was held out, beside the one in use."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from steps.detectors.registry import Trained
from steps.detectors.results import flat
from steps.reporting.page import absent, document, heading, joined, provenance, section, table, tiles
from steps.version import VERSION

_LEAD = "On sources that taught the detector nothing. What is in use was judged on the same."


def detector_training_report(trained: Sequence[Trained], run: str, *, died: str, costs: Markup) -> str:
    """A self-contained page on a run."""
    shown = [(f"{value:.3f}", f"{one.name}: {name}") for one in trained for name, value in flat(one.figures).items()]
    parts = [
        heading("Detectors", run),
        tiles([each for each in shown if each[1].endswith("f1")]),
        *(
            section(one.name.capitalize(), table(("Figure", "New", "In use"), _rows(one)), lead=_LEAD)
            for one in trained
        ),
        absent("Tasks that died", died) if died else Markup(""),
        costs,
        provenance([("run", run), ("code", f"rushes {VERSION}")]),
    ]
    return document("Detectors", joined(parts))


def _rows(one: Trained) -> list[tuple[str, ...]]:
    old = flat(one.in_use)
    return [
        (name, f"{value:.3f}", f"{old[name]:.3f}" if name in old else "") for name, value in flat(one.figures).items()
    ]
