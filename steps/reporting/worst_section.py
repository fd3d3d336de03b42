"""The episodes whose preview is farthest from what editors chose: both to listen to, to read and to place."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup

from eval.segment_metrics import iou
from featurization.errors import RushesError
from featurization.media import Asset, Segment, Word
from steps.evaluation import Previews
from steps.golden import Golden
from steps.judging import Judgement
from steps.rendering.cutting import cut
from steps.rendering.mp3 import encode_mp3
from steps.reporting.charts import Axis
from steps.reporting.numbers import three
from steps.reporting.page import joined, note, section
from steps.reporting.player import data_url
from steps.reporting.timeline_scale import clock
from steps.store import Store
from steps.tables import ASSETS, WORDS

_PLAYED_S = 45.0  # of a clip; editors may mark three minutes
_BIT_RATE = 40_000  # speech in mono: twenty clips in under five megabytes
_QUOTED = 60  # words


@dataclass(frozen=True)
class _Episode:
    """One of the worst: what was picked, what was chosen, and what is known of the asset."""

    judgement: Judgement
    golden: tuple[Golden, ...]
    asset: Asset | None
    words: Sequence[Word]

    @property
    def nearest(self) -> Golden | None:
        """The golden clip that the pick was measured against."""
        pick = self.judgement.pick
        if pick is None:
            return self.golden[0] if self.golden else None
        return max(self.golden, key=lambda clip: (iou(pick, clip), -abs(clip.middle - pick.middle)), default=None)


def worst_section(previews: Previews, *, store: Store) -> Markup:
    """The worst episodes with players, as far as their bytes are still in the store."""
    asset_ids = [judgement.asset_id for judgement in previews.worst]
    assets, words = store.read(ASSETS, asset_ids), store.read(WORDS, asset_ids)
    episodes = [
        _Episode(
            judgement,
            tuple(clip for clip in previews.golden.clips.get(judgement.asset_id, ()) if clip.chosen),
            next(iter(assets.get(judgement.asset_id, ())), None),
            words.get(judgement.asset_id, ()),
        )
        for judgement in previews.worst
    ]
    return section(
        "Where it was farthest from its editors",
        *(_episode(episode, store) for episode in episodes),
        lead="What the ranker in use picked, the worst first, and the nearest clip that an editor chose.",
    )


def _episode(episode: _Episode, store: Store) -> Markup:
    judgement = episode.judgement
    head = Markup(
        '<div class="head"><div><b>{}</b><div class="dim small">{}</div></div><span class="number">{}</span></div>'
    )
    facts = [judgement.traits.get("show", ""), clock(episode.asset.duration_s) if episode.asset else ""]
    sides = [("The pick", judgement.pick, "ours"), ("An editor's choice", episode.nearest, "golden")]
    clips = joined(_clip(name, span, style, episode, store) for name, span, style in sides)
    return Markup('<article class="worst">{}{}<div class="columns">{}</div></article>').format(
        head.format(judgement.title or "Untitled", " · ".join(filter(None, facts)), f"IoU {three(judgement.iou)}"),
        _strip(episode),
        clips,
    )


def _strip(episode: _Episode) -> Markup:
    """Where in the episode the golden clips lie, above, and the pick, below."""
    if episode.asset is None or not episode.asset.duration_s:
        return Markup("")
    axis, pick = Axis(0.0, episode.asset.duration_s), episode.judgement.pick
    rect = Markup('<rect class="{}" x="{:.2f}%" width="{:.2f}%" y="{}" height="7" rx="2"><title>{}</title></rect>')

    def drawn(span: Segment, style: str, y: int, title: str) -> Markup:
        width = max(0.4, axis.at(span.end) - axis.at(span.start))
        return rect.format(style, axis.at(span.start), width, y, f"{title} · {_times(span)}")

    spans = [drawn(clip, "golden", 3, clip.editor) for clip in episode.golden]
    spans += [drawn(pick, "value ours", 12, "the pick")] if pick else []
    return Markup(
        '<svg class="strip" width="100%" height="22" role="img" aria-label="{}">'
        '<rect class="track" width="100%" y="1" height="20" rx="4"/>{}</svg>'
    ).format("where the golden clips and the pick lie in the episode", joined(spans))


def _clip(name: str, span: Segment | None, style: str, episode: _Episode, store: Store) -> Markup:
    title = Markup('<h3><i class="mark {}"></i>{}</h3>').format(style, name)
    if span is None:
        return Markup("<div>{}{}</div>").format(
            title, note("No clip passed the gates." if style == "ours" else "None.")
        )
    by = f" · {span.editor}" if isinstance(span, Golden) else ""
    times = Markup('<p class="small number">{}<span class="dim"> · {:.1f} s{}</span></p>').format(
        _times(span), span.duration, by
    )
    return Markup("<div><div>{}{}{}{}</div></div>").format(
        title, times, _player(span, episode.asset, store), _quote(span, episode.words)
    )


def _times(span: Segment) -> str:
    return f"{clock(span.start)} to {clock(span.end)}"


def _player(span: Segment, asset: Asset | None, store: Store) -> Markup:
    data = _sound(span, asset, store)
    if not data:
        return note("The recording is gone from the store or cannot be decoded; ingest it again to listen.")
    shortened = note(f"The first {_PLAYED_S:.0f} seconds.") if span.duration > _PLAYED_S else Markup("")
    return Markup('<audio controls preload="none" src="{}"></audio>{}').format(data_url("audio/mpeg", data), shortened)


def _sound(span: Segment, asset: Asset | None, store: Store) -> bytes:
    """The span in mono as MP3; empty if it cannot be had: a report must not fail for want of a sound."""
    if asset is None or not asset.blob or not store.files.exists(asset.blob):
        return b""
    heard = Segment(span.start, min(span.end, span.start + _PLAYED_S))
    with suppress(RushesError), store.local(asset.blob) as path:
        pcm = cut(path, heard, name=asset.title)
        return encode_mp3(pcm.samples.mean(axis=0, keepdims=True), pcm.rate_hz, bit_rate=_BIT_RATE)
    return b""


def _quote(span: Segment, words: Sequence[Word]) -> Markup:
    said = [word.text.strip() for word in words if span.start <= word.middle < span.end]
    if not said:
        return Markup("")
    text = " ".join(islice(said, _QUOTED)) + (" …" if len(said) > _QUOTED else "")
    return Markup('<p class="quote small">{}</p>').format(text)
