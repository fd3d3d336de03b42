"""What happened to previews: the rows that players send, and what makes a row impossible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from featurization.media import Asset
from steps.feedback import FeedbackError
from steps.previews import Preview
from steps.tables import Table

EventKind = Literal[
    "impression",
    "start",
    "quartile1",
    "quartile2",
    "quartile3",
    "complete",
    "stream",
    "play",
    "pause",
    "skip",
    "like",
    "dislike",
    "open",
    "share",
]
_IN_PREVIEW = frozenset({"impression", "start", "quartile1", "quartile2", "quartile3", "complete", "skip"})
_SLACK_S = 1.0  # players round the length of what they play


@dataclass(frozen=True)
class EventOptions:
    """How long it is known who did what, and which times are believed."""

    retention_days: int = 90  # then listeners are forgotten; salts are rotated as often
    oldest_days: int = 30  # players that were offline send late
    ahead_s: float = 300.0  # clocks go fast
    remembered: int = 1_000_000  # ids that a process knows, to say at once that a row is known

    def __post_init__(self) -> None:
        if min(self.retention_days, self.oldest_days, self.remembered) < 1 or self.ahead_s < 0:
            raise ValueError("retention_days, oldest_days and remembered must be 1 or more, and ahead_s 0 or more")


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody did with a preview, an episode or a hit. In the log, listener and session are disguised."""

    id: str
    asset_id: str
    kind: EventKind
    when: datetime  # UTC
    listener: str = ""
    session: str = ""
    experiment: str = ""
    arm: str = ""
    position_s: float = 0.0  # in the preview, or in the episode or film
    preview: str = ""  # the run or model whose clip was shown
    start: float | None = None  # the clip that was shown, in seconds of the asset
    end: float | None = None
    propensity: float | None = None  # chance with which this clip was chosen to be shown
    query: str = ""  # what was searched for, if it was a hit; never together with who did


EVENTS = Table("events", Event)


def checked(
    events: Sequence[Event],
    *,
    assets: Mapping[str, Asset],
    previews: Mapping[str, Preview],
    now: datetime,
    options: EventOptions,
) -> tuple[Event, ...]:
    """The events with times that are not in the future. FeedbackError names the first row that cannot be."""
    for number, event in enumerate(events):
        asset = assets.get(event.asset_id)
        if asset is None:
            raise FeedbackError(f"row {number}: no asset {event.asset_id[:80]!r}; GET /assets lists them")
        problem = _who(event) or _when(event, now, options) or _where(event, asset, previews.get(event.asset_id))
        if problem:
            raise FeedbackError(f"row {number}: {problem}")
    return tuple(event if event.when <= now else replace(event, when=now) for event in events)


def _who(event: Event) -> str:
    if event.query and (event.listener or event.session):
        return "what was searched for is not kept together with who did; leave out query, or listener and session"
    if bool(event.experiment) != bool(event.arm):
        return "experiment and arm go together; send both or none"
    return ""


def _when(event: Event, now: datetime, options: EventOptions) -> str:
    if event.when > now + timedelta(seconds=options.ahead_s):
        return f"{event.when:%Y-%m-%d %H:%M} UTC is still to come; check the player's clock, or leave out when"
    if event.when < now - timedelta(days=options.oldest_days):
        return f"{event.when:%Y-%m-%d} is over {options.oldest_days} days ago, too long to count"
    return ""


def _where(event: Event, asset: Asset, preview: Preview | None) -> str:
    if (event.start is None) != (event.end is None):
        return "the clip that was shown needs both start and end"
    if event.start is not None and event.end is not None:
        if event.end <= event.start:
            return "the clip that was shown has no length; end must be after start"
        if event.end > asset.duration_s + _SLACK_S:
            return f"the clip ends at {event.end:g} s, behind the end of {asset.title}, {asset.duration_s:g} s"
    what, length_s = _played(event, asset, preview)
    if event.position_s > length_s + _SLACK_S:
        return f"{event.position_s:g} s lies behind the end of {what}, {length_s:g} s; check position_s"
    return ""


def _played(event: Event, asset: Asset, preview: Preview | None) -> tuple[str, float]:
    """What the position is a position in, and how long that is."""
    if event.kind not in _IN_PREVIEW:
        return asset.title, asset.duration_s
    if event.start is not None and event.end is not None:
        return "the clip", event.end - event.start
    known = preview is not None and preview.duration_s and event.preview in ("", preview.run, preview.model)
    return ("the preview", preview.duration_s) if preview and known else (asset.title, asset.duration_s)
