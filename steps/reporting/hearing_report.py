"""The report of a featurizing run: what was heard, what it took and cost, what was saved, and what could not be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from markupsafe import Markup

from featurization.media import Quarantined
from steps.costs import LAST, Expected, PriceOptions, RunRecord, expected_cost, first_cost, records, saved_work
from steps.featurize import Plan, Summary
from steps.reporting.cost_sections import amount_of, costs_sections, money, savings_section, seconds, sized
from steps.reporting.numbers import counted, sentence
from steps.reporting.page import document, heading, joined, note, provenance, section, table, tiles
from steps.store import Store
from steps.version import VERSION

_TITLE = "What was heard"
_HOUR_S = 3600
_SHOWN = 200  # quarantined assets that the page lists


def hearing_report(summary: Summary, plan: Plan, record: RunRecord, *, prices: PriceOptions, store: Store) -> str:
    """A self-contained HTML document, light and dark; nothing is fetched, and every text is escaped."""
    told = list(islice(records(store), LAST))
    expected = _expected(record, prices) or expected_cost(store, prices)
    parts = [
        heading(_TITLE, record.run),
        tiles(_figures(summary, record, prices)),
        _next(plan, expected, prices),
        costs_sections(record, prices),
        savings_section(saved_work(record, told, prices), prices),
        quarantine_section(summary.problems),
        provenance([("run", record.run), ("code", f"rushes {VERSION}")]),
    ]
    return document(_TITLE, joined(parts))


def _expected(record: RunRecord, prices: PriceOptions) -> Expected | None:
    """By this run, if it heard anything for the first time."""
    hours = record.effort.savings.first_s / _HOUR_S
    return Expected(first_cost(record, prices) / hours, (record.run,), hours) if hours else None


def _figures(summary: Summary, record: RunRecord, prices: PriceOptions) -> list[tuple[str, str]]:
    effort, amount = record.effort, record.cost(prices)
    hours, cores = effort.media_s / _HOUR_S, sum(step.spent.cpu_s for step in record.steps)
    shown = [
        (f"{effort.assets:,}", "asset heard" if effort.assets == 1 else "assets heard"),
        (f"{hours:,.2f} h", "of media"),
        (amount_of(amount), f"{prices.currency} so far"),
        (amount_of(amount / hours) if hours else "–", f"{prices.currency} per media hour"),
        (seconds(cores), "of processor time"),
        (sized(effort.peak_mb * 1e6), "peak memory of a task"),
    ]
    return [*shown, (f"{len(summary.problems):,}", "quarantined")] if summary.problems else shown


def _next(plan: Plan, expected: Expected, prices: PriceOptions) -> Markup:
    """What waits, and what it will about cost."""
    basis = f"as measured on {expected.media_hours:.2f} h by {expected.runs[0]}" if expected.runs else "as assumed"
    price = f"{money(expected.per_media_hour, prices)} an hour of new media, {basis}"
    if not plan.left:
        return note(f"Nothing waits. Expected of the next run: {price}.")
    worth = money(plan.left_hours * expected.per_media_hour, prices)
    left = f"{counted(plan.left, 'new asset')} of {plan.left_hours:.1f} h"
    return note(f"{left} wait for the next run, and may cost {plan.left_hours:.1f} h × {price} = {worth}.")


def quarantine_section(problems: Sequence[Quarantined]) -> Markup:
    """What was set aside, and why; nothing if nothing was."""
    if not problems:
        return Markup("")
    rows = [[problem.title or problem.source, sentence(problem.detail)] for problem in problems[:_SHOWN]]
    more = len(problems) - len(rows)
    return section(
        "Quarantined",
        table(("", "Why"), rows, words=2),
        note(f"and {more:,} more: `rushes assets` lists them") if more else Markup(""),
        lead="They keep what was known of them, and the others went on.",
    )
