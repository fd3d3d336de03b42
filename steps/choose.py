"""Choose the moments of one episode that its preview is made of, by the best ranker there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from featurization.media import Segment
from ranking.gates import Verdict, refuse_asset, without_rejected
from ranking.ranker import Ranker
from ranking.select import Choice, NoChoice, choose
from steps.clips import clip_between, clips_of, judge_clips
from steps.episodes import Episode
from steps.settings import Settings
from steps.tables import Table
from steps.verdicts import NOT_REVIEWED, Reviewed


@dataclass(frozen=True, slots=True)
class ScoredCandidate(Segment):
    """A clip that could have been the preview, its score if it passed the gates, and what excluded it if not."""

    first: int  # sentences [first, last) of the episode
    last: int
    text: str
    score: float | None
    excluded: tuple[str, ...] = ()  # "gate: reason"
    picked: bool = False


CANDIDATES = Table("candidates", ScoredCandidate)


def choose_preview(
    episode: Episode, *, ranker: Ranker, length_s: float, settings: Settings, reviewed: Reviewed = NOT_REVIEWED
) -> tuple[Choice | NoChoice, tuple[ScoredCandidate, ...]]:
    """What to publish of an episode, or why nothing; and every candidate with its fate.

    What editors `reviewed` goes first: none of what they rejected, and the edges that they set.
    """
    clips = clips_of(episode, length_s=length_s, settings=settings)
    verdicts = without_rejected(clips.verdicts, reviewed.rejected)
    wanted = judge_clips([clip_between(moment, episode) for moment in reviewed.wanted], episode, settings)
    # Rights end on days, so the answer may change from one day to the next; nothing else here knows the date.
    refusals = refuse_asset(episode.asset, episode.hearing, today=date.today(), options=settings.gates)
    choice = choose(verdicts, clips.context, ranker, refusals=refusals, wanted=wanted, options=settings.select)
    others = {verdict.candidate for verdict in verdicts}
    return choice, tuple(_scored([*verdicts, *(one for one in wanted if one.candidate not in others)], choice))


def _scored(verdicts: Iterable[Verdict], choice: Choice | NoChoice) -> Iterator[ScoredCandidate]:
    ranked, moments = (choice.ranked, choice.moments) if isinstance(choice, Choice) else ((), ())
    scores = {one.candidate: one.score for one in (*ranked, *moments)}
    picked = {moment.candidate for moment in moments}
    for verdict in verdicts:
        c = verdict.candidate
        excluded = tuple(f"{exclusion.gate}: {exclusion.reason}" for exclusion in verdict.exclusions)
        yield ScoredCandidate(c.start, c.end, c.first, c.last, c.text, scores.get(c), excluded, c in picked)
