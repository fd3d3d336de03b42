"""What runs cost, by a table of prices that is yours to change, and what the next ones may be expected to cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice

from featurization.errors import ConfigError
from steps.options import build
from steps.savings import Reuse, Savings
from steps.spending import NOTHING, Spent, StepUse, TaskUse, by_step, idle_s, total
from steps.store import Store

FOLDER = "runs"
HEARING = "FeaturizeMedia"  # the flow whose runs say what an hour of media costs
LAST = 5  # runs that an expectation rests on
_HOUR_S, _GB = 3600, 1e9


@dataclass(frozen=True)
class PriceOptions:
    """What machines cost. The defaults are on-demand list prices of AWS in us-east-1, 2026, and yours to change.

    A core that is paid for and idle costs as much as a busy one: divide by the share of time in which yours are busy.
    """

    currency: str = "USD"
    cpu_hour: float = 0.0405  # one core (Fargate)
    memory_gb_hour: float = 0.0045
    gpu_hour: float = 0.53  # one T4 with its machine (g4dn.xlarge); cores and memory in use are counted beside it
    storage_gb_month: float = 0.023  # S3 Standard
    media_hour: float = 0.01  # assumed, as long as no run has shown what an hour of media costs

    def __post_init__(self) -> None:
        if min(self.cpu_hour, self.memory_gb_hour, self.gpu_hour, self.storage_gb_month) < 0:
            raise ValueError("prices must not be negative")
        if self.media_hour <= 0:
            raise ValueError(f"media_hour must be positive, got {self.media_hour}: it bounds runs by their cost")


@dataclass(frozen=True)
class Effort:
    """What a run did for its assets, and what that took."""

    assets: int = 0
    media_s: float = 0.0
    spent: Mapping[str, Spent] = field(default_factory=dict)  # by extractor, or kind of work
    savings: Savings = field(default_factory=Savings)
    first: Spent = NOTHING  # on assets that were heard for the first time
    peak_mb: float = 0.0

    def cost(self, name: str, prices: PriceOptions) -> float:
        """What an extractor cost, with the memory that its tasks held meanwhile."""
        return cost(self.spent.get(name, NOTHING), self.peak_mb, prices)


@dataclass(frozen=True)
class RunRecord:
    """What a run did and took, kept as `runs/FLOW/ID.json`. Prices are not in it: they may change."""

    run: str  # "FLOW/ID"
    steps: tuple[StepUse, ...]
    idle_s: float = 0.0  # in which no task was at work
    effort: Effort = field(default_factory=Effort)

    def cost(self, prices: PriceOptions) -> float:
        """What all its tasks cost, each with the memory that the step's largest held."""
        return sum(cost(step.spent, step.peak_mb, prices) for step in self.steps)


@dataclass(frozen=True)
class Expected:
    """What an hour of new media may be expected to cost, and what says so."""

    per_media_hour: float
    runs: tuple[str, ...] = ()  # none: it is assumed
    media_hours: float = 0.0


def cost(spent: Spent, peak_mb: float, prices: PriceOptions) -> float:
    """What it costs: seconds of cores and accelerators, and the memory that is held meanwhile."""
    cores, gpus = spent.cpu_s / _HOUR_S * prices.cpu_hour, spent.gpu_s / _HOUR_S * prices.gpu_hour
    return cores + gpus + spent.wall_s / _HOUR_S * peak_mb / 1000 * prices.memory_gb_hour


def storage_cost(stored_bytes: int, prices: PriceOptions) -> float:
    """What it costs a month to keep some bytes."""
    return stored_bytes / _GB * prices.storage_gb_month


def recorded(run: str, uses: Sequence[TaskUse], effort: Effort | None = None) -> RunRecord:
    """The record of a run, "FLOW/ID", from what its tasks said."""
    return RunRecord(run, by_step(uses), idle_s(uses), effort or Effort())


def keep_record(record: RunRecord, store: Store) -> None:
    """Keep what a run took."""
    store.files.write(f"{FOLDER}/{record.run}.json", json.dumps(asdict(record), indent=1).encode())


def records(store: Store, flow: str = HEARING) -> Iterator[RunRecord]:
    """What runs of a flow took, the newest first; what another version wrote is passed over."""
    for name in sorted(store.files.list(f"{FOLDER}/{flow}"), key=lambda name: (len(name), name), reverse=True):
        try:
            yield build(RunRecord, json.loads(store.files.read(f"{FOLDER}/{flow}/{name}")))
        except (ConfigError, TypeError):
            continue


def expected_cost(store: Store, prices: PriceOptions) -> Expected:
    """By the last runs that heard anything for the first time; else what the price table assumes."""
    told = list(islice((record for record in records(store) if record.effort.savings.first_s), LAST))
    hours = sum(record.effort.savings.first_s for record in told) / _HOUR_S
    if not hours:
        return Expected(prices.media_hour)
    money = sum(first_cost(record, prices) for record in told)
    return Expected(money / hours, tuple(record.run for record in told), hours)


