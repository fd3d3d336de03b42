"""What happened to previews, as players send it: kept without saying who."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import AwareDatetime, BaseModel, Field

from serving.guard import Writes
from serving.problems import responses
from serving.routes.feedback import MAX_ROWS, Receipt, Time
from serving.shelf import OfStore
from steps.events import Event, EventKind, checked
from steps.feedback import identity

router = APIRouter(dependencies=[Writes], responses=responses(400, 401, 403, 404, 413))
Short = Annotated[str, Field(max_length=80)]
Opaque = Annotated[str, Field(max_length=200)]


class NewEvent(BaseModel):
    """What somebody did with a preview, an episode or a hit."""

    model_config = {"extra": "forbid"}

    id: Short = Field(default="", description="Sent again, a row is kept once. Without one, the event is a new one.")
    asset_id: str = Field(min_length=1, max_length=64)
    kind: EventKind = Field(description="stream: played the episode itself within the session.")
    when: AwareDatetime | None = Field(default=None, description="With its time zone; the time of arrival if left out.")
    listener: Opaque = Field(default="", description="Opaque. Only a keyed digest is kept, and that for a set time.")
    session: Opaque = Field(default="", description="Opaque; kept as the listener is.")
    experiment: Short = ""
    arm: Short = ""
    position_s: Time = Field(default=0.0, description="In the preview; for play, pause, open and stream in the asset.")
    preview: Short = Field(default="", description="Run or model whose clip was shown.")
    start: Time | None = Field(default=None, description="The clip that was shown, in seconds of the asset.")
    end: Time | None = None
    propensity: float | None = Field(
        default=None, gt=0, le=1, allow_inf_nan=False, description="Chance with which this clip was chosen to be shown."
    )
    query: str = Field(default="", max_length=1000, description="What was searched for; never together with who.")


Events = Annotated[list[NewEvent], Field(min_length=1, max_length=MAX_ROWS)]


@router.post("/events", status_code=201)
def post_events(sent: Annotated[NewEvent | Events, Body()], shelf: OfStore) -> Receipt:
    """Keep one event, or several: all of them, or none if one cannot be; the answer then names its row, from 0."""
    now, catalog = datetime.now(UTC), shelf.catalog()
    rows = [_event(one, now, n) for n, one in enumerate(sent if isinstance(sent, list) else [sent])]
    log = shelf.events
    events = checked(rows, assets=catalog.assets, previews=catalog.previews, now=now, options=log.options)
    kept = log.append(events, now=now)
    kinds = {event.id: event.kind for event in events}
    for added in kept.added:
        shelf.metrics.events.labels(kinds[added]).inc()
    return Receipt(added=list(kept.added), known=list(kept.known))


def _event(sent: NewEvent, now: datetime, number: int) -> Event:
    given = sent.model_dump(exclude={"id", "when"})
    name = sent.id or identity("events", now.isoformat(), number, sorted(given.items(), key=lambda item: item[0]))
    return Event(id=name, when=now if sent.when is None else sent.when.astimezone(UTC), **given)
