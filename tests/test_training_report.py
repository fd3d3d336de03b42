"""The report of a training run says what was decided and why, draws to scale, and is safe with any feed's text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from judged_episodes import clip, figures, judged
from lxml import html as lxml_html
from pages import EVIL, Balance, fetched, text_of

from eval.agreement import Agreement
from eval.bootstrap import Interval
from ranking.blend import BlendWeight
from ranking.importance import FeatureEffect
from ranking.lambdarank import LambdaRankOptions
from ranking.linear import LinearOptions
from ranking.tune import Trial, Tuned
from steps.dataset import Dataset
from steps.golden import GoldenSet, RefusedClip
from steps.promotion import Decided, Verdict
from steps.reporting.charts import Bar, bar_chart, gain_strip, share_strip
from steps.reporting.line_chart import Point, line_chart
from steps.reporting.numbers import gained, lasting, signed, three
from steps.reporting.page import prose
from steps.reporting.training_report import training_report
from steps.splitting import Split
from steps.studies import Ablation, CurvePoint
from steps.training import Fitted, Found
from steps.training_run import TrainingRun

MINUS = "\N{MINUS SIGN}"
JUDGED = judged(
    challenger=(0.9, 0.7, 0.5, 0.3),
    champion=(0.5, 0.5, 0.3, 0.3),
    prior=(0.5, 0.5, 0.3, 0.3),
    middle=(0.2, 0.2, 0.0, 0.0),
    texttiling=(0.1, 0.1, 0.1, 0.1),
    editors=(0.8, 0.8, 0.6, 0.6),
)
PRIOR, TREES = "prior@000000000000", "blend@111111111111"


def interval(mean: float, half: float = 0.1, shows: int = 8) -> Interval:
    return Interval(mean, mean - half, mean + half, 0.95, shows, 4 * shows)


def found(kind: str, options: object, mean: float, weight: float) -> Found:
    trials = (Trial({"leaves": 7}, mean, 4), Trial({"leaves": 9}, mean - 0.1, 2))
    curve = ((0.0, 0.4), (0.5, mean), (1.0, mean - 0.05))
    blend = BlendWeight(weight, mean - 0.4, 0.03, curve)
    return Found(kind, Tuned(kind, options, mean, {}, {}, trials), blend, interval(mean), interval(0.4), seconds=90.0)


def ablation(name: str, loss: float | None, ad_s: float = 0.0) -> Ablation:
    metrics = {"ad s": ad_s, "music s": 0.0, "spoilers": 0.0}
    lost = None if loss is None else interval(loss, 0.02)
    return Ablation(name, interval(0.6), interval(0.5), lost, metrics)


GOLDEN = GoldenSet(
    clips={
        "0" * 16: (clip(0), clip(0, "bo", 61.0)),
        "1" * 16: (clip(1), clip(1, "Night", source="soundbite")),
        "2" * 16: (clip(2),),
        "3" * 16: (clip(3),),
    },
    refused=(RefusedClip("soundbite", "Night", "guid-9", 3600.0, 3630.0, "outside", "it begins after the end"),),
    agreement=Agreement(2, 1.3, 2),
)
VERDICT = Verdict(
    "kept", "nDCG@5 +0.200 (-0.050 to +0.300) on 2 held-out shows; 5 are needed to tell", TREES, PRIOR, interval(0.2)
)
RUN = TrainingRun(
    run="TrainRanker/12",
    golden=GOLDEN,
    dataset=Dataset("blobs/ab/abcdef0123456789abcdef0123456789ff.parquet", 64, 10, 19_200),
    split=Split(("5" * 16,), tuple(f"{n}" * 16 for n in range(4)), ("Day", "Night")),
    found=(
        found("lambdarank", LambdaRankOptions(leaves=9), 0.65, 0.5),
        found("linear", LinearOptions(), 0.5, 1.0),
    ),
    fitted=Fitted("{}", TREES, "lambdarank", 0.5, LambdaRankOptions(), 60, tuple("abcdefgh")),
    ablations=(
        ablation("everything", None),
        ablation("without words", 0.3),
        ablation("without picture", -0.1),
        ablation("without place", 0.01),
        ablation("gates off", 0.05, ad_s=4.5),
    ),
    curve=(CurvePoint(0, interval(0.4)), CurvePoint(5, interval(0.3)), CurvePoint(50, interval(0.6))),
    decided=Decided(VERDICT, JUDGED, figures(JUDGED), "models/rankers/blend@111111111111.json"),
    effects=(
        FeatureEffect("questions", "words", 0.6, 0.6, 0.9),
        FeatureEffect("energy", "sound", 0.3, 0.3, -0.8),
        FeatureEffect("position", "place", 0.1, 0.1, 0.1),
        FeatureEffect("motion", "picture", 0.0, 0.0, 0.0),
    ),
)


@pytest.fixture(scope="module")
def page() -> str:
    return training_report(RUN)


def rows(page: str) -> dict[str, list[str]]:
    """The cells of every table row, by the first of them."""
    found = [[cell.text_content() for cell in row] for row in lxml_html.fromstring(page).iter("tr")]
    return {cells[0]: cells for cells in found}


# what is told --------------------------------------------------------------------------------------------------------


def test_the_verdict_is_one_sentence(page: str) -> None:
    (said,) = lxml_html.fromstring(page).find_class("verdict")
    assert said.text == (
        f"Kept the documented prior: nDCG@5 +0.200 ({MINUS}0.050 to +0.300) on 2 held-out shows; 5 are needed to tell."
    )
    promoted = replace(RUN.decided, verdict=Verdict("promoted", "nDCG@5 +0.2", TREES, "linear@2", interval(0.2)))
    shown = text_of(training_report(replace(RUN, decided=promoted)))
    assert f"Promoted{TREES} is in use now, in place of linear@2: nDCG@5 +0.2." in shown
    assert "The challenger is lambdarank with a weight of 0.5, the rest is the documented prior" in shown


def test_tiles_count_what_went_in(page: str) -> None:
    tiles = [tile.text_content() for tile in lxml_html.fromstring(page).find_class("tile")]
    assert tiles == [
        "64golden episodes",
        "10shows",
        "3editors",
        "0.650IoU of editors, the ceiling",
        "4held out, of 2 shows",
        "19,200clips compared",
    ]


def test_every_ranker_and_rule_stands_beside_the_editors(page: str) -> None:
    table = rows(page)
    assert [name for name in table if name in ("the middle", "TextTiling centre", "editors, against each other")] == [
        "the middle",
        "TextTiling centre",
        "editors, against each other",
    ]
    assert table[f"challenger{TREES}"][1] == "0.600"
    assert table["championthe documented prior"][1] == "0.400"
    assert "the documented prior" not in table  # it is the champion, and nobody stands there twice
    assert table["editors, against each other"][1:6] == ["0.700", "1.00", "1.00", "0.500", "5.00"]
    assert set(table["editors, against each other"][6:]) == {"–"}


def test_the_best_of_a_column_is_bold_and_what_is_equal_is_not(page: str) -> None:
    bold = {b.text for row in lxml_html.fromstring(page).find_class("figures") for b in row.iter("b")}
    assert "0.600" in bold  # IoU of the challenger
    assert "0.700" not in bold  # the ceiling is no contestant
    assert "5.00" not in bold  # all edges are equally far off


def test_kinds_are_told_with_what_they_took(page: str) -> None:
    table = rows(page)
    assert table["lambdarank"] == ["lambdarank", "0.650", "0.650", "0.5", "+0.250 ± 0.030", "2", "2 min"]
    assert "leaves 9" in text_of(page)


def test_the_gates_are_worth_seconds_of_ads(page: str) -> None:
    assert "gates on0.5000.0000.0000.000gates off0.5004.500.0000.000" in text_of(page)


def test_the_curve_says_from_where_on_it_is_ahead(page: str) -> None:
    assert "From 50 golden episodes on it is above the prior on average." in text_of(page)
    never = replace(RUN, curve=RUN.curve[:2])
    assert "It does not pass the prior yet." in text_of(training_report(never))


def test_features_are_told_in_words_with_their_direction(page: str) -> None:
    shown = text_of(page)
    assert "questions in the clip words▲ 60.0%" in shown
    assert "level of the speech, dB above the episode's mean sound▼ 30.0%" in shown
    assert "middle of the clip, 0 at the episode's start, 1 at its end place◆ 10.0%" in shown
    assert "mean difference of neighbouring frames" not in shown  # it moves nothing


def test_refused_clips_are_named_with_their_reasons(page: str) -> None:
    assert "1 clip refused: 1 outside" in text_of(page)
    assert rows(page)["guid-9"] == ["guid-9", "1:00:00 to 1:00:30", "Night (soundbite)", "it begins after the end"]
    many = replace(GOLDEN, refused=GOLDEN.refused * 25)
    shown = text_of(training_report(replace(RUN, golden=many)))
    assert shown.count("it begins after the end") == 20
    assert "5 more; rushes golden lists them all." in shown


def test_provenance_names_the_run_the_data_and_the_model(page: str) -> None:
    (line,) = lxml_html.fromstring(page).find_class("provenance")
    codes = {code.text for code in line.iter("code")}
    assert {"TrainRanker/12", RUN.dataset.digest, TREES, PRIOR, RUN.decided.model} <= codes


# where something is missing ------------------------------------------------------------------------------------------


def test_doubts_are_said_in_plain_words(page: str) -> None:
    assert "There is one show only" not in text_of(page)
    doubtful = replace(
        RUN,
        split=replace(RUN.split, by="episode", shows=("Night",)),
        golden=GoldenSet({}),
        fitted=replace(RUN.fitted, episodes=7),
        failed="search[2]: out of memory",
    )
    shown = text_of(training_report(doubtful))
    for said in (
        "There is one show only.",
        "7 golden episodes taught the ranker.",
        "No episode has two editors",
        "went on without them: search[2]: out of memory.",
    ):
        assert said in shown


def test_nothing_studied_and_nobody_agreeing_still_make_a_page() -> None:
    alone = {name: JUDGED[name] for name in ("challenger", "champion", "prior")} | {"editors": []}
    same = Verdict("kept", "training came to the ranker that is in use already", PRIOR, PRIOR, interval(0.0, 0.0))
    bare = replace(
        RUN,
        ablations=(),
        curve=(),
        effects=(),
        decided=Decided(same, alone, figures(alone), "models/x"),
        fitted=replace(RUN.fitted, weight=0.0),
    )
    page = training_report(bare)
    shown = text_of(page)
    for said in (
        "Kept the documented prior: training came to the ranker that is in use already.",
        "what it learned has no say beside the documented prior",
        "The learning curve has no point",
        "The study that leaves features out did not come to an end",
        "The ranker gives every clip the same score.",
        "so there is no ceiling",
    ):
        assert said in shown
    assert "challenger and championthe documented prior" in rows(page)
    assert Balance.of(page) == []


def test_hostile_text_is_shown_and_not_run() -> None:
    refused = RefusedClip("file", EVIL, EVIL, 0.0, 30.0, "malformed", EVIL)
    golden = GoldenSet({"0" * 16: (clip(0, EVIL),)}, (refused,))
    verdict = replace(VERDICT, reason=EVIL, challenger=EVIL, champion=EVIL + "2")
    hostile = replace(RUN, run=EVIL, golden=golden, failed=EVIL, decided=replace(RUN.decided, verdict=verdict))
    page = training_report(hostile)
    assert fetched(page) == []
    assert rows(page)[EVIL] == [EVIL, "00:00 to 00:30", f"{EVIL} (file)", EVIL]
    assert Balance.of(page) == []


def test_the_page_fetches_nothing_and_is_the_same_every_time(page: str) -> None:
    assert fetched(page) == []
    assert Balance.of(page) == []
    assert training_report(RUN) == page
    assert len(page) < 100_000


# charts --------------------------------------------------------------------------------------------------------------


def places(chart: str, style: str, *names: str) -> list[tuple[float, ...]]:
    """Attributes of the shapes of a style, percent signs dropped."""
    shapes = lxml_html.fromstring(f"<div>{chart}</div>").find_class(style)
    return [tuple(float(shape.get(name).rstrip("%")) for name in names) for shape in shapes]


def test_bars_are_as_long_as_their_values() -> None:
    chart = bar_chart([Bar("a", 0.4, "", low=0.2, high=0.8), Bar("b", 0.2, ""), Bar("c", 0.0, "")])
    assert places(chart, "value", "x", "width") == [(0, 50), (0, 25), (0, 0)]
    assert places(chart, "whisker", "x1", "x2") == [(25, 100), (25, 25), (100, 100)]


def test_what_is_below_zero_goes_to_the_left_of_the_line() -> None:
    chart = bar_chart([Bar("gain", 0.3, ""), Bar("loss", -0.1, "")])
    assert places(chart, "zero", "x1") == [(25,), (25,)]
    assert places(chart, "value", "x", "width") == [(25, 75), (0, 25)]


def test_an_empty_scale_divides_by_nothing() -> None:
    assert places(bar_chart([Bar("none", 0.0, "0")]), "value", "width") == [(0,)]


@pytest.mark.parametrize(("mean", "style"), [(0.3, "good"), (-0.3, "bad"), (0.05, "open")])
def test_a_gain_is_coloured_only_if_its_interval_is_off_zero(mean: float, style: str) -> None:
    strip = gain_strip(interval(mean), "label")
    assert f'class="gain {style}"' in strip
    ((x, width),) = places(strip, "span", "x", "width")
    assert (x > 50, x + width < 50) == (style == "good", style == "bad")


def test_shares_lie_one_after_the_other() -> None:
    chart = share_strip([("words", 0.5), ("sound", 0.3), ("place", 0.2)])
    strip = lxml_html.fromstring(f"<div>{chart}</div>").find_class("shares")[0]
    assert [(r.get("x"), r.get("width")) for r in strip.iter("rect")] == [
        ("0.00%", "50.00%"),
        ("50.00%", "30.00%"),
        ("80.00%", "20.00%"),
    ]


def points(*values: tuple[float, float]) -> Sequence[Point]:
    return [Point(x, y, y - 0.1, y + 0.1) for x, y in values]


def dots(chart: str) -> list[lxml_html.HtmlElement]:
    return list(lxml_html.fromstring(f"<div>{chart}</div>").iter("circle"))


def test_a_line_rises_with_its_values_and_is_spaced_by_ratio_if_asked() -> None:
    chart = line_chart(points((1, 0.2), (10, 0.4), (100, 0.6)), across="episodes", log=True)
    circles = [(float(c.get("cx").rstrip("%")), float(c.get("cy"))) for c in dots(chart)]
    steps = [b[0] - a[0] for a, b in pairwise(circles)]
    rises = [a[1] - b[1] for a, b in pairwise(circles)]
    assert steps[0] == pytest.approx(steps[1], abs=0.02)
    assert rises[0] == pytest.approx(rises[1], abs=0.2)
    assert rises[0] > 10


def test_a_point_alone_shows_its_interval() -> None:
    chart = line_chart(points((4, 0.5)), across="episodes")
    assert len(places(chart, "whisker", "y1", "y2")) == 1


def test_flat_lines_have_heights() -> None:
    flat = [Point(x, 0.5, 0.5, 0.5) for x in (1, 2)]
    heights = {c.get("cy") for c in dots(line_chart(flat, across="x"))}
    assert len(heights) == 1
    assert np.isfinite(float(heights.pop()))


# numbers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.41234, "0.412"),
        (0.9999, "1.00"),
        (1.256, "1.26"),
        (12.34, "12.3"),
        (1250.4, "1,250"),
        (-0.2, MINUS + "0.200"),
    ],
)
def test_three_digits(value: float, written: str) -> None:
    assert three(value) == written


def test_nothing_has_no_sign() -> None:
    assert (three(-0.0001), signed(0.0), signed(-0.0), signed(0.02)) == ("0.000", "0.000", "0.000", "+0.020")
    assert gained(Interval(0.1, -0.1, 0.3, 0.95, 2, 2)) == f"+0.100 ({MINUS}0.100 to +0.300)"


@pytest.mark.parametrize(("seconds", "told"), [(4.21, "4.2 s"), (125, "2 min"), (3900, "1 h 05 min")])
def test_lasting(seconds: float, told: str) -> None:
    assert lasting(seconds) == told


def test_code_is_set_apart_and_all_else_is_escaped() -> None:
    assert prose("`rushes <golden>` & more") == "<code>rushes &lt;golden&gt;</code> &amp; more"
