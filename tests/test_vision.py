"""Pictures and words in one space, with the weights that everybody has."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_sample_image
from text_model import text_encoder
from tiny_checkpoints import save_clip

from featurization.errors import ModelError
from featurization.image_encoders.class_vectors import class_vectors, read_classes
from featurization.image_encoders.conse import Conse
from featurization.models import Registry, load_registry
from featurization.vision import CONSE_MODELS, ImageEncoder, VisionOptions, load_image_encoder

GOLDFISH, AIRLINER = 1, 404  # outputs of every ImageNet network


@cache
def registry() -> Registry:
    found = load_registry()
    for name in CONSE_MODELS:
        found.fetch(name)
    return found


@cache
def conse() -> ImageEncoder:
    return load_image_encoder(VisionOptions(), registry(), text_encoder)


def photographs() -> list[NDArray[np.uint8]]:
    """A flower; a palace in a park."""
    return [np.asarray(load_sample_image(name)) for name in ("flower.jpg", "china.jpg")]


@pytest.mark.parametrize(("text", "found"), [("a flower", 0), ("a palace", 1), ("a temple", 1), ("petals", 0)])
def test_a_word_finds_the_photograph_of_the_thing(text: str, found: int):
    scores = conse().encode_text([text]) @ conse().encode_images(photographs()).T
    assert scores.argmax() == found


def test_one_pass_gives_vectors_and_features():
    vectors, features = conse().encode_with_features(photographs())
    assert vectors.shape == (2, conse().dim) == (2, 384)
    assert features.shape == (2, 1280)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors, conse().encode_images(photographs()), atol=1e-5)
    np.testing.assert_allclose(features, conse().features(photographs()), atol=1e-5)


def test_nothing_in_nothing_out():
    vectors, features = conse().encode_with_features([])
    assert (vectors.shape, features.shape) == ((0, 384), (0, 1280))
    assert conse().encode_text([]).shape == (0, 384)


def test_batches_do_not_change_vectors():
    pictures = [photographs()[0][:, at : at + 300] for at in range(0, 300, 60)]
    small = load_image_encoder(VisionOptions(batch_size=2, device="cpu"), registry(), text_encoder)
    np.testing.assert_allclose(small.encode_images(pictures), conse().encode_images(pictures), atol=1e-4)


def seeing_only(number: int, folder: Path) -> ImageEncoder:
    """A network that is sure to see one class in everything."""
    state = load_file(registry().locate(CONSE_MODELS[0]) / "model.safetensors")
    bias = torch.zeros(1000)
    bias[number] = 1000.0
    folder.mkdir()
    save_file(state | {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": bias}, folder / "model.safetensors")
    reading = registry().identity(CONSE_MODELS[1])
    return Conse(folder, identities=("made@1", reading), read=text_encoder, options=VisionOptions(device="cpu"))


def test_a_sure_network_says_its_class(tmp_path: Path):
    sure = conse().background()[GOLDFISH]
    fish, plane = (seeing_only(n, tmp_path / str(n)).encode_images(photographs()[:1]) for n in (GOLDFISH, AIRLINER))
    np.testing.assert_allclose(fish[0], sure, atol=1e-4)
    texts = conse().encode_text(["a goldfish in a bowl", "an airplane in the sky"])
    assert (texts @ np.concatenate([fish, plane]).T).argmax(axis=1).tolist() == [0, 1]


def test_the_background_is_centred_so_that_cosines_spread():
    background = conse().background()
    assert background.shape == (1000, 384)
    assert np.linalg.norm(background.mean(axis=0)) < 0.1
    assert (background @ background.T).std() > 0.1


def test_the_kept_class_vectors_are_those_of_the_pinned_text_encoder():
    kept = class_vectors(text_encoder(), identity=registry().identity(CONSE_MODELS[1]))
    read = read_classes(text_encoder(), GOLDFISH, GOLDFISH + 8)
    assert kept.shape == (1000, 384)
    assert (kept[GOLDFISH : GOLDFISH + 8] * read).sum(axis=1).min() > 0.999


def test_the_space_is_known_before_anything_is_loaded():
    def never() -> None:
        raise AssertionError("the text encoder was loaded")

    encoder = load_image_encoder(VisionOptions(), registry(), never)  # type: ignore[arg-type]
    assert encoder.space == conse().space
    assert encoder.feature_space == registry().identity("efficientnet-lite0")


def test_other_weights_of_either_model_are_another_space(tmp_path: Path):
    def space(*identities: str) -> str:
        return Conse(tmp_path, identities=identities, read=text_encoder, options=VisionOptions()).space  # type: ignore[arg-type]

    assert len({space("a@1", "b@1"), space("a@2", "b@1"), space("a@1", "b@2")}) == 3


def test_a_local_folder_is_an_encoder_of_another_space(tmp_path: Path):
    folder = save_clip(tmp_path / "my-clip")
    encoder = load_image_encoder(VisionOptions(encoder=str(folder)), registry(), text_encoder)
    assert encoder.space.startswith("my-clip@")
    assert encoder.space != conse().space
    assert encoder.encode_images(photographs()).shape == (2, 16)


def test_a_model_in_the_registry_goes_by_its_name_and_its_hub_id(tmp_path: Path):
    save_clip(tmp_path / "clip-vit-b-32")
    here = replace(registry(), folder=tmp_path)
    by_name, by_hub = (
        load_image_encoder(VisionOptions(encoder=name), here, text_encoder).space
        for name in ("clip-vit-b-32", "openai/clip-vit-base-patch32")
    )
    assert by_name == by_hub
    assert by_name.startswith("clip-vit-b-32@")


def test_a_model_that_is_not_here_says_how_to_get_it(tmp_path: Path):
    empty = replace(registry(), folder=tmp_path)
    with pytest.raises(ModelError, match="rushes models fetch siglip-base"):
        load_image_encoder(VisionOptions(encoder="siglip-base"), empty, text_encoder)
    with pytest.raises(ModelError, match="rushes models fetch efficientnet-lite0"):
        load_image_encoder(VisionOptions(), empty, text_encoder)


def test_an_unknown_name_is_refused_without_asking_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for name in ("nobody/no-such-model", "not a name at all"):
        with pytest.raises(ModelError, match="no folder, no model in models") as caught:
            load_image_encoder(VisionOptions(encoder=name), registry(), text_encoder)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"batch_size": -1}, {"encoder": ""}])
def test_senseless_options_are_refused(wrong: dict[str, object]):
    with pytest.raises(ValueError, match="must be"):
        VisionOptions(**wrong)  # type: ignore[arg-type]
