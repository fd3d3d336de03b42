"""A publisher's transcript, in whatever shape it comes, as cues with times.

pysubs2 and webvtt-py were tried: on untidy files both put identifiers, notes and broken time lines into the text,
and neither reads the JSON of Podcasting 2.0; hence this small block parser. Formats of films come to it as WebVTT:
`subtitles.py`. Cues → words: `cue_words.py`.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from featurization.errors import MediaError
from featurization.media import Segment
from featurization.subtitles import SubtitleFormat, convert_subtitles
from featurization.text_encodings import decode_text

TranscriptFormat = Literal["vtt", "srt", "sbv", "json"] | SubtitleFormat

TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,6}))?"
ARROW_LINE = re.compile(rf"^\s*{TIME}\s*-+>\s*{TIME}(?=\s|$)")
SBV_LINE = re.compile(rf"^\s*{TIME.replace('[.,]', '[.]')},{TIME.replace('[.,]', '[.]')}\s*$")
TIMING_LIKE = re.compile(r"-->|^\s*\d+:\d\d:\S*,\s*\d+:\d\d:\S*\s*$")
NOT_CUES = re.compile(r"^(WEBVTT|NOTE|STYLE|REGION|X-TIMESTAMP-MAP|::cue)\b", re.IGNORECASE)
VOICE = re.compile(r"<v(?:\.[^\s>]*)?[\s ]+([^>]*)>", re.IGNORECASE)
INLINE_TIME = re.compile(rf"<{TIME}>")
MARKUP = re.compile(r"<[^<>]*>|\{\\[^}]*\}|\[[^\]]*\]|[♪♫]")
SOUND_NOTE = re.compile(r"\([^a-z()]*[A-Z][^a-z()]*\)|(?m:^[\s–—-]*\([a-z][^()]*\))")  # (SIGHS), or (sighs) at a start
NAME = re.compile(r"^(?:[-–—>]+\s*)?((?:[A-Z][\w.'’-]*)(?: (?:[A-Z][\w.'’-]*|\d+)){0,3}):\s+(?=\S)")
NOT_NAMES = frozenset("note question answer warning example remember update spoiler reminder tip fact".split())
ROLL_UP_SHARE = 0.2  # of neighbouring cues that repeat a line, from which a file counts as roll-up captions


@dataclass(frozen=True, slots=True)
class Cue(Segment):
    """A stretch of transcript as published, without markup."""

    text: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was readable of a transcript file, and how many cues were not."""

    format: TranscriptFormat
    cues: tuple[Cue, ...]
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class _Block:
    """A timed cue as it stands in the file."""

    span: Segment
    lines: tuple[str, ...]


def parse_transcript(data: bytes, *, media_type: str) -> tuple[Cue, ...]:
    """Cues of a VTT, SRT, SBV or Podcasting 2.0 JSON transcript, or of ASS, TTML, SAMI, MicroDVD, MPL2 or SubViewer
    subtitles, sorted; malformed ones are left out.

    The content decides what it is; `media_type` only serves the message. Raises MediaError if no cue has times.
    """
    return read_transcript(data, media_type=media_type).cues


def read_transcript(data: bytes, *, media_type: str) -> Transcript:
    """As `parse_transcript`, with the format that was found and the number of malformed cues."""
    text = decode_text(data)
    converted = convert_subtitles(text)
    if not converted and text.lstrip()[:1] in ("{", "["):
        cues, skipped = _json_cues(text, media_type=media_type)
        found: TranscriptFormat = "json"
    else:
        found, text = converted or (_format(text), text)
        blocks, skipped = _blocks(text)
        cues = _cues_of(blocks)
    cues = sorted(dict.fromkeys(_label_speakers(cues)))
    if not cues:
        raise MediaError(_refusal(text, media_type))
    return Transcript(found, tuple(cues), skipped)


