"""The result of a task: FILE.json for scripts and for docs/benchmarks.md, and a short table for people."""

from __future__ import annotations

import json
import math
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_facts, model_digests, versions

Figures = Mapping[str, Any]  # name → number, or figures again


@dataclass(frozen=True)
class Measured:
    """What a task measured. `peers` holds, by peer, those of `metrics` that it has too."""

    metrics: Figures
    counts: Figures
    peers: Mapping[str, Figures] | None = None  # None: there is nobody to compare with
    files: tuple[Figures, ...] = ()
    models: tuple[str, ...] = ()  # names in the registry
    notes: tuple[str, ...] = ()  # how the figures are defined
    details: Figures = field(default_factory=dict)  # what only some tasks have


class Clock:
    """Wall and CPU seconds since it was made; CPU seconds of finished child processes are among them."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu_s()

    @property
    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    @property
    def cpu_s(self) -> float:
        return _cpu_s() - self._cpu


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def write_report(out: Path, task: str, data: Path, measured: Measured, clock: Clock) -> None:
    """Write FILE.json. Numbers have six digits; what is infinite or undefined is null."""
    report = {
        "task": task,
        "data": str(data),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "metrics": measured.metrics,
        "peers": measured.peers,
        "counts": measured.counts,
        **measured.details,
        "wall_s": clock.wall_s,
        "cpu_s": clock.cpu_s,
        "models": model_digests(measured.models),
        "versions": versions(),
        "machine": machine_facts(),
        "notes": measured.notes,
        "files": measured.files,
    }
    text = json.dumps(_plain(report), indent=1, ensure_ascii=False, allow_nan=False)
    out.write_text(text + "\n", encoding="utf-8")


def short_table(task: str, measured: Measured) -> str:
    """Metrics beside those of the peers, one a line."""
    peers = measured.peers or {}
    columns = [dict(_flat(measured.metrics)), *(dict(_flat(figures)) for figures in peers.values())]
    names = list(dict.fromkeys(name for column in columns for name in column))
    width = max(map(len, (*names, task)), default=0)
    widths = [max(10, len(title)) for title in ("rushes", *peers)]
    heads = "  ".join(f"{title:>{w}}" for title, w in zip(("rushes", *peers), widths, strict=True))
    lines = [f"{task:<{width}}  {heads}"]
    for name in names:
        cells = (f"{_cell(column.get(name)):>{w}}" for column, w in zip(columns, widths, strict=True))
        lines.append(f"{name:<{width}}  {'  '.join(cells)}")
    return "\n".join(lines)


def _flat(figures: Figures, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{round(value, 6):.4g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{round(value, 9):.6g}") if math.isfinite(value) else None
    return value
