"""Settings: one TOML file becomes frozen option classes, checked before any work starts."""

from __future__ import annotations

import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

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
        raise ConfigError(f"[{where}]: {error}") from error


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint) and isinstance(value, Mapping):
        return build(hint, value, where)  # type: ignore[arg-type]
    if origin is typing.Literal:
        return _one_of(args, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(args[0], item, where) for item in value)
    if origin in (dict, Mapping, typing.Mapping) and isinstance(value, Mapping):
        return {key: _convert(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise ConfigError(f"{where} must be {_name(hint)}, got {value!r}")


def _one_of(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    if value in choices:
        return value
    raise ConfigError(f"{where} must be one of {', '.join(map(str, choices))}, got {value!r}")


def _name(hint: Any) -> str:
    return str(getattr(hint, "__name__", hint))


@dataclass(frozen=True)
class Settings:
    """x"""

def parse(text: str) -> dict[str, Any]:
    given = tomllib.loads(text)
    build(Settings, given)
    return given

def settings_from(given: Mapping[str, Any]) -> Settings:
    return build(Settings, given)
