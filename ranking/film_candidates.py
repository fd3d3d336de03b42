"""Candidates of a film: runs of sentences whose edges move to cuts nearby, and runs of shots where nobody speaks.

No edge of either kind lies inside a sentence. A run of shots may hold whole sentences, such as make no candidate by
themselves, but never touches a candidate made of sentences: where people talk, what they say decides the clip.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from featurization.media import Hearing, Segment, Sentence, Shot, merge
from ranking.candidates import TOUCHING_S, Candidate, CandidateOptions, make_candidates, thinned
from ranking.cut_points import CutPoints

_PARTS = 6  # a shot too long for one clip may be cut into parts of a sixth of the wanted length


def make_film_candidates(
    asset_id: str, hearing: Hearing, shots: Sequence[Shot], options: CandidateOptions | None = None
) -> tuple[Candidate, ...]:
    """All candidates of one film, by start and then by end."""
    options = options or CandidateOptions()
    spoken = make_candidates(asset_id, hearing, options)
    moved = _moved(hearing, CutPoints.of(shots), options)
    found = {*map(moved, spoken), *_shot_runs(asset_id, hearing, shots, spoken, options)}
    return thinned(sorted(found, key=lambda c: (c.start, c.end, c.first)), options)


def _moved(hearing: Hearing, cuts: CutPoints, options: CandidateOptions) -> Callable[[Candidate], Candidate]:
    """A function that moves the edges of a candidate to cuts nearby: into a pause, never over a word."""
    sentences = hearing.sentences
    heard = list(accumulate((sentence.end for sentence in sentences), max))
    said = sorted(word.start for word in hearing.words), sorted(word.end for word in hearing.words)

    def moved(clip: Candidate) -> Candidate:
        before = min(heard[clip.first - 1] if clip.first else 0.0, clip.start)
        after = max(sentences[clip.last].start if clip.last < len(sentences) else math.inf, clip.end)
        start = cuts.begin_near(clip.start, _reach(clip.start, before, _first_word(clip, said[0]), options.snap_s))
        end = cuts.end_near(clip.end, _reach(clip.end, _last_word(clip, said[1]), after, options.snap_s))
        fits = options.min_s <= end - start <= options.max_s
        return replace(clip, start=start, end=end) if fits else clip

    return moved


def _reach(edge: float, earliest: float, latest: float, snap_s: float) -> Segment:
    return Segment(max(earliest, edge - snap_s), min(latest, edge + snap_s))


def _first_word(clip: Candidate, starts: Sequence[float]) -> float:
    """When the first word of a clip begins; its own start if its words have no times."""
    index = bisect_left(starts, clip.start - TOUCHING_S)
    inside = index < len(starts) and starts[index] < clip.end
    return max(clip.start, starts[index]) if inside else clip.start


def _last_word(clip: Candidate, ends: Sequence[float]) -> float:
    index = bisect_right(ends, clip.end + TOUCHING_S) - 1
    inside = index >= 0 and ends[index] > clip.start
    return min(clip.end, ends[index]) if inside else clip.end


def _shot_runs(
    asset_id: str, hearing: Hearing, shots: Sequence[Shot], spoken: Sequence[Segment], options: CandidateOptions
) -> Iterator[Candidate]:
    """Runs of whole shots of about the wanted length, clear of `spoken`, with the sentences that they contain."""
    inside = sorted(time for shot in shots for time in _inner(shot, options))
    cuts, talk = CutPoints.of(shots), merge(hearing.sentences)
    begins = [time for time in sorted({*cuts.begins, *inside}) if not _cuts_into(talk, time)]
    ends = [time for time in sorted({*cuts.ends, *inside}) if not _cuts_into(talk, time)]
    taken = merge(spoken)
    for start in begins:
        low, high = bisect_left(ends, start + options.min_s), bisect_right(ends, start + options.max_s)
        nearest = sorted(ends[low:high], key=lambda end: (abs(end - start - options.target_s), end))
        for end in sorted(nearest[: options.per_start]):
            if not _touches(taken, start, end):
                yield _candidate(asset_id, hearing.sentences, start, end)


def _inner(shot: Shot, options: CandidateOptions) -> Iterator[float]:
    """Times inside a long shot at which it may be cut, for want of anything better; none in a short one."""
    if shot.duration > options.min_s:
        parts = math.ceil(shot.duration * _PARTS / options.target_s)
        yield from (shot.start + shot.duration * part / parts for part in range(1, parts))


def _cuts_into(talk: Sequence[Segment], time: float) -> bool:
    """Whether `time` lies inside one of the disjoint spans."""
    index = bisect_right(talk, time, key=lambda span: span.start) - 1
    return index >= 0 and talk[index].start + TOUCHING_S < time < talk[index].end - TOUCHING_S


def _touches(taken: Sequence[Segment], start: float, end: float) -> bool:
    index = bisect_right(taken, start, key=lambda span: span.end)
    return index < len(taken) and taken[index].start < end


def _candidate(asset_id: str, sentences: Sequence[Sentence], start: float, end: float) -> Candidate:
    first = bisect_left(sentences, start - TOUCHING_S, key=lambda sentence: sentence.start)
    last = bisect_left(sentences, end - TOUCHING_S, key=lambda sentence: sentence.start)
    text = " ".join(sentence.text for sentence in sentences[first:last])
    return Candidate(start, end, asset_id, first, last, text, made_of="shots")