def _refusal(text: str, media_type: str) -> str:
    if not text.strip():
        return f"transcript ({media_type}) is empty; recognise the speech instead"
    if re.search(r"<(?:html|body|cite|p|div|time)\b", text, re.IGNORECASE):
        return f"transcript ({media_type}) is HTML without cue times; publish it as VTT, SRT or JSON to have it used"
    return f"transcript ({media_type}) holds no cue with times and text; publish it as VTT, SRT or JSON to have it used"


def _format(text: str) -> TranscriptFormat:
    if text.lstrip().startswith("WEBVTT"):
        return "vtt"
    if "-->" not in text:
        return "sbv"
    return "srt" if re.search(r"\d,\d{1,3}\s*-+>", text) else "vtt"


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{seconds}.{fraction}")


def _blocks(text: str) -> tuple[list[_Block], int]:
    """Timed blocks of a VTT, SRT or SBV text, and how many were malformed."""
    blocks: list[_Block] = []
    skipped = 0
    for paragraph in re.split(r"\n[ \t]*\n+", re.sub(r"\r+\n?", "\n", text)):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        timed = any(TIMING_LIKE.search(line) for line in lines)
        if not lines or (NOT_CUES.match(lines[0]) and not (timed and lines[0].startswith("WEBVTT"))):
            continue
        for block in _timed_parts(lines):
            if block is None:
                skipped += 1
            else:
                blocks.append(block)
    return blocks, skipped


def _timed_parts(lines: Sequence[str]) -> Iterator[_Block | None]:
    """The cues of one paragraph; None for each that is malformed."""
    starts = [i for i, line in enumerate(lines) if TIMING_LIKE.search(line)]
    if not starts:
        yield None
    for start, stop in pairwise([*starts, len(lines)]):
        body = lines[start + 1 : stop]
        if stop < len(lines) and body and body[-1].strip().isdigit():
            body = body[:-1]
        timing = ARROW_LINE.match(lines[start]) or SBV_LINE.match(lines[start])
        times = timing and (_seconds(timing.groups()[:4]), _seconds(timing.groups()[4:]))
        valid = times and times[0] < times[1] and body
        yield _Block(Segment(*times), tuple(body)) if times and valid else None


def _cues_of(blocks: Sequence[_Block]) -> list[Cue]:
    """Cues without the lines that roll-up captions repeat."""
    ordered = sorted(blocks, key=lambda block: block.span)
    plain = [[_plain(line) for line in block.lines] for block in ordered]
    repeats = [_repeated(before, lines) for before, lines in pairwise(plain)]
    rolls = sum(map(bool, repeats)) > max(1, ROLL_UP_SHARE * len(repeats))
    cues: list[Cue] = []
    for block, repeated in zip(ordered, [0, *repeats], strict=False):
        cues.extend(_pieces(block.span, "\n".join(block.lines[repeated if rolls else 0 :])))
    return cues


def _repeated(before: Sequence[str], lines: Sequence[str]) -> int:
    """How many leading lines repeat the last lines of the cue before."""
    spoken, shown = [line for line in before if line], list(lines)
    return next((n for n in range(min(len(spoken), len(shown)), 0, -1) if spoken[-n:] == shown[:n]), 0)


def _pieces(span: Segment, raw: str) -> Iterator[Cue]:
    """A cue, cut where its text carries a time of its own (karaoke style) or changes voice."""
    stamps = [(_seconds(stamp.groups()), stamp) for stamp in INLINE_TIME.finditer(raw)]
    stamps = [(time, stamp) for time, stamp in stamps if time in span]
    times = [span.start, *(time for time, _ in stamps), span.end]
    edges = [0, *(stamp.start() for _, stamp in stamps), len(raw)]
    speaker = ""
    for (start, end), (left, right) in zip(pairwise(times), pairwise(edges), strict=True):
        if start < end:
            voiced = list(_voices(raw[left:right], speaker))
            speaker = voiced[-1][0] if voiced else speaker
            yield from _share_out(Segment(start, end), [(voice, text) for voice, text in voiced if text])


