"""Labels: names, what stands of what was said, heads trained on it, and tags that come and go by one commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from labelled_store import encoders, film_id, labelled, shows
from numpy.typing import NDArray
from searchable_store import ColourEncoder

from featurization.errors import AnnotationError, ConfigError
from featurization.media import Tag
from serving.api import create_app
from steps.annotate import Bench, deploy, judged_shots, roll_back
from steps.feedback import LABEL_DEFINITIONS, LABELS, Label, LabelDefinition, keep
from steps.heads import HEADS, head_in_use, heads_of, keep_head
from steps.labels import (
    checked_name,
    define,
    defined,
    judgements,
    label_key,
    same_name,
    standing,
    verdicts,
)
from steps.settings import Settings
from steps.shot_matrix import read_shots
from steps.store import Store
from steps.tables import ASSETS, SHOT_FEATURES, SHOTS, TAGS
from steps.tagging import catch_up, commit_heads_of, plan_labels, train_labels

RED = LabelDefinition("red")
KEY = label_key("red")


def said(number: int, holds: bool = True, *, who: str = "Ada", label: str = "red", **facts) -> Label:
    """A judgement of the third half second of a film, the `number`-th thing that was said."""
    name, when = f"{label}-{who}-{number}", f"2026-01-01T00:00:{number:02}"
    return Label(
        1.0, 1.5, id=facts.pop("id", name), asset="film", label=label, holds=holds, who=who, when=when, **facts
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return labelled(tmp_path_factory.mktemp("labelled"))


@pytest.fixture
def store(made: Store) -> Iterable[Store]:
    """The made store, whose labels, heads and tags are taken out again."""
    yield made
    ids = {LABELS: made.asset_ids(LABELS), HEADS: made.asset_ids(HEADS), TAGS: made.asset_ids(TAGS)}
    ids[LABEL_DEFINITIONS] = made.asset_ids(LABEL_DEFINITIONS)
    made.commit("clean", {table: dict.fromkeys(names, ()) for table, names in ids.items()})


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(read_shots(store), Settings(), ColourEncoder)  # type: ignore[arg-type]


def judge(
    store: Store, bench: Bench, rows: Iterable[int], *, when: str = "2026-01-01", truth: NDArray[np.bool_] | None = None
) -> None:
    """Say of shots, by row, whether they are red; or what `truth` (shot,) says."""
    truth = shows(bench.shots, "red") if truth is None else truth
    keep(
        [
            Label(
                bench.shots.shots[row].start,
                bench.shots.shots[row].end,
                id=f"{row}-{when}",
                asset=bench.shots.asset_ids[row],
                label="red",
                holds=bool(truth[row]),
                who="Ada",
                when=when,
            )
            for row in rows
        ],
        LABELS,
        assets={name: rows[0] for name, rows in store.read(ASSETS).items()},
        store=store,
    )


# names ----------------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Co", "Cn"), blacklist_characters="|"), max_size=80))
def test_any_name_that_can_be_read_is_kept_and_names_itself(name: str):
    if not name.split():
        with pytest.raises(AnnotationError, match="needs a name"):
            checked_name(name)
    elif len(" ".join(name.split())) <= 40:  # composing may lengthen a name
        told = checked_name(name)
        assert checked_name(told) == told
        assert label_key(told) == label_key(name) == label_key(f"  {name} ")


def test_capitals_spaces_and_accents_make_no_other_label():
    assert same_name("Caf\u00e9  Night") == same_name("cafe\u0301 NIGHT")
    assert label_key("night") != label_key("nights")


@pytest.mark.parametrize("name", ["", " \t", "a|b", "bell\x07", "x" * 81])
def test_names_that_nobody_could_use_are_refused(name: str):
    with pytest.raises(AnnotationError, match="name"):
        checked_name(name)


# what stands ----------------------------------------------------------------------------------------------------------


def test_what_was_taken_back_does_not_stand():
    first, second = said(1), said(2, holds=False)
    undo = said(3, withdraws=second.id, id="undo")
    assert standing([undo, second, first]) == [first]


def test_of_several_words_the_newest_counts_and_disagreement_is_counted():
    told = verdicts([said(1), said(2, False), said(3, who="Bo"), said(4, False, who="Bo", label="blue")])
    assert [(one.who, one.label, one.holds) for one in told.newest] == [("Bo", "red", True), ("Bo", "blue", False)]
    assert (told.doubled, told.disputed, told.agreement) == (1, 1, 0.0)
    assert verdicts([said(1)]).agreement is None


def test_judgements_are_found_again_when_the_film_is_cut_otherwise(store: Store, bench: Bench):
    first = bench.shots.shots[0]
    judge(store, bench, [0])
    merged = replace(first, end=first.end + 0.2), replace(first, start=first.end + 0.2, end=first.end + 0.9, number=1)
    other = replace(bench.shots, shots=(*merged, *bench.shots.shots[2:]))
    labels = judgements(store)[KEY]
    assert judged_shots(labels, other).rows.tolist() == [0]
    gone = replace(bench.shots, shots=tuple(replace(s, start=s.start + 90, end=s.end + 90) for s in bench.shots.shots))
    assert judged_shots(labels, gone).lost == 1


# heads and tags -------------------------------------------------------------------------------------------------------


def tagged(store: Store) -> dict[str, set[float]]:
    return {a: {tag.start for tag in tags if tag.label == "red"} for a, tags in store.read(TAGS).items()}


def test_a_deployed_head_finds_what_was_not_judged_and_rolls_back(store: Store, bench: Bench):
    key = define(RED, store)
    store.commit("words", {TAGS: {film_id(0): [Tag(0.0, 0.5, "Red", 0.6, "zero-shot"), Tag(0, 1, "sea", 0.9, "x")]}})
    truth = shows(bench.shots, "red")
    judge(store, bench, [*np.flatnonzero(truth)[::4], *np.flatnonzero(~truth)[::6]])
    trained = bench.train(RED, judgements(store)[key], who="Ada")
    keep_head(trained.head, store=store)
    done = deploy(trained.head, instead_of="", bench=bench, store=store)
    found = {(a, tag.start) for a, tags in store.read(TAGS).items() for tag in tags if tag.label == "red"}
    right = {(a, s.start) for a, s, holds in zip(bench.shots.asset_ids, bench.shots.shots, truth, strict=True) if holds}
    assert len(found) == done.tags
    assert len(found & right) / len(found) > 0.9
    assert len(found & right) / len(right) > 0.9
    others = [tag.label for tag in store.read(TAGS)[film_id(0)] if tag.label != "red"]
    assert others == ["sea"]  # what words alone said of the label is replaced, all else stays
    assert head_in_use(heads_of(key, store)).version == trained.head.version
    back = roll_back("red", instead_of=trained.head.version, bench=bench, store=store)
    assert (back.version, back.tags) == ("", 0)
    assert head_in_use(heads_of(key, store)) is None
    assert not any(tagged(store).values())


def test_rolling_back_twice_goes_back_two_versions(store: Store, bench: Bench):
    key, truth = define(RED, store), shows(bench.shots, "red")
    versions = [""]
    for part in (np.flatnonzero(truth)[:3], np.flatnonzero(~truth)[:5], np.flatnonzero(truth)[5:9]):
        judge(store, bench, part)
        head = bench.train(RED, judgements(store)[key], who="Ada").head
        deploy(head, instead_of=versions[-1], bench=bench, store=store)
        versions.append(head.version)
    assert len(set(versions)) == 4
    for current, before in zip(versions[:0:-1], versions[-2::-1], strict=True):
        assert roll_back("red", instead_of=current, bench=bench, store=store).version == before
    with pytest.raises(AnnotationError, match="nothing to roll back"):
        roll_back("red", instead_of="", bench=bench, store=store)


def test_many_drafts_do_not_push_out_what_is_in_use(store: Store, bench: Bench):
    key = define(RED, store)
    judge(store, bench, range(12))
    head = bench.train(RED, judgements(store)[key], who="Ada").head
    deploy(head, instead_of="", bench=bench, store=store)
    drafts = tuple(replace(head, version=f"{n:012}") for n in range(70))
    store.commit("drafts", {HEADS: {key: [*heads_of(key, store), *drafts]}})
    keep_head(replace(head, version="f" * 12), store=store)
    kept = heads_of(key, store)
    assert len(kept) == 51
    assert head_in_use(kept).version == head.version


def test_of_two_who_deploy_at_once_the_second_is_told(store: Store, bench: Bench):
    key = define(RED, store)
    judge(store, bench, np.flatnonzero(shows(bench.shots, "red"))[:3])
    first = bench.train(RED, judgements(store)[key], who="Ada").head
    judge(store, bench, np.flatnonzero(~shows(bench.shots, "red"))[:3])
    second = bench.train(RED, judgements(store)[key], who="Bo").head
    deploy(first, instead_of="", bench=bench, store=store)
    with pytest.raises(AnnotationError, match=f"Ada put version {first.version} in use meanwhile"):
        deploy(second, instead_of="", bench=bench, store=store)
    assert head_in_use(heads_of(key, store)).version == first.version


def test_a_label_without_an_example_says_what_is_missing(store: Store, bench: Bench):
    judge(store, bench, np.flatnonzero(~shows(bench.shots, "red"))[:3])
    with pytest.raises(AnnotationError, match="mark at least one shot"):
        bench.train(RED, judgements(store)[KEY], who="Ada")


def test_a_head_of_another_space_is_not_asked(store: Store, bench: Bench):
    judge(store, bench, np.flatnonzero(shows(bench.shots, "red"))[:3])
    head = bench.train(RED, judgements(store)[KEY], who="Ada").head
    with pytest.raises(AnnotationError, match="trained in another space"):
        bench.scores(replace(head, feature_space="other@1"))


def test_shots_that_were_featurized_before_heads_are_left_out_with_the_way_out(tmp_path: Path):
    store = labelled(tmp_path)
    store.commit("old", {SHOT_FEATURES: dict.fromkeys(store.asset_ids(SHOTS), ())})
    shots = read_shots(store)
    assert (len(shots), shots.left_out) == (0, 144)
    with pytest.raises(AnnotationError, match="featurize_media"):
        _ = Bench(shots, Settings(), ColourEncoder).statistics  # type: ignore[arg-type]


# retraining -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are read as the made store's colours are."""
    monkeypatch.setattr("steps.models.load_image_encoder", lambda *_: ColourEncoder())


