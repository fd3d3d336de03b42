"""An episode without audio: times, sounds, levels, speakers and vectors around a script that is made up.

Everything that the candidates, the gates and the features read varies within the episode as it does in real ones; what
is risky (advertisements, music, spoilers) comes sure and unsure, so that gates close and features still differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from benchmarks.made_talk import SUBJECTS, Line, script
from featurization.media import (
    AdSpan,
    Asset,
    AudioProfile,
    Hearing,
    Segment,
    Sentence,
    SoundSpan,
    SpoilerSpan,
    Topic,
    Turn,
    Word,
)
from ranking.context import LEVEL_HOP_S
from steps.episodes import Episode

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DIMENSIONS = 16  # of the sentence vectors
MUSIC_S = 5.0  # of a jingle: at the start, around the advertisement, at the end
_AROUND_MUSIC_S = 0.3  # of quiet before and after
_LETTERS_PER_S = 15.0
_CENTRES = np.random.default_rng(0).normal(size=(len(SUBJECTS), DIMENSIONS))


@dataclass(frozen=True)
class Show:
    """What the episodes of one show have in common."""

    name: str
    feed: str
    speakers: int
    pace: float  # 1 is usual
    loudness_lufs: float


def make_show(rng: np.random.Generator, number: int) -> Show:
    """One to three people, a pace and a loudness."""
    return Show(
        name=f"Show {number:02d}",
        feed=f"https://shows.example/{number:02d}/feed.xml",
        speakers=int(rng.choice([1, 2, 2, 3])),
        pace=float(rng.uniform(0.85, 1.2)),
        loudness_lufs=float(np.round(rng.uniform(-24, -14), 1)),
    )


def make_episode(rng: np.random.Generator, show: Show, *, key: str, sentences: int) -> Episode:
    """An episode of `show` with about so many sentences; `key` is what its id is made from."""
    lines = script(rng, show.name, sentences=sentences, speakers=show.speakers)
    words, jingles = _timed(rng, lines, show)
    spoken = _sentences(rng, lines, words)
    duration_s = jingles[-1].end
    hearing = Hearing(
        profile=_profile(show, duration_s, spoken, jingles),
        words=tuple(chain(*words)),
        sentences=spoken,
        turns=_turns(spoken),
        sounds=tuple(sorted(_sounds(rng, spoken, jingles))),
        topics=tuple(_topics(lines, spoken)),
        ads=tuple(sorted(_ads(rng, lines, spoken))),
        spoilers=tuple(_spoilers(rng, spoken, duration_s)),
    )
    levels = _levels(rng, lines, spoken, jingles, duration_s)
    no_pictures = np.zeros((0, 0), dtype=np.float32)
    return Episode(_asset(key, show, duration_s), hearing, levels, _vectors(rng, lines), (), no_pictures)


def _profile(show: Show, duration_s: float, spoken: Sequence[Segment], jingles: Sequence[Segment]) -> AudioProfile:
    speech_s, music_s = (sum(span.duration for span in spans) for spans in (spoken, jingles))
    return AudioProfile(duration_s, show.loudness_lufs, 6.0, "mono", speech_s, music_s, "made")


def _asset(key: str, show: Show, duration_s: float) -> Asset:
    sha256 = hashlib.sha256(key.encode()).hexdigest()
    return Asset(
        asset_id=sha256[:16],
        sha256=sha256,
        blob=f"blobs/{sha256[:2]}/{sha256}.mp3",
        size_bytes=round(16_000 * duration_s),
        duration_s=duration_s,
        kind="audio",
        container="mp3",
        codec="mp3",
        rate_hz=44_100,
        channels=1,
        title=f"Episode {key}",
        source=f"{show.feed}#{key}",
        show=show.name,
        guid=key,
        feed=show.feed,
        language="en",
    )


def _timed(rng: np.random.Generator, lines: Sequence[Line], show: Show) -> tuple[list[list[Word]], list[Segment]]:
    """Words of each line with their times, and the jingles between them: at the start, around ads, at the end."""
    texts = [line.text.split() for line in lines]
    counts = np.array([len(run) for run in texts])
    lasts = _lengths(rng, lines, texts, show)
    rests = _rests(rng, counts)
    firsts = np.cumsum(counts) - counts
    changes = [place for place, (a, b) in enumerate(pairwise(lines), 1) if (a.kind == "ad") != (b.kind == "ad")]
    after_jingle = firsts[[0, *changes]]
    rests[after_jingle] = MUSIC_S + 2 * _AROUND_MUSIC_S
    ends = np.cumsum(lasts + rests)
    starts, ends = np.round(ends - lasts, 3), np.round(ends, 3)
    heard = zip(starts.tolist(), ends.tolist(), chain(*texts), _clarity(rng, counts), strict=True)
    words = [Word(*word) for word in heard]
    jingles = [_jingle(start - MUSIC_S - _AROUND_MUSIC_S) for start in starts[after_jingle].tolist()]
    jingles.append(_jingle(words[-1].end + _AROUND_MUSIC_S))
    return [words[first : first + count] for first, count in zip(firsts, counts, strict=True)], jingles


def _lengths(rng: np.random.Generator, lines: Sequence[Line], texts: Sequence[Sequence[str]], show: Show) -> Floats:
    """Seconds of each word: by its letters, the pace of the show and the voice, and the haste of the sentence."""
    paces = show.pace * rng.uniform(0.9, 1.15, show.speakers)
    pace = np.array([paces[int(line.speaker[1:]) - 1] for line in lines]) * rng.lognormal(0.0, 0.08, len(lines))
    letters = np.array([len(word) for run in texts for word in run]) + 1.0
    return np.asarray(letters / (_LETTERS_PER_S * np.repeat(pace, [len(run) for run in texts])))


def _rests(rng: np.random.Generator, counts: Ints) -> Floats:
    """Seconds before each word: a breath between sentences, here and there a hesitation inside."""
    share = np.repeat(rng.beta(1.0, 15.0, len(counts)), counts)
    rests = np.where(rng.random(len(share)) < share, rng.uniform(0.2, 0.7, len(share)), 0.02)
    rests[np.cumsum(counts) - counts] = rng.gamma(3.0, 0.12, len(counts)) + 0.1
    return np.asarray(rests)


def _clarity(rng: np.random.Generator, counts: Ints) -> list[float]:
    """The probability of each word; sentences differ in how well they are recognised."""
    clear = np.repeat(rng.beta(12, 2, len(counts)), counts)
    values: list[float] = np.clip(clear + rng.normal(0, 0.05, len(clear)), 0.05, 1.0).round(3).tolist()
    return values


def _jingle(start: float) -> Segment:
    return Segment(round(start, 3), round(start + MUSIC_S, 3))


def _sentences(
    rng: np.random.Generator, lines: Sequence[Line], words: Sequence[Sequence[Word]]
) -> tuple[Sentence, ...]:
    whole = rng.random(len(lines)) > 0.03
    return tuple(
        Sentence(
            run[0].start,
            run[-1].end,
            line.text,
            speaker=line.speaker,
            probability=sum(word.probability for word in run) / len(run),
            words=len(run),
            complete=bool(complete),
        )
        for line, run, complete in zip(lines, words, whole, strict=True)
    )


def _turns(sentences: Sequence[Sentence]) -> tuple[Turn, ...]:
    runs = (list(run) for _, run in groupby(sentences, key=attrgetter("speaker")))
    return tuple(Turn(run[0].start, run[-1].end, run[0].speaker) for run in runs)


def _topics(lines: Sequence[Line], sentences: Sequence[Sentence]) -> Iterator[Topic]:
    for subject, run in groupby(range(len(lines)), key=lambda place: lines[place].subject):
        places, things = list(run), SUBJECTS[subject].things
        yield Topic(sentences[places[0]].start, sentences[places[-1]].end, things[0].capitalize(), things)


def _sounds(rng: np.random.Generator, sentences: Sequence[Sentence], jingles: Sequence[Segment]) -> Iterator[SoundSpan]:
    """Speech between the jingles, the jingles, music that the detector is not sure of, and a little noise."""
    for before, after in pairwise(jingles):
        yield SoundSpan(before.end + _AROUND_MUSIC_S, after.start - _AROUND_MUSIC_S, "speech")
    for jingle in jingles:
        yield SoundSpan(jingle.start, jingle.end, "music", 0.95)
    for run in _runs(rng, sentences, count=4):
        yield SoundSpan(run.start, run.end, "music", float(np.round(rng.uniform(0.2, 0.45), 2)))
    for run in _runs(rng, sentences, count=2):
        yield SoundSpan(run.start, run.start + 0.4, "noise", 0.6)


def _ads(rng: np.random.Generator, lines: Sequence[Line], sentences: Sequence[Sentence]) -> Iterator[AdSpan]:
    """The advertisement, and a passage that only sounds a little like one."""
    read = [sentence for line, sentence in zip(lines, sentences, strict=True) if line.kind == "ad"]
    yield AdSpan(read[0].start, read[-1].end, "sponsor", 0.95, ('says "brought to you by"',))
    for run in _runs(rng, sentences, count=1):
        if not run.overlaps(Segment(read[0].start, read[-1].end)):
            yield AdSpan(run.start, run.end, "self-promotion", 0.3, ('says "picture"',))


def _spoilers(rng: np.random.Generator, sentences: Sequence[Sentence], duration_s: float) -> Iterator[SpoilerSpan]:
    for run in _runs(rng, sentences, count=3):
        yield SpoilerSpan(run.start, run.end, float(np.round(rng.uniform(0.1, 0.6), 2)), ("turned out",))
    yield SpoilerSpan(0.9 * duration_s, duration_s, 0.7, ("the ending",))


def _runs(rng: np.random.Generator, sentences: Sequence[Sentence], *, count: int) -> Iterator[Segment]:
    """Stretches of one to four sentences anywhere."""
    for first in np.sort(rng.integers(0, len(sentences) - 4, count)).tolist():
        yield Segment(sentences[first].start, sentences[first + int(rng.integers(0, 4))].end)


def _levels(
    rng: np.random.Generator,
    lines: Sequence[Line],
    sentences: Sequence[Sentence],
    jingles: Sequence[Segment],
    duration_s: float,
) -> NDArray[np.float32]:
    """dBFS per hop: each subject, voice and sentence has a level, each sentence a liveliness; pauses are quiet."""
    by_subject, by_voice = rng.normal(0, 1.2, len(SUBJECTS)), rng.normal(0, 1.0, 9)
    usual = np.array([by_subject[line.subject] + by_voice[int(line.speaker[1:])] for line in lines])
    base, lively = usual - 20.0 + rng.normal(0, 1.5, len(lines)), rng.uniform(1.0, 5.0, len(lines))
    times = LEVEL_HOP_S * (np.arange(int(np.ceil(duration_s / LEVEL_HOP_S))) + 0.5)
    place = np.searchsorted([sentence.start for sentence in sentences], times, side="right") - 1
    speaks = (place >= 0) & (times < np.array([sentence.end for sentence in sentences])[place])
    noise = rng.normal(size=len(times))
    levels = np.where(speaks, base[place] + lively[place] * noise, -62.0 + noise)
    for jingle in jingles:
        levels[(times >= jingle.start) & (times < jingle.end)] = -23.0
    return np.minimum(levels, -1.0).astype(np.float32)


def _vectors(rng: np.random.Generator, lines: Sequence[Line]) -> NDArray[np.float32]:
    """Unit vectors around the direction of the subject; advertisements have one of their own."""
    centres = np.array([_CENTRES[line.subject] * (line.kind != "ad") for line in lines])
    vectors = centres + rng.normal(0, 1.0, centres.shape)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
