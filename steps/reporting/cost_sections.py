"""Sections on what a run took and cost: by extractor, by step, and what it did without."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from steps.costs import PriceOptions, RunRecord, Saved, cost
from steps.reporting.charts import share_strip
from steps.reporting.numbers import counted, lasting, sentence
from steps.reporting.page import absent, block, note, section, table
from steps.savings import Reuse
from steps.spending import NOTHING, Spent, StepUse, total

_HOUR_S = 3600
_LEAST_SHARE = 0.005  # of the money; what is less has no place in the strip
_NONE = "–"
_LEAST = 0.000001  # of money that is worth telling apart from nothing
_LEAST_S = 0.05
_MINUTES_FROM_S = 600


def amount_of(amount: float) -> str:
    """Money with as many digits as say something: 12.30, 0.0412, 0.00109."""
    if amount < _LEAST:
        return _NONE if amount <= 0 else f"< {_LEAST:.6f}"
    digits = 2 if amount >= 1 else 2 - math.floor(math.log10(amount))
    return f"{amount:,.{min(digits, 6)}f}"


def money(amount: float, prices: PriceOptions) -> str:
    """The same with its currency."""
    return f"{amount_of(amount)} {prices.currency}"


def seconds(spent_s: float) -> str:
    """How long work took: 94.3 s, 25 min, 1 h 05 min; a dash for nothing."""
    if spent_s < _LEAST_S:
        return _NONE
    return f"{spent_s:.1f} s" if spent_s < _MINUTES_FROM_S else lasting(spent_s)


def sized(count: float) -> str:
    """Bytes in the unit that suits them: 312 B, 4.1 MB; a dash for none."""
    if not count:
        return _NONE
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def costs_sections(record: RunRecord, prices: PriceOptions) -> Markup:
    """What a run took by kind of work, if that was metered, and by step."""
    return (work_section(record, prices) if record.effort.spent else Markup("")) + steps_section(record, prices)


def work_section(record: RunRecord, prices: PriceOptions) -> Markup:
    """What each extractor, or kind of work, took and cost."""
    effort, title = record.effort, "What the work took"
    if not any(spent.wall_s for spent in effort.spent.values()):
        return absent(title, "Nothing was computed: all that was needed is kept from earlier runs.")
    names = sorted(effort.spent, key=lambda name: -effort.cost(name, prices))
    whole = total(effort.spent)
    all_cost = cost(whole, effort.peak_mb, prices)
    shares = {name: effort.cost(name, prices) / all_cost if all_cost else 0.0 for name in names}
    large = [name for name in names if shares[name] >= _LEAST_SHARE]
    head = ("", "Computed", "Kept", "Wall", "Cores", "GPU", "Read", "Written", prices.currency, "Per media hour")
    rows = [_work_row(name, effort.spent[name], record, prices) for name in large]
    rows += (
        [_small_row([name for name in names if name not in large], record, prices)] if len(large) < len(names) else []
    )
    return section(
        title,
        block("Shares of the cost", share_strip([(name, shares[name]) for name in large])),
        table(head, [*rows, _work_row("all", whole, record, prices)]),
        note(
            "Computed and kept: how much media. Per media hour: of what was computed, else of all. "
            "What one kind of work makes another do counts for the other."
        ),
        lead=f"{seconds(whole.cpu_s)} of processor time for {_media(effort.media_s)} of media.",
    )


def _small_row(names: Sequence[str], record: RunRecord, prices: PriceOptions) -> list[str]:
    """What takes too little to have a row of its own."""
    spent = total({name: record.effort.spent[name] for name in names})
    return _work_row(f"{counted(len(names), 'other')}", spent, record, prices)


def _work_row(name: str, spent: Spent, record: RunRecord, prices: PriceOptions) -> list[str]:
    effort = record.effort
    reuse = effort.savings.reuse.get(name, Reuse())
    amount, hours = cost(spent, effort.peak_mb, prices), (reuse.computed_s or effort.media_s) / _HOUR_S
    return [
        name,
        _media(reuse.computed_s),
        _media(reuse.read_s),
        *_resources(spent),
        amount_of(amount),
        amount_of(amount / hours) if hours else _NONE,
    ]


def _resources(spent: Spent) -> list[str]:
    times = [seconds(spent.wall_s), seconds(spent.cpu_s), seconds(spent.gpu_s)]
    return [*times, sized(spent.read_bytes), sized(spent.written_bytes)]


def _media(media_s: float) -> str:
    return lasting(media_s) if media_s else _NONE


def steps_section(record: RunRecord, prices: PriceOptions) -> Markup:
    """What each step of the run took, with its memory, and the time in which nothing was at work."""
    title = "What the steps took"
    if not record.steps:
        return absent(title, "No task of this run said what it took.")
    head = ("", "Tasks", "Wall", "Longest", "Cores", "GPU", "Peak memory", "Read", "Written", prices.currency)
    rows = [_step_row(step, prices) for step in record.steps]
    whole = sum((step.spent for step in record.steps), NOTHING)
    tasks = counted(sum(step.tasks for step in record.steps), "task")
    return section(
        title,
        table(head, rows),
        note(_priced(prices)),
        lead=f"{sentence(tasks)[:-1]} until this page was made: {seconds(whole.wall_s)} together, and "
        f"{seconds(record.idle_s)} between them in which none was at work. Attempts that died are not counted.",
    )


def _step_row(step: StepUse, prices: PriceOptions) -> list[str]:
    wall, cores, gpu, read, written = _resources(step.spent)
    amount, memory = amount_of(cost(step.spent, step.peak_mb, prices)), sized(step.peak_mb * 1e6)
    return [step.step, f"{step.tasks:,}", wall, seconds(step.longest_s), cores, gpu, memory, read, written, amount]


def _priced(prices: PriceOptions) -> str:
    per_hour = (
        f"a core {prices.cpu_hour:g}, a GB of memory {prices.memory_gb_hour:g}, a GPU {prices.gpu_hour:g}"
        f" {prices.currency} an hour"
    )
    return f"Priced by `[prices]` of the config: {per_hour}. Cores and GPUs that are paid for and idle come on top."


def savings_section(saved: Sequence[Saved], prices: PriceOptions) -> Markup:
    """What the run did without: the fact, how its worth is reckoned, and the worth."""
    title = "What it did without"
    if not saved:
        return absent(title, "Nothing: every value was computed, and no transcript of a publisher was used.")
    known = sum(one.amount or 0.0 for one in saved)
    worth = (
        f"Together it is worth {money(known, prices)}, by what the same work cost when it was done." if known else ""
    )
    ordered = sorted(saved, key=lambda one: -(one.amount or 0.0))
    rows = [[one.what, one.fact, one.arithmetic, amount_of(one.amount or 0.0)] for one in ordered]
    return section(
        title,
        table(("", "Counted", "What that would have cost", prices.currency), rows, words=3),
        lead=f"Work that was not done, as counted. {worth}",
    )
