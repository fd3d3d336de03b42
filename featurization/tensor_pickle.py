"""Training checkpoints opened for their tensors alone: whatever else a pickle names becomes an empty stand-in.

A checkpoint of PyTorch Lightning also holds configs, optimisers and classes of the program that wrote it. None of
them is imported here, and nothing that the pickle names is called, but for what makes tensors and plain containers.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from featurization.errors import ModelError

_HARMLESS = frozenset(
    {("collections", "OrderedDict"), ("collections", "defaultdict"), ("torch._utils", "_rebuild_tensor_v2")}
)
_BUILT_IN = {"dict": dict, "list": list, "set": set, "int": int, "long": int}


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint's `state_dict` by name. Raises ModelError if the file holds none."""
    reader = ModuleType("tensors_only")
    reader.Unpickler = _TensorsOnly  # type: ignore[attr-defined]
    try:
        checkpoint = torch.load(path, map_location="cpu", pickle_module=reader, weights_only=False)
        state = checkpoint["state_dict"]
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise ModelError(f"{path.name} is not a checkpoint with a state_dict: {error}") from error
    return {name: value.contiguous() for name, value in state.items() if isinstance(value, torch.Tensor)}


class _TensorsOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module in ("builtins", "__builtin__") and name in _BUILT_IN:
            return _BUILT_IN[name]
        return super().find_class(module, name) if (module, name) in _HARMLESS else _StandIn


class _StandIn:
    """Takes whatever an object of an unknown class is made from, and forgets it."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass
