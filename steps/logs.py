"""What is told while it runs: lines for people, or JSON lines that name the run, the step and the asset.

| `RUSHES_LOG` | a line on standard error is |
|---|---|
| text (the default) | the message alone |
| json | an object: time, level, run, step, task, asset, logger, message, exception; what is not known is left out |
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from featurization.errors import ConfigError

ENVIRONMENT = "RUSHES_LOG"
PACKAGES = ("eval", "featurization", "ranking", "search", "serving", "steps")
_HANDLER = "rushes"
_facts: ContextVar[Mapping[str, str]] = ContextVar("facts", default=MappingProxyType({}))


def as_json() -> bool:
    """Whether `RUSHES_LOG` asks for JSON lines. ConfigError if it asks for something else than json or text."""
    form = os.environ.get(ENVIRONMENT) or "text"
    if form not in ("json", "text"):
        raise ConfigError(f"{ENVIRONMENT}={form}: give json, or text for people")
    return form == "json"


def configure(*, run: str = "", step: str = "", task: str = "") -> None:
    """Show lines of our own packages from INFO on, and of libraries only what is wrong, as `RUSHES_LOG` says."""
    if as_json():
        _replace_handlers(JsonLines({"run": run, "step": step, "task": task}))
    else:
        logging.basicConfig(format="%(message)s")
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)


def _replace_handlers(lines: JsonLines) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(lines)
    handler.set_name(_HANDLER)
    root = logging.getLogger()
    for old in [known for known in root.handlers if known.get_name() == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.captureWarnings(True)


def about(asset_id: str) -> AbstractContextManager[None]:
    """Have every line inside name the asset; threads too that run in a copy of this context."""
    return noting(asset=asset_id)


@contextmanager
def noting(**facts: str) -> Iterator[None]:
    """Have every line inside carry these facts beside those that it carries already."""
    before = _facts.set({**_facts.get(), **facts})
    try:
        yield
    finally:
        _facts.reset(before)


class JsonLines(logging.Formatter):
    """A record as one line of JSON; a record's `facts`, a mapping given as `extra`, become fields of their own."""

    def __init__(self, place: Mapping[str, str]) -> None:
        super().__init__()
        self.place = place

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            **self.place,
            **_facts.get(),
            **getattr(record, "facts", {}),
            "logger": record.name,
            "message": record.getMessage(),
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in fields.items() if value != ""}, ensure_ascii=False)
