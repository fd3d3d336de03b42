"""One episode in the report: what was published or why not, its player, timeline, reasons and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from featurization.media import Asset, Hearing, Segment, Shot
from steps.reporting.player import PreviewFile, minus, player
from steps.reporting.timeline_scale import clock
from steps.reporting.timeline_svg import SPEAKER_STYLES, ScoredSpan, speakers, timeline_svg

Outcome = Literal["published", "refused", "quarantined"]

_NAMES: dict[Outcome, str] = {"published": "Published", "refused": "No preview", "quarantined": "Quarantined"}
_MOST_REASONS, _MOST_RUNNERS = 8, 3
_LEGEND = (("music", "music"), ("ad", "ad"), ("spoiler", "spoiler risk"), ("candidate", "candidate, higher is better"))


@dataclass(frozen=True, slots=True)
class EpisodeReport:
    """Everything the report says of one episode; only what is known needs to be given."""

    title: str
    outcome: Outcome
    reason: str = ""  # why there is no preview
    asset: Asset | None = None
    hearing: Hearing | None = None
    levels: NDArray[np.float32] | None = field(default=None, compare=False)  # dBFS per equal step of the recording
    shots: tuple[Shot, ...] = ()
    picks: tuple[Segment, ...] = ()
    text: str = ""  # what the preview says
    before: str = ""  # the sentence before the pick, for judging the edge
    after: str = ""
    score: float | None = None
    candidates: tuple[ScoredSpan, ...] = ()
    runners_up: tuple[ScoredSpan, ...] = ()
    contributions: tuple[tuple[str, float], ...] = ()  # (in plain words, what it added to the score)
    gates: tuple[tuple[str, int], ...] = ()  # (why, how many candidates it excluded)
    preview: PreviewFile | None = None
    model: str = ""
    code_version: str = ""

    @property
    def anchor(self) -> str:
        """Where this episode's card is on the page, if its asset is known."""
        return f"a-{self.asset.asset_id}" if self.asset else ""


def episode_card(episode: EpisodeReport, *, run: str, with_player: bool) -> Markup:
    """The card of one episode; `with_player` embeds what is played if its bytes are given, else it is linked."""
    parts = [
        _head(episode),
        _reason(episode),
        player(episode.preview, episode.picks, with_player=with_player) if episode.preview else Markup(""),
        _words(episode),
        _timeline(episode),
        _columns(episode),
        _provenance(episode, run),
    ]
    return Markup('<section class="card" id="{}">{}</section>').format(episode.anchor, Markup("").join(parts))


def chip(outcome: Outcome) -> Markup:
    """A coloured word for what became of an episode."""
    return Markup('<span class="chip {}">{}</span>').format(outcome, _NAMES[outcome])


def _head(episode: EpisodeReport) -> Markup:
    asset = episode.asset
    title = Markup("<h2>{}</h2>").format(episode.title or "Untitled")
    if asset is None:
        return Markup('<div class="head"><div>{}</div>{}</div>').format(title, chip(episode.outcome))
    if asset.link.startswith(("https://", "http://")):
        title = Markup('<h2><a href="{}" rel="noreferrer">{}</a></h2>').format(asset.link, episode.title or "Untitled")
    facts = [asset.show, asset.published[:10], clock(asset.duration_s), asset.language, asset.rights.license]
    line = Markup('<div class="dim small">{}</div>').format(" · ".join(filter(None, facts)))
    return Markup('<div class="head"><div>{}{}</div>{}</div>').format(title, line, chip(episode.outcome))


def _reason(episode: EpisodeReport) -> Markup:
    if not episode.reason:
        return Markup("")
    return Markup('<p class="reason {}">{}</p>').format(episode.outcome, episode.reason)


def _words(episode: EpisodeReport) -> Markup:
    if not episode.text:
        return Markup("")
    before = Markup('<span class="dim">… {}</span> ').format(episode.before) if episode.before else Markup("")
    after = Markup(' <span class="dim">{} …</span>').format(episode.after) if episode.after else Markup("")
    return Markup("<blockquote>{}{}{}</blockquote>").format(before, episode.text, after)


