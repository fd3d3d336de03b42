"""The review: published previews that nobody judged yet, one after the other, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from featurization.media import Segment
from serving.guard import Publishes, Who, Writes
from serving.routes.feedback import Time
from serving.shelf import AssetId, OfStore, Shelf
from serving.studio.jobs import OfJobs
from serving.studio.reasons import left_out, reasons
from serving.studio.rendering import clock, rendered
from steps.previews import Preview
from steps.review import Said, TakenBack, adjust, approve, reject, take_back
from steps.tables import SENTENCES
from steps.verdicts import REASONS, REVIEWS, Reason, judged

router = APIRouter(prefix="/studio", include_in_schema=False)
Asked = Annotated[str, Query(max_length=64)]
_MOST_MOMENTS = 3


class Sent(BaseModel):
    """What all that is said of a preview has."""

    model_config = {"extra": "forbid"}

    id: str = Field(default="", pattern=r"^(|[0-9a-f]{16,40})$", description="Said again, it is kept once.")


class Heard(Sent):
    """What preview was heard."""

    recipe: str = Field(max_length=64)
    note: str = Field(default="", max_length=1000)


class Rejection(Heard):
    """Why a preview is rejected."""

    reason: Reason = "other"


class Edges(Heard):
    """From where to where a preview should go instead, for each of its moments."""

    moments: list[tuple[Time, Time]] = Field(min_length=1, max_length=_MOST_MOMENTS)


class Undone(Sent):
    """Which verdict is taken back."""

    review: str = Field(max_length=64)


@router.get("/review", response_class=HTMLResponse)
def show_review(request: Request, shelf: OfStore, asset: Asked = "", after: Asked = "") -> HTMLResponse:
    """The preview to judge: the one that is asked for, the next one after another, or the newest."""
    waiting = queue(shelf)
    shown = _shown(shelf, waiting, asset, after)
    published = any(preview.status == "published" for preview in shelf.catalog().previews.values())
    known: dict[str, Any] = {"section": "review", "waiting": len(waiting), "reasons_to_reject": REASONS}
    if not shown:
        return rendered(request, "review.html", asset=None, published=published, **known)
    preview = shelf.catalog().previews[shown]
    before, after_text = _around(shown, preview, shelf)
    return rendered(
        request,
        "review.html",
        asset=shelf.asset(shown),
        preview=preview,
        verdict=judged(preview, shelf.store.read(REVIEWS, [shown]).get(shown, ())),
        reasons=reasons(preview),
        left_out=left_out(preview),
        before=before,
        after=after_text,
        where=", ".join(f"{clock(moment.start)}–{clock(moment.end)}" for moment in preview.moments),
        **known,
    )


def queue(shelf: Shelf) -> list[str]:
    """Assets whose published preview nobody judged, the newest first."""
    said = shelf.store.read(REVIEWS)
    catalog = shelf.catalog()
    listed = ((entry.asset_id, catalog.previews.get(entry.asset_id)) for entry in catalog.entries())
    return [
        asset_id
        for asset_id, preview in listed
        if preview and preview.status == "published" and not judged(preview, said.get(asset_id, ()))
    ]


def _shown(shelf: Shelf, waiting: list[str], asset: str, after: str) -> str:
    """The asset to show; empty if none is left."""
    if asset:
        _, preview = shelf.preview(asset)
        return asset if preview.status == "published" else ""
    order = [entry.asset_id for entry in shelf.catalog().entries()]
    passed = order.index(after) if after in order else -1
    behind = [one for one in waiting if order.index(one) > passed]
    return next(iter([*behind, *(one for one in waiting if one != after)]), "")


def _around(asset_id: str, preview: Preview, shelf: Shelf) -> tuple[str, str]:
    """What is said just before and just after, so that the edges can be judged."""
    sentences = shelf.store.read(SENTENCES, [asset_id]).get(asset_id, ())
    before = [s.text for s in sentences if s.end <= preview.moments[0].start + 0.05]
    after = [s.text for s in sentences if s.start >= preview.moments[-1].end - 0.05]
    return (before or [""])[-1], (after or [""])[0]


@router.post("/api/review/{asset_id}/approve", dependencies=[Writes])
def post_approval(asset_id: AssetId, sent: Heard, who: Who, shelf: OfStore) -> dict[str, str]:
    """Keep that a preview is good as it is."""
    said = Said(_known(asset_id, shelf), sent.recipe, who, note=sent.note, id=sent.id)
    return {"review": approve(said, store=shelf.store).id}


@router.post("/api/review/{asset_id}/reject", dependencies=[Writes])
def post_rejection(asset_id: AssetId, sent: Rejection, who: Who, shelf: OfStore) -> dict[str, str]:
    """Take a preview out of publication, and keep why."""
    said = Said(_known(asset_id, shelf), sent.recipe, who, sent.reason, sent.note, sent.id)
    return {"review": reject(said, settings=shelf.settings, store=shelf.store).id}


@router.post("/api/review/{asset_id}/undo", dependencies=[Writes])
def post_undo(asset_id: AssetId, sent: Undone, who: Who, shelf: OfStore) -> dict[str, str]:
    """Take a verdict back."""
    known = _known(asset_id, shelf)
    back = TakenBack(known, sent.review, who, sent.id)
    return {"review": take_back(back, settings=shelf.settings, store=shelf.store).id}


@router.post("/api/review/{asset_id}/edges", status_code=202, dependencies=[Publishes])
def post_edges(asset_id: AssetId, sent: Edges, who: Who, shelf: OfStore, jobs: OfJobs) -> dict[str, str]:
    """Begin to publish a preview with other edges; the job's result names the review."""
    said = Said(_known(asset_id, shelf), sent.recipe, who, note=sent.note, id=sent.id)
    moments = list(_spans(sent))
    title = f"Cutting {shelf.asset(asset_id).title}"[:60]

    def work(told: Any) -> dict[str, str]:
        done = adjust(said, moments, settings=shelf.settings, store=shelf.store, told=told)
        return {"review": done.id, "asset": said.asset_id}

    return {"job": jobs.start(title, work)}


def _spans(sent: Edges) -> Iterator[Segment]:
    for start, end in sent.moments:
        try:
            yield Segment(start, end)
        except ValueError as error:
            raise HTTPException(422, f"moments: {start:g} to {end:g} s is no stretch; swap them") from error


def _known(asset_id: str, shelf: Shelf) -> str:
    return shelf.asset(asset_id).asset_id
