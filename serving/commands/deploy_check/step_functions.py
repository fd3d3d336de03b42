"""A Step Functions state machine, read back and compared with the profile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from serving.commands.deploy_check.findings import Finding, differences
from serving.commands.deploy_check.flow_sources import FlowSource
from steps.placement import Placement
from steps.profile import Profile

MOST_BYTES = 1_000_000  # what Step Functions takes of a definition
METAFLOW_PARALLELISM = 100  # if the profile says nothing


def check_machine(
    flow: FlowSource,
    machine: Mapping[str, Any],
    profile: Profile,
    places: Mapping[str, Placement],
    *,
    images: Mapping[str, str],
    cron: str,
) -> Iterator[Finding]:
    """All findings of one flow; `images` by job definition, `cron` as the scheduler got it."""
    machines = list(_machines(machine))
    for one in machines:
        yield from _graph(flow, one)
    states = {name: state for one in machines for name, state in one.get("States", {}).items()}
    for step, place in places.items():
        if step in states:
            yield from differences(flow.name, step, _seen(states[step], images), _wanted(place))
            yield from differences(flow.name, step, _environment(states[step]), profile.environment)
        else:
            yield Finding(flow.name, step, "the state machine has no state for it")
    yield from _widths(flow, states, profile)
    wanted = f"cron({profile.schedules[flow.name]})" if flow.name in profile.schedules else ""
    yield from differences(flow.name, "", {"schedule": cron}, {"schedule": wanted})
    if len(json.dumps(machine)) > MOST_BYTES:
        yield Finding(flow.name, "", f"the definition has over {MOST_BYTES} bytes, and Step Functions takes no more")


def _machines(machine: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A machine and all those inside it: the branches of Parallel states, the bodies of Map states."""
    yield machine
    for state in machine.get("States", {}).values():
        body = state.get("Iterator") or state.get("ItemProcessor")
        for inner in [*state.get("Branches", ()), *([body] if body else [])]:
            yield from _machines(inner)


def _graph(flow: FlowSource, machine: Mapping[str, Any]) -> Iterator[Finding]:
    """Every state that is named exists, every state is reached, and every way ends."""
    states = machine.get("States", {})
    first = machine.get("StartAt")
    following = {name: state.get("Next") for name, state in states.items()}
    for name in {first, *filter(None, following.values())} - states.keys():
        yield Finding(flow.name, "", f"the state {name!r} is next somewhere, and does not exist")
    for name in states.keys() - {first, *following.values()}:
        yield Finding(flow.name, "", f"nothing leads to the state {name!r}")
    for name, state in states.items():
        if bool(state.get("Next")) == bool(state.get("End")):
            yield Finding(flow.name, "", f"the state {name!r} must either end or have a next state")


def _seen(state: Mapping[str, Any], images: Mapping[str, str]) -> dict[str, Any]:
    """What a step's state asks for, in the words of a profile."""
    asked = state.get("Parameters", {})
    resources = {one["Type"]: float(one["Value"]) for one in asked["ContainerOverrides"]["ResourceRequirements"]}
    return {
        "cpu": resources.get("VCPU"),
        "memory_mb": resources.get("MEMORY"),
        "gpu": resources.get("GPU", 0.0),
        "timeout_s": asked.get("Timeout", {}).get("AttemptDurationSeconds"),
        "attempts": asked.get("RetryStrategy", {}).get("Attempts", 1),
        "image": images.get(asked["JobDefinition"]),
        "queue": asked["JobQueue"].rpartition("/")[2],
    }


def _wanted(place: Placement) -> dict[str, Any]:
    return {
        "cpu": float(place.cpu),
        "memory_mb": float(place.memory_mb),
        "gpu": float(place.gpu),
        "timeout_s": 60 * place.timeout_minutes,
        "attempts": place.attempts,
        "image": place.image,
        "queue": place.queue.rpartition("/")[2],
    }


def _environment(state: Mapping[str, Any]) -> dict[str, Any]:
    return {one["Name"]: one.get("Value") for one in state["Parameters"]["ContainerOverrides"]["Environment"]}


def _widths(flow: FlowSource, states: Mapping[str, Any], profile: Profile) -> Iterator[Finding]:
    """Each foreach is a Map of the profile's width."""
    for step in sorted(flow.repeated):
        found = states.get(f"*{step}", {})  # so Metaflow calls the Map around a step
        wanted = {"Type": "Map", "MaxConcurrency": profile.parallelism or METAFLOW_PARALLELISM}
        yield from differences(flow.name, step, found, wanted)
