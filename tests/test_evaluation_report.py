"""The report of an evaluation flags what got worse, and lets a person hear the worst picks beside the editors'."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest
from golden_store import made_asset, put, told
from judged_episodes import clip, figures, judged, judgement
from lxml import html as lxml_html
from pages import EVIL, Balance, fetched, text_of

from eval.agreement import Agreement
from eval.bootstrap import Interval
from eval.online import Experiment, Units, read
from eval.tag_metrics import SpotCheck, TagRows, judge_tags
from featurization.media import Segment
from steps.dataset import Dataset
from steps.evaluation import Previews
from steps.golden import GoldenSet
from steps.rendering.mp3 import decode_clip, encode_mp3
from steps.reporting.evaluation_report import evaluation_report
from steps.reporting.slices_section import slices_section
from steps.slices import SliceFigures, slices
from steps.store import Store
from steps.tag_figures import TagFigures
from steps.truth import TruthFigures

MINUS = "\N{MINUS SIGN}"
RATE_HZ, HEARD_S = 16_000, 120.0
PICK = Segment(60.0, 90.0)
JUDGED = judged(
    champion=(0.1, 0.5, 0.7, 0.9), prior=(0.1, 0.3, 0.5, 0.7), middle=(0.0, 0.0, 0.2, 0.2), editors=(0.6, 0.6, 0.6, 0.6)
)
BEFORE = judged(champion=(0.1, 0.5, 0.9, 0.95))["champion"]


def of_enough(one: SliceFigures) -> SliceFigures:
    """The same figures, standing on so many episodes that a drop is believed."""
    return replace(one, since=replace(one.since, count=5)) if one.since else one


PREVIEWS = Previews(
    identities={"champion": "blend@111111111111"},
    judged=JUDGED,
    metrics=figures(JUDGED),
    gains={"prior": Interval(0.15, 0.05, 0.2, 0.95, 2, 4), "middle": Interval(0.45, 0.3, 0.6, 0.95, 2, 4)},
    slices=[of_enough(one) for one in slices(JUDGED["champion"], BEFORE)],
    unseen=True,
    golden=GoldenSet({f"{n}" * 16: (clip(n, start=20.0),) for n in range(4)}, agreement=Agreement(4, 2.4, 4)),
    dataset=Dataset("blobs/ab/abcdef0123456789abcdef0123456789ff.parquet", 4, 2, 1_200),
)
NO_TAGS = TagFigures()


def report(store: Store, previews: Previews | None = PREVIEWS, **given: object) -> str:
    parts = {"run": "EvaluateModels/3", "tags": NO_TAGS, "truth": None, "experiments": (), **given}
    return evaluation_report(previews=previews, store=store, **parts)  # type: ignore[arg-type]


def recording() -> bytes:
    """Two minutes that are silent but for a tone from 60 to 90 s, which is what was picked."""
    time = np.arange(int(HEARD_S * RATE_HZ)) / RATE_HZ
    tone = np.where((time >= PICK.start) & (time < PICK.end), 0.3 * np.sin(2 * np.pi * 440 * time), 0.0)
    return encode_mp3(tone[None].astype(np.float32), RATE_HZ, bit_rate=32_000)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Episode 0 has its bytes, those of 1 are damaged, those of 2 are gone, and 3 is unknown."""
    store = Store(str(tmp_path_factory.mktemp("store")))
    for name in "012":
        words = told([f"word{n}" for n in range(240)])
        put(store, made_asset(name, duration_s=HEARD_S), words)
    store.files.write("blobs/0.mp3", recording())
    store.files.delete("blobs/2.mp3")
    return store


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that knows no episode."""
    return Store(str(tmp_path_factory.mktemp("bare")))


@pytest.fixture(scope="module")
def page(store: Store) -> str:
    return report(store)


def worst(page: str) -> list[lxml_html.HtmlElement]:
    return lxml_html.fromstring(page).find_class("worst")


def loudness(data_url: str) -> float:
    samples = decode_clip(base64.b64decode(data_url.removeprefix("data:audio/mpeg;base64,"))).samples
    return float(np.sqrt(np.square(samples).mean()))


# previews ------------------------------------------------------------------------------------------------------------


def test_the_first_words_say_how_good_the_ranker_is(page: str) -> None:
    (said,) = lxml_html.fromstring(page).find_class("verdict")
    assert said.text.startswith("The ranker in use, blend@111111111111, picks clips with an IoU of 0.550 (")
    assert said.text.endswith("it is surely better than the documented prior, nDCG@5 +0.150 (+0.050 to +0.200).")


@pytest.mark.parametrize(
    ("low", "high", "said"), [(-0.2, -0.1, "surely worse than"), (-0.1, 0.2, "not surely different from")]
)
def test_what_is_not_sure_is_not_claimed(bare: Store, low: float, high: float, said: str) -> None:
    gain = Interval((low + high) / 2, low, high, 0.95, 2, 4)
    assert said in text_of(report(bare, replace(PREVIEWS, gains={"prior": gain})))


def test_flattering_figures_are_called_so(page: str, bare: Store) -> None:
    assert "flatter" not in text_of(page)
    assert "so these figures flatter it." in text_of(report(bare, replace(PREVIEWS, unseen=False)))


def test_a_slice_that_got_worse_is_flagged_in_red(page: str) -> None:
    tree = lxml_html.fromstring(page)
    flagged = [chip.text for chip in tree.find_class("quarantined")]
    assert flagged[0] == "1 slice got worse"
    assert [text[:5] for text in flagged[1:]] == ["worse"]
    rows = {row[0].text_content(): row for row in tree.find_class("slices")[0].iter("tr") if len(row) == 5}
    assert f"worse {MINUS}0.125 ({MINUS}0.200 to {MINUS}0.050)" in rows["Day"].text_content()
    assert "worse" not in rows["Night"].text_content()


def test_without_an_earlier_run_nothing_is_flagged(bare: Store) -> None:
    first = report(bare, replace(PREVIEWS, slices=slices(JUDGED["champion"])))
    assert "First evaluation" in text_of(first)
    assert "there is nothing to compare with" in text_of(first)


def test_of_many_shows_the_lowest_and_all_that_got_worse_are_shown() -> None:
    def of_show(number: int) -> SliceFigures:
        since = Interval(-0.2, -0.3, -0.1, 0.95, 1, 9) if number == 39 else None
        figure = Interval(number / 40, 0.0, 1.0, 0.95, 1, 9)
        return SliceFigures("show", f"Show {number}", 9, figure, since)

    section = lxml_html.fromstring(str(slices_section([of_show(n) for n in range(40)])))
    names = {row[0].text for row in section.iter("tr") if len(row) == 5}
    assert names == {f"Show {n}" for n in (*range(11), 39)} | {None}
    assert "28 more, none of them worse than in the last run" in section.text_content()


# the worst episodes --------------------------------------------------------------------------------------------------


def test_the_worst_comes_first(page: str) -> None:
    assert [article.find(".//b").text for article in worst(page)] == [f"Episode {n}" for n in range(4)]
    assert [article.find(".//span").text for article in worst(page)] == [
        "IoU 0.100",
        "IoU 0.500",
        "IoU 0.700",
        "IoU 0.900",
    ]


def test_what_is_played_is_the_pick_and_the_editors_clip(page: str) -> None:
    pick, chosen = (audio.get("src") for audio in worst(page)[0].iter("audio"))
    assert loudness(pick) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    assert loudness(chosen) < 0.001
    length = decode_clip(base64.b64decode(pick.partition(",")[2])).duration_s
    assert length == pytest.approx(30.0, abs=0.2)


def test_what_is_said_is_quoted(page: str) -> None:
    pick, chosen = (quote.text for quote in worst(page)[0].find_class("quote"))
    assert (pick.split()[0], pick.split()[-1]) == ("word120", "word179")
    assert (chosen.split()[0], chosen.split()[-1]) == ("word40", "word99")


def test_where_they_lie_is_drawn_to_scale(page: str) -> None:
    (strip,) = worst(page)[0].find_class("strip")
    spans = [(r.get("class"), r.get("x"), r.get("width")) for r in strip.iter("rect")][1:]
    assert spans == [("golden", "16.67%", "25.00%"), ("value ours", "50.00%", "25.00%")]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_damaged_missing_and_unknown_recordings_leave_times(page: str, number: int) -> None:
    article = worst(page)[number]
    assert list(article.iter("audio")) == []
    assert "The recording is gone from the store or cannot be decoded" in article.text_content()
    assert "01:00 to 01:30" in article.text_content()
    assert "00:20 to 00:50" in article.text_content()


def test_a_long_choice_is_played_from_its_start(store: Store) -> None:
    long = replace(clip(0, start=20.0), end=110.0)
    previews = replace(PREVIEWS, golden=GoldenSet({"0" * 16: (long,)}))
    article = worst(report(store, previews))[0]
    _, chosen = (audio.get("src") for audio in article.iter("audio"))
    length = decode_clip(base64.b64decode(chosen.partition(",")[2])).duration_s
    assert length == pytest.approx(45.0, abs=0.2)
    assert "The first 45 seconds." in article.text_content()


def test_an_episode_without_a_pick_says_so(store: Store) -> None:
    none = replace(judgement(0, 0.0), pick=None)
    previews = replace(PREVIEWS, judged={**JUDGED, "champion": [none, *JUDGED["champion"][1:]]})
    assert "No clip passed the gates." in worst(report(store, previews))[0].text_content()


# the rest ------------------------------------------------------------------------------------------------------------


def test_what_was_not_measured_says_how_to_measure_it(bare: Store) -> None:
    empty = report(bare, None)
    shown = text_of(empty)
    for said in ("POST /golden-clips", "POST /labels", "NAME.rttm", "[[experiments.running]]"):
        assert said in shown
    assert Balance.of(empty) == []


def test_tags_are_told_by_label(bare: Store) -> None:
    rows = TagRows(("dog",) * 4, tuple("abcd"), np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, True, False, True]))
    found = judge_tags(rows)
    spot = SpotCheck(shown=4, checked=2, held=1)
    tags = TagFigures(found, found.average_precision, {"dog": found}, spot, {"dog": spot}, judged=4)
    shown = text_of(report(bare, tags=tags))
    assert "dog0.667 (" in shown
    assert "0.5002 of 4" in shown


def test_truth_is_told_by_task(bare: Store) -> None:
    truth = TruthFigures({"asr": {"WER": 0.1234}}, {"asr": 2}, ("a.rttm: not RTTM",), ("b.rttm",))
    shown = text_of(report(bare, truth=truth))
    assert "asr, 2 files" in shown
    assert "WER0.123" in shown
    assert "2 files not usedb.rttm: of no asset in the storea.rttm: not RTTM" in shown
    assert "No file of truth could be used." in text_of(report(bare, truth=TruthFigures(unmatched=("b.rttm",))))


def test_experiments_are_reported(bare: Store) -> None:
    autumn = Experiment("autumn")
    arm = np.repeat([0, 1, 2], 200)
    streamed = np.arange(600) % 2 == 0
    reading = read(autumn, Units(arm, np.zeros(600, dtype=bool), streamed))
    shown = text_of(report(bare, experiments=[(reading, autumn)]))
    assert "autumn" in shown
    assert "No experiment runs" not in shown


def test_hostile_text_is_shown_and_not_run(bare: Store) -> None:
    evil = [replace(j, title=EVIL, traits={"show": EVIL}) for j in JUDGED["champion"]]
    previews = replace(
        PREVIEWS,
        identities={"champion": EVIL},
        judged={**JUDGED, "champion": evil},
        slices=slices(evil),
        golden=GoldenSet({"0" * 16: (clip(0, EVIL),)}),
    )
    page = report(bare, previews, run=EVIL, truth=TruthFigures({EVIL: {EVIL: 1.0}}, {EVIL: 1}, (EVIL,), (EVIL,)))
    assert fetched(page) == []
    assert worst(page)[0].find(".//b").text == EVIL
    assert Balance.of(page) == []


def test_the_page_fetches_nothing_and_is_the_same_every_time(page: str, store: Store) -> None:
    assert fetched(page) == []
    assert Balance.of(page) == []
    assert report(store) == page
