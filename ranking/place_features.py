"""Features of where the clip lies in the episode, and of what makes it risky to publish."""

from __future__ import annotations

import numpy as np

from ranking.candidates import window
from ranking.context import Clips, EpisodeContext, Feature, ratio
from ranking.spans import Floats
from ranking.word_cues import Cue

_FAR_S = 120.0  # beyond this a topic's start is out of mind; also how far back novelty looks
_EDGE_S = 1.0  # a topic that changes this close to an edge changes at the edge


def position(clips: Clips, context: EpisodeContext) -> Floats:
    return (clips.start + clips.end) / 2 / max(context.duration_s, 1e-9)


def topic_distance(clips: Clips, context: EpisodeContext) -> Floats:
    nearest = np.searchsorted(context.topic_starts, clips.start + _EDGE_S, side="right") - 1
    return np.clip(clips.start - context.topic_starts[nearest], 0.0, _FAR_S)


def topic_changes(clips: Clips, context: EpisodeContext) -> Floats:
    until = np.searchsorted(context.topic_starts, clips.end - _EDGE_S, side="left")
    changes = until - np.searchsorted(context.topic_starts, clips.start + _EDGE_S, side="right")
    return np.maximum(0.0, changes.astype(np.float64))


def centrality(clips: Clips, context: EpisodeContext) -> Floats:
    everything = np.array([len(context.hearing.sentences)])
    episode = context.mean_vectors(np.zeros(1, dtype=np.int64), everything)
    return np.asarray(context.mean_vectors(clips.first, clips.last) @ episode[0])


def novelty(clips: Clips, context: EpisodeContext) -> Floats:
    """1 - cosine to the mean of the two minutes before; 0 where nothing is said, or was before."""
    starts = np.array([sentence.start for sentence in context.hearing.sentences], dtype=np.float64)
    since = np.searchsorted(starts, clips.start - _FAR_S, side="left")
    before = context.mean_vectors(np.minimum(since, clips.first), clips.first)
    cosine = (context.mean_vectors(clips.first, clips.last) * before).sum(axis=1)
    return np.where((clips.first > 0) & clips.spoken, 1.0 - cosine, 0.0)


def length_deviation(clips: Clips, context: EpisodeContext) -> Floats:
    """0 at the wanted length, 1 at either end of its window."""
    shortest, _ = window(context.target_s)
    return np.abs(clips.duration - context.target_s) / (context.target_s - shortest)


def ad_share(clips: Clips, context: EpisodeContext) -> Floats:
    return ratio(context.ads.within(clips.start, clips.end), clips.duration)


def spoiler_risk(clips: Clips, context: EpisodeContext) -> Floats:
    """The highest risk of any spoiler span that a clip touches."""
    risk = np.zeros(len(clips.start))
    for span in context.hearing.spoilers:
        touched = (clips.start < span.end) & (clips.end > span.start)
        risk = np.where(touched, np.maximum(risk, span.risk), risk)
    return risk


def greeting(clips: Clips, context: EpisodeContext) -> Floats:
    return context.total(clips, Cue.GREETING)


def outro(clips: Clips, context: EpisodeContext) -> Floats:
    return context.total(clips, Cue.OUTRO)


def housekeeping(clips: Clips, context: EpisodeContext) -> Floats:
    return context.total(clips, Cue.HOUSEKEEPING)


PLACE_FEATURES = (
    Feature("position", "place", "middle of the clip, 0 at the episode's start, 1 at its end", position),
    Feature("topic_distance", "place", "seconds since the topic began, at most 120", topic_distance),
    Feature("topic_changes", "place", "topics that begin inside the clip", topic_changes),
    Feature("centrality", "place", "cosine of the clip's and the episode's mean sentence vector", centrality),
    Feature("novelty", "place", "1 - cosine to the two minutes before the clip", novelty),
    Feature("length_deviation", "place", "distance from the wanted length, 1 at the window's end", length_deviation),
)

RISK_FEATURES = (
    Feature("ad_share", "risk", "share of the clip that may be an ad, however unsure", ad_share),
    Feature("spoiler_risk", "risk", "highest spoiler risk touched, 0 to 1", spoiler_risk),
    Feature("greeting", "risk", "sentences that greet: welcome back, thanks for joining", greeting),
    Feature("outro", "risk", "sentences that take leave: see you next week, thank you for listening", outro),
    Feature("housekeeping", "risk", "sentences about the show itself: subscribe, after the break", housekeeping),
)
