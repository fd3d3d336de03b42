"""CLIP and SigLIP checkpoints of the real architectures with random weights, small enough to be made by a test."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

SIDE = 32
WORDS = "a at boat cat dog harbour night people red talking the two".split()
_SPECIAL = ["<pad>", "<unk>", "<start>", "<end>"]
_TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_TEXT = _TOWER | {"vocab_size": 16, "max_position_embeddings": 12, "pad_token_id": 0, "bos_token_id": 2}
_TEXT |= {"eos_token_id": 3}
_VISION = _TOWER | {"image_size": SIDE, "patch_size": 8}


def save_clip(folder: Path, seed: int = 0) -> Path:
    """A CLIP of 16 dimensions that crops the middle of pictures."""
    torch.manual_seed(seed)
    CLIPModel(CLIPConfig(text_config=_TEXT, vision_config=_VISION, projection_dim=16)).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}).save_pretrained(
        folder
    )
    return _save_tokenizer(folder)


def save_siglip(folder: Path, seed: int = 0) -> Path:
    """A SigLIP of 32 dimensions that squeezes pictures."""
    torch.manual_seed(seed)
    SiglipModel(SiglipConfig(text_config=_TEXT, vision_config=_VISION)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return _save_tokenizer(folder)


def _save_tokenizer(folder: Path) -> Path:
    words = {word: number for number, word in enumerate([*_SPECIAL, *WORDS])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 2), ("<end>", 3)]
    )
    named = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<start>", "eos_token": "<end>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named).save_pretrained(folder)
    return folder
