"""What a run may take on: by hours, by cost, and who goes first by what listeners streamed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from featurization.errors import ConfigError
from steps.admission import Bounds, admitted, plays
from steps.chunks import Waiting
from steps.costs import PriceOptions
from steps.event_log import EventLog
from steps.events import Event, EventOptions
from steps.settings import Settings
from steps.store import Store

NOW = datetime.now(UTC)
THREE = [Waiting(f"a{n}", 3600.0, published=f"2026-0{n + 1}-01") for n in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in whose log the oldest asset was streamed twice lately, and the newest often, but long ago."""
    store = Store(str(tmp_path))
    log = EventLog(store, EventOptions())
    streams = [Event(f"e{n}", "a0", "stream", NOW, session=f"s{n}") for n in range(2)]
    log.append([*streams, Event("p", "a1", "play", NOW, session="s")], now=NOW)
    past = NOW - timedelta(days=40)
    log.append([Event(f"o{n}", "a2", "stream", past, session=f"o{n}") for n in range(5)], now=past)
    return store


def taken(bounds: Bounds, store: Store, media_hour: float = 0.5) -> list[str]:
    """Which of the three the bounds let in, where an hour of media is assumed to cost `media_hour`."""
    settings = Settings(prices=PriceOptions(media_hour=media_hour))
    return [asset.asset_id for asset in admitted(THREE, bounds, settings=settings, store=store).assets]


def test_only_streams_of_the_last_days_count(store: Store):
    assert plays(store, days=30) == {"a0": 2}


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (Bounds(), ["a2", "a1", "a0"]),
        (Bounds(order="most-listened"), ["a0", "a2", "a1"]),
        (Bounds(media_hours=1.5), ["a2"]),
        (Bounds(cost=1.0), ["a2", "a1"]),  # two hours at .5
        (Bounds(media_hours=1.0, cost=1.0), ["a2"]),  # the narrower holds
        (Bounds(media_hours=1.0, order="most-listened"), ["a0"]),
    ],
)
def test_bounds_and_order(bounds: Bounds, expected: list[str], store: Store):
    assert taken(bounds, store) == expected


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"media_hours": -1.0}, "must not be negative"),
        ({"cost": -1.0}, "must not be negative"),
        ({"order": "oldest"}, "--order must be one of newest, most-listened, got 'oldest'"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bounds: dict[str, object], said: str):
    with pytest.raises(ConfigError, match=said):
        Bounds(**bounds)  # type: ignore[arg-type]