def _voices(raw: str, speaker: str) -> Iterator[tuple[str, str]]:
    """(speaker, text) for each <v Name> in the text, and for what stands before the first."""
    marks = list(VOICE.finditer(raw))
    edges = [0, *(mark.start() for mark in marks), len(raw)]
    names = [speaker, *(html.unescape(mark[1]).strip() for mark in marks)]
    for name, (left, right) in zip(names, pairwise(edges), strict=True):
        yield name, _plain(raw[left:right])


def _share_out(span: Segment, voiced: Sequence[tuple[str, str]]) -> Iterator[Cue]:
    """Cues for texts that share one time span, by their number of characters."""
    total, start = sum(len(text) for _, text in voiced), span.start
    for place, (speaker, text) in enumerate(voiced, start=1):
        end = span.end if place == len(voiced) else min(span.end, start + span.duration * len(text) / total)
        yield Cue(start, end, text, speaker)
        start = end


def _plain(raw: str) -> str:
    """Text without markup, sound descriptions, dialogue dashes and runs of blanks; empty if nothing is spoken."""
    text = SOUND_NOTE.sub("", html.unescape(html.unescape(MARKUP.sub("", raw))))
    text = " ".join(re.sub(r"(?m)^\s*[-–—]\s+", "", text).split())
    return "" if re.fullmatch(r"\([^()]*\)|[\W_]*", text) else text


def _label_speakers(cues: Sequence[Cue]) -> list[Cue]:
    """Moves "Name: " from the text to the speaker; the name stays until the next, as such files mean it.

    A prefix is a name if it opens the transcript or comes back, so that "Remember: wash it" stays text.
    """
    if any(cue.speaker for cue in cues):
        return list(cues)
    prefixes = [NAME.match(cue.text) for cue in cues]
    counts = Counter(match[1] for match in prefixes if match)
    speaker, labelled = "", []
    for place, (cue, match) in enumerate(zip(cues, prefixes, strict=True)):
        names = match and match[1].lower() not in NOT_NAMES and (place == 0 or counts[match[1]] > 1 or speaker)
        speaker = match[1] if match and names else speaker
        labelled.append(replace(cue, speaker=speaker, text=cue.text[match.end() :] if match and names else cue.text))
    return labelled


def _json_cues(text: str, *, media_type: str) -> tuple[list[Cue], int]:
    """Cues of Podcasting 2.0 segments (startTime, body) or a recogniser's (start, text), word by word where it can."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        raise MediaError(f"transcript ({media_type}) is broken JSON; publish it again to have it used") from None
    rows = root if isinstance(root, list) else root.get("segments") or root.get("words") or []
    rows = [part for row in rows for part in _json_rows(row)] if isinstance(rows, list) else []
    cues = [_json_cue(row, following) for row, following in pairwise([*rows, {}])]
    return [cue for cue in cues if cue], sum(cue is None for cue in cues)


def _json_rows(row: object) -> list[dict[str, object]]:
    """The words of a segment if it lists them, else the segment itself."""
    if not isinstance(row, dict):
        return []
    words = row.get("words")
    if not isinstance(words, list) or not words:
        return [row]
    return [{"speaker": row.get("speaker"), **word} for word in words if isinstance(word, dict)]


def _json_cue(row: Mapping[str, object], following: Mapping[str, object]) -> Cue | None:
    start, end = _number(row, "startTime", "start"), _number(row, "endTime", "end")
    end = _number(following, "startTime", "start") if end is None else end
    body = next((row[key] for key in ("body", "text", "word") if isinstance(row.get(key), str)), "")
    text, speaker = _plain(str(body)), row.get("speaker")
    if not text or start is None or end is None or not 0 <= start < end:
        return None
    return Cue(start, end, text, speaker if isinstance(speaker, str) else "")


def _number(row: Mapping[str, object], *keys: str) -> float | None:
    """The first of `keys` that is a finite number of seconds, also when written as text."""
    for key in keys:
        try:
            number = float(str(row[key]))
        except (KeyError, ValueError):
            continue
        if math.isfinite(number):
            return number
    return None
