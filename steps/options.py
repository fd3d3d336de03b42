"""Option classes from TOML tables: frozen, checked, and honest about what they do not know."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar

from featurization.errors import ConfigError

Options = TypeVar("Options")


def build(cls: type[Options], given: Mapping[str, Any], where: str = "") -> Options:
    """An options dataclass from a TOML table; unknown keys and wrong types are refused, naming what is known."""
    hints = typing.get_type_hints(cls)
    known = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    if unknown := sorted(given.keys() - set(known)):
        place = f"[{where}]" if where else "the config"
        raise ConfigError(f"unknown key {', '.join(unknown)} in {place}; known keys: {', '.join(known)}")
    try:
        return cls(**{name: _convert(hints[name], value, _join(where, name)) for name, value in given.items()})
    except ValueError as error:
        raise ConfigError(f"[{where}]: {error}" if where else str(error)) from error


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _convert(hint: Any, value: Any, where: str) -> Any:
    if typing.get_origin(hint) is types.UnionType:  # X | None: TOML has no null, so what is given is an X
        hint = typing.get_args(hint)[0]
    if is_dataclass(hint) and isinstance(value, Mapping):
        return build(hint, value, where)  # type: ignore[arg-type]
    if typing.get_origin(hint):
        return _convert_generic(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise _mistyped(hint, value, where)


def _convert_generic(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return _one_of(args, value, where)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_convert(args[0], item, where) for item in value)
    if origin in (dict, Mapping) and isinstance(value, Mapping):
        return {key: _convert(args[1], item, _join(where, key)) for key, item in value.items()}
    raise _mistyped(hint, value, where)


def _one_of(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    if value in choices:
        return value
    raise ConfigError(f"{where} must be one of {', '.join(map(str, choices))}, got {value!r}")


def _mistyped(hint: Any, value: Any, where: str) -> ConfigError:
    return ConfigError(f"{where} must be {getattr(hint, '__name__', hint)}, got {value!r}")
