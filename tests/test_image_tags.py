"""Tags on shots whose vectors are placed by hand, and the vocabulary file that the project ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from featurization.errors import ConfigError
from featurization.extractor import Image, Vectors
from featurization.image_tags import TagOptions, Vocabulary, load_vocabulary, zero_shot_tags
from featurization.media import Shot, Tag

THINGS = ("dog", "car", "tree", "boat", "house", "bread", "lamp", "fish")


class OneAxisAThing:
    """An encoder in whose space every thing has an axis of its own, and pictures are mostly haze."""

    space = feature_space = "axes@000000000001"
    dim = len(THINGS)

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        return np.stack([np.eye(self.dim, dtype=np.float32)[THINGS.index(text)] for text in texts])

    def background(self) -> Vectors:
        haze = np.random.default_rng(0).normal(size=(400, self.dim))
        return (haze / np.linalg.norm(haze, axis=1, keepdims=True)).astype(np.float32)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        raise NotImplementedError("tags are made of vectors that are there")

    features = encode_with_features = encode_images  # type: ignore[assignment]


ENCODER = OneAxisAThing()
VOCABULARY = Vocabulary((("dog", ("dog",)), ("vehicle", ("car", "boat")), ("plant", ("tree",)), ("lamp", ("lamp",))))
SURE = TagOptions(even_deviations=1.5, deviations_per_logit=0.3)  # in eight dimensions nothing is four deviations off


def tags(*rows: Vectors, options: TagOptions = SURE, vocabulary: Vocabulary = VOCABULARY) -> tuple[Tag, ...]:
    shots = [Shot(n, n + 1.0, number=n, transition="cut") for n in range(len(rows))]
    return zero_shot_tags(shots, np.stack(rows), ENCODER, options, vocabulary=vocabulary)  # type: ignore[arg-type]


def looks(*things: str) -> Vectors:
    mixed = ENCODER.encode_text(things).sum(axis=0)
    return np.asarray(mixed / np.linalg.norm(mixed))


def test_a_shot_gets_the_tag_of_what_it_shows():
    found = tags(looks("dog"), looks("tree"))
    assert [(tag.label, tag.start, tag.end) for tag in found] == [("dog", 0.0, 1.0), ("plant", 1.0, 2.0)]
    assert all(tag.confidence > 0.8 for tag in found)


def test_any_text_of_a_label_is_enough():
    assert [tag.label for tag in tags(looks("car"), looks("boat"))] == ["vehicle", "vehicle"]


def test_what_is_usual_or_outside_the_vocabulary_gets_no_tag():
    everything = np.full(len(THINGS), len(THINGS) ** -0.5, np.float32)
    assert tags(everything, looks("bread", "fish", "house")) == ()


def test_a_shot_without_a_picture_gets_no_tag():
    bold = TagOptions(even_deviations=-9.0)
    assert tags(np.zeros(len(THINGS), np.float32), options=bold) == ()
    assert zero_shot_tags([], np.zeros((0, len(THINGS)), np.float32), ENCODER, vocabulary=VOCABULARY) == ()  # type: ignore[arg-type]


def test_the_surest_come_first_and_no_more_than_asked():
    options = TagOptions(even_deviations=-3.0, deviations_per_logit=1.0, most=2, min_confidence=0.01)
    found = tags(looks("dog", "dog", "lamp"), options=options)
    assert [tag.label for tag in found] == ["dog", "lamp"]
    assert found[0].confidence > found[1].confidence


def test_a_tag_names_the_space_and_the_vocabulary_it_is_from():
    other = Vocabulary((("dog", ("dog", "fish")), *VOCABULARY.labels[1:]))
    first, second = (tags(looks("dog"), vocabulary=words)[0].source for words in (VOCABULARY, other))
    assert ENCODER.space in first
    assert VOCABULARY.digest in first
    assert first != second


def test_the_shipped_vocabulary_is_whole():
    vocabulary = load_vocabulary()
    assert len(vocabulary.labels) >= 60
    assert {"dog", "car", "boat", "flower", "mountain", "guitar"} <= {label for label, _ in vocabulary.labels}


def test_an_options_file_is_used(tmp_path: Path):
    (tmp_path / "mine.toml").write_text('pet = ["dog", "fish"]\ncar = ["car"]\nhouse = ["house"]\n')
    options = TagOptions(vocabulary=str(tmp_path / "mine.toml"), even_deviations=1.2, deviations_per_logit=0.3)
    shots = [Shot(0.0, 1.0, number=0, transition="cut")]
    found = zero_shot_tags(shots, looks("fish")[None], ENCODER, options)  # type: ignore[arg-type]
    assert [tag.label for tag in found] == ["pet"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("dog = [", "cannot be read"), ('dog = "dog"', "needs a list of texts"), ("dog = []", "needs a list of texts")],
)
def test_a_broken_vocabulary_is_one_line(text: str, says: str, tmp_path: Path):
    (tmp_path / "tags.toml").write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        load_vocabulary(tmp_path / "tags.toml")
    assert str(tmp_path / "tags.toml") in str(caught.value)


@pytest.mark.parametrize("wrong", [{"min_confidence": 0.0}, {"most": 0}, {"deviations_per_logit": 0.0}])
def test_senseless_options_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=r"must be|need"):
        TagOptions(**wrong)  # type: ignore[arg-type]
