"""The service over a store, on a socket of this machine, in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from search.nearest import Encoders
from serving.api import create_app
from serving.commands.serve import bind
from steps.store import Store


@contextmanager
def served(store: Store, encoders: Encoders | None = None) -> Iterator[httpx.Client]:
    """A client of a server over `store`, on a free port of this machine."""
    bound = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(store, encoders), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        with httpx.Client(base_url=f"http://127.0.0.1:{bound.getsockname()[1]}") as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
