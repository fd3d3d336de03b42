"""Which golden episodes teach, and which are held out: whole shows, so that a ranker is judged by voices new to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from featurization.errors import ModelError
from ranking.folds import held_out
from ranking.graded import GradedEpisode


@dataclass(frozen=True, slots=True)
class Split:
    """Asset ids on each side, and the shows that were held out."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    shows: tuple[str, ...]  # held out
    by: Literal["show", "episode"] = "show"  # "episode": there is one show, and figures flatter

    def training(self, episodes: Iterable[GradedEpisode]) -> list[GradedEpisode]:
        """The episodes that teach."""
        return _among(episodes, self.train)

    def judging(self, episodes: Iterable[GradedEpisode]) -> list[GradedEpisode]:
        """The episodes that are held out."""
        return _among(episodes, self.held_out)


def split(episodes: Sequence[GradedEpisode], *, share: float, at_least: int, seed: int) -> Split:
    """Hold out about `share` of the shows, and `at_least` so many if that is no more than half of them.

    A show stays on its side when others join. Only golden clips judge; what else is known of clips teaches, too.

    Raises ModelError if there are not enough episodes to learn from and to judge by.
    """
    useful = [episode for episode in episodes if episode.golden]
    if len(useful) < 2:
        raise ModelError(
            f"{len(useful)} of the {len(episodes)} golden episodes have a clip to learn from; a ranker needs two: one "
            "to learn from and one to be judged by. Mark the best clip of more episodes"
        )
    shows = {episode.show for episode in useful}
    by: Literal["show", "episode"] = "show" if len(shows) > 1 else "episode"

    def name(episode: GradedEpisode) -> str:
        return episode.show if by == "show" else episode.asset_id

    names = [name(episode) for episode in useful]
    out = held_out(names, share, seed, at_least=max(1, min(at_least, len(set(names)) // 2)))
    judging = {name for name, away in zip(names, out, strict=True) if away}
    return Split(
        train=tuple(episode.asset_id for episode in episodes if name(episode) not in judging),
        held_out=tuple(episode.asset_id for episode in useful if name(episode) in judging),
        shows=tuple(sorted({episode.show for episode in useful if name(episode) in judging})),
        by=by,
    )


def _among(episodes: Iterable[GradedEpisode], asset_ids: Iterable[str]) -> list[GradedEpisode]:
    wanted = set(asset_ids)
    return [episode for episode in episodes if episode.asset_id in wanted]
