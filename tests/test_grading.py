"""Golden clips become graded episodes, which are kept, read back, and judged by hand-made answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.made_catalogue import MadeEpisode, make_catalogue
from featurization.errors import ModelError
from featurization.media import Segment
from ranking.features import FEATURE_NAMES
from ranking.graded import Chosen, ClipFacts, GradedEpisode
from ranking.labels import LabelOptions, grades
from ranking.prior import Prior
from steps import dataset as datasets
from steps.dataset import keep_dataset, read_dataset
from steps.grading import grade_episode
from steps.judging import difference, interval, judge, judge_editors, judge_ranker, pooled
from steps.settings import Settings
from steps.store import Store

SETTINGS = Settings()


@pytest.fixture(scope="module")
def made() -> MadeEpisode:
    return make_catalogue(1, shows=1, candidates=60)[0]


@pytest.fixture(scope="module")
def graded(made: MadeEpisode) -> GradedEpisode:
    return grade_episode(made.episode, made.golden, length_s=30.0, settings=SETTINGS)


def by_hand(*, starts=(0.0, 30.0, 60.0), golden=((60.0, 90.0, 4),), passed=(True, True, True), show="A", name="1"):
    """Three clips of half a minute; the last is what the editor chose, unless another is said."""
    start = np.array(starts)
    chosen = tuple(Chosen(a, b, f"editor {n}", grade) for n, (a, b, grade) in enumerate(golden))
    clips = [Segment(a, a + 30.0) for a in starts]
    liked = [clip for clip in chosen if clip.grade >= 3]
    nothing = np.zeros(3)
    return GradedEpisode(
        asset_id=name * 16,
        title=f"Episode {name}",
        show=show,
        start=start,
        end=start + 30.0,
        passed=np.array(passed),
        matrix=np.zeros((3, len(FEATURE_NAMES))),
        ious=np.array([float(any(clip == c.span for c in liked)) for clip in clips]),
        grades=grades(clips, chosen, worth=[clip.grade for clip in chosen]),
        chosen=chosen,
        facts=ClipFacts(
            ad_s=np.array([5.0, 0.0, 0.0]),
            music_s=nothing,
            spoils=np.array([False, True, False]),
            said=np.array([1, 2, 3]),
            clean_start=np.array([True, True, False]),
            clean_end=np.array([True, True, True]),
        ),
        keywords=4,
        said_at_random=1.5,
    )


def test_a_golden_clip_is_the_best_candidate_of_its_episode(graded: GradedEpisode):
    assert len(graded.start) == len(graded.matrix) == len(graded.grades)
    assert graded.golden
    best = int(np.argmax(graded.ious))
    assert graded.ious[best] > 0.9
    assert graded.grades[best] == 4
    assert graded.passed[best]
    assert graded.facts.ad_s[graded.passed].max() == 0
    assert set(graded.baselines) == {"random", "middle", "loudest", "after_intro", "position", "texttiling"}
    assert graded.traits["speakers"] in {"1", "2", "3 or more"}


def test_a_refused_clip_teaches_what_not_to_pick():
    refused = [Chosen(0.0, 30.0, "ann", grade=0)]
    clips = [Segment(0.0, 30.0), Segment(10.0, 40.0), Segment(60.0, 90.0)]
    assert grades(clips, refused, worth=[0]).tolist() == [0, 0, 1]
    assert grades(clips, [*refused, Chosen(60.0, 90.0, "bob", 4)], worth=[0, 4]).tolist() == [0, 0, 4]


def test_a_clip_teaches_no_more_than_it_is_worth():
    clips = [Segment(0.0, 30.0), Segment(15.0, 45.0)]
    assert grades(clips, [Segment(0.0, 30.0)], worth=[2]).tolist() == [2, 2]
    assert grades(clips, [Segment(0.0, 30.0)], options=LabelOptions((0.5,))).tolist() == [1, 0]
    with pytest.raises(ValueError, match="rising"):
        LabelOptions((0.5, 0.3))


def test_a_dataset_comes_back_as_it_was_and_is_kept_once(graded: GradedEpisode, tmp_path):
    store = Store(str(tmp_path / "store"))
    other = replace(by_hand(), baselines=dict.fromkeys(graded.baselines, np.zeros(3)))
    kept = keep_dataset([graded, other], store=store)
    assert kept == keep_dataset([other, graded], store=store)
    assert (kept.episodes, kept.shows, kept.clips) == (2, 2, len(graded.start) + 3)
    back = {episode.asset_id: episode for episode in read_dataset(kept, store=store)}[graded.asset_id]
    for name in ("start", "end", "passed", "matrix", "ious", "grades"):
        np.testing.assert_array_equal(getattr(back, name), getattr(graded, name))
    for name in ("ad_s", "music_s", "spoils", "said", "clean_start", "clean_end"):
        np.testing.assert_array_equal(getattr(back.facts, name), getattr(graded.facts, name))
    assert back.chosen == graded.chosen
    assert back.traits == graded.traits
    np.testing.assert_array_equal(back.baselines["position"], graded.baselines["position"])


def test_a_dataset_of_other_features_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch):
    store = Store(str(tmp_path / "store"))
    kept = keep_dataset([by_hand()], store=store)
    monkeypatch.setattr(datasets, "_FEATURES", {"features": "[99]"})
    with pytest.raises(ModelError, match="other features than this code computes"):
        read_dataset(kept, store=store)


def test_the_right_pick_is_perfect_and_a_wrong_one_is_charged_for_what_is_in_it():
    right = judge(by_hand(), np.array([0.0, 1.0, 2.0])).metrics
    assert right.figures()["IoU"] == right.figures()["nDCG@5"] == right.figures()["MRR"] == 1.0
    assert right.figures()["topic coverage"] == 0.75
    assert right.figures()["starts on an edge"] == 0.0
    wrong = judge(by_hand(), np.array([2.0, 1.0, 0.0])).metrics.figures()
    assert (wrong["IoU"], wrong["nDCG@1"], wrong["ad s"]) == (0.0, 0.0, 5.0)
    assert wrong["MRR"] == pytest.approx(1 / 3)
    assert wrong["boundary error s"] == 60.0


def test_what_the_gates_exclude_is_not_picked_unless_they_are_off():
    episode = by_hand(passed=(False, True, True))
    scores = np.array([9.0, 1.0, 0.0])
    assert judge(episode, scores).pick == Segment(30.0, 60.0)
    assert judge(episode, scores).metrics.spoilers == 1
    assert judge(episode, scores, gated=False).pick == Segment(0.0, 30.0)


def test_an_episode_without_a_clip_to_show_counts_as_a_miss():
    judgement = judge(by_hand(passed=(False, False, False)), np.zeros(3))
    assert judgement.pick is None
    assert judgement.metrics.figures()["IoU"] == 0.0
    assert judgement.metrics.pick.episodes == 1


def test_a_ranker_sees_only_what_passed_the_gates(graded: GradedEpisode):
    (judgement,) = judge_ranker(Prior(), [graded])
    assert judgement.pick is not None
    picked = np.flatnonzero((graded.start == judgement.pick.start) & (graded.end == judgement.pick.end))
    assert graded.passed[picked].all()


def test_editors_are_judged_by_each_other():
    one = by_hand(golden=((60.0, 90.0, 4), (60.0, 90.0, 4)))
    half = by_hand(golden=((60.0, 90.0, 4), (75.0, 105.0, 3)), name="2")
    alone = by_hand(name="3")
    judged = judge_editors([one, half, alone])
    assert [judgement.iou for judgement in judged] == [1.0, pytest.approx(1 / 3)]
    assert pooled(judged).pick.episodes == 2


def test_differences_are_taken_where_there_is_an_order_to_judge():
    unknown = replace(by_hand(name="2"), grades=np.zeros(3, dtype=np.int64))
    ours = [judge(by_hand(), np.array([0.0, 1.0, 2.0])), judge(unknown, np.array([0.0, 1.0, 2.0]))]
    theirs = [judge(by_hand(), np.array([2.0, 1.0, 0.0])), judge(unknown, np.array([2.0, 1.0, 0.0]))]
    gain = difference(ours, theirs, "ndcg_5")
    assert gain is not None
    assert gain.count == 1
    assert gain.mean == pytest.approx(ours[0].ndcg_5 - theirs[0].ndcg_5)
    assert interval(ours, "iou").count == 2
    assert difference(ours[1:], theirs[1:], "ndcg_5") is None
