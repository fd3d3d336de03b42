"""One set of Whisper weights for both engines: CTranslate2's model.bin as a checkpoint for openai-whisper.

Layout of a CTranslate2 file, little-endian: version u32, spec name, revision u32, number of variables u32; per
variable its name, rank u8, dimensions u32, type u8, size u32, bytes; then the aliases as pairs of names. A name is
its length u16 and its bytes, NUL-terminated.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from whisper.model import ModelDimensions, Whisper

from featurization.errors import ModelError

_FILE_VERSION = 6
_TYPES = {0: np.float32, 4: np.float16}  # quantised types cannot be turned back
_HEAD_WIDTH = 64  # of every Whisper model
Variables = Mapping[str, NDArray[np.float32]]
State = dict[str, torch.Tensor]


def convert_whisper(source: Path, target: Path) -> None:
    """Write `target` (.safetensors) from the folder `source` holding CTranslate2's model.bin and config.json.

    Raises ModelError if the file is of another version or quantised.
    """
    variables = read_variables(source / "model.bin")
    heads = json.loads((source / "config.json").read_text(encoding="utf-8"))["alignment_heads"]
    state = _state(variables)
    metadata = {"dims": json.dumps(_dimensions(state)), "alignment_heads": json.dumps(heads)}
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, target, metadata)


def load_whisper(path: Path, device: str) -> Whisper:
    """The openai-whisper model of a checkpoint that `convert_whisper` wrote, ready for word timestamps."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 - not a dict
    model = Whisper(ModelDimensions(**json.loads(metadata["dims"])))
    model.load_state_dict(state)
    mask = torch.zeros(model.dims.n_text_layer, model.dims.n_text_head, dtype=torch.bool)
    for layer, head in json.loads(metadata["alignment_heads"]):
        mask[layer, head] = True
    model.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)
    return model.to(device).eval()


def read_variables(path: Path) -> Variables:
    """Every variable of a CTranslate2 model.bin as float32, aliases resolved."""
    with path.open("rb") as file:
        version, name = _number(file, "I"), _string(file)
        if version != _FILE_VERSION or name != "WhisperSpec":
            raise ModelError(f"{path} is {name} in CTranslate2 file version {version}; need WhisperSpec, version 6")
        _number(file, "I")
        variables = dict(_variable(file, path) for _ in range(_number(file, "I")))
        aliases = [(_string(file), _string(file)) for _ in range(_number(file, "I"))]
    return variables | {alias: variables[name] for alias, name in aliases}


def _variable(file: BinaryIO, path: Path) -> tuple[str, NDArray[np.float32]]:
    name = _string(file)
    shape = [_number(file, "I") for _ in range(_number(file, "B"))]
    kind, size = _number(file, "B"), _number(file, "I")
    data = file.read(size)
    if kind not in _TYPES:
        if shape:
            raise ModelError(f"{path} is quantised ({name}); convert the fp16 or fp32 model instead")
        return name, np.zeros((), np.float32)  # a scalar setting, not a weight
    return name, np.frombuffer(data, _TYPES[kind]).reshape(shape).astype(np.float32)


def _number(file: BinaryIO, kind: str) -> int:
    return int(struct.unpack(f"<{kind}", file.read(struct.calcsize(kind)))[0])


def _string(file: BinaryIO) -> str:
    return file.read(_number(file, "H")).rstrip(b"\0").decode()


def _state(variables: Variables) -> State:
    tensors = {name: torch.from_numpy(array) for name, array in variables.items()}
    state: State = {}
    for side in ("encoder", "decoder"):
        for layer in _layers(variables, side):
            state |= _block(tensors, f"{side}/layer_{layer}", f"{side}.blocks.{layer}", crossed=side == "decoder")
    for number in (1, 2):
        state |= _linear(tensors, f"encoder/conv{number}", f"encoder.conv{number}")
    state |= _norm(tensors, "encoder/layer_norm", "encoder.ln_post") | _norm(
        tensors, "decoder/layer_norm", "decoder.ln"
    )
    state["encoder.positional_embedding"] = tensors["encoder/position_encodings/encodings"]
    state["decoder.positional_embedding"] = tensors["decoder/position_encodings/encodings"]
    state["decoder.token_embedding.weight"] = tensors["decoder/embeddings/weight"]
    return state


def _layers(variables: Variables, side: str) -> Iterator[int]:
    layer = 0
    while f"{side}/layer_{layer}/ffn/linear_0/weight" in variables:
        yield layer
        layer += 1


def _block(tensors: State, source: str, target: str, *, crossed: bool) -> State:
    state = _self_attention(tensors, f"{source}/self_attention", f"{target}.attn")
    state |= _norm(tensors, f"{source}/self_attention/layer_norm", f"{target}.attn_ln")
    if crossed:
        state |= _cross_attention(tensors, f"{source}/attention", f"{target}.cross_attn")
        state |= _norm(tensors, f"{source}/attention/layer_norm", f"{target}.cross_attn_ln")
    state |= _linear(tensors, f"{source}/ffn/linear_0", f"{target}.mlp.0")
    state |= _linear(tensors, f"{source}/ffn/linear_1", f"{target}.mlp.2")
    return state | _norm(tensors, f"{source}/ffn/layer_norm", f"{target}.mlp_ln")


def _self_attention(tensors: State, source: str, target: str) -> State:
    """CTranslate2 stacks query, key and value in one matrix; Whisper's key has no bias."""
    query, key, value = tensors[f"{source}/linear_0/weight"].chunk(3)
    query_bias, _, value_bias = tensors[f"{source}/linear_0/bias"].chunk(3)
    return {
        f"{target}.query.weight": query,
        f"{target}.query.bias": query_bias,
        f"{target}.key.weight": key,
        f"{target}.value.weight": value,
        f"{target}.value.bias": value_bias,
    } | _linear(tensors, f"{source}/linear_1", f"{target}.out")


def _cross_attention(tensors: State, source: str, target: str) -> State:
    key, value = tensors[f"{source}/linear_1/weight"].chunk(2)
    _, value_bias = tensors[f"{source}/linear_1/bias"].chunk(2)
    return {
        f"{target}.key.weight": key,
        f"{target}.value.weight": value,
        f"{target}.value.bias": value_bias,
        **_linear(tensors, f"{source}/linear_0", f"{target}.query"),
        **_linear(tensors, f"{source}/linear_2", f"{target}.out"),
    }


def _linear(tensors: State, source: str, target: str) -> State:
    return {f"{target}.weight": tensors[f"{source}/weight"], f"{target}.bias": tensors[f"{source}/bias"]}


def _norm(tensors: State, source: str, target: str) -> State:
    return {f"{target}.weight": tensors[f"{source}/gamma"], f"{target}.bias": tensors[f"{source}/beta"]}


def _dimensions(state: State) -> dict[str, int]:
    vocabulary, width = state["decoder.token_embedding.weight"].shape
    audio_width = state["encoder.positional_embedding"].shape[1]
    return {
        "n_mels": state["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": state["encoder.positional_embedding"].shape[0],
        "n_audio_state": audio_width,
        "n_audio_head": audio_width // _HEAD_WIDTH,
        "n_audio_layer": sum(key.startswith("encoder.") and key.endswith(".mlp_ln.weight") for key in state),
        "n_vocab": vocabulary,
        "n_text_ctx": state["decoder.positional_embedding"].shape[0],
        "n_text_state": width,
        "n_text_head": width // _HEAD_WIDTH,
        "n_text_layer": sum(key.startswith("decoder.") and key.endswith(".mlp_ln.weight") for key in state),
    }
