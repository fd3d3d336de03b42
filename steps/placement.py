"""What one step of a flow gets in one profile: machine, image, queue, time and attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from featurization.errors import ConfigError
from steps.profile import Profile, StepOptions

MOST_ATTEMPTS = 6  # of a task, in Metaflow
CATCHING = 3  # attempts that @catch adds, to record what a task died of
ENGINE = StepOptions(cpu=1, memory_mb=4096, disk_mb=10_240, gpu=0, timeout_minutes=5 * 24 * 60, retries=0)
_RESOURCES = {"cpu": "cpu", "memory": "memory_mb", "disk": "disk_mb", "gpu": "gpu"}
_UNITS = {"hours": 3600, "minutes": 60, "seconds": 1}


@dataclass(frozen=True, slots=True)
class Declared:
    """What a flow's source says about one of its steps."""

    options: StepOptions = field(default_factory=StepOptions)
    caught: bool = False  # by @catch


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how one step runs."""

    cpu: int
    memory_mb: int
    disk_mb: int
    gpu: int
    timeout_minutes: int
    retries: int
    attempts: int  # at most, with those of @catch
    image: str
    queue: str
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, str], ...]


def place(profile: Profile, name: str, declared: Declared) -> Placement:
    """What step `name`, FLOW.STEP, gets: by the profile for this step, else its source, else the profile's default.

    Raises ConfigError if it asks for what it cannot have.
    """
    said = profile.steps.get(name, StepOptions()) | declared.options | profile.default
    wanted = said | ENGINE
    gpu = wanted.gpu or 0
    _check(profile, name, said, gpu=gpu)
    attempts = 1 + (wanted.retries or 0) + (CATCHING if declared.caught else 0)
    if attempts > MOST_ATTEMPTS:
        raise ConfigError(
            f"{name} is caught (@catch), which takes {CATCHING} of Metaflow's {MOST_ATTEMPTS} attempts: "
            f"retries must be at most {MOST_ATTEMPTS - CATCHING - 1}, the profile says {wanted.retries}"
        )
    return Placement(
        **wanted.said(),
        attempts=attempts,
        image=profile.gpu_image if gpu else profile.image,
        queue=profile.gpu_queue if gpu else profile.queue,
        node_selector={**profile.node_selector, **(profile.gpu_node_selector if gpu else {})},
        tolerations=profile.tolerations + (profile.gpu_tolerations if gpu else ()),
    )


def _check(profile: Profile, name: str, said: StepOptions, *, gpu: int) -> None:
    """ConfigError if the step asks for what its engine does not give."""
    way = f'name one, or say gpu = 0 in [steps."{name}"]'
    if gpu and profile.remote and not profile.gpu_image:
        raise ConfigError(f"{name} asks for {gpu} GPU, and the profile has no gpu_image; {way}")
    if gpu and profile.platform == "step-functions" and not profile.gpu_queue:
        raise ConfigError(f"{name} asks for {gpu} GPU, and the profile has no gpu_queue; {way}")
    if said.disk_mb and profile.platform == "step-functions":
        raise ConfigError(
            f"{name} asks for disk_mb = {said.disk_mb}, and AWS Batch gives disk by machine, not by step; "
            "leave it out, and choose the disk in the launch template of the queue"
        )


def declared(decorators: Mapping[str, Mapping[str, Any]]) -> Declared:
    """What a step's decorators say, by name: resources, timeout, retry and catch with their arguments."""
    said: dict[str, int] = {}
    if (resources := decorators.get("resources")) is not None:
        given = {"cpu": 1, "memory": 4096, **{name: value for name, value in resources.items() if value is not None}}
        said |= {ours: int(given[theirs]) for theirs, ours in _RESOURCES.items() if theirs in given}
    if (timeout := decorators.get("timeout")) is not None:
        seconds = sum(int(timeout.get(unit, 0)) * length for unit, length in _UNITS.items())
        said["timeout_minutes"] = max(1, seconds // 60)
    if (retry := decorators.get("retry")) is not None:
        said["retries"] = int(retry.get("times", 3))
    return Declared(StepOptions(**said), caught="catch" in decorators)