def retrain(store: Store, name: str = ""):
    settings, chunks = Settings(), plan_labels(name, store)
    outcomes = [one for keys in chunks for one in train_labels(keys, run="t", settings=settings, store=store)]
    return commit_heads_of(outcomes, run="TrainTagger/1", settings=settings, store=store)


def test_a_label_that_nobody_deployed_is_built_and_waits(store: Store, bench: Bench, colours: None):
    key = define(RED, store)
    judge(store, bench, range(20))
    (one,) = retrain(store).labels
    assert one.verdict == "first"
    (kept,) = heads_of(key, store)
    assert not kept.in_use
    assert not store.read(TAGS)


def test_a_head_is_replaced_by_one_that_is_not_worse_and_kept_otherwise(store: Store, bench: Bench, colours: None):
    key = define(RED, store)
    judge(store, bench, range(0, 144, 12))
    old = bench.train(RED, judgements(store)[key], who="Ada").head
    deploy(old, instead_of="", bench=bench, store=store)
    assert retrain(store, "RED").labels[0].verdict == "unchanged"
    judge(store, bench, range(1, 144, 3), when="2099-01-01")
    (better,) = retrain(store).labels
    assert better.verdict == "replaced"
    assert better.gain.mean >= 0
    assert head_in_use(heads_of(key, store)).version == better.head.version
    blind = np.random.default_rng(3).random(144) < 0.5  # somebody who does not look
    judge(store, bench, range(2, 144, 3), when="2099-01-02", truth=blind)
    (worse,) = retrain(store).labels
    assert (worse.verdict, worse.gain.mean < 0) == ("kept", True)
    assert head_in_use(heads_of(key, store)).version == better.head.version


