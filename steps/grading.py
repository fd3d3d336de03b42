"""From golden clips to graded episodes: every clip of an episode with its features, its grade and what is in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from eval.topic_coverage import keywords_said, topic_coverage
from featurization.media import Asset, Hearing, Segment
from ranking.baselines import BASELINES
from ranking.context import Clips
from ranking.features import feature_matrix
from ranking.graded import Chosen, ClipFacts, GradedEpisode
from ranking.labels import best_ious, grades
from ranking.spans import Coverage, Floats
from steps.clips import EpisodeClips, clips_of
from steps.episodes import Episode, read_episodes
from steps.golden import Golden, show_key
from steps.settings import Settings
from steps.store import Store

log = logging.getLogger(__name__)
_BATCH = 20  # episodes read at a time: their words and vectors are the largest things held
_EDGE_S = 0.35  # a clip this near to the edge of a sentence begins on it


def graded_episodes(
    golden: Mapping[str, Sequence[Golden]], *, length_s: float, settings: Settings, store: Store
) -> Iterator[GradedEpisode]:
    """Every heard episode with golden clips, in the order of ids, one at a time."""
    asset_ids = sorted(golden)
    for first in range(0, len(asset_ids), _BATCH):
        if first:
            log.info("graded %d of %d episodes", first, len(asset_ids))
        for episode in read_episodes(asset_ids[first : first + _BATCH], store=store):
            yield grade_episode(episode, golden[episode.asset.asset_id], length_s=length_s, settings=settings)


def grade_episode(episode: Episode, golden: Sequence[Golden], *, length_s: float, settings: Settings) -> GradedEpisode:
    """The clips of one episode, those that the gates exclude among them, against what its editors chose."""
    clips = clips_of(episode, length_s=length_s, settings=settings)
    spans, liked = clips.candidates, [clip for clip in golden if clip.chosen]
    matrix, columns = feature_matrix(spans, clips.context), Clips.of(spans)
    scores = {name: baseline(columns, clips.context) for name, baseline in BASELINES.items()}
    return GradedEpisode(
        asset_id=episode.asset.asset_id,
        title=episode.asset.title,
        show=show_key(episode.asset),
        start=columns.start,
        end=columns.end,
        passed=np.array([verdict.passed for verdict in clips.verdicts], dtype=bool),
        matrix=matrix,
        ious=best_ious(spans, liked),
        grades=grades(spans, golden, worth=[clip.grade for clip in golden], options=settings.labels),
        chosen=tuple(Chosen(c.start, c.end, c.editor, c.grade, c.weight) for c in golden),
        facts=_facts(columns, clips, episode, settings),
        keywords=len(clips.context.keywords),
        said_at_random=_said_at_random(clips, length_s),
        baselines=scores,
        traits=_traits(episode.asset, episode.hearing),
    )


def _facts(columns: Clips, clips: EpisodeClips, episode: Episode, settings: Settings) -> ClipFacts:
    hearing, gates = episode.hearing, settings.gates
    start, end = columns.start, columns.end
    ads = Coverage(ad for ad in hearing.ads if ad.confidence >= gates.ad_confidence)
    music = Coverage(s for s in hearing.sounds if s.label == "music" and s.confidence >= gates.music_confidence)
    spoilers = Coverage(span for span in hearing.spoilers if span.risk >= gates.spoiler_risk)
    edges = [*hearing.sentences, *episode.shots]
    return ClipFacts(
        ad_s=ads.within(start, end),
        music_s=music.within(start, end),
        spoils=spoilers.within(start, end) > 0,
        said=keywords_said(clips.candidates, hearing.words, clips.context.keywords),
        clean_start=near(start, [span.start for span in edges]),
        clean_end=near(end, [span.end for span in edges]),
    )


def near(times: Floats, edges: Sequence[float]) -> np.ndarray:
    """Whether each time lies on one of the edges, as well as anybody hears it."""
    if not edges:
        return np.zeros(len(times), dtype=bool)
    known = np.unique(edges)
    index = np.searchsorted(known, times)
    before, after = known[np.maximum(index - 1, 0)], known[np.minimum(index, len(known) - 1)]
    return np.asarray(np.minimum(abs(times - before), abs(times - after)) <= _EDGE_S)


def _said_at_random(clips: EpisodeClips, length_s: float) -> float:
    """Keywords that a clip of the wanted length says, wherever it begins."""
    context = clips.context
    return topic_coverage(Segment(0.0, length_s), context.hearing.words, context.keywords).said_at_random


def _traits(asset: Asset, hearing: Hearing) -> dict[str, str]:
    """What an episode is like, in the classes that figures are broken down by."""
    speakers = len({turn.speaker for turn in hearing.turns})
    return {
        "show": asset.show or asset.title,
        "language": asset.language.partition("-")[0].lower() or "not stated",
        "length": _class(asset.duration_s / 60, (15, 45, 90), "min"),
        "speakers": "3 or more" if speakers > 2 else str(speakers),
        "loudness": _class(hearing.profile.loudness_lufs, (-23, -16), "LUFS"),
    }


def _class(value: float, limits: Sequence[float], unit: str) -> str:
    """The class of a value between limits, as people say it."""
    index = int(np.searchsorted(limits, value, side="right"))
    if index == 0:
        return f"under {limits[0]} {unit}"
    return f"from {limits[-1]} {unit}" if index == len(limits) else f"{limits[index - 1]} to {limits[index]} {unit}"
