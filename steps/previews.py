"""The preview of an asset as the store keeps it, and as others read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from featurization.media import Asset, Segment
from steps.tables import Table

SOUND, FILM = "preview.mp3", "preview.mp4"
PLAYABLE = (FILM, SOUND)


@dataclass(frozen=True, slots=True)
class GateCount:
    """How many candidates a gate excluded, with examples of why."""

    gate: str
    excluded: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunnerUp(Segment):
    """A clip that was nearly chosen."""

    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The preview of one asset, or why it has none. Times are seconds of the asset."""

    status: Literal["published", "refused"]
    title: str
    recipe: str  # digest of everything that decides the files, except the run
    run: str
    model: str
    code: str
    reason: str = ""  # why it was refused
    moments: tuple[Segment, ...] = ()  # one, unless stitched
    score: float = 0.0
    contributions: dict[str, float] = field(default_factory=dict)  # of the best moment: feature -> part of the score
    text: str = ""
    gates: tuple[GateCount, ...] = ()
    considered: int = 0
    runners_up: tuple[RunnerUp, ...] = ()
    duration_s: float = 0.0
    sound: bool = True  # False: a silent film
    width: int = 0  # pixels; 0 without pictures
    height: int = 0
    poster: str = ""  # name of the still that stands for it, among the files
    loudness_lufs: float = 0.0  # -70, as the true peak, where there is no sound
    true_peak_dbtp: float = 0.0
    files: dict[str, str] = field(default_factory=dict)  # name -> store key of the bytes

    @property
    def media(self) -> str:
        """Name of what is played, among the files; empty if it was refused."""
        return next((name for name in PLAYABLE if name in self.files), "")


PREVIEWS = Table("previews", Preview)


def preview_json(asset: Asset, preview: Preview) -> dict[str, Any]:
    """What `preview.json` and the API say of a preview."""
    return {
        "asset_id": asset.asset_id,
        "status": preview.status,
        "reason": preview.reason,
        "title": asset.title,
        "show": asset.show,
        "guid": asset.guid,
        "start": preview.moments[0].start if preview.moments else None,
        "end": preview.moments[-1].end if preview.moments else None,
        "moments": [{"start": m.start, "end": m.end} for m in preview.moments],
        "duration_s": preview.duration_s,
        "sound": preview.sound,
        "width": preview.width,
        "height": preview.height,
        "poster": preview.poster,
        "score": preview.score,
        "contributions": preview.contributions,
        "text": preview.text,
        "loudness_lufs": preview.loudness_lufs,
        "true_peak_dbtp": preview.true_peak_dbtp,
        "gates": [{"gate": g.gate, "excluded": g.excluded, "examples": list(g.examples)} for g in preview.gates],
        "considered": preview.considered,
        "model": preview.model,
        "run": preview.run,
        "code": preview.code,
        "source": {"url": asset.source, "sha256": asset.sha256},
        "license": asset.rights.license,
        "attribution": asset.rights.attribution,
    }
