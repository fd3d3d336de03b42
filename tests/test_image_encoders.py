"""The networks: against the arithmetic they are defined by, and against what transformers does itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tiny_checkpoints import SIDE, save_clip, save_siglip
from torch.nn import functional
from transformers import AutoTokenizer, CLIPImageProcessorPil, CLIPModel, SiglipImageProcessorPil, SiglipModel

from featurization.errors import ModelError
from featurization.image_encoders.backdrop import backdrop
from featurization.image_encoders.contrastive import Contrastive
from featurization.image_encoders.efficientnet_lite import load_efficientnet
from featurization.image_encoders.preparation import Preparation, preparation_of
from featurization.models import load_registry
from featurization.vision import VisionOptions

WEIGHTS = "efficientnet-lite0"
STAGES = [(1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1)]  # repeats, kernel, stride


def pictures(count: int = 4) -> list[NDArray[np.uint8]]:
    """Noise of many shapes."""
    generator = np.random.default_rng(0)
    shapes = [(40, 71), (90, 33), (SIDE, SIDE), (270, 480)]
    return [generator.integers(0, 256, (*shapes[n % 4], 3)).astype(np.uint8) for n in range(count)]


# EfficientNet-Lite0 ---------------------------------------------------------------------------------------------------


def unfolded(state: dict[str, torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """EfficientNet-Lite0 as the paper draws it: convolution, batch normalisation and ReLU6 one after another."""

    def layer(x: torch.Tensor, conv: str, norm: str, stride: int = 1, *, clamp: bool = True) -> torch.Tensor:
        weight = state[f"{conv}.weight"]
        groups = x.shape[1] // weight.shape[1]
        need = [max((-(-side // stride) - 1) * stride + weight.shape[-1] - side, 0) for side in x.shape[2:]]
        x = functional.pad(x, (need[1] // 2, need[1] - need[1] // 2, need[0] // 2, need[0] - need[0] // 2))
        x = functional.conv2d(x, weight, None, stride, groups=groups)
        names = ("running_mean", "running_var", "weight", "bias")
        x = functional.batch_norm(x, *(state[f"{norm}.{name}"] for name in names), eps=1e-3)
        return x.clamp(0, 6) if clamp else x

    x = layer(x, "_conv_stem", "_bn0", 2)
    strides = [stride if n == 0 else 1 for repeats, _, stride in STAGES for n in range(repeats)]
    for number, stride in enumerate(strides):
        name, y = f"_blocks.{number}.", x
        if f"{name}_expand_conv.weight" in state:
            y = layer(y, f"{name}_expand_conv", f"{name}_bn0")
        y = layer(y, f"{name}_depthwise_conv", f"{name}_bn1", stride)
        y = layer(y, f"{name}_project_conv", f"{name}_bn2", clamp=False)
        x = x + y if x.shape == y.shape else y
    features = layer(x, "_conv_head", "_bn1").mean(dim=(2, 3))
    return features, features @ state["_fc.weight"].T + state["_fc.bias"]


def test_the_folded_network_computes_what_the_unfolded_one_does():
    folder = load_registry().fetch(WEIGHTS)
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        ours = load_efficientnet(folder)(x)
        expected = unfolded(load_file(folder / "model.safetensors"), x)
    for got, want in zip(ours, expected, strict=True):
        torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)


def test_other_weights_are_refused_in_one_line(tmp_path: Path):
    save_file({"lstm.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="not the weights of EfficientNet-Lite0") as caught:
        load_efficientnet(tmp_path)
    assert "\n" not in str(caught.value)


# Preparation ----------------------------------------------------------------------------------------------------------


def halves() -> NDArray[np.uint8]:
    """100 × 300: black, white and black thirds."""
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = 255
    return picture


def test_a_squeezed_picture_keeps_its_edges_and_a_cropped_one_its_middle():
    plain = {"mean": (0.0, 0.0, 0.0), "deviation": (1.0, 1.0, 1.0)}
    squeezed = Preparation((30, 30), **plain)([halves()])
    cropped = Preparation((30, 30), shortest_edge=30, **plain)([halves()])
    assert squeezed.shape == cropped.shape == (1, 3, 30, 30)
    assert squeezed[0, :, :, [2, 15, 27]].mean(axis=(1, 2)) == pytest.approx([0, 1, 0], abs=0.02)
    assert cropped[0, :, 10:20, 4:26].min() == 1


@pytest.mark.parametrize(
    ("save", "processor", "size"),
    [(save_clip, CLIPImageProcessorPil, (SIDE, SIDE)), (save_siglip, SiglipImageProcessorPil, (SIDE, SIDE))],
    ids=["clip", "siglip"],
)
def test_pictures_are_prepared_as_transformers_prepares_them(save, processor, size, tmp_path: Path):
    save(tmp_path)
    ours = preparation_of(tmp_path, Preparation(size, (0.0,) * 3, (1.0,) * 3))
    theirs = processor.from_pretrained(tmp_path)
    for picture in pictures():
        expected = theirs(images=[picture], return_tensors="np")["pixel_values"]
        np.testing.assert_allclose(ours([picture]), expected, atol=1e-6)


def test_a_broken_preparation_is_one_line(tmp_path: Path):
    (tmp_path / "preprocessor_config.json").write_text('{"size": {"long": 3}}')
    with pytest.raises(ModelError, match="cannot be read"):
        preparation_of(tmp_path, Preparation((8, 8), (0.0,) * 3, (1.0,) * 3))


# CLIP and SigLIP ------------------------------------------------------------------------------------------------------


def contrastive(folder: Path, **options: int) -> Contrastive:
    return Contrastive(folder, name="tiny", options=VisionOptions(encoder="tiny", device="cpu", **options))


@pytest.mark.parametrize(("save", "dim"), [(save_clip, 16), (save_siglip, 32)], ids=["clip", "siglip"])
def test_vectors_are_unit_rows_whatever_the_batch(save, dim, tmp_path: Path):
    encoder = contrastive(save(tmp_path))
    together = encoder.encode_images(pictures(9))
    alone = np.concatenate([encoder.encode_images([picture]) for picture in pictures(9)])
    assert together.shape == (9, dim) == (9, encoder.dim)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert encoder.encode_images([]).shape == encoder.encode_text([]).shape == (0, dim)


def test_clip_says_what_transformers_says(tmp_path: Path):
    encoder = contrastive(save_clip(tmp_path))
    texts = ["a cat", "two people talking at the harbour at night"]
    model = CLIPModel.from_pretrained(tmp_path).eval()
    tokens = AutoTokenizer.from_pretrained(tmp_path)(texts, padding=True, return_tensors="pt")
    pixels = CLIPImageProcessorPil.from_pretrained(tmp_path)(images=pictures(), return_tensors="pt")
    with torch.inference_mode():
        out = model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"], **pixels)
    np.testing.assert_allclose(encoder.encode_text(texts), out.text_embeds.numpy(), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_images(pictures()), out.image_embeds.numpy(), atol=1e-5)


def test_siglip_says_what_transformers_says(tmp_path: Path):
    encoder = contrastive(save_siglip(tmp_path))
    model = SiglipModel.from_pretrained(tmp_path).eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    tokens = tokenizer(["a red boat"], padding="max_length", max_length=12, return_tensors="pt")
    pixels = SiglipImageProcessorPil.from_pretrained(tmp_path)(images=pictures(), return_tensors="pt")
    with torch.inference_mode():
        out = model(input_ids=tokens["input_ids"], **pixels)
    np.testing.assert_allclose(encoder.encode_text(["A red boat!"]), out.text_embeds.numpy(), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_images(pictures()), out.image_embeds.numpy(), atol=1e-5)


def test_a_text_of_any_length_is_read(tmp_path: Path):
    encoder = contrastive(save_clip(tmp_path))
    assert np.isfinite(encoder.encode_text(["", "a cat " * 2000, "猫"])).all()


def test_features_are_the_vectors_and_the_background_is_always_the_same(tmp_path: Path):
    encoder = contrastive(save_siglip(tmp_path))
    vectors, features = encoder.encode_with_features(pictures())
    np.testing.assert_array_equal(vectors, features)
    assert encoder.feature_space == encoder.space
    np.testing.assert_allclose(encoder.background(), contrastive(tmp_path).background(), atol=1e-6)
    assert len(encoder.background()) == len(backdrop())


def test_other_weights_are_another_space(tmp_path: Path):
    first, again, other = (save_clip(tmp_path / str(n), seed) for n, seed in enumerate((0, 0, 1)))
    spaces = [contrastive(folder).space for folder in (first, again, other)]
    assert spaces[0] == spaces[1] != spaces[2]
    assert all(space.startswith("tiny@") for space in spaces)


def test_a_folder_of_another_model_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match="must be a CLIP or a SigLIP"):
        contrastive(tmp_path)


def test_a_folder_without_config_or_weights_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match=r"no readable config\.json"):
        contrastive(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "clip"}))
    with pytest.raises(ModelError, match="has none of"):
        _ = contrastive(tmp_path).space


def test_damaged_weights_are_one_line(tmp_path: Path):
    save_clip(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="cannot be loaded as an image encoder") as caught:
        contrastive(tmp_path).encode_images(pictures())
    assert "\n" not in str(caught.value)
