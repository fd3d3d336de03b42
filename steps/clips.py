"""The clips of an episode that could be its preview, what is known of the episode, and what the gates say."""

from __future__ import annotations

from dataclasses import dataclass

from featurization.keywords import keywords
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
    verdicts = apply_gates(candidates, hearing, duration_s=duration_s, film=episode.is_film, options=settings.gates)
    return EpisodeClips(candidates, verdicts, context)


def _candidates(episode: Episode, target_s: float, settings: Settings) -> tuple[Candidate, ...]:
    asset_id, options = episode.asset.asset_id, settings.candidates.lasting(target_s)
    if episode.shots:
        return make_film_candidates(asset_id, episode.hearing, episode.shots, options)
    return make_candidates(asset_id, episode.hearing, options)
