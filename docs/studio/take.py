"""Take the pictures of the studio that README shows: `python docs/studio/take.py STORE`, over a store with the demo."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, sync_playwright

from serving.api import create_app
from serving.commands.serve import bind
from steps.store import Store

HERE = Path(__file__).parent
SIZE = {"width": 1280, "height": 800}
LABEL = "lighthouse"


def main(store: Store) -> None:
    """Serve a copy of the store, since a label is taught in it, and take one picture of each page."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(store.url, folder, dirs_exist_ok=True)
        _served(Store(folder))


def _served(store: Store) -> None:
    bound = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(store), log_level="warning"))
    threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        site = f"http://127.0.0.1:{bound.getsockname()[1]}"
        take(browser.new_page(viewport=SIZE), site, _heard(store))
        browser.close()
    server.should_exit = True


def take(page: Page, site: str, episode: str) -> None:
    """The pages as an editor meets them."""
    _shown(page, f"{site}/studio", "search")
    page.goto(f"{site}/studio/labels/new?q={LABEL}")
    page.get_by_role("button", name="Begin to judge").click()
    page.wait_for_selector(".tile:focus")
    for key in "yynnn":
        page.keyboard.press(key)
    page.keyboard.press("b")
    page.wait_for_selector("#score")
    page.wait_for_timeout(4000)  # until what was told is gone
    page.screenshot(path=HERE / "label.png")
    _shown(page, f"{site}/studio/episodes/{episode}", "episode")
    _shown(page, f"{site}/studio/review", "review")


def _shown(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=HERE / f"{name}.png")


def _heard(store: Store) -> str:
    from serving.catalog import read_catalog

    catalog = read_catalog(store)
    return next(a for a, preview in catalog.previews.items() if preview.status == "published" and a in catalog.heard)


if __name__ == "__main__":
    main(Store(sys.argv[1] if len(sys.argv) > 1 else None))
