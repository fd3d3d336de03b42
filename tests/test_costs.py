"""What runs cost, what they did without, and what the next may cost: arithmetic that can be done by hand."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Workplace
from hypothesis import given
from hypothesis import strategies as st
from pages import EVIL, Balance, fetched, text_of

from featurization.errors import ConfigError
from featurization.media import Quarantined
from steps.costs import (
    Effort,
    Expected,
    PriceOptions,
    RunRecord,
    affordable_hours,
    cost,
    expected_cost,
    expected_cost_per_media_hour,
    keep_record,
    recorded,
    records,
    saved_work,
    storage_cost,
)
from steps.featurize import Plan, Summary
from steps.ingest import Summary as IngestSummary
from steps.intake.listing import Listing
from steps.options import build
from steps.reporting.cost_sections import amount_of, costs_sections, seconds, sized
from steps.reporting.hearing_report import hearing_report
from steps.reporting.ingest_report import ingest_report
from steps.reporting.page import document
from steps.savings import Reuse, Savings
from steps.settings import Settings
from steps.spending import Spent, TaskUse
from steps.store import Store

HOUR = 3600
# 2 a core hour, 3 a GPU hour, 0.5 a GB hour
PRICES = PriceOptions(currency="EUR", cpu_hour=2.0, gpu_hour=3.0, memory_gb_hour=0.5, storage_gb_month=0.1)
RUN = "FeaturizeMedia/7"


def hours(wall: float, cpu: float = 0.0, gpu: float = 0.0) -> Spent:
    return Spent(wall * HOUR, cpu * HOUR, gpu * HOUR)


# Ten hours of media were heard, six of them for the first time. Recognition took 4 core hours for 5 of the ten.
EFFORT = Effort(
    assets=20,
    media_s=10 * HOUR,
    spent={"words": hours(2, 4), "image-vectors": hours(1, 1, 1), "turns": Spent()},
    savings=Savings(
        media_s=10 * HOUR,
        first_s=6 * HOUR,
        reuse={"words": Reuse(8, 10, 4 * HOUR, 5 * HOUR), "turns": Reuse(read=20, read_s=10 * HOUR)},
        recognised_s=4 * HOUR,
        skipped_s=1 * HOUR,
        published_s=0.5 * HOUR,
        frames=101_000,
        keyframes=1_000,
    ),
    first=hours(1.5, 2.5, 0.5),
    peak_mb=2_000,
)
USES = [
    TaskUse("start", "1", 0.0, hours(0.25), 1_000),
    TaskUse("hear", "2", 1_000.0, hours(4, 6, 1), 2_000),
]
RECORD = recorded(RUN, USES, EFFORT)
# words: 4 × 2 + 2 h × 2 GB × 0.5 = 10 for 5 h of media and 4 h of speech; pictures: 2 + 3 + 1 = 6 for 1,000
WORDS_AN_HOUR, SPEECH_AN_HOUR, A_PICTURE = 2.0, 2.5, 0.006


def test_cores_accelerators_and_memory_are_paid_by_the_hour():
    assert cost(hours(2, 4, 1), 2_000, PRICES) == 4 * 2 + 1 * 3 + 2 * 2 * 0.5
    assert cost(Spent(), 2_000, PRICES) == 0
    assert storage_cost(20_000_000_000, PRICES) == 2.0


@given(*[st.builds(hours, *[st.floats(0, 100)] * 3)] * 2, st.floats(0, 1e5))
def test_what_is_done_in_two_parts_costs_the_same(one: Spent, other: Spent, peak: float):
    together = cost(one + other, peak, PRICES)
    assert together == pytest.approx(cost(one, peak, PRICES) + cost(other, peak, PRICES), abs=1e-6)


def test_a_run_costs_what_its_steps_cost():
    assert RECORD.cost(PRICES) == pytest.approx(0.25 * 1 * 0.5 + (6 * 2 + 1 * 3 + 4 * 2 * 0.5))


@pytest.mark.parametrize("given", [{"cpu_hour": -1.0}, {"media_hour": 0.0}])
def test_prices_that_make_no_sense_are_refused(given: dict[str, float]):
    with pytest.raises(ConfigError, match="prices"):
        build(Settings, {"prices": given})


def test_a_record_survives_the_store(tmp_path: Path):
    store = Store(str(tmp_path))
    keep_record(RECORD, store)
    assert list(records(store)) == [RECORD]


def test_records_come_newest_first_and_what_is_foreign_is_passed_over(tmp_path: Path):
    store = Store(str(tmp_path))
    for number in (9, 10, 8):
        keep_record(replace(RECORD, run=f"FeaturizeMedia/{number}"), store)
    store.files.write("runs/FeaturizeMedia/11.json", b'{"run": "FeaturizeMedia/11", "unknown": 1}')
    assert [record.run for record in records(store)] == [f"FeaturizeMedia/{number}" for number in (10, 9, 8)]


def test_without_a_run_the_cost_of_an_hour_is_assumed(tmp_path: Path):
    store = Store(str(tmp_path))
    assert expected_cost(store, PRICES) == Expected(PRICES.media_hour)
    assert affordable_hours(5.0, store, replace(PRICES, media_hour=0.5)) == 10


def test_what_an_hour_of_new_media_costs_is_learned_from_what_was_new(tmp_path: Path):
    """The new assets took a share of the metered work; of what the tasks took beside it they bear the same share."""
    store = Store(str(tmp_path))
    keep_record(RECORD, store)
    keep_record(RunRecord("FeaturizeMedia/8", (), effort=Effort(savings=Savings(media_s=50 * HOUR))), store)  # all kept
    metered = (4 + 1) * 2 + 1 * 3 + (2 + 1) * 2 * 0.5
    new = 2.5 * 2 + 0.5 * 3 + 1.5 * 2 * 0.5
    wanted = new / metered * RECORD.cost(PRICES) / 6
    assert expected_cost_per_media_hour(store, PRICES) == pytest.approx(wanted)
    assert expected_cost(store, PRICES).runs == (RUN,)
    assert affordable_hours(100.0, store, PRICES) == pytest.approx(100 / wanted)


def test_savings_are_facts_first_and_money_by_what_the_same_work_cost():
    saved = {one.what: one for one in saved_work(RECORD, [], PRICES)}
    assert saved["words, kept from before"].fact == "8 values read, 4.00 h of media"
    assert saved["words, kept from before"].amount == pytest.approx(4 * WORDS_AN_HOUR)
    assert saved["speech left out by middle_share"].amount == pytest.approx(1 * SPEECH_AN_HOUR)
    assert saved["speech whose words the publisher gave"].fact == "30.0 min of speech not recognised"
    assert saved["speech whose words the publisher gave"].amount == pytest.approx(0.5 * SPEECH_AN_HOUR)
    assert saved["keyframes instead of frames"].fact == "1,000 pictures looked at, of 101,000 frames"
    assert saved["keyframes instead of frames"].amount == pytest.approx(100_000 * A_PICTURE)
    for one in saved.values():
        if one.amount is not None:  # the arithmetic that is shown gives the amount
            many, price = (
                float(part.replace(",", "")) for part in re.findall(r"^([\d.,]+) .*× ([\d.]+) EUR", one.arithmetic)[0]
            )
            assert many * price == pytest.approx(one.amount)


def test_what_no_run_has_computed_has_no_price():
    turns = {one.what: one for one in saved_work(RECORD, [], PRICES)}["turns, kept from before"]
    assert turns.amount is None
    assert "no run on record" in turns.arithmetic


def test_the_price_of_what_was_kept_comes_from_the_newest_run_that_computed_it():
    before = [
        RunRecord("F/3", (), effort=Effort()),
        RunRecord("F/2", (), effort=Effort(spent={"turns": hours(0, 1)}, savings=computed("turns", 2))),
        RunRecord("F/1", (), effort=Effort(spent={"turns": hours(0, 9)}, savings=computed("turns", 1))),
    ]
    turns = {one.what: one for one in saved_work(RECORD, before, PRICES)}["turns, kept from before"]
    assert turns.amount == pytest.approx(10 * 1 * 2 / 2)
    assert turns.arithmetic.endswith("as in F/2")


def computed(extractor: str, media_hours: float) -> Savings:
    return Savings(reuse={extractor: Reuse(computed=1, computed_s=media_hours * HOUR)})


@pytest.mark.parametrize(
    ("amount", "written"),
    [(0.0, "–"), (1e-9, "< 0.000001"), (0.00109, "0.00109"), (0.0412, "0.0412"), (0.5, "0.500"), (1234.5, "1,234.50")],
)
def test_money_has_as_many_digits_as_say_something(amount: float, written: str):
    assert amount_of(amount) == written


def test_times_and_sizes_have_the_unit_that_suits_them():
    assert [seconds(s) for s in (0.0, 94.3, 1500.0, 3900.0)] == ["–", "94.3 s", "25 min", "1 h 05 min"]
    assert [sized(n) for n in (0, 312, 4_100_000, 5e12)] == ["–", "312 B", "4.1 MB", "5.0 TB"]


# the pages ------------------------------------------------------------------------------------------------------------

LOST = Quarantined("https://example.org/x.mp3", "silent", "it holds no sound", stage="featurize", title=EVIL)
SUMMARY = Summary(("a",) * 20, (LOST,), dict(EFFORT.spent), EFFORT.savings, EFFORT.first, EFFORT.peak_mb)


def page(store: Store, *, record: RunRecord = RECORD) -> str:
    return hearing_report(SUMMARY, Plan(((),), 10.0, 30, 15.0), record, prices=PRICES, store=store)


def test_the_card_says_what_was_heard_what_it_cost_and_what_waits(tmp_path: Path):
    shown = text_of(page(Store(str(tmp_path))))
    for part in ("20assets heard", "10.00 hof media", "1.91EUR per media hour", "2.0 GBpeak memory", "1quarantined"):
        assert part in shown
    assert "It holds no sound." in shown
    an_hour = expected_cost_per_media_hour(_with_record(tmp_path), PRICES)
    assert f"30 new assets of 15.0 h wait for the next run, and may cost 15.0 h × {amount_of(an_hour)} EUR" in shown
    assert f"= {amount_of(15 * an_hour)} EUR" in shown
    assert "words5 h 00 min4 h 00 min2 h 00 min4 h 00 min" in shown
    assert "hear14 h 00 min" in shown


def _with_record(folder: Path) -> Store:
    store = Store(str(folder / "with"))
    keep_record(RECORD, store)
    return store


def test_a_run_that_computed_nothing_says_so(tmp_path: Path):
    kept = Effort(3, HOUR, {"words": Spent(read_bytes=5_000)}, Savings(HOUR, reuse={"words": Reuse(3, 0, HOUR)}))
    shown = text_of(page(_with_record(tmp_path), record=recorded("FeaturizeMedia/9", USES[:1], kept)))
    assert "Nothing was computed: all that was needed is kept from earlier runs." in shown
    assert f"3 values read, 1.00 h of media1.000 h × {WORDS_AN_HOUR:.6f} EUR an hour, as in {RUN}" in shown


def test_an_empty_run_has_a_page_too(tmp_path: Path):
    empty = hearing_report(
        Summary((), (), {}), Plan(((),), 0.0), recorded(RUN, []), prices=PRICES, store=Store(str(tmp_path))
    )
    assert "Nothing waits." in text_of(empty)
    assert Balance.of(empty) == []


def test_pages_are_whole_fetch_nothing_and_escape_what_feeds_say(tmp_path: Path):
    listing = Listing("feed", EVIL)
    came = ingest_report(listing, IngestSummary(("a",), (LOST,), 1, 2_000_000, 3.0, HOUR), RECORD, PRICES)
    costs = document("costs", costs_sections(RECORD, PRICES))
    for made in (page(Store(str(tmp_path))), came, costs):
        assert Balance.of(made) == []
        assert fetched(made) == []
    assert "2.0 MBmoved for them" in text_of(came)
    assert "it costs 0.000200 EUR a month" in text_of(came).replace("What was fetched", "it")


def test_what_was_heard_once_costs_no_work_a_second_time(published: Workplace, tmp_path: Path):
    place = Workplace(tmp_path)
    shutil.copytree(published.folder / "store", tmp_path / "store")
    (first,) = records(place.store)
    done = place.flow("featurize_media", "run", "--assets", "all")
    assert done.returncode == 0, done.stdout
    second = next(records(place.store))
    for record in (first, second):
        assert [step.step for step in record.steps] == ["start", "hear", "commit", "publish_index"]
        assert record.effort.assets == 4
        assert record.effort.media_s == pytest.approx(first.effort.media_s)
        assert record.effort.peak_mb > 50
    new, kept = first.effort, second.effort
    assert all(spent.wall_s == spent.cpu_s == 0 for spent in kept.spent.values())
    between = {"voice-activity", "sound-probabilities"}  # asked for only where what is made of them is not kept
    computed = {name for name, reuse in new.savings.reuse.items() if reuse.computed}
    assert computed - between == set(kept.savings.reuse)
    assert not any(reuse.computed for reuse in kept.savings.reuse.values())
    assert new.savings.first_s == pytest.approx(new.media_s)
    assert kept.savings.first_s == 0
    assert new.savings.published_s > 0  # one of the sample episodes has a transcript
    assert new.savings.recognised_s > 0
    assert 0 < new.savings.keyframes < new.savings.frames
    assert second.cost(PriceOptions()) < 0.5 * first.cost(PriceOptions())
    assert expected_cost(place.store, PriceOptions()).runs == (first.run,)
