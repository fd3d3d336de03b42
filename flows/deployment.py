"""From a profile to Metaflow's decorators: where steps run, on what, when, and after what."""

import os
import sys

from metaflow import FlowMutator, Parameter
from metaflow.exception import MetaflowException
from metaflow.system_context import system_context

from featurization.errors import RushesError

ENGINES = {"argo-workflows": "argo", "step-functions": "step-functions"}  # Metaflow's commands, our platforms


class Refused(MetaflowException):
    """What cannot go on, in one line."""

    headline = "rushes"


def checked_profile(text: str) -> dict:
    """Parse and check a profile; what is wrong with it is said in one line before anything runs."""
    from steps.profile import parse_profile

    try:
        return parse_profile(text)
    except RushesError as error:
        raise Refused(str(error)) from None


class deployed(FlowMutator):  # noqa: N801 - a decorator
    """Put every step of a flow where the profile of the run says."""

    def pre_mutate(self, flow):
        given = dict(flow.configs)["profile"].to_dict()
        if not system_context.is_launch and given.keys() <= {"platform", "parallelism", "max_splits"}:
            return  # a local task: nothing to decorate, and nothing to import for it
        from steps.options import build
        from steps.profile import Profile

        profile = build(Profile, given)
        name = flow._flow_cls.__name__  # a mutator of a base class is not told in a public way
        try:
            for step, mutable in flow.steps:
                _decorate(mutable, f"{name}.{step}", profile)
            if system_context.is_launch:
                _prepare(flow, name, profile)
        except RushesError as error:
            raise Refused(str(error)) from None
        _schedule(flow, name, profile)


def _decorate(step, name, profile):
    """Give a step the decorators that its placement asks for."""
    from steps.placement import declared, place

    found = {deco: arguments for deco, _, _, arguments in step.decorator_specs}
    where = place(profile, name, declared(found))
    resources = {"cpu": where.cpu, "memory": where.memory_mb, "gpu": where.gpu or None}
    changes = {"timeout": {"minutes": where.timeout_minutes, "hours": 0, "seconds": 0}}
    if where.retries or "retry" in found:
        wait = found.get("retry", {}).get("minutes_between_retries", 2)
        changes["retry"] = {"times": where.retries, "minutes_between_retries": wait}
    if profile.environment:
        changes["environment"] = {"vars": dict(profile.environment)}
    if profile.platform == "argo":
        resources["disk"] = where.disk_mb
        changes["kubernetes"] = {**resources, **_kubernetes(where, profile)}
    if profile.platform == "step-functions":
        changes["batch"] = {**resources, "image": where.image, "queue": where.queue}
    if profile.remote or profile.steps or profile.default.said():
        changes["resources"] = resources
        for deco, arguments in changes.items():
            step.add_decorator(deco, deco_kwargs=arguments, duplicates=step.OVERRIDE)
    elif profile.environment:
        step.add_decorator("environment", deco_kwargs=changes["environment"], duplicates=step.OVERRIDE)


def _kubernetes(where, profile):
    return {
        "image": where.image,
        "service_account": profile.service_account or None,
        "secrets": list(profile.secrets) or None,
        "node_selector": dict(where.node_selector) or None,
        "tolerations": [dict(one) for one in where.tolerations] or None,
    }


def _schedule(flow, name, profile):
    """When the flow starts by itself, and with which parameters."""
    for parameter, value in profile.parameters.get(name, {}).items():
        found = next(((var, one) for var, one in flow.parameters if one.name == parameter), None)
        if found is None:
            known = ", ".join(one.name for _, one in flow.parameters)
            raise Refused(f"the profile gives {name} a parameter {parameter!r}; it has {known}")
        flow.add_parameter(found[0], Parameter(parameter, default=value, help="by the profile"), overwrite=True)
    if name in profile.schedules:
        zone = {"timezone": profile.timezone} if profile.timezone else {}
        flow.add_decorator("schedule", deco_kwargs={"cron": profile.schedules[name], **zone})
    if name in profile.triggers:
        flow.add_decorator("trigger_on_finish", deco_kwargs={"flow": profile.triggers[name]})


def _prepare(flow, name, profile):
    """Check what can be known before any work, and hand the profile's limits to the command that starts it."""
    from preflight import check_datastore, check_engine

    from steps.chunks import FanoutOptions
    from steps.options import build

    unknown = {step for step in profile.steps if step.startswith(f"{name}.")} - {f"{name}.{s}" for s, _ in flow.steps}
    if unknown:
        known = ", ".join(step for step, _ in flow.steps)
        raise Refused(f"the profile names a step {min(unknown)!r}; steps of {name} are {known}")
    fanout = build(FanoutOptions, dict(flow.configs)["config"].to_dict().get("fanout", {}))
    if fanout.max_tasks > profile.max_splits:
        raise Refused(
            f"[fanout] max_tasks is {fanout.max_tasks}, and the profile allows max_splits = {profile.max_splits}"
        )
    if "create" in sys.argv and (engine := next((word for word in sys.argv if word in ENGINES), "")):
        check_engine(engine, ENGINES[engine], name, profile)
    if {"create", "run", "resume"} & set(sys.argv):
        check_datastore()
    _limit(profile)


def _limit(profile):
    # Every local task loads its own models: more workers than half the cores only thrash.
    workers = profile.parallelism or (max(1, (os.cpu_count() or 2) // 2) if not profile.remote else 0)
    for command in ("RUN", "RESUME"):
        os.environ.setdefault(f"METAFLOW_{command}_MAX_NUM_SPLITS", str(profile.max_splits))
        if workers:
            os.environ.setdefault(f"METAFLOW_{command}_MAX_WORKERS", str(workers))
    if profile.parallelism:
        for command in ("ARGO_WORKFLOWS", "STEP_FUNCTIONS"):
            os.environ.setdefault(f"METAFLOW_{command}_CREATE_MAX_WORKERS", str(profile.parallelism))
