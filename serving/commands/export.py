"""What was heard and seen of one asset, in the formats that other tools read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from featurization.errors import StoreError
from featurization.media import Topic
from serving.commands.terminal import print_text
from serving.export_formats.contents import Contents
from serving.export_formats.edl import to_edl
from serving.export_formats.label_studio import to_label_studio
from serving.export_formats.otio import to_otio

Format = Literal["vtt", "srt", "chapters", "edl", "otio", "rttm", "label-studio", "json"]


def export(contents: Contents, form: Format) -> str:
    """The whole asset in one of FORMATS, as text that ends with a newline. Raises ConfigError for what it has not."""
    text = FORMATS[form](contents)
    return text if text.endswith("\n") else text + "\n"


def run_export(name: str, form: Format, out: Path | None) -> None:
    """Export the asset called `name` from the store to a file or to standard output."""
    text = export(_read(name), form)
    if out is None:
        print_text(text.removesuffix("\n"))
    else:
        _write(text, out)


def _read(name: str) -> Contents:
    from serving.catalog import read_catalog
    from steps.episodes import read_hearings
    from steps.people import known_people, with_names
    from steps.store import Store
    from steps.tables import SCENES, SHOTS, TAGS

    store = Store()
    asset = read_catalog(store).find(name)
    key = asset.asset_id
    hearing = read_hearings([key], store=store).get(key)
    return Contents(
        asset,
        hearing and with_names(hearing, known_people(key, store=store)),
        shots=store.read(SHOTS, [key]).get(key, ()),
        scenes=store.read(SCENES, [key]).get(key, ()),
        tags=store.read(TAGS, [key]).get(key, ()),
    )


def _write(text: str, target: Path) -> None:
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{target}: cannot be written ({error.strerror or error}); choose another --out") from error


def _vtt(contents: Contents) -> str:
    from steps.rendering.captions import caption_cues, to_vtt

    cues = caption_cues(contents.heard.sentences, contents.heard.words)
    return to_vtt(cues, language=contents.asset.language, speakers=True)


def _srt(contents: Contents) -> str:
    from steps.rendering.captions import caption_cues, to_srt

    return to_srt(caption_cues(contents.heard.sentences, contents.heard.words))


def _chapters(contents: Contents) -> str:
    """The topics, of a film in which nobody speaks of any its scenes, around intro, recap and outro."""
    from featurization.markers import around_markers
    from steps.feed_copies.annotate import chapters_json

    scenes = [Topic(scene.start, scene.end, f"Scene {n}") for n, scene in enumerate(sorted(contents.scenes), start=1)]
    chapters = around_markers(contents.heard.topics or scenes, contents.heard.markers)
    return chapters_json(chapters, title=contents.asset.title).decode()


def _rttm(contents: Contents) -> str:
    """Rich Transcription Time Marked: type file channel onset duration ortho stype name conf slat.

    Reference: NIST, The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan, appendix A.
    """
    return "\n".join(
        f"SPEAKER {contents.asset.asset_id} 1 {turn.start:.3f} {turn.duration:.3f} "
        f"<NA> <NA> {'_'.join(turn.speaker.split())} {turn.confidence:.2f} <NA>"
        for turn in sorted(contents.heard.turns)
    )


def _json(contents: Contents) -> str:
    seen = {
        name: [asdict(row) for row in rows]
        for name, rows in (("shots", contents.shots), ("scenes", contents.scenes), ("tags", contents.tags))
        if rows
    }
    everything = {"asset": asdict(contents.asset), **asdict(contents.heard), **seen}
    return json.dumps(everything, ensure_ascii=False, indent=1)


FORMATS: Mapping[Format, Callable[[Contents], str]] = {
    "vtt": _vtt,
    "srt": _srt,
    "chapters": _chapters,
    "edl": to_edl,
    "otio": to_otio,
    "rttm": _rttm,
    "label-studio": to_label_studio,
    "json": _json,
}
