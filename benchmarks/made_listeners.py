"""Listeners whose habits are known: what experiments and logs must find in what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from eval.off_policy import Log
from eval.online import Experiment, assign
from steps.events import Event

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Habits:
    """How often the listeners of each arm complete a preview and stream the episode."""

    streams: Mapping[str, float]
    completes: Mapping[str, float]


def made_looks(
    rates: Floats, shares: Floats, *, runs: int, looks: int, units_per_look: int, seed: int
) -> tuple[Floats, Floats]:
    """Many experiments at once: successes and units so far, (runs, looks, arms), at each look."""
    random = np.random.default_rng(seed)
    units = random.multinomial(units_per_look, shares, size=(runs, looks))
    successes = random.binomial(units, rates)
    return successes.cumsum(axis=1).astype(np.float64), units.cumsum(axis=1).astype(np.float64)


def made_events(
    experiment: Experiment,
    habits: Habits,
    *,
    asset_id: str,
    listeners: int,
    begin: datetime,
    seed: int,
    lost: Mapping[str, float] | None = None,
) -> list[Event]:
    """The log of `listeners` who meet an experiment one minute apart.

    `lost` is, by arm, the share of listeners who leave no trace.
    """
    random = np.random.default_rng(seed)
    rows: list[Event] = []
    for number, (gone, completes, streams) in enumerate(random.random((listeners, 3))):
        listener = f"listener-{seed}-{number}"
        arm = assign(listener, experiment)
        if gone < (lost or {}).get(arm, 0.0):
            continue
        did = [("impression", True), ("complete", completes < habits.completes[arm])]
        did.append(("stream", streams < habits.streams[arm]))
        for step, kind in enumerate(kind for kind, done in did if done):
            when = begin + timedelta(minutes=number, seconds=10 * step)
            rows.append(_event(f"{listener}-{kind}", asset_id, kind, listener, experiment.name, arm, when))
    return rows


def _event(name: str, asset_id: str, kind: str, listener: str, experiment: str, arm: str, when: datetime) -> Event:
    return Event(id=name, asset_id=asset_id, kind=kind, when=when, listener=listener, experiment=experiment, arm=arm)


@dataclass(frozen=True)
class MadeLog:
    """A log of clips, and what every clip is truly worth."""

    log: Log
    clip: Ints  # (rows,) index of the clip that was shown
    episode: Ints  # (clips,) index of its episode
    worth: Floats  # (clips,) chance that whoever is shown it streams
    policy: Floats  # (clips,) chance with which an episode's clip was shown


def made_log(*, episodes: int, clips: int, rows: int, habit: float, seed: int) -> MadeLog:
    """A log kept by a ranker with tastes of its own: the larger `habit`, the more it shows its favourite clips.

    It has good taste on the whole, so that what it shows is worth more than chance would be.
    """
    random = np.random.default_rng(seed)
    worth = random.beta(2, 12, size=(episodes, clips))
    liking = habit * (worth / worth.std() + random.normal(size=worth.shape))
    policy = np.exp(liking - liking.max(axis=1, keepdims=True))
    policy /= policy.sum(axis=1, keepdims=True)
    where = random.integers(episodes, size=rows)
    drawn = (policy.cumsum(axis=1)[where] < random.random((rows, 1))).sum(axis=1).clip(max=clips - 1)
    streamed = random.random(rows) < worth[where, drawn]
    log = Log(policy[where, drawn], streamed.astype(np.float64))
    return MadeLog(log, where * clips + drawn, np.repeat(np.arange(episodes), clips), worth.ravel(), policy.ravel())


def made_views(made: MadeLog, *, when: datetime) -> list[Event]:
    """The same log as events: each row a visit, clips of 30 s side by side in episodes named e000, e001, …"""
    first = np.searchsorted(made.episode, made.episode)  # of each clip, the first one of its episode
    rows: list[Event] = []
    for number, clip in enumerate(made.clip):
        asset_id, visit = f"e{made.episode[clip]:03d}", f"visit-{number}"
        start = 30.0 * float(clip - first[clip])
        chance = float(made.log.propensity[number])
        shown = Event(
            visit, asset_id, "impression", when, session=visit, start=start, end=start + 30, propensity=chance
        )
        rows.append(shown)
        if made.log.reward[number]:
            rows.append(Event(f"{visit}-stream", asset_id, "stream", when + timedelta(minutes=1), session=visit))
    return rows
