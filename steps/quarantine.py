"""One bad asset never sinks a run: whatever it makes a stage raise becomes a reason that a person understands."""

from __future__ import annotations

import logging
import traceback
from typing import Literal

from featurization.errors import RushesError
from featurization.media import Quarantined

log = logging.getLogger(__name__)


def quarantined(
    error: Exception, *, source: str, title: str, stage: Literal["ingest", "featurize", "publish"]
) -> Quarantined:
    """The quarantine row for an asset on which `stage` raised `error`; also logged, in one line."""
    row = Quarantined(source, _slug(error), _detail(error), stage=stage, title=title)
    log.warning("%s: quarantined: %s", title, row.detail)
    return row


def _slug(error: Exception) -> str:
    return error.reason if isinstance(error, RushesError) else "internal"


def _detail(error: Exception) -> str:
    if isinstance(error, RushesError):
        return str(error)
    log.debug("unexpected", exc_info=error)
    at = traceback.extract_tb(error.__traceback__)[-1]
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"rushes itself failed on it ({what}, {at.filename.rpartition('/')[2]}:{at.lineno}); report this with the file"
    )
