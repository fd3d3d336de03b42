"""POST /search: a question in words as JSON, or a picture, a sound or a clip as a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from search.dialogue import SURE, DialogueQuery
from search.filters import Filters
from search.pages import MAX_LIMIT, Page
from search.pictures import ShotQuery, SoundQuery
from search.query import Engine
from serving.problems import responses
from serving.search_schemas import (
    LinePage,
    SearchRequest,
    SearchResults,
    ShotPage,
    SoundPage,
    line_hit,
    page_of,
    shot_hit,
    sound_hit,
)
from serving.shelf import OfEngine
from serving.uploads import on_disk, read_sample

router = APIRouter()
_FORM_FIELDS = 8


class SampleRequest(BaseModel):
    """What goes with a file."""

    model_config = {"extra": "forbid"}

    by: str = Field(
        default="shots", max_length=80, description="Collection of pictures: shots, or an extractor's name."
    )
    asset: str = Field(default="", max_length=64)
    show: str = Field(default="", max_length=300)
    limit: int = Field(default=20, ge=1, le=MAX_LIMIT)
    min_confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = SURE


def _form() -> dict[str, Any]:
    schema = SampleRequest.model_json_schema()
    file = {"type": "string", "format": "binary", "description": "A picture, a sound, or a clip of up to two minutes."}
    return {**schema, "properties": {"file": file, **schema["properties"]}, "required": ["file"]}


_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/SearchRequest"}},
        "multipart/form-data": {"schema": _form()},
    },
}


@router.post("/search", responses=responses(400, 404, 413, 415), openapi_extra={"requestBody": _BODY})
async def search(request: Request, engine: OfEngine) -> SearchResults:
    """Lines and shots for words; shots for a picture or a clip; sounds for a sound."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        asked = SearchRequest.model_validate_json(await request.body())
        return await run_in_threadpool(_by_words, asked, engine)
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=_FORM_FIELDS) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise HTTPException(422, "file: send a picture, a sound or a clip under this name")
            fields = SampleRequest.model_validate({name: value for name, value in form.items() if name != "file"})
            return await run_in_threadpool(_by_sample, file.file, fields, engine)
    raise HTTPException(415, "send JSON, or a file as multipart/form-data")


def _by_words(asked: SearchRequest, engine: Engine) -> SearchResults:
    places = Filters(asked.asset, asked.show, asked.language, "", asked.since, asked.until)
    sure, page = asked.min_confidence, Page(asked.limit)
    said = DialogueQuery(asked.text, asked.mode, replace(places, speaker=asked.speaker), sure)
    seen = ShotQuery(asked.text, by=asked.by, tags=tuple(asked.tag), filters=places, min_confidence=sure)
    if asked.where == "dialogue":
        return SearchResults(dialogue=page_of(LinePage, engine.dialogue(said, page), line_hit))
    if asked.where == "pictures":
        return SearchResults(shots=page_of(ShotPage, engine.shots(seen, page), shot_hit))
    found = engine.everything(said, seen, page)
    return SearchResults(
        dialogue=page_of(LinePage, found.dialogue, line_hit),
        shots=page_of(ShotPage, found.shots, shot_hit) if found.shots else None,
        notes=list(found.notes),
    )


def _by_sample(file: BinaryIO, asked: SampleRequest, engine: Engine) -> SearchResults:
    with on_disk(file) as path:
        sample = read_sample(path)
    places, page = Filters(asset=asked.asset, show=asked.show), Page(asked.limit)
    if sample.images:
        seen = ShotQuery(images=sample.images, by=asked.by, filters=places, min_confidence=asked.min_confidence)
        return SearchResults(shots=page_of(ShotPage, engine.shots(seen, page), shot_hit))
    heard = SoundQuery(sample.sounds, filters=places, min_confidence=asked.min_confidence)
    return SearchResults(sounds=page_of(SoundPage, engine.sounds(heard, page), sound_hit))
