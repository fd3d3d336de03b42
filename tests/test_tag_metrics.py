"""Precision, recall and average precision of tags, and tags of the store against what people said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.detection_metrics import DetectionMetrics
from eval.tag_metrics import SpotCheck, TagRows, average_precision, judge_tags, mean_average_precision
from featurization.media import Shot, Tag
from steps.feedback import LABELS, Label
from steps.store import Store
from steps.tables import SHOTS, TAGS
from steps.tag_figures import TagFigures, tag_figures

judged = st.lists(st.tuples(st.sampled_from((0.0, 0.3, 0.5, 0.9)), st.booleans()), min_size=1, max_size=12).filter(
    lambda rows: any(holds for _, holds in rows)
)


def rows(*given: tuple[str, str, float, bool]) -> TagRows:
    """Rows of (label, asset, confidence, holds)."""
    labels, assets, confidence, holds = zip(*given, strict=True) if given else ((), (), (), ())
    return TagRows(labels, assets, np.array(confidence, dtype=np.float64), np.array(holds, dtype=bool))


def columns(pairs: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([sure for sure, _ in pairs]), np.array([holds for _, holds in pairs])


def test_a_spot_check_of_few_promises_little():
    low, high = SpotCheck(50, 10, 10).interval
    assert (low, high) == (pytest.approx(10 / (10 + 1.96**2), abs=1e-4), pytest.approx(1.0))  # all held: n / (n + z²)
    low, high = SpotCheck(50, 10, 5).interval
    assert low + high == pytest.approx(1.0)
    assert SpotCheck().interval == (0.0, 1.0)


# metrics -------------------------------------------------------------------------------------------------------------


def test_average_precision_is_the_mean_precision_where_something_is_found():
    found = average_precision(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))
    assert found == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_tied_rows_enter_at_once():
    found = average_precision(np.array([0.9, 0.5, 0.5, 0.0]), np.array([True, True, False, False]))
    assert found == pytest.approx((1 / 1 + 2 / 3) / 2)


@given(judged)
def test_a_constant_confidence_is_worth_the_base_rate(pairs):
    _, holds = columns(pairs)
    assert average_precision(np.full(len(holds), 0.7), holds) == pytest.approx(holds.mean())


@given(judged, st.randoms())
def test_the_order_of_rows_and_the_scale_of_confidences_change_nothing(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    confidence, holds = columns(shuffled)
    assert average_precision(confidence**2 / 3, holds) == pytest.approx(average_precision(*columns(pairs)))


@given(judged)
def test_average_precision_lies_between_nothing_and_one_and_is_one_for_a_perfect_order(pairs):
    confidence, holds = columns(pairs)
    assert 0 < average_precision(confidence, holds) <= 1
    assert average_precision(holds.astype(np.float64), holds) == 1


def test_where_nothing_holds_there_is_no_average_precision():
    with pytest.raises(ValueError, match="no row holds"):
        average_precision(np.array([0.5]), np.array([False]))


def test_counts_are_taken_where_a_tag_is_shown():
    metrics = judge_tags(
        rows(("cat", "a", 0.9, True), ("cat", "a", 0.5, False), ("dog", "b", 0.49, True), ("dog", "b", 0.0, False))
    )
    assert metrics.counts == DetectionMetrics(matched=1, false_positives=1, false_negatives=1, true_negatives=1)
    assert (metrics.precision.mean, metrics.recall.mean) == (0.5, 0.5)
    assert metrics.average_precision.mean == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_intervals_are_over_assets():
    metrics = judge_tags(rows(*[("cat", "a", 0.9, True)] * 50, *[("cat", "b", 0.8, False)] * 50))
    assert (metrics.precision.low, metrics.precision.mean, metrics.precision.high) == (0, 0.5, 1)
    assert (metrics.precision.clusters, metrics.precision.count) == (2, 100)
    alone = judge_tags(rows(*[("cat", "a", 0.9, True)] * 50, *[("cat", "a", 0.8, False)] * 50))
    assert 0.35 < alone.precision.low < 0.5 < alone.precision.high < 0.65
    assert alone.precision.clusters == 1


def test_the_interval_of_average_precision_holds_its_value():
    mixed = [
        ("cat", asset, sure, holds) for asset in "abcdef" for sure, holds in ((0.9, True), (0.6, False), (0.3, True))
    ]
    found = judge_tags(rows(*mixed, ("cat", "g", 0.95, False), ("cat", "h", 0.1, True))).average_precision
    assert found.low < found.mean < found.high
    assert (found.clusters, found.count) == (8, 20)
    same = judge_tags(rows(*mixed)).average_precision
    assert same.low == same.mean == same.high  # every asset is like every other


def test_what_could_not_show_is_no_figure():
    missed = judge_tags(rows(("cat", "a", 0.0, True)))
    assert (missed.precision, missed.recall.mean, missed.average_precision.mean) == (None, 0, 1)
    wrong = judge_tags(rows(("cat", "a", 0.9, False)))
    assert (wrong.precision.mean, wrong.recall, wrong.average_precision) == (0, None, None)


def test_each_label_counts_once_in_the_mean_of_labels():
    cats = [("cat", "a", 0.9, True)] * 6
    dogs = [("dog", "a", 0.5, True), ("dog", "a", 0.5, False)]
    found = mean_average_precision(rows(*cats, *dogs, ("owl", "b", 0.9, False)))
    assert found.mean == pytest.approx((1 + 0.5) / 2)
    assert mean_average_precision(rows(("owl", "b", 0.9, False))) is None


def test_spot_checks_pool():
    pooled = SpotCheck(10, 4, 3) + SpotCheck(5, 1, 0)
    assert (pooled, pooled.precision) == (SpotCheck(15, 5, 3), 0.6)
    assert SpotCheck(10).precision == 0


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="of one length"):
        TagRows(("cat",), ("a",), np.zeros(2), np.zeros(2, dtype=bool))


# tags of the store ---------------------------------------------------------------------------------------------------

FILM, OTHER, LOST = "aa" * 8, "bb" * 8, "cc" * 8


def shot(start: float) -> Shot:
    return Shot(start, start + 4.0, number=int(start / 4), transition="cut")


def tag(start: float, label: str, confidence: float) -> Tag:
    return Tag(start, start + 4.0, label, confidence, "zero-shot")


def said(asset: str, start: float, label: str, holds: bool, *, who: str = "ann", day: int = 1, shot: str = "") -> Label:
    when = f"2026-01-{day:02d}T00:00:00.000000+00:00"
    name = f"{asset}{start}{label}{who}{day}"
    return Label(start, start + 4.0, id=name, asset=asset, label=label, holds=holds, who=who, when=when, shot=shot)


def figures_of(place: Path, tags: dict[str, list[Tag]], labels: list[Label]) -> TagFigures:
    """Figures of a store with two films of five shots, an asset that nobody looked at, and these tags and labels."""
    store = Store(str(place))
    shots = {asset_id: [shot(4.0 * n) for n in range(5)] for asset_id in (FILM, OTHER)}
    kept = {f"{label.asset}-{n}": [label] for n, label in enumerate(labels)}
    store.commit("test", {SHOTS: shots, TAGS: tags, LABELS: kept})
    return tag_figures(store)


def test_labels_meet_the_tags_of_the_same_stretch(tmp_path: Path):
    found = figures_of(
        tmp_path,
        {FILM: [tag(0, "cat", 0.9), tag(4, "cat", 0.8), tag(8, "cat", 0.45)], OTHER: [tag(0, "boat", 0.7)]},
        [
            said(FILM, 1.0, "Cat", True),  # most of the first shot
            said(FILM, 4.0, "cat", False),
            said(FILM, 8.0, "cat", True),  # has a tag, which is not shown
            said(FILM, 16.0, "cat", True),  # has none
            said(OTHER, 0.0, " BOAT ", True),
        ],
    )
    assert found.pooled.counts == DetectionMetrics(2, 1, 2, 0)
    cat = found.by_label["cat"]
    assert (cat.precision.mean, cat.recall.mean) == (1 / 2, 1 / 3)
    assert cat.average_precision.mean == pytest.approx((1 / 1 + 2 / 3 + 3 / 4) / 3)
    assert found.by_label["boat"].average_precision.mean == 1
    assert found.figures() == {
        "precision": pytest.approx(2 / 3),
        "recall": 0.5,
        "average precision": pytest.approx((1 / 1 + 2 / 3 + 3 / 4 + 4 / 5) / 4),
        "average precision, mean of labels": pytest.approx(((1 / 1 + 2 / 3 + 3 / 4) / 3 + 1) / 2),
        "precision, spot-checked": pytest.approx(2 / 3),
    }


def test_spot_checks_count_tags_that_are_shown(tmp_path: Path):
    found = figures_of(
        tmp_path,
        {FILM: [tag(0, "cat", 0.9), tag(4, "cat", 0.8), tag(8, "cat", 0.6), tag(8, "dog", 0.7), tag(12, "dog", 0.4)]},
        [said(FILM, 0.0, "cat", True), said(FILM, 4.0, "cat", False), said(FILM, 12.0, "dog", True)],
    )
    assert found.spot == SpotCheck(shown=4, checked=2, held=1)
    assert found.spot_by_label == {"cat": SpotCheck(3, 2, 1), "dog": SpotCheck(1, 0, 0)}


def test_the_newest_word_counts_and_disagreement_is_told(tmp_path: Path):
    found = figures_of(
        tmp_path,
        {FILM: [tag(0, "cat", 0.9), tag(4, "cat", 0.9)]},
        [
            said(FILM, 0.0, "cat", False, who="ann", day=3, shot="s0"),
            said(FILM, 0.5, "cat", True, who="bob", day=2, shot="s0"),
            said(FILM, 4.0, "cat", False, who="ann", day=1),
            said(FILM, 4.0, "cat", True, who="ann", day=2),  # changed her mind
        ],
    )
    assert (found.judged, found.disputed) == (2, 1)
    assert found.pooled.counts == DetectionMetrics(matched=1, false_positives=1)
    assert "labellers disagree on 1;" in found.describe()


def test_what_nobody_looked_at_and_what_no_tag_says_is_told(tmp_path: Path):
    found = figures_of(
        tmp_path,
        {FILM: [tag(0, "cat", 0.9)]},
        [said(LOST, 0.0, "cat", True), said(FILM, 0.0, "cat", True), said(FILM, 4.0, "lighthouse", True)],
    )
    assert (found.judged, found.unseen, found.untagged) == (2, 1, ("lighthouse",))
    assert found.pooled.recall.mean == 0.5
    assert "looked at: 1;" in found.describe()
    assert "no tag has: lighthouse" in found.describe()


def test_without_labels_there_are_no_figures_but_a_way(tmp_path: Path):
    found = figures_of(tmp_path, {FILM: [tag(0, "cat", 0.9)]}, [])
    assert found.figures() == {}
    assert "POST /labels" in found.describe()
    assert tag_figures(Store(str(tmp_path / "empty"))).pooled is None
