"""What is played in the report: the sound or the film of a preview, and the facts beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from featurization.media import Segment
from steps.reporting.timeline_scale import clock


@dataclass(frozen=True, slots=True)
class PreviewFile:
    """The published sound or film: an address relative to the page, and the bytes if the page is to carry them."""

    href: str
    duration_s: float
    loudness_lufs: float
    true_peak_dbtp: float
    gain_db: float = 0.0
    data: bytes = b""
    media_type: str = "audio/mpeg"
    poster: bytes = b""  # JPEG of a film
    has_sound: bool = True

    @property
    def address(self) -> str:
        """The bytes themselves if they are known, else where they are."""
        return data_url(self.media_type, self.data) if self.data else self.href


def player(preview: PreviewFile, picks: Sequence[Segment], *, with_player: bool) -> Markup:
    """The player, or a link in its place, and what was measured."""
    played = _played(preview) if with_player else Markup('<a href="{}">Play the preview</a>').format(preview.href)
    facts = Markup("").join(
        Markup('<span class="fact small number"><span class="dim">{}</span> <b>{}</b></span>').format(name, value)
        for name, value in _facts(preview, picks)
    )
    return Markup('<div class="player">{}{}</div>').format(played, facts)


def _played(preview: PreviewFile) -> Markup:
    preload = "metadata" if preview.data else "none"
    if not preview.media_type.startswith("video/"):
        return Markup('<audio controls preload="{}" src="{}"></audio>').format(preload, preview.address)
    still = Markup(' poster="{}"').format(data_url("image/jpeg", preview.poster)) if preview.poster else ""
    return Markup('<video controls playsinline preload="{}" src="{}"{}></video>').format(
        preload, preview.address, still
    )


def data_url(media_type: str, data: bytes) -> str:
    """The bytes as an address, so that a page carries them in itself."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _facts(preview: PreviewFile, picks: Sequence[Segment]) -> list[tuple[str, str]]:
    cut = [
        ("from", ", ".join(f"{clock(p.start)} to {clock(p.end)}" for p in picks)),
        ("length", f"{preview.duration_s:.1f} s"),
    ]
    if not preview.has_sound:
        return [*cut, ("loudness", "no sound")]
    return [
        *cut,
        ("loudness", f"{minus(preview.loudness_lufs)} LUFS"),
        ("true peak", f"{minus(preview.true_peak_dbtp)} dBTP"),
    ]


def minus(value: float, digits: int = 1) -> str:
    """A number with a real minus sign."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
