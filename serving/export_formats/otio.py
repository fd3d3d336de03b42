"""OpenTimelineIO: the shots as clips of one track, with markers for scenes, topics, advertisements and tags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from featurization.media import Segment, Shot
from serving.export_formats.contents import Contents
from serving.export_formats.timecode import FrameRate, frame_edges, frame_rate


def to_otio(contents: Contents) -> str:
    """A timeline in OTIO's own JSON, as long as the film and at its rate."""
    import opentimelineio as otio

    shots, asset = contents.cut, contents.asset
    rate = frame_rate(asset.frame_rate)
    timeline = otio.schema.Timeline(asset.title, metadata={"rushes": {"asset_id": asset.asset_id}})
    timeline.global_start_time = _time(0, rate)
    spans = [_range(first, last, rate) for first, last in frame_edges(shots, rate)]
    for kind in ("Video", "Audio") if asset.has_audio else ("Video",):
        track = otio.schema.Track(kind, kind=kind)
        track.extend(_clip(contents, shot, span, rate) for shot, span in zip(shots, spans, strict=True))
        timeline.tracks.append(track)
    for span, name, colour, facts in _marks(contents):
        first = rate.frame(span.start)
        placed = _range(first, max(first + 1, rate.frame(span.end)), rate)
        timeline.tracks.markers.append(otio.schema.Marker(name, placed, color=colour, metadata={"rushes": facts}))
    return str(otio.adapters.write_to_string(timeline, "otio_json"))


def _clip(contents: Contents, shot: Shot, span: Any, rate: FrameRate) -> Any:
    import opentimelineio as otio

    asset = contents.asset
    whole = _range(0, max(span.end_time_exclusive().to_frames(), rate.frame(asset.duration_s)), rate)
    reference = otio.schema.ExternalReference(target_url=_url(asset.source), available_range=whole)
    facts = {"transition": shot.transition, "confidence": shot.confidence, "start": shot.start, "end": shot.end}
    labels = {tag.label: tag.confidence for tag in reversed(contents.tags_of(shot))}
    metadata = {"rushes": {**facts, "tags": labels}}
    return otio.schema.Clip(f"shot {shot.number + 1}", reference, span, metadata=metadata)


def _marks(contents: Contents) -> Iterator[tuple[Segment, str, str, dict[str, Any]]]:
    """(span, name, colour, facts) of everything that is marked, in the order of time within each kind."""
    for number, scene in enumerate(sorted(contents.scenes), start=1):
        yield scene, f"scene {number}", "CYAN", {"kind": "scene"}
    if contents.hearing:
        for topic in sorted(contents.hearing.topics):
            yield topic, topic.title or "topic", "GREEN", {"kind": "topic"}
        for ad in sorted(contents.hearing.ads):
            yield ad, ad.kind, "RED", {"kind": "ad", "confidence": ad.confidence, "tier": ad.tier}
    for tag in sorted(contents.tags):
        yield tag, tag.label, "YELLOW", {"kind": "tag", "confidence": tag.confidence, "source": tag.source}


def _url(source: str) -> str:
    return Path(source).as_uri() if Path(source).is_absolute() else source


def _time(frame: int, rate: FrameRate) -> Any:
    import opentimelineio as otio

    return otio.opentime.RationalTime(frame, float(rate.exact))


def _range(first: int, last: int, rate: FrameRate) -> Any:
    import opentimelineio as otio

    return otio.opentime.TimeRange(_time(first, rate), _time(last - first, rate))
