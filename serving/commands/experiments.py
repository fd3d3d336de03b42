"""`rushes experiments`: what the running experiments say."""

from __future__ import annotations

from datetime import UTC, datetime

from eval.online import Arm, Reading
from serving.commands.terminal import console, print_json, safe, table
from serving.configured import settings
from serving.routes.experiments import described
from steps.experiments import readings
from steps.reporting.experiment_words import conclusion, left_out, said_of
from steps.store import Store


def show_experiments(*, as_json: bool) -> None:
    """Print what each running experiment says."""
    read = readings(Store(), settings().experiments, now=datetime.now(UTC))
    if as_json:
        print_json([described(reading).model_dump() for reading in read])
        return
    if not read:
        console().print("no experiment runs; declare one as `[[experiments.running]]` in config/default.toml")
    for reading in read:
        _show(reading)


def _show(reading: Reading) -> None:
    out = console()
    columns = ("Arm!", ">Share", ">Listeners", ">Completed", ">Streamed")
    out.print(table(columns, [_row(arm) for arm in reading.arms], title=reading.experiment))
    for sentence in dict.fromkeys([conclusion(reading), *map(said_of, reading.differences)]):
        out.print(safe(sentence), soft_wrap=True)
    if missing := left_out(reading):
        out.print(f"[dim]left out: {safe(missing)}[/]", soft_wrap=True)


def _row(arm: Arm) -> tuple[str, ...]:
    completed, streamed = ("" if rate is None else f"{rate:.1%}" for rate in (arm.completion_rate, arm.stream_rate))
    return (arm.name, f"{arm.share:.0%}", f"{arm.units:,}", completed, streamed)
