"""Features of what is seen. An episode without pictures has 0 in all of them, which decides nothing."""

from __future__ import annotations

import numpy as np

from ranking.context import Clips, EpisodeContext, Feature, ratio
from ranking.spans import Floats

_AT_EDGE_S = 0.05  # about a frame


def shot_rate(clips: Clips, context: EpisodeContext) -> Floats:
    """Cuts strictly inside: those at the edges are not seen."""
    cuts = context.screen.starts
    until = np.searchsorted(cuts, clips.end - _AT_EDGE_S, side="left")
    inside = until - np.searchsorted(cuts, clips.start + _AT_EDGE_S, side="right")
    return 60.0 * ratio(np.maximum(0, inside), clips.duration)


def longest_shot(clips: Clips, context: EpisodeContext) -> Floats:
    return ratio(context.screen.longest(clips.start, clips.end), clips.duration)


def brightness(clips: Clips, context: EpisodeContext) -> Floats:
    return context.screen.mean("brightness", clips.start, clips.end)


def contrast(clips: Clips, context: EpisodeContext) -> Floats:
    return context.screen.mean("contrast", clips.start, clips.end)


def motion(clips: Clips, context: EpisodeContext) -> Floats:
    return context.screen.mean("motion", clips.start, clips.end)


def black_share(clips: Clips, context: EpisodeContext) -> Floats:
    return ratio(context.screen.black.within(clips.start, clips.end), clips.duration)


def picture_distance(clips: Clips, context: EpisodeContext) -> Floats:
    return context.screen.distance(clips.start, clips.end)


def starts_on_shot(clips: Clips, context: EpisodeContext) -> Floats:
    return context.screen.on_edge(clips.start, within_s=_AT_EDGE_S)


def ends_on_shot(clips: Clips, context: EpisodeContext) -> Floats:
    return context.screen.on_edge(clips.end, within_s=_AT_EDGE_S)


PICTURE_FEATURES = (
    Feature("shot_rate", "picture", "cuts per minute", shot_rate),
    Feature("longest_shot", "picture", "share of the clip that its longest shot fills", longest_shot),
    Feature("brightness", "picture", "mean brightness, 0 to 1", brightness),
    Feature("contrast", "picture", "mean contrast, 0 to .5", contrast),
    Feature("motion", "picture", "mean difference of neighbouring frames, 0 to 1", motion),
    Feature("black_share", "picture", "share of the clip in shots that are black", black_share),
    Feature("picture_distance", "picture", "1 - cosine of the clip's and the film's mean picture", picture_distance),
    Feature("starts_on_shot", "picture", "1 if the clip begins at the edge of a shot", starts_on_shot),
    Feature("ends_on_shot", "picture", "1 if the clip ends at the edge of a shot", ends_on_shot),
)
