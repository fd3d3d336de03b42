"""The clips of an episode that could be its preview, what is known of the episode, and what the gates say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from featurization.keywords import keywords
from featurization.media import Segment
from ranking.candidates import Candidate, make_candidates
from ranking.context import EpisodeContext
from ranking.film_candidates import make_film_candidates
from ranking.gates import Verdict, apply_gates
from steps.episodes import Episode
from steps.settings import Settings

EPISODE_KEYWORDS = 20


@dataclass(frozen=True, eq=False)
class EpisodeClips:
    """What choosing, teaching and judging all begin with."""

    candidates: tuple[Candidate, ...]
    verdicts: tuple[Verdict, ...]  # one per candidate
    context: EpisodeContext


def clips_of(episode: Episode, *, length_s: float, settings: Settings) -> EpisodeClips:
    """The clips for a preview of `length_s` seconds."""
    hearing, duration_s = episode.hearing, episode.hearing.profile.duration_s
    target_s = length_s / settings.select.moments
    candidates = _candidates(episode, target_s, settings)
    context = EpisodeContext(
        hearing,
        duration_s,
        episode.levels,
        episode.vectors,
        keywords([sentence.text for sentence in hearing.sentences], limit=EPISODE_KEYWORDS),
        target_s=target_s,
        shots=episode.shots,
        pictures=episode.pictures,
    )
    return EpisodeClips(candidates, judge_clips(candidates, episode, settings), context)


def judge_clips(candidates: Sequence[Candidate], episode: Episode, settings: Settings) -> tuple[Verdict, ...]:
    """What the gates say of clips of an episode, in their order."""
    hearing, duration_s = episode.hearing, episode.hearing.profile.duration_s
    gates = settings.gates
    if settings.spoilers.gives_nothing_away(episode.asset.show, episode.asset.categories):
        gates = replace(gates, spoiler_zone=0.0)
    return apply_gates(candidates, hearing, duration_s=duration_s, film=episode.is_film, options=gates)


def clip_between(span: Segment, episode: Episode) -> Candidate:
    """The clip with these edges, which need not lie on sentences: it holds those whose middle is in it."""
    sentences = episode.hearing.sentences
    inside = [index for index, sentence in enumerate(sentences) if sentence.middle in span]
    first, last = (inside[0], inside[-1] + 1) if inside else (0, 0)
    text = " ".join(sentence.text for sentence in sentences[first:last])
    made_of: Literal["sentences", "shots"] = "sentences" if inside or not episode.shots else "shots"
    return Candidate(span.start, span.end, episode.asset.asset_id, first, last, text, made_of)


def _candidates(episode: Episode, target_s: float, settings: Settings) -> tuple[Candidate, ...]:
    asset_id, options = episode.asset.asset_id, settings.candidates.lasting(target_s)
    if episode.shots:
        return make_film_candidates(asset_id, episode.hearing, episode.shots, options)
    return make_candidates(asset_id, episode.hearing, options)