def first_cost(record: RunRecord, prices: PriceOptions) -> float:
    """What a run cost for what it heard for the first time: its share of the metered work, and of the rest."""
    effort = record.effort
    metered = cost(total(effort.spent), effort.peak_mb, prices)
    share = cost(effort.first, effort.peak_mb, prices) / metered if metered else 0.0
    return share * max(metered, record.cost(prices))


def expected_cost_per_media_hour(store: Store, options: PriceOptions) -> float:
    """What an hour of new media may be expected to cost, in the currency of the price table."""
    return expected_cost(store, options).per_media_hour


def affordable_hours(amount: float, store: Store, options: PriceOptions) -> float:
    """Hours of new media that may be expected to cost no more than an amount."""
    return amount / expected_cost_per_media_hour(store, options)


@dataclass(frozen=True, slots=True)
class Rate:
    """What a unit of work costs, and the run that shows it."""

    price: float
    run: str


def rate(told: Sequence[RunRecord], extractor: str, prices: PriceOptions) -> Rate | None:
    """What an extractor costs per hour of media, by the first of the records in which it computed anything."""
    for record in told:
        if hours := record.effort.savings.reuse.get(extractor, Reuse()).computed_s / _HOUR_S:
            return Rate(record.effort.cost(extractor, prices) / hours, record.run)
    return None


def speech_rate(told: Sequence[RunRecord], prices: PriceOptions) -> Rate | None:
    """What it costs to recognise an hour of speech."""
    for record in told:
        if hours := record.effort.savings.recognised_s / _HOUR_S:
            return Rate(record.effort.cost("words", prices) / hours, record.run)
    return None


def picture_rate(told: Sequence[RunRecord], prices: PriceOptions) -> Rate | None:
    """What it costs to look at one picture."""
    for record in told:
        if pictures := record.effort.savings.keyframes:
            return Rate(record.effort.cost("image-vectors", prices) / pictures, record.run)
    return None


@dataclass(frozen=True, slots=True)
class Saved:
    """One thing that a run could do without: the counted fact, the arithmetic, and the amount if a rate is known."""

    what: str
    fact: str
    arithmetic: str = ""
    amount: float | None = None


def saved_work(record: RunRecord, told: Sequence[RunRecord], prices: PriceOptions) -> list[Saved]:
    """What a run could do without: facts first, and money by the rates of this run or of `told`, those before it."""
    known = [record, *told]
    savings, speech = record.effort.savings, speech_rate(known, prices)
    return [
        *_unrepeated(savings, known, prices),
        *_counted("speech left out by middle_share", savings.skipped_s, speech, prices),
        *_counted("speech whose words the publisher gave", savings.published_s, speech, prices),
        *_unseen(savings, picture_rate(known, prices), prices),
    ]


def _unrepeated(savings: Savings, known: Sequence[RunRecord], prices: PriceOptions) -> Iterator[Saved]:
    for extractor, reuse in savings.reuse.items():
        if not reuse.read:
            continue
        fact = f"{reuse.read:,} {'value' if reuse.read == 1 else 'values'} read, {_hours(reuse.read_s)} of media"
        yield _priced(f"{extractor}, kept from before", fact, reuse.read_s, rate(known, extractor, prices), prices)


def _counted(what: str, seconds: float, price: Rate | None, prices: PriceOptions) -> Iterator[Saved]:
    if seconds > 0:
        yield _priced(what, f"{_hours(seconds)} of speech not recognised", seconds, price, prices)


def _priced(what: str, fact: str, seconds: float, price: Rate | None, prices: PriceOptions) -> Saved:
    if price is None:
        return Saved(what, fact, "not known: no run on record has computed it")
    hours = seconds / _HOUR_S
    arithmetic = f"{hours:.3f} h × {price.price:.6f} {prices.currency} an hour, as in {price.run}"
    return Saved(what, fact, arithmetic, hours * price.price)


def _unseen(savings: Savings, price: Rate | None, prices: PriceOptions) -> Iterator[Saved]:
    unseen = savings.frames - savings.keyframes
    if unseen <= 0 or price is None:
        return
    fact = f"{savings.keyframes:,} pictures looked at, of {savings.frames:,} frames"
    arithmetic = f"{unseen:,} pictures × {price.price:.8f} {prices.currency}, as in {price.run}"
    yield Saved("keyframes instead of frames", fact, arithmetic, unseen * price.price)


def _hours(seconds: float) -> str:
    return f"{seconds / _HOUR_S:.2f} h" if seconds >= _HOUR_S else f"{seconds / 60:.1f} min"
