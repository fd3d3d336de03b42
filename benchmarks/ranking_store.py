"""The ranker in use on golden clips of assets in the store, beside every baseline: `golden_clips.csv` in the folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.job import Job, csv_text
from benchmarks.made_catalogue import LENGTH_S
from benchmarks.report import Measured
from eval.segment_metrics import HIT_IOUS
from featurization.errors import SourceError
from ranking.graded import GradedEpisode
from ranking.prior import Prior
from ranking.spans import Floats
from steps.golden import Golden, gather_golden
from steps.grading import graded_episodes
from steps.judging import judge, judge_editors, pooled, scores_of
from steps.rankers import current_ranker, lineage_of
from steps.store import Store

FILE = "golden_clips.csv"
COLUMNS = ("asset_id", "start", "end", "score", "rank")
OURS = "rushes"
OF_EDITORS = ("IoU", *(f"hit@1 IoU {iou:g}" for iou in HIT_IOUS), "boundary error s")
NOTES = (
    "figures are pooled over episodes: IoU of the pick with the nearest golden clip, hits at an IoU, nDCG, mean "
    "reciprocal rank of the first clip with an IoU of .5, seconds per pick",
    "episodes_of_shows_that_taught: a trained ranker has met these shows, which flatters its figures",
    "editors: the clip of each editor judged by those of the others",
)


def measure_store(job: Job) -> Measured:
    """Figures on the folder's golden clips alone; picks go to ranking.csv, those of the others to ranking-NAME.csv."""
    store, path = Store(), job.data / FILE
    if not path.is_file():
        raise SourceError(f"{job.data}: no file {FILE} in it (asset_id, start, end, editor)")
    gathered = gather_golden(store=store, options=job.settings.golden, file=path)
    clips = dict(_of_file(gathered.clips))
    graded = graded_episodes(clips, length_s=LENGTH_S, settings=job.settings, store=store)
    episodes = [episode for episode in graded if episode.golden]
    if not episodes:
        raise SourceError(f"{path}: none of its clips can be used; {gathered.describe()}")
    ranker = current_ranker(store, job.settings)
    lineage = lineage_of(ranker.identity, store=store)
    taught = lineage.shows if lineage else ()
    figures = {
        name: _measured(job, name, episodes, scores)
        for name, scores in ((OURS, [scores_of(ranker, e) for e in episodes]), *_others(episodes, job))
    }
    return Measured(
        metrics=figures.pop(OURS),
        peers={**figures, **_editors(episodes)},
        counts={
            "episodes": len(episodes),
            "shows": len({episode.show for episode in episodes}),
            "clips": sum(len(episode.golden) for episode in episodes),
            "refused": len(gathered.refused),
            "episodes_of_shows_that_taught": sum(episode.show in taught for episode in episodes),
        },
        details={"ranker": ranker.identity},
        notes=NOTES,
    )


def _of_file(clips: Mapping[str, Sequence[Golden]]) -> Iterator[tuple[str, tuple[Golden, ...]]]:
    for asset_id, of_asset in clips.items():
        if stated := tuple(clip for clip in of_asset if clip.source == "file"):
            yield asset_id, stated


def _others(episodes: Sequence[GradedEpisode], job: Job) -> Iterator[tuple[str, list[Floats]]]:
    prior = Prior(job.settings.prior)
    yield "prior", [scores_of(prior, episode) for episode in episodes]
    for name in episodes[0].baselines:
        yield name, [episode.baselines[name] for episode in episodes]


def _measured(job: Job, name: str, episodes: Sequence[GradedEpisode], scores: Sequence[Floats]) -> Mapping[str, float]:
    judged = [judge(episode, values) for episode, values in zip(episodes, scores, strict=True)]
    rows = [
        {
            "asset_id": one.asset_id,
            "start": one.pick.start,
            "end": one.pick.end,
            "score": _best(episode, values),
            "rank": 1,
        }
        for one, episode, values in zip(judged, episodes, scores, strict=True)
        if one.pick
    ]
    job.predict("ranking.csv" if name == OURS else f"ranking-{name}.csv", csv_text(COLUMNS, rows))
    return pooled(judged).figures()


def _best(episode: GradedEpisode, scores: Floats) -> float:
    return float(scores[episode.passed].max())


def _editors(episodes: Sequence[GradedEpisode]) -> dict[str, Mapping[str, float]]:
    """How well editors find each other's clips; nothing if no episode has two."""
    judged = judge_editors(episodes)
    return {"editors": {name: pooled(judged).figures()[name] for name in OF_EDITORS}} if judged else {}
