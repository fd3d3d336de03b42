"""How long an editor waits, in a real browser: from a query to its first tiles, and from a key to a kept judgement."""

from __future__ import annotations

import io
import shutil
import time
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pictures

from benchmarks.clients import quantiles
from benchmarks.job import Job, say
from benchmarks.made_vectors import SHOTS, film_id
from benchmarks.report import Measured
from benchmarks.server import serving
from featurization.errors import ConfigError
from featurization.media import Asset, Shot, Vector
from featurization.shot_vectors import IMAGE
from featurization.vision import ImageEncoder
from search.milvus_folder import MilvusFolder
from steps.index import publish
from steps.models import Models
from steps.store import Store
from steps.tables import ASSETS, SHOT_FEATURES, VECTORS
from steps.tables import SHOTS as SHOT_TABLE

if TYPE_CHECKING:
    from playwright.sync_api import Page

QUERIES = ("dog", "sports car", "flowers", "a church", "bread", "ship", "bird", "guitar", "bridge", "cup of coffee")
JUDGEMENTS = 40
FEATURES = 1280
SHOT_S = 4.0
_FIRST_PICTURE = """Math.min(...performance.getEntriesByType("resource")
    .filter(entry => entry.name.includes("thumbnail")).map(entry => entry.responseEnd))"""
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def measure(job: Job) -> Measured:
    """Fill a store with made shots in the real encoder's space, serve it, and work in it as an editor does."""
    store, index = Store(str(job.scratch / "store")), job.scratch / "index"
    encoder = Models(job.settings).images
    films = max(1, job.rows // SHOTS)
    _stock(store, encoder, films)
    with closing(MilvusFolder(index)) as opened:
        publish(store, opened, run="benchmark", spaces={IMAGE: encoder.space})
    say(f"{films * SHOTS} made shots are in the store and the index")
    with serving(store, index, job.scratch) as port:
        tiles, judged, build_s = _worked(f"http://127.0.0.1:{port}")
    return Measured(
        metrics={
            "first_tiles": quantiles(tiles[1:], ""),
            "first_query_ms": 1000 * tiles[0],
            "judgement": quantiles(judged, ""),
            "build_s": build_s,
        },
        counts={"shots": films * SHOTS, "queries": len(tiles), "judgements": len(judged)},
        models=("efficientnet-lite0", "minilm-l6-v2"),
        notes=(
            "first_tiles: from leaving the page with a query to the first picture, without the first query",
            "judgement: from the key to the server's answer that it is kept",
            "build_s: from the key to the new figure on the page: training, and scoring all shots",
        ),
    )


def _stock(store: Store, encoder: ImageEncoder, films: int) -> None:
    """Shots around the encoder's own background, so that words find some of them."""
    draw, around = np.random.default_rng(3), encoder.background()
    still = io.BytesIO()
    Pictures.effect_noise((480, 270), 60).convert("RGB").save(still, "WEBP")
    thumbnail = store.put_bytes(still.getvalue(), ".webp")
    for film in range(films):
        name = film_id(film)
        kinds = draw.integers(0, len(around), SHOTS)
        vectors = _unit(around[kinds] + 0.02 * draw.standard_normal((SHOTS, around.shape[1])))
        features = _unit(draw.standard_normal((SHOTS, FEATURES)) + 2 * (kinds % 10)[:, None] / 10)
        shots = [
            Shot(n * SHOT_S, (n + 1) * SHOT_S, n, "cut", keyframes=(n * SHOT_S,), thumbnails=(thumbnail,))
            for n in range(SHOTS)
        ]
        rows = {
            ASSETS: {name: [_asset(name)]},
            SHOT_TABLE: {name: shots},
            VECTORS: {name: _rows(shots, encoder.space, vectors)},
            SHOT_FEATURES: {name: _rows(shots, encoder.feature_space, features)},
        }
        store.commit("benchmark", rows)
        if film % 20 == 19:
            say(f"{film + 1} of {films} films are made")


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def _rows(shots: list[Shot], space: str, values: np.ndarray) -> list[Vector]:
    return [Vector(s.start, s.end, IMAGE, space, tuple(row)) for s, row in zip(shots, values.tolist(), strict=True)]


def _asset(name: str) -> Asset:
    facts = {"container": "mp4", "codec": "h264", "rate_hz": 0, "channels": 0, "source": name, "has_audio": False}
    return Asset(name, name * 4, f"media/{name}", 1, SHOTS * SHOT_S, "video", **facts, title=f"Film {name}")


def _worked(site: str) -> tuple[list[float], list[float], float]:
    """Seconds of each query, of each judgement, and of a build."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, _NAMES)), None)
    if chromium is None:
        raise ConfigError("the studio is measured in Chromium, which is not here; run `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        tiles = [_query(page, site, text) for text in QUERIES]
        say("queries are timed")
        judged, build_s = _taught(page, site)
        browser.close()
    return tiles, judged, build_s


def _query(page: Page, site: str, text: str) -> float:
    page.goto(f"{site}/studio")
    page.get_by_role("searchbox").fill(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/studio?q=*")
    page.wait_for_function("document.querySelector('.tile img')?.complete")
    return float(page.evaluate(_FIRST_PICTURE)) / 1000


def _taught(page: Page, site: str) -> tuple[list[float], float]:
    page.goto(f"{site}/studio/labels/new?q=dog")
    page.get_by_role("button", name="Begin to judge").click()
    page.wait_for_selector(".tile:focus")
    took = []
    for number in range(JUDGEMENTS):
        if page.locator(".tile:not([data-holds])").count() == 0:
            page.keyboard.press("m")
            page.wait_for_selector(".tile:focus:not([data-holds])")
        with page.expect_response("**/judgements"):
            started = time.perf_counter()
            page.keyboard.press("yn"[number % 2])
        took.append(time.perf_counter() - started)
    started = time.perf_counter()
    page.keyboard.press("b")
    page.wait_for_selector("#score")
    return took, time.perf_counter() - started
