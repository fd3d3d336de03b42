"""What the service says when it has no other answer: one line for people, as RFC 9457 problem details."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from featurization.errors import AnnotationError, MediaError, RushesError, SearchError
from search.corpus import NotFound
from steps.feedback import FeedbackError

MEDIA_TYPE = "application/problem+json"
_REASONS = {400: "invalid", 401: "key", 403: "forbidden", 404: "not-found", 413: "too-large", 415: "not-media"}
_STATUSES: dict[type[RushesError], int] = {
    NotFound: 404,
    SearchError: 422,
    FeedbackError: 422,
    AnnotationError: 422,
    MediaError: 415,
}
_SHOWN_PROBLEMS = 5


class Problem(BaseModel):
    """Why a request has no other answer (RFC 9457)."""

    type: str = Field(default="about:blank", description="Always about:blank; `reason` tells problems apart.")
    title: str = Field(description="The status in words.")
    status: int
    reason: str = Field(description="Stable slug: not-found, invalid, store, …")
    detail: str = Field(description="One line for a person.")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of answers that are problems."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def problem(status: int, reason: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem as an answer."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, reason=reason, detail=detail)
    return JSONResponse(body.model_dump(), status, headers=headers, media_type=MEDIA_TYPE)


def explain(app: FastAPI) -> None:
    """Have everything that goes wrong in the app said as a problem."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ValidationError, _invalid)
    app.add_exception_handler(RushesError, _failed)
    app.add_exception_handler(OSError, _failed)


async def _refused(_: Request, error: Any) -> Response:
    reason = _REASONS.get(error.status_code, "refused")
    unknown = error.detail == HTTPStatus(error.status_code).phrase  # it is not one of our sentences
    hint = "; GET /openapi.json lists what can be asked" if unknown else ""
    return problem(error.status_code, reason, f"{error.detail}{hint}", error.headers)


async def _invalid(_: Request, error: Any) -> Response:
    found = [f"{_place(e['loc'])}: {e['msg']}" for e in error.errors()]
    more = [f"and {len(found) - _SHOWN_PROBLEMS} more"] if len(found) > _SHOWN_PROBLEMS else []
    return problem(422, "invalid", "; ".join([*found[:_SHOWN_PROBLEMS], *more]))


def _place(location: tuple[Any, ...]) -> str:
    """The name of the parameter; where it stands (query, body) goes without saying."""
    return ".".join(str(part) for part in location[1:] or location) or "body"


async def _failed(_: Request, error: Exception) -> Response:
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 503)
    return problem(status, getattr(error, "reason", "store"), str(error))
