"""`rushes compare`: two runs that measured rankers, side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.text import Text

from serving.commands.terminal import console, print_json, safe, table
from steps.comparison import SURE, Change, Comparison, Measured, RankerChange, compare_runs

_STYLES = {"better": "green", "worse": "red", "looks better": "dim green", "looks worse": "dim red"}
_WIDEST = 60  # letters of a setting


def show_comparison(first: str, second: str, *, as_json: bool) -> None:
    """Print how the second run differs from the first. Raises RunError if they cannot be compared."""
    comparison = compare_runs(first, second)
    if as_json:
        print_json(_json(comparison))
    else:
        _print(comparison)


def _print(comparison: Comparison) -> None:
    out = console()
    for name, measured in (("first", comparison.first), ("second", comparison.second)):
        out.print(f"{name:<6}  {_headline(measured)}", soft_wrap=True)
    numbers = ("Figure!", ">First!", ">Second!", ">Difference!", "!")
    rows = [_figure_row(change) for change in comparison.in_use.changes]
    out.print(table((*numbers, "On the episodes of both"), rows, title=f"Ranker in use: {_pair(comparison.in_use)}"))
    if comparison.others:
        rows = [row for other in comparison.others for row in _short_rows(other)]
        out.print(table(("Ranker", *numbers), rows, title="Rankers of one name in both"))
    if comparison.settings:
        rows = [(one.name, _told(one.first), _told(one.second)) for one in comparison.settings]
        out.print(table(("Differs!", "First", "Second"), rows, title="Data and options"))
    out.print(comparison.conclusion(), markup=False, soft_wrap=True)


def _headline(measured: Measured) -> str:
    verdict = f": {measured.verdict}" if measured.verdict is not None else ""
    return f"[bold]{safe(measured.run.run)}[/] of {measured.run.started:%Y-%m-%d %H:%M}{safe(verdict)}"


def _pair(change: RankerChange) -> str:
    return change.first if change.first == change.second else f"{change.first}, then {change.second}"


def _figure_row(change: Change) -> tuple[str | Text, ...]:
    sure = change.gain.signed if change.gain else ""
    return (change.figure, *_numbers(change), _marked(change), sure)


def _short_rows(ranker: RankerChange) -> list[tuple[str | Text, ...]]:
    """The figures that decide; --json has all."""
    found = [change for figure in SURE if (change := ranker.of(figure))]
    return [(ranker.first, change.figure, *_numbers(change), _marked(change)) for change in found]


def _numbers(change: Change) -> tuple[str, str, str]:
    first, second = ("" if value is None else f"{value:.3f}" for value in (change.first, change.second))
    return first, second, "" if change.difference is None else f"{change.difference:+.3f}"


def _marked(change: Change) -> Text:
    mark = change.mark or ""
    return Text(mark, style=_STYLES.get(mark, ""))


def _told(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"


def _json(comparison: Comparison) -> dict[str, Any]:
    return {
        "first": _run_json(comparison.first),
        "second": _run_json(comparison.second),
        "in_use": _ranker_json(comparison.in_use),
        "others": [_ranker_json(other) for other in comparison.others],
        "differs": [asdict(setting) for setting in comparison.settings],
        "conclusion": comparison.conclusion(),
    }


def _run_json(measured: Measured) -> dict[str, Any]:
    verdict = None if measured.verdict is None else str(measured.verdict)
    return {
        "run": measured.run.run,
        "started": measured.run.started.isoformat(timespec="seconds"),
        "in_use": measured.in_use,
        "verdict": verdict,
    }


def _ranker_json(ranker: RankerChange) -> dict[str, Any]:
    figures = {
        change.figure: {
            "first": change.first,
            "second": change.second,
            "difference": change.difference,
            "mark": change.mark,
            "gain": change.gain and asdict(change.gain),
        }
        for change in ranker.changes
    }
    return {"first": ranker.first, "second": ranker.second, "figures": figures}
