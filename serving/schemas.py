"""What the API answers, as types: they validate, and they are the schema at /openapi.json."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from featurization.media import (
    AdSpan,
    Asset,
    AudioProfile,
    Chapter,
    Marker,
    Rights,
    Scene,
    Sentence,
    Soundbite,
    SoundSpan,
    SpoilerSpan,
    Tag,
    Topic,
    Transition,
    Turn,
    Word,
)
from serving.catalog import Catalog, strongest
from steps.previews import Preview
from steps.rendering.captions import timestamp
from steps.standing import State


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Health(BaseModel):
    """The service, the store and its index answer."""

    status: Literal["ok"] = "ok"
    version: str
    snapshot: int = Field(description="Number of the store's current snapshot; 0 is the empty store.")
    generation: int = Field(description="Number of the index's current generation; 0 if there is none yet.")


class AssetHit(BaseModel):
    """One asset of the store, or one source that never became one."""

    asset_id: str
    title: str
    show: str
    duration_s: float
    published: str = Field(description="ISO 8601, as the feed says; empty if it does not.")
    state: State
    reason: str = Field(description="Why it was refused or quarantined.")
    source: str


class AssetDetail(AssetHit):
    """All that is known of an asset but its timeline."""

    kind: Literal["audio", "video"]
    container: str
    codec: str
    rate_hz: int
    channels: int
    size_bytes: int
    sha256: str
    guid: str
    feed: str
    link: str
    author: str
    description: str
    language: str
    season: int
    episode: int
    explicit: bool
    persons: list[str]
    soundbites: list[Soundbite]
    chapters: list[Chapter]
    rights: Rights
    profile: AudioProfile | None = Field(description="What was measured of its sound; null until it was heard.")


class TimelineShot(BaseModel):
    """A shot; its picture is at /shots/ID/thumbnail.webp."""

    id: str
    number: int
    start: float
    end: float
    transition: Transition
    fade_in_s: float
    fade_out_s: float
    keyframes: list[float]
    brightness: float
    contrast: float
    motion: float


class SpeakerName(BaseModel):
    """A speaker of an asset: the person's id, the same in all episodes of a show, and name, empty if unknown."""

    speaker: str
    person: str
    name: str
    likeness: float = Field(description="Cosine to the person's voice in other episodes; 1 where heard first.")


class Timeline(BaseModel):
    """What happens when in an asset. Times are seconds, half-open: [start, end)."""

    asset_id: str
    title: str
    duration_s: float
    words: list[Word]
    sentences: list[Sentence]
    turns: list[Turn]
    sounds: list[SoundSpan]
    topics: list[Topic]
    ads: list[AdSpan]
    spoilers: list[SpoilerSpan]
    markers: list[Marker] = []
    people: list[SpeakerName] = Field(default=[], description="Who the speakers of the turns are, within the show.")
    shots: list[TimelineShot] = []
    scenes: list[Scene] = []
    tags: list[Tag] = []
    layers: dict[str, list[dict[str, Any]]] = Field(
        default={}, description="Rows of installed extractors, by their name."
    )


class PreviewHit(BaseModel):
    """One preview; start, end and timecode are null if it was refused."""

    asset_id: str
    title: str
    show: str
    status: Literal["published", "refused"]
    reason: str
    start: float | None
    end: float | None
    timecode: str | None
    duration_s: float
    score: float
    why: list[str] = Field(description="What spoke most for this moment, the strongest first.")
    text: str
    audio: str | None = Field(description="Path of the sound on this server.")
    video: str | None = Field(default=None, description="Path of the film on this server, if the preview has pictures.")


class PreviewMoment(BaseModel):
    """A span of the asset that the preview is made of, in seconds."""

    start: float
    end: float


class Gate(BaseModel):
    """How many candidates a gate excluded, with examples of why."""

    gate: str
    excluded: int
    examples: list[str]


class PreviewSource(BaseModel):
    """The media that a preview was cut from."""

    url: str
    sha256: str


class PreviewDetail(BaseModel):
    """The content of preview.json."""

    asset_id: str
    status: Literal["published", "refused"]
    reason: str
    title: str
    show: str
    guid: str
    start: float | None
    end: float | None
    moments: list[PreviewMoment]
    duration_s: float
    score: float
    contributions: dict[str, float] = Field(description="Feature to its part of the score.")
    text: str
    loudness_lufs: float
    true_peak_dbtp: float
    gates: list[Gate]
    considered: int
    model: str
    run: str
    code: str
    source: PreviewSource
    license: str
    attribution: str


class AssetPage(BaseModel):
    """A stretch of the list of assets."""

    total: int
    offset: int
    items: list[AssetHit]


class PreviewPage(BaseModel):
    """A stretch of the list of previews."""

    total: int
    offset: int
    items: list[PreviewHit]


def preview_hit(asset: Asset, preview: Preview) -> PreviewHit:
    """The line of a preview in a list."""
    first, last = (preview.moments[0], preview.moments[-1]) if preview.moments else (None, None)
    return PreviewHit(
        asset_id=asset.asset_id,
        title=asset.title,
        show=asset.show,
        status=preview.status,
        reason=preview.reason,
        start=first.start if first else None,
        end=last.end if last else None,
        timecode=timestamp(first.start) if first else None,
        duration_s=preview.duration_s,
        score=preview.score,
        why=[name.replace("_", " ") for name in strongest(preview)],
        text=preview.text,
        audio=_address(asset, preview, "preview.mp3"),
        video=_address(asset, preview, "preview.mp4"),
    )


def _address(asset: Asset, preview: Preview, name: str) -> str | None:
    return f"/previews/{asset.asset_id}/{name}" if name in preview.files else None


def asset_detail(asset: Asset, catalog: Catalog, profile: AudioProfile | None) -> AssetDetail:
    """The asset with its state; where the store keeps its bytes stays inside."""
    known = {name: getattr(asset, name) for name in AssetDetail.model_fields if hasattr(asset, name)}
    entry = catalog.entry(asset)
    return AssetDetail(**{**known, "state": entry.state, "reason": entry.reason, "profile": profile})