def test_an_asset_that_came_in_while_a_head_changed_is_tagged_by_it(store: Store, bench: Bench, colours: None):
    key = define(RED, store)
    judge(store, bench, range(0, 144, 5))
    deploy(bench.train(RED, judgements(store)[key], who="Ada").head, instead_of="", bench=bench, store=store)
    right = tagged(store)[film_id(2)]
    assert right
    store.commit("stale", {TAGS: {film_id(2): [Tag(0.0, 0.5, "red", 0.9, "zero-shot"), Tag(0, 1, "sea", 0.9, "x")]}})
    changes = catch_up([film_id(1), film_id(2)], settings=Settings(), store=store)
    store.commit("FeaturizeMedia/2", changes)
    assert list(changes[TAGS]) == [film_id(2)]
    assert tagged(store)[film_id(2)] == right
    assert catch_up([film_id(1), film_id(2)], settings=Settings(), store=store) == {TAGS: {}}


def test_a_label_that_is_not_there_is_named_with_those_that_are(store: Store):
    define(RED, store)
    with pytest.raises(ConfigError, match="no label 'green'; labels: red"):
        plan_labels("green", store)
    assert list(defined(store)) == [KEY]


def test_ten_thousand_labels_are_listed_found_and_judged(tmp_path: Path):
    store = Store(str(tmp_path))
    names = [f"mark {n}" if n % 100 else f"月 {n} é" for n in range(10_000)]
    store.commit("many", {LABEL_DEFINITIONS: {label_key(name): [LabelDefinition(name)] for name in names}})
    with TestClient(create_app(store, encoders), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        first = client.get("/studio/labels")
        assert first.text.count('href="/studio/labels/') == 101  # a hundred, and the way to a new one
        assert "10000 labels" in first.text
        found = client.get("/studio/labels", params={"q": "月 4200"})
        assert "1 label<" in found.text
        assert client.get(f"/studio/labels/{label_key('月 4200 É')}").status_code == 200
