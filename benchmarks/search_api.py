"""The same search through a real `rushes serve`: a store of made shots, its index, and clients that speak HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.clients import at_once, quantiles, timed
from benchmarks.job import say
from benchmarks.made_vectors import LONG_S, SHOTS, SPACE, Made, film_id
from benchmarks.server import serving
from featurization.errors import StoreError
from featurization.media import Asset, Shot, Vector
from featurization.shot_vectors import IMAGE
from search.milvus_folder import MilvusFolder
from search.vector_index import Vectors
from steps.index import publish
from steps.store import Store
from steps.tables import ASSETS, VECTORS
from steps.tables import SHOTS as SHOT_TABLE

FILMS_AT_ONCE = 10  # bounds what is held as Python objects
TIMEOUT_S = 120.0


def measure_api(data: Made, scratch: Path, *, clients: int, seconds: float, asked: int = 100) -> dict[str, object]:
    """Latency of GET /shots?like= through HTTP, one client at a time and many at once."""
    store, index = Store(str(scratch / "store")), scratch / "api-index"
    _stock(store, data)
    with closing(MilvusFolder(index)) as opened:
        publish(store, opened, run="benchmark", spaces={IMAGE: SPACE})
    say("a store of made shots is indexed")
    names = data.table["id"].to_pylist()[:: max(1, len(data.table) // asked)]
    with serving(store, index, scratch) as port:
        _get(port, names[0], filtered=False)  # reads the store and maps the index
        plain, filtered = ([partial(_get, port, name, filtered=each) for name in names] for each in (False, True))
        return {
            **quantiles(timed(lambda n: plain[n](), range(len(names)))),
            **quantiles(timed(lambda n: filtered[n](), range(len(names))), "filtered_"),
            "clients": at_once(
                lambda n: (filtered if n % 2 else plain)[n % len(names)](), clients=clients, seconds=seconds
            ),
        }


def _stock(store: Store, data: Made) -> None:
    films = range(0, len(data.vectors), SHOTS)
    for start in range(0, len(films), FILMS_AT_ONCE):
        ids = {film_id(first // SHOTS): slice(first, first + SHOTS) for first in films[start : start + FILMS_AT_ONCE]}
        rows = {name: data.table.slice(part.start, SHOTS).to_pylist() for name, part in ids.items()}
        shots = {name: tuple(map(_shot, each)) for name, each in rows.items()}
        vectors = {name: _vectors(shots[name], data.vectors[part]) for name, part in ids.items()}
        assets = {name: (_asset(name, each[-1].end),) for name, each in shots.items()}
        store.commit("benchmark", {ASSETS: assets, SHOT_TABLE: shots, VECTORS: vectors})


def _shot(row: Mapping[str, float]) -> Shot:
    return Shot(row["start"], row["end"], number=int(row["number"]), transition="cut", brightness=row["brightness"])


def _vectors(shots: tuple[Shot, ...], vectors: Vectors) -> tuple[Vector, ...]:
    values = vectors.tolist()
    return tuple(
        Vector(shot.start, shot.end, kind=IMAGE, space=SPACE, values=tuple(each))
        for shot, each in zip(shots, values, strict=True)
    )


def _asset(name: str, duration_s: float) -> Asset:
    facts = {"container": "mp4", "codec": "h264", "rate_hz": 0, "channels": 0, "source": name, "has_audio": False}
    return Asset(
        name, name * 4, f"media/{name}", 1, duration_s, "video", **facts, title=f"Film {name}", width=640, height=360
    )


def _get(port: int, shot: str, *, filtered: bool) -> None:
    """Ask for shots like one; StoreError if the answer holds none."""
    asked = {"like": shot, "limit": 10, "min_confidence": 0, **({"min_duration": f"{LONG_S}s"} if filtered else {})}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
        connection.request("GET", f"/shots?{urlencode(asked)}")
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != 200 or not json.loads(body)["items"]:
        raise StoreError(f"GET /shots?like={shot}: {answer.status} {body[:300]!r}")
