"""One bad asset never sinks a run: whatever it makes a stage raise becomes a reason that a person understands."""

from __future__ import annotations

import logging
import traceback
from typing import Literal

from featurization.errors import RushesError
from featurization.media import Quarantined
from steps.store import Store
from steps.tables import QUARANTINE

log = logging.getLogger(__name__)
Stage = Literal["ingest", "featurize", "publish"]
TASK_DIED = "task-died"  # not tried again by itself


def quarantined(error: Exception, *, source: str, title: str, stage: Stage) -> Quarantined:
    """The quarantine row for an asset on which `stage` raised `error`; also logged, in one line."""
    row = Quarantined(source, _slug(error), _detail(error), stage=stage, title=title)
    log.warning("%s: quarantined: %s", title, row.detail)
    return row


def set_aside(*, source: str, title: str, stage: Stage) -> Quarantined:
    """The quarantine row for an asset at which tasks died: nobody could catch what it does to them."""
    detail = f"tasks died at it, out of memory or time, or in a library; `{_FLOWS[stage]}` takes it again if asked for"
    log.warning("%s: quarantined: %s", title, detail)
    return Quarantined(source, TASK_DIED, detail, stage=stage, title=title)


def task_failed(*, source: str, title: str, stage: Stage, died: str) -> Quarantined:
    """The quarantine row for what a task did not come to before it `died` for good, which says of what."""
    detail = f"its task died ({died or 'no reason was left'}); run {_AGAIN[stage]}"
    return Quarantined(source, "task-failed", detail, stage=stage, title=title)


def quarantined_ids(store: Store, stage: Stage) -> dict[str, str]:
    """Why each asset that a stage could not do is in quarantine, as a slug, by its id."""
    rows = store.columns(QUARANTINE, ["reason", "stage"]).to_pylist()
    return {row["asset_id"]: row["reason"] for row in rows if row["stage"] == stage}


_FLOWS = {
    "ingest": "ingest_media",
    "featurize": "featurize_media run --assets ID",
    "publish": "publish_previews run --assets ID",
}
_AGAIN = {
    "ingest": "ingest_media again",
    "featurize": "featurize_media with this asset alone",
    "publish": "publish_previews with this asset alone",
}


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
