"""What was heard of one asset, in the formats that other tools read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from featurization.errors import ConfigError, StoreError
from featurization.media import Asset, Hearing, Segment
from serving.terminal import print_text

Format = Literal["vtt", "srt", "chapters", "rttm", "label-studio", "json"]


def export(asset: Asset, hearing: Hearing, form: Format) -> str:
    """The whole asset in one of FORMATS, as text that ends with a newline."""
    text = FORMATS[form](asset, hearing)
    return text if text.endswith("\n") else text + "\n"


def run_export(name: str, form: Format, out: Path | None) -> None:
    """Export the asset called `name` from the store to a file or to standard output."""
    from serving.catalog import read_catalog
    from steps.episodes import read_hearings
    from steps.store import Store

    store = Store()
    asset = read_catalog(store).find(name)
    hearing = read_hearings([asset.asset_id], store=store).get(asset.asset_id)
    if hearing is None:
        way = f"python flows/featurize_media.py run --assets {asset.asset_id}"
        raise ConfigError(f"{asset.title} was not heard yet, so there is nothing to export; run `{way}`")
    text = export(asset, hearing, form)
    if out is None:
        print_text(text.removesuffix("\n"))
    else:
        _write(text, out)


def _write(text: str, target: Path) -> None:
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{target}: cannot be written ({error.strerror or error}); choose another --out") from error


def _vtt(asset: Asset, hearing: Hearing) -> str:
    from steps.rendering.captions import caption_cues, to_vtt

    return to_vtt(caption_cues(hearing.sentences, hearing.words), language=asset.language, speakers=True)


def _srt(_asset: Asset, hearing: Hearing) -> str:
    from steps.rendering.captions import caption_cues, to_srt

    return to_srt(caption_cues(hearing.sentences, hearing.words))


def _chapters(asset: Asset, hearing: Hearing) -> str:
    from steps.feed_copies.annotate import chapters_json

    return chapters_json(hearing.topics, title=asset.title).decode()


def _rttm(asset: Asset, hearing: Hearing) -> str:
    """Rich Transcription Time Marked: type file channel onset duration ortho stype name conf slat.

    Reference: NIST, The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan, appendix A.
    """
    return "\n".join(
        f"SPEAKER {asset.asset_id} 1 {turn.start:.3f} {turn.duration:.3f} "
        f"<NA> <NA> {turn.speaker} {turn.confidence:.2f} <NA>"
        for turn in sorted(hearing.turns)
    )


def _json(asset: Asset, hearing: Hearing) -> str:
    return json.dumps({"asset": asdict(asset), **asdict(hearing)}, ensure_ascii=False, indent=1)


def _label_studio(asset: Asset, hearing: Hearing) -> str:
    """One task with its audio and our regions as predictions, for a project with Labels named speaker, ad and topic.

    Reference: https://labelstud.io/guide/predictions
    """
    regions = [
        *(_region("speaker", n, turn, label=turn.speaker) for n, turn in enumerate(sorted(hearing.turns))),
        *(_region("ad", n, ad, label=ad.kind, notes=ad.evidence) for n, ad in enumerate(sorted(hearing.ads))),
        *(_region("topic", n, topic, label="topic", notes=(topic.title,)) for n, topic in enumerate(hearing.topics)),
    ]
    for region in regions:
        region["original_length"] = asset.duration_s
    data = {"audio": asset.source, "asset_id": asset.asset_id, "title": asset.title}
    predictions = [{"model_version": " ".join(hearing.profile.models) or "rushes", "result": regions}]
    return json.dumps([{"data": data, "predictions": predictions}], ensure_ascii=False, indent=1)


def _region(group: str, number: int, span: Segment, *, label: str, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "id": f"{group}-{number}",
        "from_name": group,
        "to_name": "audio",
        "type": "labels",
        "value": {"start": span.start, "end": span.end, "channel": 0, "labels": [label]},
        "meta": {"text": [note for note in notes if note]},
    }


FORMATS: Mapping[Format, Callable[[Asset, Hearing], str]] = {
    "vtt": _vtt,
    "srt": _srt,
    "chapters": _chapters,
    "rttm": _rttm,
    "label-studio": _label_studio,
    "json": _json,
}
