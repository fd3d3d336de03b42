"""An episode at a glance: waveform and lanes to scale over its length, as one inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from featurization.markers import told
from featurization.media import Hearing, Segment, Shot, Topic, Turn, merge
from steps.rendering.waveform import bar_heights
from steps.reporting.timeline_scale import GUTTER, LANE_HEIGHT, PLOT, WIDTH, Scale, axis, clock, rect

Span = TypeVar("Span", bound=Segment)

_WAVE_HEIGHT, _LANE_GAP, _SCORE_HEIGHT, _AXIS_HEIGHT = 64, 7, 44, 22
_BAR, _BAR_GAP = 2.2, 1.4
SPEAKER_STYLES = 6
_LETTER, _LEAST_LETTERS = 5.6, 4  # units a letter of a topic title takes; shorter ones are left out
_SAME_S = 0.05


@dataclass(frozen=True, slots=True)
class ScoredSpan(Segment):
    """A candidate moment, its score, and its words if they are to be shown."""

    score: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Lane:
    name: str
    height: int
    body: Markup


def speakers(turns: Sequence[Turn]) -> list[str]:
    """Who speaks, in order of first appearance; the style of the n-th is "s" and n modulo 6."""
    return list(dict.fromkeys(t.speaker for t in sorted(turns)))


def timeline_svg(
    duration_s: float,
    *,
    hearing: Hearing,
    levels: NDArray[np.float32] | None = None,
    shots: Sequence[Shot] = (),
    candidates: Sequence[ScoredSpan] = (),
    picks: Sequence[Segment] = (),
) -> Markup:
    """Waveform, shots, speakers, topics, music, ads, repeats, spoilers, candidates and pick, over `duration_s` seconds.

    `levels` are dBFS per equal step of the whole recording. What lies closer than a unit is drawn as one, so that
    ten hours cost no more than ten minutes. Colours come from the page's style (`steps/reporting/page_style.py`).
    """
    scale = Scale(max(duration_s, 1e-3))
    lanes = [lane for lane in _lanes(scale, hearing, levels, shots, candidates, picks) if lane.body]
    body, top = [], 4
    for lane in lanes:
        body.append(_placed(lane, top))
        top += lane.height + _LANE_GAP
    marks = Markup("").join(_pick_mark(scale, pick, top) for pick in picks)
    ticks = axis(scale, top)
    return Markup(
        '<svg class="timeline" viewBox="0 0 {} {}" role="img" aria-label="Timeline of {}">{}{}{}</svg>'
    ).format(WIDTH, top + _AXIS_HEIGHT, clock(duration_s), Markup("").join(body), marks, ticks)


def _lanes(
    scale: Scale,
    hearing: Hearing,
    levels: NDArray[np.float32] | None,
    shots: Sequence[Shot],
    candidates: Sequence[ScoredSpan],
    picks: Sequence[Segment],
) -> Iterator[_Lane]:
    music = [s for s in hearing.sounds if s.label == "music"]
    yield _Lane("", _WAVE_HEIGHT, _waveform(scale, levels, picks))
    yield _Lane("Shots", LANE_HEIGHT, _shots(scale, shots))
    yield _Lane("Speakers", LANE_HEIGHT, _speakers(scale, hearing.turns))
    yield _Lane("Topics", LANE_HEIGHT, _topics(scale, hearing.topics))
    yield _Lane("Music", LANE_HEIGHT, _spans(scale, music, "music", "Music"))
    yield _Lane("Ads", LANE_HEIGHT, _ads(scale, hearing))
    yield _Lane("Repeats", LANE_HEIGHT, _markers(scale, hearing))
    yield _Lane("Spoilers", LANE_HEIGHT, _spoilers(scale, hearing))
    yield _Lane("Candidates", _SCORE_HEIGHT, _candidates(scale, candidates, picks))


def _placed(lane: _Lane, top: int) -> Markup:
    base = Markup('<g transform="translate(0 {})">').format(top)
    track = Markup('<rect class="track" x="{}" width="{}" height="{}" rx="3"/>').format(GUTTER, PLOT, lane.height)
    name = Markup('<text class="lane" x="0" y="{}">{}</text>').format(lane.height / 2 + 4, lane.name)
    return base + (track + name if lane.name else Markup("")) + lane.body + Markup("</g>")


def _spans(scale: Scale, spans: Iterable[Segment], style: str, title: str) -> Markup:
    return Markup("").join(rect(scale, s, style, title) for s in merge(spans, max_gap_s=scale.unit_s))


def _waveform(scale: Scale, levels: NDArray[np.float32] | None, picks: Sequence[Segment]) -> Markup:
    """Rounded bars, those inside a pick in its colour."""
    if levels is None or len(levels) == 0:
        return Markup("")
    bars, middle, reach = int(PLOT / (_BAR + _BAR_GAP)), _WAVE_HEIGHT / 2, (_WAVE_HEIGHT - _BAR) / 2
    strokes: dict[bool, list[str]] = {True: [], False: []}
    for index, height in enumerate(bar_heights(levels, bars)):
        share = (index + 0.5) / bars
        picked = any(share * scale.duration_s in pick for pick in picks)
        half = max(0.05, float(height) * reach)
        strokes[picked].append(f"M{GUTTER + share * PLOT:.1f} {middle - half:.1f}v{2 * half:.1f}")
    return Markup('<path class="wave" d="{}"/><path class="wave picked" d="{}"/>').format(
        "".join(strokes[False]), "".join(strokes[True])
    )


def _shots(scale: Scale, shots: Sequence[Shot]) -> Markup:
    """Blocks in two shades; where shots are shorter than a unit, several are one block."""
    blocks: list[list[Shot]] = []
    for shot in shots:
        if blocks and shot.end - blocks[-1][0].start < scale.unit_s:
            blocks[-1].append(shot)
        else:
            blocks.append([shot])
    return Markup("").join(_shot(scale, block, f"shot{index % 2}") for index, block in enumerate(blocks))


def _shot(scale: Scale, block: Sequence[Shot], style: str) -> Markup:
    first, last = block[0], block[-1]
    name = (
        f"Shot {first.number + 1} ({first.transition})"
        if first is last
        else f"Shots {first.number + 1} to {last.number + 1}"
    )
    return rect(scale, first | last, style, name)


def _speakers(scale: Scale, turns: Sequence[Turn]) -> Markup:
    return Markup("").join(
        _spans(scale, [t for t in turns if t.speaker == name], f"speaker s{index % SPEAKER_STYLES}", f"Speaker {name}")
        for index, name in enumerate(speakers(turns))
    )


def _topics(scale: Scale, topics: Sequence[Topic]) -> Markup:
    wide = [t for t in sorted(topics) if t.duration >= scale.unit_s]
    return Markup("").join(_topic(scale, topic, index) for index, topic in enumerate(wide))


def _topic(scale: Scale, topic: Topic, index: int) -> Markup:
    title = topic.title or ", ".join(topic.keywords) or f"Part {index + 1}"
    letters = int((scale.width(topic) - 10) / _LETTER)
    shown = title if len(title) <= letters else f"{title[: max(0, letters - 1)]}…"
    block = rect(scale, topic, f"topic t{index % 2}", f"{title} ({', '.join(topic.keywords)})")
    text = Markup('<text class="topic-name" x="{:.1f}" y="10.5">{}</text>').format(scale.x(topic.start) + 5, shown)
    return block + (text if letters >= _LEAST_LETTERS else Markup(""))


def _ads(scale: Scale, hearing: Hearing) -> Markup:
    return Markup("").join(
        rect(scale, ad, "ad", f"{ad.kind} {ad.confidence:.0%}: {', '.join(ad.evidence[:4])}") for ad in hearing.ads
    )


def _markers(scale: Scale, hearing: Hearing) -> Markup:
    return Markup("").join(rect(scale, m, "marker", told(m)) for m in hearing.markers)


def _spoilers(scale: Scale, hearing: Hearing) -> Markup:
    return Markup("").join(
        rect(scale, s, "spoiler", f"Spoiler risk {s.risk:.0%}: {', '.join(s.evidence[:4])}", opacity=0.2 + 0.8 * s.risk)
        for s in _strongest(hearing.spoilers, scale.unit_s, key="risk")
    )


def _candidates(scale: Scale, candidates: Sequence[ScoredSpan], picks: Sequence[Segment]) -> Markup:
    """A dot each: across at its middle, up by its score; the best of those that would lie on one another."""
    shown = _strongest(candidates, scale.unit_s * 2, key="score")
    if not shown:
        return Markup("")
    low, high = min(c.score for c in shown), max(c.score for c in shown)
    return Markup("").join(_dot(scale, c, (c.score - low) / ((high - low) or 1.0), picks) for c in shown)


def _dot(scale: Scale, candidate: ScoredSpan, height: float, picks: Sequence[Segment]) -> Markup:
    chosen = any(max(abs(candidate.start - p.start), abs(candidate.end - p.end)) < _SAME_S for p in picks)
    y = _SCORE_HEIGHT - 5 - height * (_SCORE_HEIGHT - 10)
    title = f"Score {candidate.score:.3f} · {clock(candidate.start)} to {clock(candidate.end)}"
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>').format(
        "candidate chosen" if chosen else "candidate", scale.x(candidate.middle), y, 4.5 if chosen else 2.2, title
    )


def _strongest(spans: Iterable[Span], bucket_s: float, *, key: str) -> list[Span]:
    """One span per bucket of time, the one whose `key` is highest."""
    value, best = attrgetter(key), dict[int, Span]()
    for span in spans:
        place = int(span.middle / bucket_s)
        if place not in best or value(span) > value(best[place]):
            best[place] = span
    return [best[place] for place in sorted(best)]


def _pick_mark(scale: Scale, pick: Segment, height: int) -> Markup:
    return Markup(
        '<rect class="pick" x="{:.1f}" y="0" width="{:.1f}" height="{}" rx="4"><title>{}</title></rect>'
    ).format(
        scale.x(pick.start) - 1,
        scale.width(pick) + 2,
        height,
        f"The pick · {clock(pick.start)} to {clock(pick.end)} ({pick.duration:.1f} s)",
    )
