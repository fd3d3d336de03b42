"""Features of how it sounds, and of who speaks."""

from __future__ import annotations

import numpy as np

from ranking.context import Clips, EpisodeContext, Feature, ratio
from ranking.spans import Floats
from ranking.word_cues import Cue

_OPENING_S = 5.0  # the time in which a listener decides
_HEARD_S = 1.0  # somebody who speaks for less is not a voice in the clip


def speech_rate(clips: Clips, context: EpisodeContext) -> Floats:
    return ratio(context.total(clips, Cue.WORDS), context.spoken.within(clips.start, clips.end))


def clarity(clips: Clips, context: EpisodeContext) -> Floats:
    return context.probability(clips)


def energy(clips: Clips, context: EpisodeContext) -> Floats:
    return context.loudness(clips.start, clips.end)


def energy_opening(clips: Clips, context: EpisodeContext) -> Floats:
    return context.loudness(clips.start, np.minimum(clips.start + _OPENING_S, clips.end))


def energy_variation(clips: Clips, context: EpisodeContext) -> Floats:
    return context.loudness_spread(clips)


def music_share(clips: Clips, context: EpisodeContext) -> Floats:
    """0 where nothing is said: there music does not disturb, it is what is to be heard."""
    return clips.spoken * ratio(context.music.within(clips.start, clips.end), clips.duration)


def pause_share(clips: Clips, context: EpisodeContext) -> Floats:
    return np.maximum(0.0, 1.0 - ratio(context.spoken.within(clips.start, clips.end), clips.duration))


def speakers(clips: Clips, context: EpisodeContext) -> Floats:
    return np.asarray((context.speaker_seconds(clips) >= _HEARD_S).sum(axis=1), dtype=np.float64)


def turns(clips: Clips, context: EpisodeContext) -> Floats:
    """Changes strictly inside: the turn that opens the clip is not a change."""
    until = np.searchsorted(context.turn_starts, clips.end, side="left")
    return np.asarray(until - np.searchsorted(context.turn_starts, clips.start, side="right"), dtype=np.float64)


def balance(clips: Clips, context: EpisodeContext) -> Floats:
    seconds = context.speaker_seconds(clips)
    total = seconds.sum(axis=1)
    return np.where(total > 0, 1.0 - ratio(seconds.max(axis=1, initial=0.0), total), 0.0)


SOUND_FEATURES = (
    Feature("speech_rate", "sound", "words per second of speech", speech_rate),
    Feature("clarity", "sound", "mean word probability, 0 to 1", clarity),
    Feature("energy", "sound", "level of the speech, dB above the episode's mean", energy),
    Feature("energy_opening", "sound", "level of the first 5 s, dB above the episode's mean", energy_opening),
    Feature("energy_variation", "sound", "standard deviation of the level of the speech, dB", energy_variation),
    Feature("music_share", "sound", "share of the clip with music, if anything is said in it", music_share),
    Feature("pause_share", "sound", "share of the clip between words", pause_share),
)

SPEAKER_FEATURES = (
    Feature("speakers", "speakers", "speakers heard for a second or more", speakers),
    Feature("turns", "speakers", "changes of speaker", turns),
    Feature("balance", "speakers", "share of the talking that is not the main speaker's", balance),
)
