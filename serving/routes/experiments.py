"""Experiments: readings for programs, and the arm and the clip of a listener."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, Field

from eval.online import Arm, Difference, Experiment, Outcome, Reading, Verdict, assign
from serving.problems import responses
from serving.shelf import OfStore, Shelf
from steps.choose import CANDIDATES
from steps.experiments import read_experiment
from steps.exploring import shown_clip
from steps.reporting.experiment_words import conclusion, said_of

router = APIRouter(responses=responses(404))
Name = Annotated[str, Path(max_length=80, description="As the config names it.")]
Listener = Annotated[str, Query(min_length=1, max_length=200, description="Opaque; not kept.")]


class ArmReading(BaseModel):
    """What became of the listeners of an arm."""

    name: str
    share: float
    listeners: int
    completed: int
    streamed: int
    completion_rate: float | None = Field(description="None where no preview is shown, or nobody came.")
    stream_rate: float | None


class DifferenceReading(BaseModel):
    """By how much an arm's rate is above another's; the interval holds at every look."""

    outcome: Outcome
    arm: str
    against: str
    difference: float
    low: float = Field(description="-1, and 1 for high, while nothing can be said.")
    high: float
    says: str


class ExperimentReading(BaseModel):
    """What an experiment says so far."""

    experiment: str
    verdict: Verdict
    says: str
    level: float
    arms: list[ArmReading]
    differences: list[DifferenceReading]
    sample_ratio_p: float = Field(description="Below .001 the sizes of the arms do not fit their shares.")
    contaminated: int = Field(description="Listeners seen in two arms; left out.")
    pending: int = Field(description="Listeners whose time is not over; not counted yet.")
    unexposed: int = Field(description="Listeners who did something without having been shown anything; left out.")
    nameless: int = Field(description="Events of nobody, or of listeners forgotten since.")
    strange: int = Field(description="Events of an arm that the experiment does not have.")


class Assigned(BaseModel):
    """The arm of a listener."""

    experiment: str
    arm: str


class AssignedClip(Assigned):
    """What to show a listener of an asset; send the clip and its propensity back with every event."""

    asset_id: str
    start: float | None = Field(description="None where no preview is to be shown.")
    end: float | None
    propensity: float | None
    preview: str = Field(description="The run that published it.")


@router.get("/experiments/{name}")
def get_experiment(name: Name, shelf: OfStore) -> ExperimentReading:
    """What an experiment says so far."""
    return described(read_experiment(_named(name, shelf), store=shelf.store, now=datetime.now(UTC)))


@router.get("/experiments/{name}/assign")
def get_arm(name: Name, listener: Listener, shelf: OfStore) -> Assigned:
    """The arm of a listener; always the same."""
    return Assigned(experiment=name, arm=assign(listener, _named(name, shelf)))


@router.get("/experiments/{name}/clip")
def get_clip(
    name: Name, listener: Listener, asset: Annotated[str, Query(min_length=1, max_length=64)], shelf: OfStore
) -> AssignedClip:
    """What to show a listener of an asset; always the same until the asset is published again."""
    experiment, (_, preview) = _named(name, shelf), shelf.preview(asset)
    candidates = shelf.store.read(CANDIDATES, [asset]).get(asset, ())
    shown = shown_clip(listener, experiment, asset_id=asset, preview=preview, candidates=candidates)
    start, end = (shown.clip.start, shown.clip.end) if shown.clip else (None, None)
    return AssignedClip(
        experiment=name,
        arm=shown.arm,
        asset_id=asset,
        start=start,
        end=end,
        propensity=shown.propensity,
        preview=preview.run,
    )


def described(reading: Reading) -> ExperimentReading:
    """A reading for programs."""
    return ExperimentReading(
        experiment=reading.experiment,
        verdict=reading.verdict,
        says=conclusion(reading),
        level=reading.level,
        arms=[_arm(arm) for arm in reading.arms],
        differences=[_difference(one) for one in reading.differences],
        sample_ratio_p=reading.sample_ratio_p,
        contaminated=reading.contaminated,
        pending=reading.pending,
        unexposed=reading.unexposed,
        nameless=reading.nameless,
        strange=reading.strange,
    )


def _named(name: str, shelf: Shelf) -> Experiment:
    running = shelf.settings.experiments.running
    for experiment in running:
        if experiment.name == name:
            return experiment
    there = ", ".join(one.name for one in running) or "none"
    raise HTTPException(404, f"no experiment {name!r}; running: {there}")


def _arm(arm: Arm) -> ArmReading:
    return ArmReading(
        name=arm.name,
        share=arm.share,
        listeners=arm.units,
        completed=arm.completed,
        streamed=arm.streamed,
        completion_rate=arm.completion_rate,
        stream_rate=arm.stream_rate,
    )


def _difference(one: Difference) -> DifferenceReading:
    return DifferenceReading(
        outcome=one.outcome,
        arm=one.arm,
        against=one.against,
        difference=one.difference,
        low=one.low,
        high=one.high,
        says=said_of(one),
    )
