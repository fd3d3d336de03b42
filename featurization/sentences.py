"""Words → sentences with clean edges: a sentence lies between two pauses and never spans a gap."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from operator import attrgetter
from statistics import fmean

from featurization.media import Segment, Sentence, Turn, Word, merge

CLOSERS = "\"'”’)]»"
OPENERS = "\"'“‘([«¿¡"
TERMINAL = re.compile(rf"(\.+|[!?…。！？]+)[{re.escape(CLOSERS)}]*$")
CLAUSE_END = re.compile(rf"[,;:.!?…—–-][{re.escape(CLOSERS)}]*$")
DOTTED = re.compile(r"^(?:[a-z]\.)+$", re.IGNORECASE)  # initials and acronyms: "J.", "U.S.", "p.m."
NEVER_LAST = frozenset(
    "dr mr mrs ms mx prof st gen sen rep lt col sgt capt rev hon gov pres maj mt ft e.g i.e vs approx ca cf".split()
)
NUMBERED = frozenset(  # abbreviations only before a number
    "no nos p pp ch fig figs vol sec secs ver art jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
SELDOM_LAST = frozenset("etc al ed inc ltd co corp jr sr bros dept est ave blvd".split())
RESUMED_S = 0.4  # pause from which a full stop ends a sentence even before a small letter
ABBREVIATED_S = 0.25  # pause from which an abbreviation's full stop ends a sentence before a capital
TURN_WORDS = 3  # words on each side of a change of speaker within a sentence; fewer are an error of timing
MIN_EDGE_S = 0.02  # what is left of a word when an edge moves into it
FIRST_PERSON = re.compile(r"^I(?:['’]\w+)?\W*$")


@dataclass(frozen=True)
class SentenceOptions:
    """How words become sentences."""

    max_gap_s: float = 1.5  # seconds without a word that end a sentence, whatever the text says
    max_length_s: float = 30.0  # a longer sentence is cut at its best clause border
    pause_s: float = 0.5  # pause that ends a sentence before a capital where punctuation is missing
    turn_pause_s: float = 0.2  # pause at which a change of speaker ends a sentence
    snap_s: float = 0.4  # an edge moves onto the edge of voice activity if that is this near
    sparse_words: int = 45  # words without a full stop from which punctuation counts as missing


def build_sentences(
    words: Sequence[Word],
    *,
    speech: Sequence[Segment],
    turns: Sequence[Turn] = (),
    options: SentenceOptions | None = None,
) -> tuple[Sentence, ...]:
    """Sentences by start; they partition each channel's words in order and do not overlap within a channel.

    They end at terminal punctuation, at a change of speaker, at gaps and at a maximum length, and where a recogniser
    left punctuation out, at a pause before a capital. Their edges are those of voice activity (`speech`) where near.
    """
    options = options or SentenceOptions()
    spoken, speakers = merge(speech), _Speakers(turns)
    sentences: list[Sentence] = []
    for _, group in groupby(sorted(words, key=attrgetter("channel")), key=attrgetter("channel")):
        sentences += _channel_sentences(list(group), spoken, speakers=speakers, options=options)
    return tuple(sorted(sentences, key=attrgetter("start", "channel")))


def _channel_sentences(
    words: Sequence[Word], spoken: Sequence[Segment], *, speakers: _Speakers, options: SentenceOptions
) -> Iterator[Sentence]:
    cased = any(word.text.strip()[:1].isupper() for word in words)
    ends = {0: False, **_ends(words, speakers, cased=cased, options=options)}
    runs = [run for start, stop in pairwise(ends) for run in _short_runs(words, start, stop, options)]
    edges = _Edges(spoken, options.snap_s)
    floor = 0.0
    for start, stop in runs:
        begins = start in ends and (ends[start] or _is_capital(words[start].text) or not (cased or start))
        span = edges.fit(words[start:stop], floor=floor, following=words[stop] if stop < len(words) else None)
        floor = span.end
        yield _sentence(words[start:stop], span, speakers, complete=begins and ends.get(stop, False))


def _sentence(words: Sequence[Word], span: Segment, speakers: _Speakers, *, complete: bool) -> Sentence:
    return Sentence(
        span.start,
        span.end,
        text=" ".join(word.text.strip() for word in words),
        speaker=speakers.during(span),
        probability=fmean(word.probability for word in words),
        words=len(words),
        complete=complete,
        channel=words[0].channel,
    )


def _ends(words: Sequence[Word], speakers: _Speakers, *, cased: bool, options: SentenceOptions) -> dict[int, bool]:
    """Word index at which each sentence stops → whether the sentence is finished there, not cut off."""
    stops = [_is_final(word, following, cased=cased) for word, following in pairwise(words)]
    stops.append(bool(TERMINAL.search(words[-1].text)))
    sparse = _unpunctuated(stops, options.sparse_words)
    ends: dict[int, bool] = {}
    for place, (word, following) in enumerate(pairwise(words)):
        pause = following.start - word.end
        capital = not cased or (_is_capital(following.text) and not FIRST_PERSON.match(following.text.strip()))
        if stops[place] or (sparse[place] and capital and pause >= options.pause_s):
            ends[place + 1] = True
        elif pause > options.max_gap_s or (
            not any(stops[max(0, place - TURN_WORDS + 1) : place + TURN_WORDS])
            and ((pause >= options.turn_pause_s or CLAUSE_END.search(word.text)) and speakers.change(words, place))
        ):
            ends[place + 1] = False
    return {**ends, len(words): stops[-1]}


def _is_final(word: Word, following: Word, *, cased: bool) -> bool:
    """Does the punctuation of `word` end a sentence, given the word that follows?"""
    text = word.text.strip()
    mark = TERMINAL.search(text)
    if not mark:
        return False
    pause, lower = following.start - word.end, cased and following.text.strip().lstrip(OPENERS)[:1].islower()
    if mark[1] != ".":
        return not lower or pause >= RESUMED_S
    stem = text.strip(OPENERS + CLOSERS)
    bare = stem.rstrip(".").lower()
    if bare in NEVER_LAST or (bare in NUMBERED and following.text.strip()[:1].isdigit()):
        return False
    if DOTTED.match(stem) or bare in SELDOM_LAST:
        return not lower and pause >= ABBREVIATED_S
    return not lower or pause >= RESUMED_S


def _is_capital(text: str) -> bool:
    start = text.strip().lstrip(OPENERS)[:1]
    return start.isupper() or start.isdigit()


def _unpunctuated(stops: Sequence[bool], limit: int) -> list[bool]:
    """For each word, whether it stands in a run of more than `limit` words without a full stop."""
    marks = [-1, *(place for place, stop in enumerate(stops) if stop), len(stops)]
    return [right - left > limit for left, right in pairwise(marks) for _ in range(right - left)][: len(stops)]


def _short_runs(words: Sequence[Word], start: int, stop: int, options: SentenceOptions) -> Iterator[tuple[int, int]]:
    """Runs (start, stop) of at most the maximum length, cut after a clause or at the longest pause in reach."""
    while words[stop - 1].end - words[start].start > options.max_length_s and stop - start > 1:
        reach = [at for at in range(start + 1, stop) if words[at - 1].end - words[start].start <= options.max_length_s]
        late = [at for at in reach if words[at].start - words[start].start >= options.max_length_s / 3]
        cut = max(late or reach[-1:] or [start + 1], key=lambda at: _looseness(words[at - 1], words[at]))
        yield start, cut
        start = cut
    yield start, stop


def _looseness(word: Word, following: Word) -> float:
    """How well a sentence can be cut between two words, in seconds of pause; a clause's end counts as half a second."""
    return following.start - word.end + (0.5 if CLAUSE_END.search(word.text) else 0.0)


