"""A catalogue to test learning on: made episodes whose editors have a hidden taste that differs by show.

The taste likes several features, some of them against the documented prior, and has two rules that no weighted sum can
say. Each editor picks the best clip that passes the gates, by the taste and a whim of their own. With `shuffled` labels
they pick at random, so that whoever finds a taste in them deceives themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.made_episodes import Show, make_episode, make_show
from benchmarks.made_talk import LINES_AROUND
from featurization.media import LevelTrack, Segment, Soundbite, Vector
from ranking.context import LEVEL_HOP_S, Clips, Ints
from ranking.features import FEATURE_NAMES, feature_matrix
from ranking.prior import standardise
from ranking.spans import Floats
from steps.clips import clips_of
from steps.episodes import Episode
from steps.feedback import GOLDEN_CLIPS, GoldenClip, identity, keep
from steps.golden import Golden, GoldenOptions
from steps.settings import Settings
from steps.store import Store
from steps.tables import (
    ADS,
    ASSETS,
    LEVELS,
    PROFILES,
    SENTENCES,
    SOUNDS,
    SPOILERS,
    TOPICS,
    TURNS,
    VECTORS,
    WORDS,
)

LIKES = {  # points per usual deviation within the episode
    "opening_curiosity": 1.0,
    "complete": 0.8,
    "dangling_start": -0.8,
    "keyword_coverage": 0.6,
    "orphan_answer": -0.5,
    "unresolved": -0.5,
    "balance": 0.7,
    # Against the prior: quiet talk without numbers, from deep inside a topic.
    "energy": -0.7,
    "numbers": -0.6,
    "topic_distance": 0.5,
}
BONUS = (
    1.2  # points for a question that is asked calmly, and for a clip from the episode's first half but not its start
)
FROM_SHARE, TO_SHARE = 0.12, 0.45
OF_SHOW = 0.3  # standard deviation of a show's weights, as a share of the weight
WHIM, DETAIL = 0.4, 0.2  # of what an editor feels about a first sentence and about one clip, in deviations of the taste
LENGTH_S = 30.0
CANDIDATES_PER_LINE = 2.46
_SPACE = "made@1"
_WHEN = "2026-01-01T00:00:00+00:00"
_LIKED = [FEATURE_NAMES.index(name) for name in LIKES]
_QUESTION, _ENERGY, _POSITION, _ADS = (
    FEATURE_NAMES.index(name) for name in ("opening_question", "energy", "position", "ad_share")
)


@dataclass(frozen=True, eq=False)
class Taste:
    """What the editors of one show like: the best order that a ranker could learn."""

    weights: Floats  # of LIKES, in their order

    def score(self, matrix: Floats) -> Floats:
        """How much each clip that passed the gates is liked, (clips,), from their features (clips, features)."""
        calm = (matrix[:, _QUESTION] > 0) & (matrix[:, _ENERGY] < 0)
        placed = (matrix[:, _POSITION] > FROM_SHARE) & (matrix[:, _POSITION] < TO_SHARE)
        liked = standardise(matrix)[:, _LIKED] @ self.weights
        return np.asarray(liked + BONUS * calm + BONUS * placed, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class MadeEpisode:
    """An episode, what its editors chose, and why."""

    episode: Episode
    golden: tuple[Golden, ...]
    taste: Taste


def make_catalogue(
    episodes: int = 400,
    *,
    shows: int = 40,
    seed: int = 7,
    candidates: int = 300,
    editors: int = 2,
    shuffled: bool = False,
) -> tuple[MadeEpisode, ...]:
    """Episodes of about so many candidates each, one of every show before the second of any.

    Equal arguments give equal catalogues, and a smaller one is the beginning of a larger one. The first editor's clip
    is the publisher's soundbite, the others come from the studio. `shuffled` changes nothing but the golden clips.
    """
    return tuple(
        _made(number, number % shows, seed=seed, candidates=candidates, editors=editors, shuffled=shuffled)
        for number in range(episodes)
    )


def stock(store: Store, catalogue: Sequence[MadeEpisode]) -> None:
    """Commit everything that flows read of these episodes; there is no sound behind them."""
    episodes = {made.episode.asset.asset_id: made.episode for made in catalogue}
    heard = {asset_id: episode.hearing for asset_id, episode in episodes.items()}
    store.commit(
        "made catalogue",
        {
            ASSETS: {asset_id: [episode.asset] for asset_id, episode in episodes.items()},
            PROFILES: {asset_id: [hearing.profile] for asset_id, hearing in heard.items()},
            WORDS: {asset_id: hearing.words for asset_id, hearing in heard.items()},
            SENTENCES: {asset_id: hearing.sentences for asset_id, hearing in heard.items()},
            TURNS: {asset_id: hearing.turns for asset_id, hearing in heard.items()},
            SOUNDS: {asset_id: hearing.sounds for asset_id, hearing in heard.items()},
            TOPICS: {asset_id: hearing.topics for asset_id, hearing in heard.items()},
            ADS: {asset_id: hearing.ads for asset_id, hearing in heard.items()},
            SPOILERS: {asset_id: hearing.spoilers for asset_id, hearing in heard.items()},
            LEVELS: {asset_id: [_track(episode)] for asset_id, episode in episodes.items()},
            VECTORS: {asset_id: list(_vectors(episode)) for asset_id, episode in episodes.items()},
        },
    )
    chosen = [_studio_row(golden) for made in catalogue for golden in made.golden if golden.source == "studio"]
    keep(chosen, GOLDEN_CLIPS, assets={a: episode.asset for a, episode in episodes.items()}, store=store)


def _made(number: int, of_show: int, *, seed: int, candidates: int, editors: int, shuffled: bool) -> MadeEpisode:
    show_rng = np.random.default_rng((seed, 0, of_show))
    show = make_show(show_rng, of_show)
    taste = Taste(np.array(list(LIKES.values())) * (1 + OF_SHOW * show_rng.normal(size=len(LIKES))))
    lines = round(candidates / CANDIDATES_PER_LINE)
    episode = make_episode(
        np.random.default_rng((seed, 1, number)), show, key=f"{seed}-{number:05d}", sentences=lines - LINES_AROUND
    )
    rng = np.random.default_rng((seed, 2 + shuffled, number))
    golden = tuple(_choices(rng, episode, show, None if shuffled else taste, editors))
    bites = tuple(Soundbite(g.start, g.end, g.title) for g in golden if g.source == "soundbite")
    return MadeEpisode(replace(episode, asset=replace(episode.asset, soundbites=bites)), golden, taste)


def _choices(
    rng: np.random.Generator, episode: Episode, show: Show, taste: Taste | None, editors: int
) -> Iterator[Golden]:
    """What each editor picks among the clips that pass the gates and touch nothing that may be an ad."""
    clips = clips_of(episode, length_s=LENGTH_S, settings=Settings())
    passed = [verdict.candidate for verdict in clips.verdicts if verdict.passed]
    columns = Clips.of(passed)
    allowed = np.flatnonzero(clips.context.ads.within(columns.start, columns.end) == 0)
    if not len(allowed):
        return
    likes = taste.score(feature_matrix(passed, clips.context)) if taste else np.zeros(len(passed))
    for editor in range(editors):
        felt = likes + (likes.std() or 1.0) * _whims(rng, columns.first)
        best = passed[allowed[np.argmax(felt[allowed])]]
        yield _golden(_marked(rng, best), episode, show, editor)


def _whims(rng: np.random.Generator, first: Ints) -> Floats:
    """What an editor feels beside the taste: clips that begin alike are felt alike."""
    return np.asarray(WHIM * rng.normal(size=first.max() + 1)[first] + DETAIL * rng.normal(size=len(first)))


def _marked(rng: np.random.Generator, clip: Segment) -> Segment:
    """The clip with its edges as somebody sets them by hand, to a tenth of a second, within the gates' margin."""
    start, end = np.round(np.array([clip.start, clip.end]) + np.clip(rng.normal(0, 0.15, 2), -0.2, 0.2), 1).tolist()
    return Segment(max(0.0, start), end)


def _golden(span: Segment, episode: Episode, show: Show, editor: int) -> Golden:
    weights, asset_id = GoldenOptions().weights, episode.asset.asset_id
    if editor == 0:
        return Golden(
            span.start, span.end, asset_id, f"publisher of {show.name}", "soundbite", 4, weights.soundbite, "Listen"
        )
    return Golden(span.start, span.end, asset_id, f"editor{editor}", "studio", 4, weights.studio)


def _studio_row(golden: Golden) -> GoldenClip:
    key = identity(golden.asset_id, golden.editor, golden.start, golden.end)
    return GoldenClip(golden.start, golden.end, key, golden.asset_id, golden.editor, _WHEN, golden.grade)


def _track(episode: Episode) -> LevelTrack:
    return LevelTrack(LEVEL_HOP_S, tuple(episode.levels.tolist()))


def _vectors(episode: Episode) -> Iterator[Vector]:
    for sentence, values in zip(episode.hearing.sentences, episode.vectors.tolist(), strict=True):
        yield Vector(sentence.start, sentence.end, "sentence", _SPACE, tuple(values))
