"""Sentence vectors from the real MiniLM weights."""

import numpy as np
import pytest
from text_model import text_encoder

from featurization.errors import ModelError
from featurization.text import TextEncoder

TEXTS = ["A cat sleeps on the sofa.", "The kitten naps on the couch.", "Interest rates rose by half a point."]


def test_meaning_is_nearness():
    cat, kitten, rates = text_encoder().encode(TEXTS)
    assert cat @ kitten > 0.5
    assert cat @ rates < 0.3


def test_vectors_are_unit_float32_in_the_order_given():
    vectors = text_encoder().encode(TEXTS)
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(text_encoder().encode(TEXTS[::-1])[::-1], vectors, atol=1e-6)


def test_the_same_texts_give_the_same_bytes():
    long = [f"Sentence number {n} about {'ships ' * (n % 7)}" for n in range(70)]
    assert text_encoder().encode(long).tobytes() == text_encoder().encode(long).tobytes()


def test_nothing_empty_repeated_and_overlong_texts_are_fine():
    encoder = text_encoder()
    assert encoder.encode([]).shape == (0, 384)
    vectors = encoder.encode(["", "word " * 5000, ""])
    assert np.isfinite(vectors).all()
    assert (vectors[0] == vectors[2]).all()


@pytest.mark.parametrize("content", [None, b"", b"{}", b"not json"], ids=["no folder", "empty", "no model", "no json"])
def test_a_folder_without_a_model_is_refused_in_one_line(tmp_path, content):
    folder = tmp_path / "model"
    if content is not None:
        folder.mkdir()
        (folder / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match="not a text encoder") as error:
        TextEncoder(folder)
    assert "\n" not in str(error.value)