class _Edges:
    """Fits the outer edges of a run of words to the edges of voice activity."""

    def __init__(self, spoken: Sequence[Segment], snap_s: float) -> None:
        self.spoken = spoken
        self.starts = [span.start for span in spoken]
        self.ends = [span.end for span in spoken]
        self.snap_s = snap_s

    def fit(self, words: Sequence[Word], *, floor: float, following: Word | None) -> Segment:
        """The span of the words, not before `floor` and not past the middle of the following word."""
        first, last = words[0], words[-1]
        start = max(floor, self._start(first.start, floor=floor, ceiling=first.end - MIN_EDGE_S))
        floor = max(start, last.start)
        ceiling = following.middle if following else float("inf")
        return Segment(start, max(floor, self._end(last.end, floor=floor + MIN_EDGE_S, ceiling=ceiling)))

    def _start(self, time: float, *, floor: float, ceiling: float) -> float:
        """Onto the start of speech that is reached through the least speech: this span's or the next one's."""
        place = bisect_right(self.starts, time) - 1
        to_next = max(0.0, self.ends[place] - time) if place >= 0 else 0.0
        costs = dict.fromkeys(self.starts[place + 1 : place + 2], to_next)
        if place >= 0 and time < self.ends[place]:
            costs[self.starts[place]] = time - self.starts[place]
        return self._cheapest(costs, time, floor=floor, ceiling=ceiling)

    def _end(self, time: float, *, floor: float, ceiling: float) -> float:
        """Onto the end of speech that is reached through the least speech: this span's or the one before."""
        place = bisect_left(self.ends, time)
        to_last = max(0.0, time - self.starts[place]) if place < len(self.starts) else 0.0
        costs = dict.fromkeys(self.ends[max(0, place - 1) : place], to_last)
        if place < len(self.starts) and time > self.starts[place]:
            costs[self.ends[place]] = self.ends[place] - time
        return self._cheapest(costs, time, floor=floor, ceiling=ceiling)

    def _cheapest(self, costs: dict[float, float], time: float, *, floor: float, ceiling: float) -> float:
        allowed = [edge for edge, cost in costs.items() if floor <= edge <= ceiling and cost <= self.snap_s]
        return min(allowed, key=lambda edge: costs[edge], default=time)


class _Speakers:
    """Who speaks most during a span; turns may overlap."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.turns = sorted(turns, key=attrgetter("start", "end"))
        self.starts = [turn.start for turn in self.turns]
        self.latest = list(accumulate((turn.end for turn in self.turns), max))

    def during(self, span: Segment) -> str:
        """The speaker with the largest overlap, the first of equals; empty if there is none."""
        seconds: dict[str, float] = {}
        for turn in self.turns[bisect_right(self.latest, span.start) : bisect_left(self.starts, span.end)]:
            seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + (turn.span & span.span).duration
        return max(seconds, key=lambda name: seconds[name], default="")

    def change(self, words: Sequence[Word], place: int) -> bool:
        """Whether the words after `place` are another's; three a side, so that one misjudged word is no change."""
        before = self.during(words[max(0, place - TURN_WORDS + 1)].span | words[place].span)
        after = self.during(words[place + 1].span | words[min(len(words) - 1, place + TURN_WORDS)].span)
        return bool(before and after and before != after)
