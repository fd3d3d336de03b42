"""Sections on what a run took and cost: by extractor, by step, and what it did without."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from steps.costs import PriceOptions, RunRecord, Saved, cost
from steps.reporting.charts import share_strip
from steps.reporting.numbers import counted, lasting
from steps.reporting.page import absent, note, section, table
from steps.savings import Reuse
from steps.spending import NOTHING, Spent, StepUse, total

_HOUR_S = 3600
_LEAST_SHARE = 0.005  # of the money; what is less has no place in the strip
_NONE = "–"


def money(amount: float, currency: str) -> str:
    """An amount with as many digits as say something: 12.30 USD, 0.0041 USD."""
    digits = 2 if amount >= 1 or amount == 0 else 4 if amount >= 0.01 else 6
    return f"{amount:,.{digits}f} {currency}"


def sized(count: float) -> str:
    """Bytes in the unit that suits them: 312 B, 4.1 MB."""
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
    rows = [_work_row(name, effort.spent[name], record, prices) for name in names]
    rows.append(_work_row("All", whole, record, prices))
    all_cost = cost(whole, effort.peak_mb, prices)
    shares = [(name, effort.cost(name, prices) / all_cost) for name in names] if all_cost else []
    head = ("", "Computed", "Kept", "Wall", "Cores", "GPU", "Read", "Written", "Cost", "Per media hour")
    return section(
        title,
        share_strip([part for part in shares if part[1] >= _LEAST_SHARE]),
        table(head, rows),
        note(
            "Computed and kept: minutes and hours of media. Per media hour: by what was computed, else by all media. "
            "What one kind of work makes another do counts for the other."
        ),
        lead=f"{lasting(whole.cpu_s)} of processor time for {_media(effort.media_s)} of media.",
    )


def _work_row(name: str, spent: Spent, record: RunRecord, prices: PriceOptions) -> list[str]:
    effort = record.effort
    reuse = effort.savings.reuse.get(name, Reuse())
    amount, hours = cost(spent, effort.peak_mb, prices), (reuse.computed_s or effort.media_s) / _HOUR_S
    return [
        name,
        _media(reuse.computed_s),
        _media(reuse.read_s),
        *_resources(spent),
        money(amount, prices.currency),
        money(amount / hours, prices.currency) if hours else _NONE,
    ]


def _resources(spent: Spent) -> list[str]:
    gpu = lasting(spent.gpu_s) if spent.gpu_s else _NONE
    return [lasting(spent.wall_s), lasting(spent.cpu_s), gpu, sized(spent.read_bytes), sized(spent.written_bytes)]


def _media(seconds: float) -> str:
    return lasting(seconds) if seconds else _NONE


def steps_section(record: RunRecord, prices: PriceOptions) -> Markup:
    """What each step of the run took, with its memory, and the time in which nothing was at work."""
    title = "What the steps took"
    if not record.steps:
        return absent(title, "No task of this run said what it took.")
    head = ("", "Tasks", "Wall", "Longest", "Cores", "GPU", "Peak memory", "Read", "Written", "Cost")
    rows = [_step_row(step, prices) for step in record.steps]
    whole = sum((step.spent for step in record.steps), NOTHING)
    tasks = counted(sum(step.tasks for step in record.steps), "task")
    return section(
        title,
        table(head, rows),
        note(
            f"Until this page was made: {lasting(whole.wall_s)} of {tasks} together, and {lasting(record.idle_s)} "
            "between them in which none was at work (orchestration). Attempts that died are not counted."
        ),
        note(_priced(prices)),
    )


def _step_row(step: StepUse, prices: PriceOptions) -> list[str]:
    wall, cores, gpu, read, written = _resources(step.spent)
    amount = money(cost(step.spent, step.peak_mb, prices), prices.currency)
    memory = sized(step.peak_mb * 1e6)
    return [step.step, f"{step.tasks:,}", wall, lasting(step.longest_s), cores, gpu, memory, read, written, amount]


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
    rows = [[one.what, one.fact, one.arithmetic, _worth(one, prices)] for one in saved]
    return section(
        title,
        table(("", "Counted", "Worth", ""), rows, words=3),
        lead=f"Work that was not done, as counted; worth {money(known, prices.currency)} by what the same work cost.",
    )


def _worth(one: Saved, prices: PriceOptions) -> str:
    return _NONE if one.amount is None else money(one.amount, prices.currency)
