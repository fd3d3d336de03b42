"""`rushes serve`: the API on a socket of this machine."""

from __future__ import annotations

import logging
import socket
import threading

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from featurization.errors import ConfigError
from featurization.extractor import TextQueries
from serving.api import create_app
from serving.commands.terminal import console, safe
from serving.shelf import Shelf
from steps import logs
from steps.store import Store

log = logging.getLogger(__name__)


def listen(*, host: str, port: int) -> None:
    """Serve the store until interrupted. ConfigError if nothing can listen there."""
    store = Store()
    bound = bind(host, port)
    shown = f"[{host}]" if ":" in host else host
    console().print(
        f"[bold]rushes[/] serves {safe(store.url)} on http://{shown}:{bound.getsockname()[1]}  [dim](Ctrl-C stops)[/]",
        soft_wrap=True,
    )
    app = create_app(store)
    threading.Thread(target=_warm, args=(app.state.shelf,), name="warm", daemon=True).start()
    for_machines = logs.as_json()
    if for_machines:  # every request is a line then, as serving/requests.py tells it
        logs.configure()
    lines = None if for_machines else LOGGING_CONFIG
    uvicorn.Server(uvicorn.Config(app, log_config=lines, log_level="warning", access_log=False)).run(sockets=[bound])


def _warm(shelf: Shelf) -> None:
    """Load what the first query would wait for; what is amiss is told when somebody asks."""
    try:
        shelf.desk.engine()
        encoder = shelf.desk.encoders["shots"]()
        if isinstance(encoder, TextQueries):
            encoder.encode_text(["warm"])
    except Exception:  # whatever it is, the server serves
        log.debug("the encoder of queries was not loaded ahead", exc_info=True)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. ConfigError if it cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        hint = "choose another --port, or 0 for a free one" if port else "choose another --host"
        raise ConfigError(f"cannot listen on {host}:{port} ({error.strerror or error}); {hint}") from error
