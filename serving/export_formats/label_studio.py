"""Tasks for Label Studio, with what we found as predictions.

Reference: https://labelstud.io/guide/predictions, https://labelstud.io/tags/timelinelabels
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from featurization.media import Segment
from serving.export_formats.contents import Contents
from serving.export_formats.timecode import frame_edges, frame_rate


def to_label_studio(contents: Contents) -> str:
    """One task, for a project with Labels named speaker, ad and topic; a film's with TimelineLabels shot and tag."""
    asset, hearing = contents.asset, contents.heard
    regions = [*_heard(contents), *_seen(contents)]
    for region in regions:
        region["original_length"] = asset.duration_s
    data = {"audio": asset.source, "asset_id": asset.asset_id, "title": asset.title}
    if asset.kind == "video":
        data["video"] = asset.source
    predictions = [{"model_version": " ".join(hearing.profile.models) or "rushes", "result": regions}]
    return json.dumps([{"data": data, "predictions": predictions}], ensure_ascii=False, indent=1)


def _heard(contents: Contents) -> Iterator[dict[str, Any]]:
    hearing = contents.heard
    for number, turn in enumerate(sorted(hearing.turns)):
        yield _region("speaker", number, turn, label=turn.speaker)
    for number, ad in enumerate(sorted(hearing.ads)):
        yield _region("ad", number, ad, label=ad.kind, notes=ad.evidence)
    for number, topic in enumerate(hearing.topics):
        yield _region("topic", number, topic, label="topic", notes=(topic.title,))


def _region(group: str, number: int, span: Segment, *, label: str, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "id": f"{group}-{number}",
        "from_name": group,
        "to_name": "audio",
        "type": "labels",
        "value": {"start": span.start, "end": span.end, "channel": 0, "labels": [label]},
        "meta": {"text": [note for note in notes if note]},
    }


def _seen(contents: Contents) -> Iterator[dict[str, Any]]:
    """Shots and tags as ranges of frames, which Label Studio counts from 1, the last one included."""
    if not contents.shots:
        return
    rate = frame_rate(contents.asset.frame_rate)
    for shot, (first, last) in zip(contents.shots, frame_edges(contents.shots, rate), strict=True):
        yield _ranged("shot", shot.number, first, last, label=shot.transition, score=shot.confidence)
    for number, tag in enumerate(sorted(contents.tags)):
        first = rate.frame(tag.start)
        last = max(first + 1, rate.frame(tag.end))
        yield _ranged("tag", number, first, last, label=tag.label, score=tag.confidence)


def _ranged(group: str, number: int, first: int, last: int, *, label: str, score: float) -> dict[str, Any]:
    return {
        "id": f"{group}-{number}",
        "from_name": group,
        "to_name": "video",
        "type": "timelinelabels",
        "score": score,
        "value": {"ranges": [{"start": first + 1, "end": last}], "timelinelabels": [label]},
    }
