"""The REST service over one store: everything can be asked, and what people say can be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import FastAPI

from search.nearest import Encoders
from serving import events
from serving.access.attempts import Attempts
from serving.body_limit import BodyLimit
from serving.configured import configured_encoders, settings
from serving.graphql import graphql_router
from serving.guard import Guard
from serving.problems import Problem, explain, responses
from serving.requests import Requests
from serving.routes import assets, experiments, feedback, finding, previews, search, system
from serving.search_schemas import SearchRequest
from serving.shelf import Shelf
from serving.studio import routes as studio
from serving.studio import sign_in
from serving.studio.jobs import Jobs
from serving.studio.media import Copies
from serving.studio.rendering import static_files
from serving.studio.workbench import Workbench
from steps.store import Store
from steps.traces import tracing
from steps.version import VERSION

_ROUTERS = (
    system.router,
    assets.router,
    finding.router,
    search.router,
    previews.router,
    feedback.router,
    events.router,
    experiments.router,
    sign_in.router,
)


def create_app(store: Store, encoders: Encoders | None = None) -> FastAPI:
    """The service over `store`. Queries are encoded as the config says, or with `encoders`."""
    shelf = Shelf(store, configured_encoders() if encoders is None else encoders, settings())
    app = FastAPI(
        title="rushes",
        version=VERSION,
        summary="Previews of episodes and films, what was heard and seen in them, and a search over it.",
        description="The same questions can be asked through GraphQL at /graphql.",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        lifespan=_closing,
        separate_input_output_schemas=False,
    )
    app.state.shelf, app.state.attempts, app.state.jobs = shelf, Attempts(), Jobs()
    app.state.workbench, app.state.copies = Workbench(shelf), Copies(store)
    for router in _ROUTERS:
        app.include_router(router, responses=responses(401, 403, 422, 429, 503))
    app.include_router(graphql_router())
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, attempts=app.state.attempts)
    app.add_middleware(Requests, metrics=shelf.metrics)
    for pages in studio.ROUTERS:
        app.include_router(pages)
    app.mount("/studio/static", static_files())
    explain(app)
    _describe(app)
    return app


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    """Trace while the server runs, if a collector is named; end the work and release the index when it stops."""
    with tracing():
        yield
    app.state.copies.close()
    app.state.jobs.close()
    app.state.shelf.close()


def _describe(app: FastAPI) -> None:
    """Add to the OpenAPI document what FastAPI cannot see: bodies that are read by hand, and problems."""
    described = app.openapi

    @cache
    def openapi() -> dict[str, object]:
        document = described()
        for model in (Problem, SearchRequest):
            document["components"]["schemas"][model.__name__] = model.model_json_schema(by_alias=True)
        return document

    app.openapi = openapi  # type: ignore[method-assign]
