"""Everything that is published of one preview, as bytes: the sound or the film, its still, captions and description.

Sound and film go the same way and differ in who renders and who tags.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from featurization.markers import around_markers
from featurization.media import Asset, Segment
from ranking.cut_points import CutPoints
from steps.episodes import Episode
from steps.feed_copies.annotate import chapters_json
from steps.previews import FILM, SOUND, Preview, preview_json
from steps.rendering.captions import caption_cues, to_vtt
from steps.rendering.film import render_film
from steps.rendering.poster import poster_jpeg, poster_time
from steps.rendering.render import Piece, Rendered, RenderOptions, piece_between, render_preview
from steps.rendering.tagging import PreviewTags, tag_film, tag_preview
from steps.rendering.waveform import preview_levels, waveform_png, waveform_svg

POSTER = "poster.jpg"


def make_preview(
    episode: Episode, draft: Preview, media: Path, *, folder: Path, options: RenderOptions, cover: bytes
) -> tuple[Preview, dict[str, bytes]]:
    """Render the moments of `draft` from `media` by way of `folder`: the preview as measured, and its files by name.

    `cover` is the picture of a sound without pictures, empty if there is none.
    """
    pieces = _pieces(episode, draft)
    if episode.is_film:
        target = folder / FILM
        rendered = render_film(media, pieces, options=options, target=target)
        tag_film(target, _tags(episode.asset, draft, rendered))
        still = poster_jpeg(media, poster_time(draft.moments[0], episode.shots), max_side=options.film.max_side)
        stills = {POSTER: still}
    else:
        target = folder / SOUND
        rendered = render_preview(media, pieces, options=options, target=target)
        tag_preview(target, _tags(episode.asset, draft, rendered), cover=cover)
        stills = {}
    preview = _measured(draft, rendered, poster=next(iter(stills), ""))
    return preview, {target.name: target.read_bytes(), **stills, **_companions(episode, preview, rendered)}


def _pieces(episode: Episode, draft: Preview) -> list[Piece]:
    """The moments with the room for breath that sentences, ads, music and cuts leave."""
    hearing, cuts = episode.hearing, CutPoints.of(episode.shots)
    edges = [Segment(time, time) for time in (*cuts.begins, *cuts.ends)]
    around = [*hearing.sentences, *hearing.ads, *(s for s in hearing.sounds if s.label == "music"), *edges]
    return [piece_between(moment, around) for moment in draft.moments]


def _measured(draft: Preview, rendered: Rendered, *, poster: str) -> Preview:
    return replace(
        draft,
        duration_s=round(rendered.duration_s, 3),
        sound=rendered.has_sound,
        width=rendered.width,
        height=rendered.height,
        poster=poster,
        loudness_lufs=round(rendered.loudness_lufs, 2),
        true_peak_dbtp=round(rendered.true_peak_dbtp, 2),
    )


def _tags(asset: Asset, draft: Preview, rendered: Rendered) -> PreviewTags:
    return PreviewTags(
        title=asset.title,
        show=asset.show or asset.author,
        album=f"{asset.show}: previews" if asset.show else "",
        duration_s=rendered.duration_s,
        asset_id=asset.asset_id,
        source=", ".join(f"{m.start:.2f}–{m.end:.2f} s" for m in draft.moments),
        model=draft.model,
        run=f"{draft.run} ({draft.code})",
        language=asset.language,
        link=asset.link,
        attribution=asset.rights.attribution,
    )


def _companions(episode: Episode, preview: Preview, rendered: Rendered) -> dict[str, bytes]:
    """The files that go with a preview: description, captions, waveform; and the episode's transcript and chapters."""
    asset, hearing = episode.asset, episode.hearing
    cues = caption_cues(hearing.sentences, hearing.words, placements=rendered.placements)
    transcript = caption_cues(hearing.sentences, hearing.words)
    return {
        "preview.json": json.dumps(preview_json(asset, preview), ensure_ascii=False, indent=1).encode(),
        "preview.vtt": to_vtt(cues, language=asset.language).encode(),
        **(_waveforms(asset, rendered.path) if rendered.has_sound else {}),
        "transcript.vtt": to_vtt(transcript, language=asset.language, speakers=True).encode(),
        "chapters.json": chapters_json(around_markers(hearing.topics, hearing.markers), title=asset.title),
    }


def _waveforms(asset: Asset, media: Path) -> dict[str, bytes]:
    levels = preview_levels(media.read_bytes())
    return {
        "waveform.svg": waveform_svg(levels, label=f"Waveform of the preview of {asset.title}").encode(),
        "waveform.png": waveform_png(levels),
    }
