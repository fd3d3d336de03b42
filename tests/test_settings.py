"""Settings are checked before any work, and a refusal names what is known."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from featurization.errors import ConfigError
from steps.options import build


@dataclass(frozen=True)
class Inner:
    level: float = 0.5
    mode: Literal["fast", "good"] = "fast"
    names: tuple[str, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outer:
    inner: Inner = Inner()
    count: int = 1


def test_defaults_stand_where_nothing_is_given():
    assert build(Outer, {}) == Outer()


def test_given_values_replace_defaults():
    built = build(Outer, {"inner": {"level": 1, "mode": "good", "names": ["a"], "weights": {"x": 2}}})
    assert built.inner == Inner(1.0, "good", ("a",), {"x": 2.0})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"coutn": 2}, "unknown key coutn in the config; known keys: inner, count"),
        ({"inner": {"lvl": 2}}, r"unknown key lvl in \[inner\]; known keys: level, mode, names, weights"),
        ({"count": "two"}, "count must be int, got 'two'"),
        ({"count": True}, "count must be int, got True"),
        ({"inner": {"mode": "slow"}}, "inner.mode must be one of fast, good, got 'slow'"),
        ({"inner": {"names": [1]}}, "inner.names must be str, got 1"),
        ({"inner": 3}, "inner must be Inner, got 3"),
    ],
)
def test_what_is_wrong_is_named(given: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        build(Outer, given)
