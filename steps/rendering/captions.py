"""Captions: sentences and words become short, timed, balanced cues, as WebVTT or SubRip."""

from __future__ import annotations

import html
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from operator import attrgetter

from featurization.media import Sentence, Word
from featurization.transcripts import Cue
from steps.rendering.stitch import Placement

_CLAUSE_END = re.compile(r"[,;:.!?)\]\"\u2026\u2013\u2014\u2019\u201d]$")
_CLAUSE_LEAST = 0.5  # share of a full cue below which a comma does not end it


@dataclass(frozen=True, slots=True)
class CaptionOptions:
    """How much a cue shows, and for how long."""

    line_chars: int = 42  # characters a line holds, as broadcasters have it
    lines: int = 2
    pause_s: float = 0.8  # a pause this long inside a sentence ends the cue
    least_s: float = 1.0  # a cue stays at least this long where the next one leaves room
    linger_s: float = 0.3  # a cue stays this long after its last word where there is room

    def __post_init__(self) -> None:
        if self.line_chars < 1 or self.lines < 1 or min(self.pause_s, self.least_s, self.linger_s) < 0:
            raise ValueError("line_chars and lines must be at least 1 and times must not be negative")


def caption_cues(
    sentences: Sequence[Sentence],
    words: Sequence[Word],
    *,
    placements: Sequence[Placement] | None = None,
    options: CaptionOptions | None = None,
) -> tuple[Cue, ...]:
    """Cues in order; relative to the preview if `placements` say what of the recording lies where in it.

    Words give the times; a sentence without words is spread evenly over its letters.
    """
    options = options or CaptionOptions()
    spoken = _spoken(sentences, words)
    if placements is not None:
        spoken = [moved for placement in placements for moved in _placed(spoken, placement)]
    cues = [
        Cue(chunk[0].start, chunk[-1].end, _laid_out([w.text for w in chunk], options), sentence.speaker)
        for sentence, timed in spoken
        for chunk in _chunks(timed, options)
    ]
    return tuple(_settled(cues, options))


def to_vtt(cues: Iterable[Cue], *, language: str = "", speakers: bool = False) -> str:
    """WebVTT text; with `speakers`, each cue names its voice."""
    head = f"WEBVTT\nLanguage: {language}\n" if language else "WEBVTT\n"
    blocks = [f"{timestamp(cue.start)} --> {timestamp(cue.end)}\n{_vtt_text(cue, speakers)}\n" for cue in cues]
    return "\n".join([head, *blocks])


def to_srt(cues: Iterable[Cue]) -> str:
    """SubRip text, numbered from 1."""
    return "\n".join(
        f"{number}\n{timestamp(cue.start, ',')} --> {timestamp(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues, start=1)
    )


def _spoken(sentences: Sequence[Sentence], words: Sequence[Word]) -> list[tuple[Sentence, list[Word]]]:
    """Sentences in order with their words; a word belongs where its middle lies."""
    ordered = sorted((w for w in words if w.text.strip()), key=attrgetter("middle"))
    middles = [w.middle for w in ordered]
    spoken = []
    for sentence in sorted(sentences):
        found = ordered[bisect_left(middles, sentence.start) : bisect_left(middles, sentence.end)]
        timed = [replace(w, text=w.text.strip()) for w in found if w.channel == sentence.channel]
        spoken.append((sentence, timed or _spread(sentence)))
    return spoken


def _spread(sentence: Sentence) -> list[Word]:
    """Words of a sentence that has no word times, each as long as its share of the letters."""
    texts = sentence.text.split()
    ends = [0]
    for text in texts:
        ends.append(ends[-1] + len(text) + 1)
    scale = sentence.duration / max(1, ends[-1])
    return [
        Word(sentence.start + at * scale, sentence.start + end * scale, text, estimated=True)
        for text, (at, end) in zip(texts, pairwise(ends), strict=True)
    ]


def _placed(
    spoken: Iterable[tuple[Sentence, list[Word]]], placement: Placement
) -> Iterator[tuple[Sentence, list[Word]]]:
    """What is said inside the placement, in preview time."""
    source, shift = placement.source, placement.start - placement.source.start
    for sentence, words in spoken:
        kept = [
            replace(w, start=max(w.start, source.start) + shift, end=min(w.end, source.end) + shift)
            for w in words
            if w.middle in source
        ]
        if kept:
            yield sentence, kept


def _chunks(words: Sequence[Word], options: CaptionOptions) -> Iterator[list[Word]]:
    """Words of one cue each: broken at pauses, and where a cue is full, after the last clause that nearly fills it."""
    rest = list(words)
    while rest:
        fitting = _fitting(rest, options)
        taken = fitting if fitting == len(rest) else _clause_break(rest, fitting, options)
        yield rest[:taken]
        rest = rest[taken:]


def _fitting(words: Sequence[Word], options: CaptionOptions) -> int:
    """How many words fit one cue, stopping at a long pause."""
    for count in range(2, len(words) + 1):
        paused = words[count - 1].start - words[count - 2].end >= options.pause_s
        if paused or len(_wrapped([w.text for w in words[:count]], options.line_chars)) > options.lines:
            return count - 1
    return len(words)


def _clause_break(words: Sequence[Word], fitting: int, options: CaptionOptions) -> int:
    if words[fitting].start - words[fitting - 1].end >= options.pause_s:
        return fitting
    least = _CLAUSE_LEAST * options.line_chars * options.lines
    for count in range(fitting, 0, -1):
        if len(" ".join(w.text for w in words[:count])) < least:
            break
        if _CLAUSE_END.search(words[count - 1].text):
            return count
    return fitting


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    """Greedy lines; a word longer than a line stands alone."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + 1 + len(text) <= width:
            lines[-1] += f" {text}"
        else:
            lines.append(text)
    return lines


def _laid_out(texts: Sequence[str], options: CaptionOptions) -> str:
    """As few lines as needed, as even as they can be."""
    lines = _wrapped(texts, options.line_chars)
    for width in range(math.ceil(sum(map(len, texts)) / len(lines)), options.line_chars):
        even = _wrapped(texts, width)
        if len(even) == len(lines) and max(map(len, even)) <= options.line_chars:
            return "\n".join(even)
    return "\n".join(lines)


def _settled(cues: Sequence[Cue], options: CaptionOptions) -> Iterator[Cue]:
    """Cues long enough to read, never overlapping the next."""
    for cue, following in zip_longest(cues, cues[1:]):
        until = max(cue.end + options.linger_s, cue.start + options.least_s)
        limit = following.start if following else until
        yield replace(cue, end=max(cue.start, min(until, limit)))


def timestamp(seconds: float, mark: str = ".") -> str:
    """`00:00:47.460`, as in WebVTT."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"


def _vtt_text(cue: Cue, speakers: bool) -> str:
    text = html.escape(cue.text, quote=False)
    return f"<v {html.escape(cue.speaker, quote=False)}>{text}" if speakers and cue.speaker else text
