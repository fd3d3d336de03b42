"""What can be measured of an asset in the store against a truth file, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from eval.ad_metrics import HeardSeconds, cut_seconds, judge_ads
from eval.detection_metrics import DetectionMetrics
from eval.diarization_errors import DiarizationErrors, diarization_errors
from eval.shot_metrics import ShotMetrics, TransitionSpan, judge_transitions
from eval.sound_metrics import judge_sounds
from eval.word_errors import WordErrors, word_errors
from featurization.errors import SourceError
from featurization.media import Asset, Segment, Shot
from steps.store import Store
from steps.tables import ADS, PROFILES, SENTENCES, SHOTS, SOUNDS, TURNS, WORDS, Table
from steps.truth import formats
from steps.truth.figures import (
    COLLAR_S,
    TOLERANCES,
    Ratios,
    SoundMetrics,
    detection_figures,
    pooled_sounds,
    shot_figures,
    sound_figures,
    speaker_figures,
)

_SLACK_S = 10.0  # how far truth may reach over the end: containers and people round
_MOST_PAIRS = 1_000_000_000  # of words, each a byte of memory


@dataclass(frozen=True)
class Task:
    """One detector: which files hold its truth, the counts of one asset, and the figures of all counts together."""

    name: str
    suffixes: tuple[str, ...]
    judge: Callable[[Path, Asset, Store], Any]
    figures: Callable[[Sequence[Any]], Ratios]


def _transcript(path: Path, asset: Asset, store: Store) -> WordErrors:
    true, found = formats.read_text(path), " ".join(word.text for word in _heard(WORDS, path, asset, store))
    if len(true.split()) * len(found.split()) > _MOST_PAIRS:
        raise SourceError(f"{path}: too long to be compared word by word; cut the recording into parts of an hour")
    return word_errors(true, found, language=asset.language.lower().partition("-")[0] or "en")


def _transcript_figures(judged: Sequence[WordErrors]) -> Ratios:
    return {"wer": sum(judged, WordErrors()).rate}


def _speakers(path: Path, asset: Asset, store: Store) -> tuple[DiarizationErrors, DiarizationErrors]:
    true, found = _inside(formats.read_rttm(path), path, asset), _heard(TURNS, path, asset, store)
    return diarization_errors(true, found), diarization_errors(true, found, collar_s=COLLAR_S)


def _speaker_figures(judged: Sequence[tuple[DiarizationErrors, DiarizationErrors]]) -> Ratios:
    exact, forgiving = zip(*judged, strict=True)
    return speaker_figures(sum(exact, DiarizationErrors()), sum(forgiving, DiarizationErrors()))


def _sounds(path: Path, asset: Asset, store: Store) -> SoundMetrics:
    true, found = _inside(formats.read_sounds(path), path, asset), _heard(SOUNDS, path, asset, store)
    return judge_sounds(true, found, duration_s=max(asset.duration_s, *(span.end for span in true)))


def _sound_figures(judged: Sequence[SoundMetrics]) -> Ratios:
    return _flat(sound_figures(pooled_sounds(judged)))


def _ads(path: Path, asset: Asset, store: Store) -> tuple[DetectionMetrics, HeardSeconds]:
    true, found = _inside(formats.read_spans(path), path, asset, least=0), _heard(ADS, path, asset, store)
    return judge_ads(_heard(SENTENCES, path, asset, store), true, found), cut_seconds(true, found)


def _ad_figures(judged: Sequence[tuple[DetectionMetrics, HeardSeconds]]) -> Ratios:
    sentences, seconds = zip(*judged, strict=True)
    heard = sum(seconds, HeardSeconds())
    return {
        **detection_figures(sum(sentences, DetectionMetrics())),
        "content_loss_s": heard.content_loss_s,
        "ad_leak_s": heard.ad_leak_s,
    }


def _shots(path: Path, asset: Asset, store: Store) -> tuple[ShotMetrics, ...]:
    """Metrics for each tolerance."""
    shots = store.read(SHOTS, [asset.asset_id]).get(asset.asset_id, ())
    if not shots or not asset.frame_rate:
        raise SourceError(f"{path}: no shots of {asset.title} are in the store; featurize it")
    true, found = formats.read_transitions(path), transitions(shots, asset.frame_rate)
    if late := [span.last for span in true if span.last > (shots[-1].end + _SLACK_S) * asset.frame_rate]:
        raise SourceError(f"{path}: frame {late[0]} lies behind the end of {asset.title}; is it of another film?")
    joined = as_shots_meet(true, found)
    return tuple(judge_transitions(joined, found, tolerance=tolerance) for tolerance in TOLERANCES)


def _shot_figures(judged: Sequence[tuple[ShotMetrics, ...]]) -> Ratios:
    by_tolerance = zip(TOLERANCES, zip(*judged, strict=True), strict=True)
    return _flat({f"tolerance_{t}": _flat(shot_figures(sum(of_all, ShotMetrics()))) for t, of_all in by_tolerance})


def transitions(shots: Sequence[Shot], frame_rate: float) -> list[TransitionSpan]:
    """Where shots meet, in frames of a film with a steady rate: what `featurization.shots` made of its boundaries."""
    return [_transition(before, after, frame_rate) for before, after in pairwise(shots)]


def _transition(before: Shot, after: Shot, frame_rate: float) -> TransitionSpan:
    at = round(after.start * frame_rate)
    first = round((before.end - before.fade_out_s) * frame_rate)
    last = round((after.start + after.fade_in_s) * frame_rate) - 1 if after.fade_in_s else at
    return TransitionSpan(first, max(first, last), gradual=after.transition != "cut")


def as_shots_meet(truth: Sequence[TransitionSpan], found: Sequence[TransitionSpan]) -> list[TransitionSpan]:
    """Truth counted as the store counts: a fade, the plain colour that it leads to and what comes after are one.

    So true transitions become one if they lie in the same found one; it is a cut if one of them is.
    """
    reach = max(TOLERANCES)
    left, joined = list(truth), []
    for span in found:
        inside = [true for true in left if span.first - reach <= true.first and true.last <= span.last + reach]
        if len(inside) > 1:
            left = [true for true in left if true not in inside]
            first, last = min(true.first for true in inside), max(true.last for true in inside)
            joined.append(TransitionSpan(first, last, gradual=all(true.gradual for true in inside)))
    return sorted([*left, *joined])


def _heard(table: Table[Any], path: Path, asset: Asset, store: Store) -> Sequence[Any]:
    """Rows of an asset that was heard. SourceError if it was not."""
    if not store.read(PROFILES, [asset.asset_id]):
        raise SourceError(f"{path}: {asset.title} was not heard yet; featurize it")
    return store.read(table, [asset.asset_id]).get(asset.asset_id, ())


def _inside(spans: Sequence[Any], path: Path, asset: Asset, *, least: int = 1) -> Sequence[Any]:
    """The spans. SourceError if there are too few, or one lies behind the end of the asset."""
    if len(spans) < least:
        raise SourceError(f"{path}: there is nothing in it to measure by")
    last: Segment | None = max(spans, key=lambda span: span.end, default=None)
    if last and last.end > asset.duration_s + _SLACK_S:
        length = f"{asset.title} is {asset.duration_s:.1f} s long"
        raise SourceError(f"{path}: {last.end:.1f} s lies behind the end, {length}; is it of another recording?")
    return spans


def _flat(figures: Mapping[str, Ratios]) -> Ratios:
    return {f"{name} {figure}": value for name, own in figures.items() for figure, value in own.items()}


TASKS = (
    Task("transcripts", (formats.TEXT, formats.WORDS), _transcript, _transcript_figures),
    Task("speakers", (formats.TURNS,), _speakers, _speaker_figures),
    Task("sounds", (formats.SOUNDS,), _sounds, _sound_figures),
    Task("shots", (formats.TRANSITIONS,), _shots, _shot_figures),
    Task("ads", (formats.ADS,), _ads, _ad_figures),
)
