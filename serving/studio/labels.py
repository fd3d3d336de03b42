"""Teaching labels: the list, the annotator with its feeds, and building, deploying and rolling back of heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Body, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from featurization.errors import AnnotationError
from serving.asked import Text
from serving.guard import Publishes, Who, Writes
from serving.routes.feedback import Name
from serving.shelf import OfStore
from serving.studio.jobs import OfJobs
from serving.studio.rendering import rendered
from serving.studio.workbench import FEEDS, FeedName, LabelKey, OfWorkbench, Tile, Workbench
from serving.uploads import on_disk, read_sample
from steps.annotate import Deployed, deploy, now, roll_back
from steps.feedback import LABELS, LabelDefinition, keep
from steps.heads import found_version, head_in_use, heads_of, keep_head
from steps.index import index_store
from steps.labels import define, defined, definition_of, label_key

router = APIRouter(prefix="/studio/labels", include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/studio/api/labels", include_in_schema=False)
_AT_ONCE = 500
_PAGE = 100
Version = Annotated[str, Field(max_length=12)]


class Definition(BaseModel):
    """A label as it is written down."""

    model_config = {"extra": "forbid"}
    name: Name
    definition: str = Field(default="", max_length=1000)
    queries: list[Annotated[str, Field(max_length=200)]] = []


class Judgement(BaseModel):
    """One key stroke of an editor: a shot shows it or not, or the row with that id is taken back."""

    model_config = {"extra": "forbid"}
    id: str = Field(min_length=8, max_length=80)
    shot: str = Field(max_length=80)
    holds: bool = True
    feed: FeedName = "search"
    withdraws: str = Field(default="", max_length=80)


class Change(BaseModel):
    """Which head shall be in use instead of which."""

    model_config = {"extra": "forbid"}
    version: Version = ""
    instead_of: Version = ""


@router.get("")
def labels(
    request: Request, bench: OfWorkbench, shelf: OfStore, q: Text = "", page: Annotated[int, Query(ge=0, le=1000)] = 0
) -> HTMLResponse:
    """All labels, how each stands, and a new one."""
    known = {key: one for key, one in defined(shelf.store).items() if q.strip().casefold() in one.name.casefold()}
    shown = dict(list(known.items())[page * _PAGE : (page + 1) * _PAGE])
    rows = [_row(key, one, bench) for key, one in shown.items()]
    return rendered(
        request, "labels.html", section="labels", rows=rows, asked=q, page=page, size=_PAGE, total=len(known)
    )


def _row(key: str, one: LabelDefinition, bench: Workbench) -> dict[str, Any]:
    said, heads = bench.judgements.get(key, ()), bench.heads.get(key, ())
    yes = sum(label.holds for label in said)
    newest = max(heads, key=lambda head: head.when, default=None)
    return {"key": key, "label": one, "yes": yes, "no": len(said) - yes, "newest": newest, "in_use": head_in_use(heads)}


@router.get("/new")
def new_label(request: Request, q: Text = "", like: Annotated[str, Query(max_length=80)] = "") -> HTMLResponse:
    """The form of a new label, begun from a search or from a shot."""
    return rendered(request, "new_label.html", section="labels", asked=q.strip(), like=like)


@router.get("/{key}")
def annotator(
    request: Request,
    key: LabelKey,
    bench: OfWorkbench,
    feed: FeedName = "search",
    like: Annotated[str, Query(max_length=80)] = "",
) -> HTMLResponse:
    """The page on which a label is taught."""
    standing = bench.standing(key)
    return rendered(
        request, "annotator.html", section="labels", key=key, standing=standing, feeds=FEEDS, feed=feed, like=like
    )


@router.get("/{key}/feed")
def feed_of(
    request: Request,
    key: LabelKey,
    bench: OfWorkbench,
    kind: FeedName,
    q: Text = "",
    like: Annotated[str, Query(max_length=80)] = "",
    seen: Annotated[int, Query(ge=0, le=5000)] = 0,
) -> HTMLResponse:
    """A batch of shots to judge, as a part of the page."""
    try:
        tiles, note = bench.feed(key, kind, asked=q.strip(), like=like, seen=seen), ""
    except AnnotationError as error:
        tiles, note = [], str(error)
    said = {label.shot: label.holds for label in bench.judgements.get(key, ())} if kind == "review" else {}
    return rendered(request, "feed.html", shots=tiles, said=said, kind=kind, note=note)


@router.post("/{key}/feed")
async def feed_by_picture(request: Request, key: LabelKey, bench: OfWorkbench) -> HTMLResponse:
    """Shots that are like a picture or a short clip that is sent, as a part of the page."""
    async with request.form(max_files=1, max_fields=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(422, "file: send a picture or a clip under this name")
        tiles = await run_in_threadpool(_like_file, file.file, key, bench)
    return rendered(request, "feed.html", shots=tiles, said={}, kind="search", note="")


def _like_file(file: BinaryIO, key: str, bench: Workbench) -> list[Tile]:
    with on_disk(file) as path:
        images = read_sample(path).images
    if not images:
        raise HTTPException(415, "the file shows nothing; send a picture or a clip")
    return bench.like_picture(key, images)


@router.get("/{key}/panel")
def panel(request: Request, key: LabelKey, bench: OfWorkbench) -> HTMLResponse:
    """How the label stands, as a part of the page."""
    return rendered(request, "panel.html", key=key, standing=bench.standing(key))


@api.post("", status_code=201, dependencies=[Writes])
def post_label(sent: Definition, shelf: OfStore, who: Who) -> dict[str, str]:
    """Keep a label, or what it means now; the address of its page."""
    key = define(LabelDefinition(sent.name, sent.definition.strip(), tuple(sent.queries), who, now()), shelf.store)
    return {"key": key, "page": f"/studio/labels/{quote(key)}"}


@api.post("/{key}/judgements", status_code=201, dependencies=[Writes])
def post_judgements(
    key: LabelKey,
    sent: Annotated[list[Judgement], Body(min_length=1, max_length=_AT_ONCE)],
    bench: OfWorkbench,
    shelf: OfStore,
    who: Who,
) -> dict[str, Any]:
    """Keep judgements; sent again they are kept once."""
    name, when = definition_of(key, shelf.store).name, now()
    rows = [
        bench.label_of(
            one.shot,
            id=one.id,
            label=name,
            holds=one.holds,
            who=who,
            when=when,
            feed=one.feed,
            withdraws=one.withdraws,
        )
        for one in sent
    ]
    kept = keep(rows, LABELS, assets=shelf.catalog().assets, store=shelf.store)
    return {"added": list(kept.added), "known": list(kept.known)}


@api.post("/{key}/build", status_code=202, dependencies=[Writes])
def post_build(key: LabelKey, bench: OfWorkbench, jobs: OfJobs, who: Who) -> dict[str, str]:
    """Train the label's head on what was judged, and score all shots with it."""
    name = definition_of(key, bench.store).name

    def build(tell: Callable[[float], None]) -> dict[str, Any]:
        tell(0.1)
        trained = bench.train(key, who)
        tell(0.8)
        keep_head(trained.head, store=bench.store)
        return {"version": trained.head.version}

    return {"job": jobs.start(f"Building {name}", build)}