def _timeline(episode: EpisodeReport) -> Markup:
    if episode.hearing is None:
        return Markup("")
    picture = timeline_svg(
        episode.hearing.profile.duration_s,
        hearing=episode.hearing,
        levels=episode.levels,
        shots=episode.shots,
        candidates=episode.candidates,
        picks=episode.picks,
    )
    return Markup('<div class="scroll">{}</div>{}').format(picture, _legend(episode.hearing, bool(episode.picks)))


def _legend(hearing: Hearing, picked: bool) -> Markup:
    voices = [(f"s{i}", f"speaker {name}") for i, name in enumerate(speakers(hearing.turns)[:SPEAKER_STYLES])]
    shown = [*([("pick", "the pick")] if picked else []), *voices, *_LEGEND]
    entries = Markup("").join(
        Markup('<span><svg viewBox="0 0 10 10"><rect class="{}" width="10" height="10" rx="3"/></svg>{}</span>').format(
            style, name
        )
        for style, name in shown
    )
    return Markup('<div class="legend">{}</div>').format(entries)


def _columns(episode: EpisodeReport) -> Markup:
    """Why it won and what was left out on the left, what came close on the right."""
    sides = (_contributions(episode) + _gates(episode), _runners(episode.runners_up))
    blocks = Markup("").join(Markup("<div>{}</div>").format(side) for side in sides if side)
    return Markup('<div class="columns">{}</div>').format(blocks) if blocks else Markup("")


def _contributions(episode: EpisodeReport) -> Markup:
    """Bars of what added most to the score and what took most from it, in the order of their size."""
    shown = sorted(episode.contributions, key=lambda c: -abs(c[1]))[:_MOST_REASONS]
    if not shown:
        return Markup("")
    low, high = min(0.0, *(v for _, v in shown)), max(0.0, *(v for _, v in shown))
    rows = Markup("").join(_bar(name, value, low, high) for name, value in shown)
    score = "" if episode.score is None else f" (score {minus(episode.score, 2)})"
    return Markup('<div><h3>Why this moment{}</h3><div class="bars">{}</div></div>').format(score, rows)


def _bar(name: str, value: float, low: float, high: float) -> Markup:
    span = (high - low) or 1.0
    left, width = 100 * (min(value, 0.0) - low) / span, max(0.8, 100 * abs(value) / span)
    sign = "+" if value > 0 else ""
    return Markup(
        '<span>{}</span><span class="bar"><i class="{}" style="left:{:.1f}%;width:{:.1f}%"></i></span>'
        '<span class="number dim">{}</span>'
    ).format(name, "plus" if value >= 0 else "minus", left, width, sign + minus(value, 2))


def _runners(runners: Sequence[ScoredSpan]) -> Markup:
    if not runners:
        return Markup("")
    rows = Markup("").join(
        Markup('<li><span class="number">{} to {}</span> <span class="dim number">score {}</span><br>{}</li>').format(
            clock(r.start), clock(r.end), minus(r.score, 2), r.text
        )
        for r in runners[:_MOST_RUNNERS]
    )
    return Markup('<div><h3>Runners-up</h3><ol class="runners">{}</ol></div>').format(rows)


def _gates(episode: EpisodeReport) -> Markup:
    if not episode.gates:
        return Markup("")
    rows = Markup("").join(
        Markup('<tr><td>{}</td><td class="right number">{}</td></tr>').format(why, f"{count:,}")
        for why, count in episode.gates
    )
    return Markup("<div><h3>Left out before scoring</h3><table>{}</table></div>").format(rows)


def _provenance(episode: EpisodeReport, run: str) -> Markup:
    asset = episode.asset
    heard = ", ".join((episode.hearing.profile.transcript, *episode.hearing.profile.models)) if episode.hearing else ""
    named = [
        ("asset", asset.asset_id if asset else ""),
        ("run", run),
        ("ranked by", episode.model),
        ("heard by", heard),
        ("code", episode.code_version),
        ("rights", asset.rights.source if asset else ""),
    ]
    items = Markup(" · ").join(Markup("{} <code>{}</code>").format(name, value) for name, value in named if value)
    return Markup('<p class="provenance">{}</p>').format(items) if items else Markup("")
