"""What a ranker must beat: orders of clips that anybody could have without learning, each one function.

A baseline gives every clip of one episode a score, higher is better; as with rankers, scores of different episodes are
not comparable. The documented prior stands beside them in reports, and so does the agreement of editors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from featurization.topics import TopicOptions, topic_starts
from ranking.context import Clips, EpisodeContext
from ranking.spans import Floats
from ranking.word_cues import Cue

Baseline = Callable[[Clips, EpisodeContext], Floats]  # to scores (clips,)

_INTRO_S = 180.0  # a greeting later than this welcomes a guest, it does not open the episode
_POSITION = ((0.0, 0.0), (0.1, 1.0), (1.0, 0.0))  # share of the episode → preference, straight lines between


def random(clips: Clips, context: EpisodeContext) -> Floats:
    """Chance, the same on every run: the draw is seeded by the times of the clips, which differ between episodes."""
    times = np.round([context.duration_s, *clips.start, *clips.end], 3)
    seed = int.from_bytes(hashlib.sha256(times.tobytes()).digest()[:8], "big")
    return np.random.default_rng(seed).random(len(clips.start))


def middle(clips: Clips, context: EpisodeContext) -> Floats:
    """The nearer to the middle of the episode, the better."""
    return -np.abs(_middles(clips) - context.duration_s / 2)


def loudest(clips: Clips, context: EpisodeContext) -> Floats:
    """The louder the speech, the better: what highlight cutters do that cannot understand words."""
    return context.loudness(clips.start, clips.end)


def after_intro(clips: Clips, context: EpisodeContext) -> Floats:
    """The first clip that begins after the greeting is best, then the next; clips of the intro come last.

    The intro ends with the last sentence in the first three minutes that greets; without one it has no length. The
    beginning is the baseline of the TREC 2020 podcast track, which summarises an episode by its first minute (Jones
    et al., arXiv:2103.15953); the greeting is what an editor would skip of it.
    """
    since = clips.start - _intro_end(context)
    return np.where(since >= 0, -since, since - context.duration_s)


def position(clips: Clips, context: EpisodeContext) -> Floats:
    """Early is better, but not the very beginning: from 0 at the start to 1 at a tenth, and down to 0 at the end.

    Where editors really choose is unknown before anybody has chosen. That summaries come from the beginning is an
    old finding (Edmundson, "New Methods in Automatic Extracting", JACM 16(2), 1969).
    """
    places, preferences = zip(*_POSITION, strict=True)
    return np.asarray(np.interp(_middles(clips) / max(context.duration_s, 1e-9), places, preferences))


def texttiling(clips: Clips, context: EpisodeContext) -> Floats:
    """The nearer to the middle of the longest segment that TextTiling finds, the better (Hearst 1997).

    Segments are found on the sentence vectors even where the publisher names chapters. Where nothing is said, 0.
    """
    sentences = context.hearing.sentences
    if not sentences:
        return np.zeros(len(clips.start))
    starts = [sentences[first].start for first in topic_starts(sentences, context.vectors, TopicOptions())]
    edges = np.array([*starts, max(sentence.end for sentence in sentences)])
    longest = int(np.argmax(np.diff(edges)))
    return -np.abs(_middles(clips) - float(edges[longest : longest + 2].mean()))


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "random": random,
        "middle": middle,
        "loudest": loudest,
        "after_intro": after_intro,
        "position": position,
        "texttiling": texttiling,
    }
)


def _middles(clips: Clips) -> Floats:
    return (clips.start + clips.end) / 2


def _intro_end(context: EpisodeContext) -> float:
    sentences = context.hearing.sentences
    greets = context.at(np.arange(len(sentences)), Cue.GREETING)
    ends = [sentence.end for sentence, cue in zip(sentences, greets, strict=True) if cue and sentence.start < _INTRO_S]
    return max(ends, default=0.0)