@api.post("/{key}/deploy", status_code=202, dependencies=[Publishes])
def post_deploy(key: LabelKey, sent: Change, bench: OfWorkbench, jobs: OfJobs) -> dict[str, str]:
    """Tag every shot with a head that was built."""
    head = found_version(heads_of(key, bench.store), sent.version)

    def put(tell: Callable[[float], None]) -> dict[str, Any]:
        tell(0.1)
        return _told(deploy(head, instead_of=sent.instead_of, bench=bench.bench, store=bench.store), bench, tell)

    return {"job": jobs.start(f"Deploying {head.label}", put)}


@api.post("/{key}/rollback", status_code=202, dependencies=[Publishes])
def post_rollback(key: LabelKey, sent: Change, bench: OfWorkbench, jobs: OfJobs) -> dict[str, str]:
    """Put the head before in use again."""
    name = definition_of(key, bench.store).name

    def back(tell: Callable[[float], None]) -> dict[str, Any]:
        tell(0.1)
        return _told(roll_back(name, instead_of=sent.instead_of, bench=bench.bench, store=bench.store), bench, tell)

    return {"job": jobs.start(f"Rolling back {name}", back)}


def _told(done: Deployed, bench: Workbench, tell: Callable[[float], None]) -> dict[str, Any]:
    """What a deployment did; the index follows, search sees the tags already."""
    tell(0.5)
    indexed = index_store(bench.store, run=f"TrainTagger/{label_key(done.label)}", settings=bench.shelf.settings)
    return {"version": done.version, "tags": done.tags, "index": indexed.describe()}
