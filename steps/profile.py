"""Where flows run: one TOML file says on which engine, with which image, machines, times and limits.

The flows are the same everywhere; flows/deployment.py turns a profile into Metaflow's decorators, and
`rushes deploy-check` compares what Metaflow makes of them with the profile.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

from featurization.errors import ConfigError
from steps.cron import check_cron
from steps.options import build

Platform = Literal["local", "argo", "step-functions"]
MOST_RETRIES = 4  # Metaflow keeps six attempts of a task, and wants one of them for itself
_SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|ACCESS_KEY|SALT|_KEY$")
_EVERYWHERE = {"platform", "environment", "parallelism", "max_splits", "default", "steps"}
_CLUSTER = {"image", "gpu_image", "schedules", "parameters"}
_HAS: Mapping[Platform, set[str]] = {
    "local": _EVERYWHERE,
    "argo": _EVERYWHERE
    | _CLUSTER
    | {"service_account", "secrets", "node_selector", "gpu_node_selector", "tolerations", "gpu_tolerations"}
    | {"timezone", "triggers"},
    "step-functions": _EVERYWHERE | _CLUSTER | {"queue", "gpu_queue"},
}


@dataclass(frozen=True)
class StepOptions:
    """What a step gets of a machine. What is left out is as the flow's source says."""

    cpu: int | None = None
    memory_mb: int | None = None
    disk_mb: int | None = None
    gpu: int | None = None
    timeout_minutes: int | None = None
    retries: int | None = None  # after the first attempt

    def __post_init__(self) -> None:
        for name in ("cpu", "memory_mb", "disk_mb", "timeout_minutes"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if self.gpu is not None and self.gpu < 0:
            raise ValueError(f"gpu must be at least 0, got {self.gpu}")
        if self.retries is not None and not 0 <= self.retries <= MOST_RETRIES:
            raise ValueError(f"retries must be 0 to {MOST_RETRIES} (Metaflow keeps 6 attempts), got {self.retries}")

    def __or__(self, other: StepOptions) -> StepOptions:
        """What this says, and where it says nothing, what `other` says."""
        return StepOptions(**{**other.said(), **self.said()})

    def said(self) -> dict[str, int]:
        """The options that are given."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


@dataclass(frozen=True)
class Profile:
    """One place in which all flows run. Steps are named FLOW.STEP, as in `FeaturizeMedia.hear`."""

    platform: Platform = "local"
    image: str = ""
    gpu_image: str = ""  # of steps that have a GPU
    environment: Mapping[str, str] = field(default_factory=dict)  # of every task
    service_account: str = ""
    secrets: tuple[str, ...] = ()  # Kubernetes secrets whose entries become variables of every task
    node_selector: Mapping[str, str] = field(default_factory=dict)
    gpu_node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, str], ...] = ()
    gpu_tolerations: tuple[Mapping[str, str], ...] = ()
    queue: str = ""
    gpu_queue: str = ""
    parallelism: int = 0  # tasks at a time; 0: half the cores of this machine, or what the engine takes
    max_splits: int = 100  # tasks that one foreach may have
    timezone: str = ""  # of the schedules; UTC if empty
    schedules: Mapping[str, str] = field(default_factory=dict)  # flow → cron
    triggers: Mapping[str, str] = field(default_factory=dict)  # flow → the flow whose end starts it
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # flow → parameter → value
    default: StepOptions = field(default_factory=StepOptions)  # of what neither `steps` nor the source says
    steps: Mapping[str, StepOptions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_platform()
        self._check_environment()
        if self.parallelism < 0 or self.max_splits < 1:
            raise ValueError("parallelism must be at least 0, and max_splits at least 1")
        for name in self.steps:
            if name.count(".") != 1:
                raise ValueError(f"[steps.{name}]: a step is named FLOW.STEP, as in FeaturizeMedia.hear")
        for flow, cron in self.schedules.items():
            try:
                check_cron(cron, years=self.platform == "step-functions")
            except ValueError as error:
                raise ValueError(f"schedules.{flow}: {error}") from None
        self._check_timezone()
        self._check_triggers()

    @property
    def remote(self) -> bool:
        """Whether tasks run on other machines than the one that starts them."""
        return self.platform != "local"

    def _check_platform(self) -> None:
        given = {f.name for f in fields(self) if getattr(self, f.name) != _default(f)}
        if foreign := sorted(given - _HAS[self.platform]):
            raise ValueError(f"platform {self.platform} has no {', '.join(foreign)}; leave that out of the profile")
        if self.remote and not self.image:
            raise ValueError(f"platform {self.platform} needs an image to run tasks in")
        if self.platform == "step-functions" and not self.queue:
            raise ValueError("platform step-functions needs a queue, an AWS Batch job queue")

    def _check_environment(self) -> None:
        if secret := sorted(name for name in self.environment if _SECRET.search(name)):
            raise ValueError(
                f"environment.{secret[0]} looks like a secret, and a profile is kept with every run: "
                "give tasks a role (service account, IAM) or a Kubernetes secret instead"
            )
        store = self.environment.get("RUSHES_STORE", "")
        if self.remote and "://" not in store:
            raise ValueError(
                f"environment.RUSHES_STORE must be an address such as s3://bucket/prefix, got {store!r}: "
                "the disk of a task is gone when it ends"
            )

    def _check_timezone(self) -> None:
        import zoneinfo

        known = zoneinfo.available_timezones()
        if self.timezone and known and self.timezone not in known:
            raise ValueError(f"no time zone is called {self.timezone!r}; write it as in Europe/Stockholm")

    def _check_triggers(self) -> None:
        for flow in self.triggers:
            seen, after = [flow], self.triggers.get(flow)
            while after:
                if after in seen:
                    raise ValueError(f"triggers run in a circle: {' after '.join([*seen, after])}")
                seen.append(after)
                after = self.triggers.get(after)


def _default(of: Any) -> Any:
    return of.default if of.default_factory is MISSING else of.default_factory()


def parse_profile(text: str) -> dict[str, Any]:
    """The tables of a profile, checked; ConfigError says in one line what is wrong with it."""
    from steps.runs import FLOWS

    try:
        given = tomllib.loads(text)
        profile = build(Profile, given)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the profile is not TOML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"the profile cannot be used: {error}".replace("in the config", "in it")) from error
    named = [*(step.partition(".")[0] for step in profile.steps), *profile.schedules, *profile.parameters]
    for flow in [*named, *profile.triggers, *profile.triggers.values()]:
        if flow not in FLOWS:
            raise ConfigError(f"the profile names a flow {flow!r}; flows are {', '.join(FLOWS)}")
    return given
