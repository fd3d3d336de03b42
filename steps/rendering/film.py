"""From moments of a film to one finished MP4: the pictures as they were shown, the sound mastered as for audio."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from featurization.errors import EmptyMedia, NoAudio, UnreadableMedia
from featurization.media import Segment
from steps.files import Files, explained
from steps.rendering.canvas import Canvas, Painter
from steps.rendering.cutting import Pcm, cut
from steps.rendering.mp4 import FilmOptions, encode_aac, film_writer
from steps.rendering.pictures import Picture, pictures
from steps.rendering.render import Piece, Rendered, RenderOptions, check_pieces, stitched, with_breath
from steps.rendering.stitch import Clip, Placement
from steps.rendering.takes import Take, mastered

_SILENCE_LUFS = -70.0
_HEAD_START_S = (
    0.04  # the fade begins this far on, so that the first picture, which players show as a still, is not black
)
_STEP_S = 0.04  # between two grades of brightness
_JITTER_S = 0.002  # timestamps of containers with millisecond clocks


@dataclass(frozen=True, slots=True)
class _Sound:
    """The mastered sound of a preview, or that there is none: then `take` is None and only the times count."""

    take: Take | None
    rate_hz: int
    channels: int
    duration_s: float
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class _Strip:
    """A stretch of the film, and the second of the preview at which it begins to be shown."""

    source: Segment
    start: float


def render_film(media: Path, pieces: Sequence[Piece], *, options: RenderOptions, target: Path) -> Rendered:
    """Cut `pieces` from the film `media`, join them in the given order and write one MP4 to `target`.

    Sound is faded, crossed and mastered as for audio; pictures fade at the ends and cut in the middle of a crossfade.
    A film without audible sound gives an MP4 without a sound track. The file appears whole or not at all; same input,
    same bytes. Raises MediaError if the film is damaged or ends before a piece does, StoreError if `target` cannot be
    written.
    """
    check_pieces(pieces, options)
    spans = [with_breath(piece, options) for piece in pieces]
    sound = _sound(media, pieces, spans, options)
    canvas = _written(media, _strips(spans, sound), sound, options, target)
    take = sound.take
    return Rendered(
        path=target,
        duration_s=sound.duration_s,
        loudness_lufs=take.loudness_lufs if take else _SILENCE_LUFS,
        true_peak_dbtp=take.true_peak_dbtp if take else _SILENCE_LUFS,
        gain_db=take.gain_db if take else 0.0,
        source_lufs=take.source_lufs if take else _SILENCE_LUFS,
        rate_hz=sound.rate_hz,
        channels=sound.channels,
        placements=sound.placements,
        width=canvas.width,
        height=canvas.height,
    )


def _sound(media: Path, pieces: Sequence[Piece], spans: Sequence[Segment], options: RenderOptions) -> _Sound:
    found = [_heard(media, span, options.film) for span in spans]
    pcm = next((pcm for pcm in found if pcm is not None), None)
    silent = _silent(pieces, spans)
    if pcm is None:
        return silent
    clips = [_clip(one, pcm, piece, span) for one, piece, span in zip(found, pieces, spans, strict=True)]
    samples, rate, placements = stitched(clips, options)
    bit_rate = options.film.mono_bit_rate if samples.shape[0] == 1 else options.film.stereo_bit_rate
    encode = partial(encode_aac, rate_hz=rate, bit_rate=bit_rate)
    name = f"{media}: from {pieces[0].start:.2f} s"
    try:
        take = mastered(samples, rate, encode=encode, options=options.master, name=name)
    except EmptyMedia:  # nothing to hear in the whole preview: a film may be silent
        return silent
    return _Sound(take, rate, samples.shape[0], samples.shape[1] / rate, placements)


def _heard(media: Path, span: Segment, options: FilmOptions) -> Pcm | None:
    """The sound of a stretch of the film, None if it has none there."""
    try:
        pcm = cut(media, span)
    except (NoAudio, EmptyMedia):
        return None
    if pcm.missing_s > options.max_missing_s:
        raise _too_damaged(media, pcm.missing_s, span)
    return pcm


def _clip(pcm: Pcm | None, like: Pcm, piece: Piece, span: Segment) -> Clip:
    """As much sound as there are pictures: where it ends before them, silence follows."""
    length = round(span.duration * like.rate_hz)
    samples = np.zeros((like.samples.shape[0], length), dtype=np.float32)
    if pcm is not None:
        samples[:, : pcm.samples.shape[1]] = pcm.samples[:, :length]
    lead = round((piece.start - span.start) * like.rate_hz)
    tail = max(0, length - lead - round(piece.duration * like.rate_hz))
    return Clip(samples, like.rate_hz, lead, tail, piece.span)


def _silent(pieces: Sequence[Piece], spans: Sequence[Segment]) -> _Sound:
    at, placements = 0.0, []
    for piece, span in zip(pieces, spans, strict=True):
        placements.append(Placement(piece.span, at + piece.start - span.start))
        at += span.duration
    return _Sound(None, 0, 0, at, tuple(placements))


def _strips(spans: Sequence[Segment], sound: _Sound) -> list[_Strip]:
    """What is shown when: each stretch until the middle of its crossfade into the next."""
    shifts = [placement.start - placement.source.start for placement in sound.placements]
    begins = [span.start + shift for span, shift in zip(spans, shifts, strict=True)]
    ends = [span.end + shift for span, shift in zip(spans, shifts, strict=True)]
    middles = [(end + begin) / 2 for end, begin in zip(ends[:-1], begins[1:], strict=True)]
    edges = [0.0, *middles, sound.duration_s]
    return [
        _Strip(Segment(max(0.0, start - shift), end - shift), start)
        for (start, end), shift in zip(pairwise(edges), shifts, strict=True)
    ]


def _written(media: Path, strips: Sequence[_Strip], sound: _Sound, options: RenderOptions, target: Path) -> Canvas:
    """Write the film; the size that it got."""
    film = options.film
    first = next(pictures(media, strips[0].source))
    painter = Painter(Canvas.of(first, max_side=film.max_side))
    with tempfile.TemporaryDirectory(prefix="rushes-") as folder, explained(f"writing {target}"):
        made = Path(folder) / target.name
        with film_writer(made, painter.canvas, options=film, aac=sound.take.data if sound.take else b"") as writer:
            for picture in _stepped(_timed(media, strips, film), sound.duration_s, options):
                gain = _gain(picture.start, sound.duration_s, options)
                writer.write(painter.drawn(picture, gain=gain), start=picture.start, end=picture.end)
        Files(str(target.parent)).write(target.name, made.read_bytes())
    return painter.canvas


def _timed(media: Path, strips: Iterable[_Strip], film: FilmOptions) -> Iterator[Picture]:
    """The pictures of all strips in seconds of the preview. UnreadableMedia if too much is missing."""
    missing_s = 0.0
    for strip in strips:
        shift = strip.start - strip.source.start
        for picture in thinned(pictures(media, strip.source), 1 / film.max_frame_rate):
            missing_s += picture.missing_s
            if missing_s > film.max_missing_s:
                raise _too_damaged(media, missing_s, strip.source)
            yield replace(picture, start=picture.start + shift, end=picture.end + shift)


def thinned(shown: Iterator[Picture], least_s: float) -> Iterator[Picture]:
    """Pictures that stay at least `least_s`; those that come sooner are left out."""
    kept: Picture | None = None
    for picture in shown:
        if kept is not None and picture.start - kept.start < least_s - _JITTER_S:
            kept = replace(kept, end=picture.end, missing_s=kept.missing_s + picture.missing_s)
            continue
        if kept is not None:
            yield kept
        kept = picture
    if kept is not None:
        yield kept


def _stepped(shown: Iterable[Picture], duration_s: float, options: RenderOptions) -> Iterator[Picture]:
    """The pictures, those that stay through a fade shown anew with every step of it."""
    fades = Segment(0.0, options.fade_in_s), Segment(max(0.0, duration_s - options.fade_out_s), duration_s)
    for picture in shown:
        steps = (
            np.arange(max(fade.start, picture.start), min(fade.end + _STEP_S, picture.end), _STEP_S) for fade in fades
        )
        edges = [picture.start]
        for time in (float(time) for times in steps for time in times):
            if time - edges[-1] > _STEP_S / 2 and picture.end - time > _STEP_S / 2:
                edges.append(time)
        for start, end in pairwise([*edges, picture.end]):
            yield replace(picture, start=start, end=end)


def _gain(time_s: float, duration_s: float, options: RenderOptions) -> float:
    """How bright a picture is that begins at `time_s` of the preview."""
    rising = (time_s + _HEAD_START_S) / max(options.fade_in_s, 1e-9)
    falling = (duration_s - time_s) / max(options.fade_out_s, 1e-9)
    return 0.5 - 0.5 * math.cos(math.pi * min(1.0, rising, falling))


def _too_damaged(media: Path, missing_s: float, span: Segment) -> UnreadableMedia:
    return UnreadableMedia(
        f"{media}: {missing_s:.1f} s between {span.start:.1f} and {span.end:.1f} s cannot be decoded; "
        "fetch the file again"
    )
