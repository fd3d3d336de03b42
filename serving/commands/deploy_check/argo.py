"""An Argo WorkflowTemplate, read back and compared with the profile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from serving.commands.deploy_check.findings import Finding, differences
from serving.commands.deploy_check.flow_sources import FlowSource
from steps.placement import Placement
from steps.profile import Profile

MOST_BYTES = 1_500_000  # what etcd keeps of one object
METAFLOW_PARALLELISM = 100  # if the profile says nothing
_ENDS = ("Mi", "Gi", "M", "G")
_MEGA = {"M": 1.0, "G": 1e3, "Mi": 1.048576, "Gi": 1073.741824}


def check_template(
    flow: FlowSource, manifest: Mapping[str, Any], profile: Profile, places: Mapping[str, Placement]
) -> Iterator[Finding]:
    """All findings of one flow's template; `places` says by step what it should get."""
    spec = manifest.get("spec", {})
    yield from _schema(flow, manifest)
    yield from _references(flow, spec)
    templates = {one["name"]: one for one in spec.get("templates", ())}
    for step, place in places.items():
        if template := templates.get(argo_name(step)):
            yield from differences(flow.name, step, _seen(template), _wanted(place, profile))
            yield from differences(flow.name, step, _environment(template), profile.environment)
        else:
            yield Finding(flow.name, step, "the workflow has no template for it")
    yield from _widths(flow, spec, profile)
    yield from _starts(flow, manifest, profile)
    if len(json.dumps(manifest)) > MOST_BYTES:
        yield Finding(flow.name, "", f"the template has over {MOST_BYTES} bytes, and Kubernetes keeps no more")


def argo_name(step: str) -> str:
    """How Argo calls a step: underscores are not allowed there."""
    return step.replace("_", "-")


def _schema(flow: FlowSource, manifest: Mapping[str, Any]) -> Iterator[Finding]:
    from hera.workflows.models import WorkflowTemplate
    from pydantic import ValidationError

    try:
        WorkflowTemplate.model_validate(manifest)
    except ValidationError as error:
        for one in error.errors()[:5]:
            place = ".".join(map(str, one["loc"]))
            yield Finding(flow.name, "", f"Argo's schema does not allow {place}: {one['msg']}")


def _references(flow: FlowSource, spec: Mapping[str, Any]) -> Iterator[Finding]:
    """Every template that is named anywhere exists."""
    names = {one["name"] for one in spec.get("templates", ())}
    for name in {*_named(spec.get("templates", ())), spec.get("entrypoint"), *_hooks(spec)} - names:
        yield Finding(flow.name, "", f"the template {name!r} is named, and does not exist")


def _named(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(part.get("template"), str):
            yield part["template"]
        for value in part.values():
            yield from _named(value)
    elif isinstance(part, list):
        for value in part:
            yield from _named(value)


def _hooks(spec: Mapping[str, Any]) -> Iterator[str]:
    if spec.get("onExit"):
        yield spec["onExit"]
    yield from (hook["template"] for hook in (spec.get("hooks") or {}).values())


def _seen(template: Mapping[str, Any]) -> dict[str, Any]:
    """What a step's template asks for, in the words of a profile."""
    container = template["container"]
    requests, limits = (container["resources"].get(name) or {} for name in ("requests", "limits"))
    return {
        "cpu": float(requests.get("cpu", 0)),
        "memory_mb": _megabytes(requests.get("memory", "0")),
        "disk_mb": _megabytes(requests.get("ephemeral-storage", "0")),
        "gpu": int(limits.get("nvidia.com/gpu", 0)),
        "timeout_s": template.get("activeDeadlineSeconds"),
        "attempts": 1 + int(template.get("retryStrategy", {}).get("limit", 0)),
        "image": container["image"],
        "service_account": template.get("serviceAccountName") or "",
        "node_selector": template.get("nodeSelector") or {},
        "tolerations": template.get("tolerations") or [],
        "secrets": [one["secretRef"]["name"] for one in container.get("envFrom") or () if one.get("secretRef")],
    }


def _wanted(place: Placement, profile: Profile) -> dict[str, Any]:
    return {
        "cpu": float(place.cpu),
        "memory_mb": float(place.memory_mb),
        "disk_mb": float(place.disk_mb),
        "gpu": place.gpu,
        "timeout_s": 60 * place.timeout_minutes,
        "attempts": place.attempts,
        "image": place.image,
        **({"service_account": profile.service_account} if profile.service_account else {}),
        "node_selector": dict(place.node_selector),
        "tolerations": [dict(one) for one in place.tolerations],
        "secrets": list(profile.secrets),
    }


def _megabytes(quantity: str) -> float:
    unit = next((end for end in _ENDS if quantity.endswith(end)), "")
    return float(quantity.removesuffix(unit)) * (_MEGA[unit] if unit else 1e-6)


def _environment(template: Mapping[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in template["container"].get("env") or ()}


def _widths(flow: FlowSource, spec: Mapping[str, Any], profile: Profile) -> Iterator[Finding]:
    """How many tasks run at a time, and that each foreach is as wide as the task before it says at run time."""
    yield from differences(flow.name, "", spec, {"parallelism": profile.parallelism or METAFLOW_PARALLELISM})
    tasks = {one["name"]: (one.get("dag") or {}).get("tasks", ()) for one in spec.get("templates", ())}
    wide = [task["template"] for inner in tasks.values() for task in inner if "withParam" in task]
    repeated = {task["template"] for name in wide for task in tasks.get(name, ())}
    for step in sorted(flow.repeated):
        if argo_name(step) not in repeated:
            yield Finding(flow.name, step, "it is a foreach in the source, and runs once in the workflow")


def _starts(flow: FlowSource, manifest: Mapping[str, Any], profile: Profile) -> Iterator[Finding]:
    """When the flow starts: `create --only-json` tells it in annotations."""
    notes = manifest.get("metadata", {}).get("annotations", {})
    cron = json.loads(notes.get("metaflow/cron", "{}"))
    schedule = profile.schedules.get(flow.name)
    zone = profile.timezone if schedule else None
    yield from differences(flow.name, "", {"schedule": None, "tz": None, **cron}, {"schedule": schedule, "tz": zone})
    events = [one["name"] for one in json.loads(notes.get("metaflow/triggers", "[]"))]
    after = profile.triggers.get(flow.name)
    project = notes.get("metaflow/project_flow_name", "").removesuffix(flow.name)
    wanted = [f"metaflow.{project}{after}.end"] if after else []
    yield from differences(flow.name, "", {"triggers": events}, {"triggers": wanted})
