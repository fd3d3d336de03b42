"""What the page of an episode draws, as one small JSON: the wave, its lanes, the transcript, and who marked what."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from featurization.markers import told
from featurization.media import Asset, Hearing, LevelTrack, Segment, Sentence, Shot, Topic, Word, merge
from steps.choose import ScoredCandidate
from steps.feedback import GoldenClip
from steps.previews import Preview
from steps.rendering.waveform import bar_heights
from steps.reporting.timeline_svg import SPEAKER_STYLES, speakers

_MOST_BARS = 72_000  # two hours at ten a second; longer ones are drawn coarser
_MOST_BLOCKS = 2_000  # in a lane; what lies closer than that many parts of the whole is drawn as one
_MOST_CANDIDATES = 400
Block = list[Any]  # start, end, style, title, and a text to show in it


def wave(levels: LevelTrack | None) -> str:
    """Heights of the wave, 0 to 255, evenly over the whole, as base64; empty where nothing was measured."""
    if levels is None or not levels.decibels:
        return ""
    decibels = np.array(levels.decibels, dtype=np.float32)
    heights = bar_heights(decibels, min(len(decibels), _MOST_BARS))
    return base64.b64encode(np.round(heights * 255).astype(np.uint8).tobytes()).decode()


def lanes(hearing: Hearing | None, shots: Sequence[Shot], duration_s: float) -> list[dict[str, Any]]:
    """The bands under the wave that have something in them, from top to bottom."""
    unit_s = duration_s / _MOST_BLOCKS
    named = {"Shots": _shots(shots, unit_s), **(_heard(hearing, unit_s) if hearing else {})}
    return [{"name": name, "blocks": blocks} for name, blocks in named.items() if blocks]


def _heard(hearing: Hearing, unit_s: float) -> dict[str, list[Block]]:
    sounds, ads, spoilers = hearing.sounds, hearing.ads, hearing.spoilers
    return {
        "Speech": _merged((s for s in sounds if s.label == "speech"), "speech", "Speech", unit_s),
        "Music": _merged((s for s in sounds if s.label == "music"), "music", "Music", unit_s),
        "Speakers": list(_speakers(hearing, unit_s)),
        "Topics": [_topic(index, topic) for index, topic in enumerate(hearing.topics)],
        "Ads": [_block(a, "ad", f"{a.kind}, {a.tier}, {a.confidence:.0%} sure{_because(a.evidence)}") for a in ads],
        "Repeats": [_block(m, "marker", told(m)) for m in hearing.markers],
        "Spoilers": [_block(s, "spoiler", f"spoiler risk {s.risk:.0%}{_because(s.evidence)}") for s in spoilers],
    }


def candidates(rows: Sequence[ScoredCandidate], duration_s: float) -> list[list[Any]]:
    """The best clips of each stretch: start, end, height of the score from 0 to 1, the score, and whether picked."""
    scored = [row for row in rows if row.score is not None]
    scores = [row.score or 0.0 for row in scored]
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    best: dict[int, ScoredCandidate] = {}
    for row in sorted(scored, key=lambda row: (row.picked, row.score or 0.0)):
        best[int(row.middle / max(duration_s, 1e-3) * _MOST_CANDIDATES)] = row
    return [
        [
            *_times(row),
            round(((row.score or 0.0) - low) / ((high - low) or 1.0), 3),
            round(row.score or 0.0, 3),
            row.picked,
        ]
        for row in sorted(best.values())
    ]


def transcript(hearing: Hearing) -> list[dict[str, Any]]:
    """The sentences with who says them and where their words begin; no words where none were recorded."""
    voices = {name: index for index, name in enumerate(speakers(hearing.turns))}
    told = zip(hearing.sentences, _words_of(hearing.sentences, hearing.words), strict=True)
    return [
        {
            "start": round(sentence.start, 3),
            "end": round(sentence.end, 3),
            "speaker": sentence.speaker,
            "style": f"s{voices[sentence.speaker] % SPEAKER_STYLES}" if sentence.speaker in voices else "",
            "text": sentence.text,
            "words": [[round(word.start, 2), word.text] for word in words],
        }
        for sentence, words in told
    ]


def cuts(shots: Sequence[Shot]) -> list[float]:
    """Where a film may be cut: the edges of its shots, in order."""
    return sorted({round(edge, 3) for shot in shots for edge in (shot.start, shot.end)})


def clips(asset: Asset, marked: Sequence[GoldenClip]) -> list[dict[str, Any]]:
    """What editors marked and judged, and the publisher's soundbites, by where they start."""
    said = [
        {**_span(clip), "id": clip.id, "who": clip.who, "grade": clip.grade, "note": clip.note, "kind": clip.source}
        for clip in marked
    ]
    bites = [
        {
            **_span(bite),
            "id": "",
            "who": asset.show or "the publisher",
            "grade": 4,
            "note": bite.title,
            "kind": "soundbite",
        }
        for bite in asset.soundbites
    ]
    return sorted([*said, *bites], key=lambda clip: (clip["start"], clip["end"], clip["id"]))


def picks(preview: Preview | None) -> list[list[float]]:
    """The moments that are published."""
    return [_times(moment) for moment in preview.moments] if preview and preview.status == "published" else []


def _words_of(sentences: Sequence[Sentence], words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words of each sentence: those of its channel whose middle lies in it."""
    at = 0
    for sentence in sentences:
        while at < len(words) and words[at].middle < sentence.start:
            at += 1
        last = at
        while last < len(words) and words[last].middle < sentence.end:
            last += 1
        yield [word for word in words[at:last] if word.channel == sentence.channel]


def _span(segment: Segment) -> dict[str, float]:
    return {"start": round(segment.start, 3), "end": round(segment.end, 3)}


def _times(segment: Segment) -> list[float]:
    return [round(segment.start, 3), round(segment.end, 3)]


def _block(segment: Segment, style: str, title: str, text: str = "") -> Block:
    return [*_times(segment), style, title, text]


def _because(evidence: Sequence[str]) -> str:
    return f": {', '.join(evidence[:3])}" if evidence else ""


def _merged(spans: Iterable[Segment], style: str, title: str, unit_s: float) -> list[Block]:
    return [_block(span, style, title) for span in merge(spans, max_gap_s=unit_s)]


def _speakers(hearing: Hearing, unit_s: float) -> Iterator[Block]:
    for index, name in enumerate(speakers(hearing.turns)):
        turns = [turn for turn in hearing.turns if turn.speaker == name]
        yield from _merged(turns, f"s{index % SPEAKER_STYLES}", f"Speaker {name}", unit_s)


def _topic(index: int, topic: Topic) -> Block:
    title = topic.title or ", ".join(topic.keywords) or f"Part {index + 1}"
    return _block(topic, f"t{index % 2}", title, title)


def _shots(shots: Sequence[Shot], unit_s: float) -> list[Block]:
    """Blocks in two shades; where shots are shorter than a unit, several are one block."""
    starts: list[list[Shot]] = []
    for shot in shots:
        if starts and shot.end - starts[-1][0].start < unit_s:
            starts[-1].append(shot)
        else:
            starts.append([shot])
    return [
        _block(run[0] | run[-1], f"shot{index % 2}", f"Shot {run[0].number + 1}") for index, run in enumerate(starts)
    ]
