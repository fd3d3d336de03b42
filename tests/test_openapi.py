"""The OpenAPI document is true: what schemathesis makes from it is answered as it says, and never with a failure."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from searchable_store import ENCODERS, searchable

from search.open_index import open_index
from serving.api import create_app
from steps.index import publish
from steps.store import Store

# What is true of the form of a query may still be no query ("??" has no words), so a refusal proves nothing wrong.
UNSUITABLE = (checks.positive_data_acceptance,)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> schemathesis.BaseSchema:
    folder: Path = tmp_path_factory.mktemp("openapi") / "store"
    store = searchable(folder)
    with closing(open_index(str(folder / "index"))) as index:
        publish(store, index, run="test", spaces={})
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(store, ENCODERS))


OPERATIONS = [
    (path, method)
    for path, methods in create_app(Store("memory://described"), {}).openapi()["paths"].items()
    for method in methods
]


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: part)
def test_every_answer_is_as_described(described: schemathesis.BaseSchema, path: str, method: str, mode: GenerationMode):
    operation = described[path][method.upper()]

    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: schemathesis.Case):
        case.call_and_validate(excluded_checks=UNSUITABLE, base_url="http://127.0.0.1")

    with suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
        answered()


def test_every_address_of_the_design_is_described():
    addresses = "/shots /shots/{shot_id} /shots/{shot_id}/thumbnail.webp /dialogue /search /moments /assets"
    more = "/assets/{asset_id} /assets/{asset_id}/timeline /assets/{asset_id}/media /assets/{asset_id}/sprite.webp"
    rest = "/previews /previews/{asset_id} /labels /golden-clips /events /livez /healthz /metrics"
    online = "/experiments/{name} /experiments/{name}/assign /experiments/{name}/clip"
    assert {*addresses.split(), *more.split(), *rest.split(), *online.split()} <= {path for path, _ in OPERATIONS}
