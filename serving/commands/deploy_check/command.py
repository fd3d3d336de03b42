"""`rushes deploy-check`: compile the flows for each profile, compare, and say what does not fit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from featurization.errors import ConfigError
from serving.commands.deploy_check.argo import check_template
from serving.commands.deploy_check.compiling import Compilation, Compiled, check_installed
from serving.commands.deploy_check.findings import Finding
from serving.commands.deploy_check.flow_sources import FlowSource, read_flows
from serving.commands.deploy_check.packages import check_package
from serving.commands.deploy_check.step_functions import check_machine
from serving.commands.terminal import console, counted, print_json, safe, size, table
from steps.options import build
from steps.placement import Placement, place
from steps.profile import Profile, parse_profile
from steps.store import ROOT

DEFAULTS = (Path("config/argo.toml"), Path("config/step-functions.toml"))


@dataclass(frozen=True)
class Checked:
    """One flow under one profile: what it was compiled to, and what does not fit."""

    flow: FlowSource
    compiled: Compiled
    places: Mapping[str, Placement]
    findings: tuple[Finding, ...]


def run_deploy_check(files: Sequence[Path], *, as_json: bool) -> int:
    """Check the profiles in `files`, by default both of the repository; returns the exit status, 1 with findings."""
    began = time.monotonic()
    checked = check_profiles([load(path) for path in files or [ROOT / path for path in DEFAULTS]])
    findings = [finding for found in checked.values() for one in found for finding in one.findings]
    if as_json:
        print_json({"ok": not findings, "profiles": {str(path): _as_json(found) for path, found in checked.items()}})
        return 1 if findings else 0
    out = console()
    for path, found in checked.items():
        out.print(_table(path, found))
    for finding in findings:
        out.print(f"[red]✗[/] {safe(finding.line())}", soft_wrap=True)
    flows = counted(sum(map(len, checked.values())), "flow")
    verdict = counted(len(findings), "difference") if findings else "all as the profiles say"
    out.print(f"{flows} compiled in {time.monotonic() - began:.0f} s: [{'red' if findings else 'green'}]{verdict}[/]")
    return 1 if findings else 0


def load(path: Path) -> tuple[Path, Profile]:
    """A profile from its file; ConfigError if it cannot be used, or is for no engine."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the profile {path} cannot be read: {error}") from error
    try:
        profile = build(Profile, parse_profile(text))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    if not profile.remote:
        raise ConfigError(f"{path} is for this machine, and there is nothing to deploy")
    return path, profile


def check_profiles(profiles: Sequence[tuple[Path, Profile]]) -> dict[Path, list[Checked]]:
    """All flows under each profile; two profiles are compiled at a time. Raises ConfigError before it compiles."""
    flows = read_flows(ROOT / "flows")
    placed = [{flow.name: places_of(flow, profile) for flow in flows} for _, profile in profiles]
    check_installed()
    made: dict[Path, list[Checked]] = {}
    for n in range(0, len(profiles), 2):
        pair = [(path, profile, Compilation(path, profile, flows)) for path, profile in profiles[n : n + 2]]
        for (path, profile, process), places in zip(pair, placed[n : n + 2], strict=True):
            compiled = {one.flow: one for one in process.result()}
            made[path] = [check_flow(flow, compiled[flow.name], profile, places[flow.name]) for flow in flows]
    return made


def places_of(flow: FlowSource, profile: Profile) -> dict[str, Placement]:
    """What each step of a flow gets; ConfigError if it cannot have it, or the profile names a step that is none."""
    for name in profile.steps:
        if name.startswith(f"{flow.name}.") and name.partition(".")[2] not in flow.steps:
            raise ConfigError(f"the profile names a step {name!r}; steps of {flow.name} are {', '.join(flow.steps)}")
    return {step: place(profile, f"{flow.name}.{step}", declared) for step, declared in flow.steps.items()}


def check_flow(flow: FlowSource, made: Compiled, profile: Profile, places: Mapping[str, Placement]) -> Checked:
    """Compare what one flow was compiled to with what it should be."""
    return Checked(flow, made, places, tuple(_findings(flow, made, profile, places)))


def _findings(flow: FlowSource, made: Compiled, profile: Profile, places: Mapping[str, Placement]) -> Iterator[Finding]:
    if made.error:
        yield Finding(flow.name, "", f"it cannot be compiled: {made.error}")
        return
    if profile.platform == "argo":
        yield from check_template(flow, made.definition, profile, places)
    else:
        images = made.images or {}
        yield from check_machine(flow, made.definition, profile, places, images=images, cron=made.cron)
    yield from check_package(flow.name, made.package, made.package_bytes, ROOT)


def _table(path: Path, found: Sequence[Checked]) -> object:
    columns = ("flow", ">steps", ">with GPU", ">attempts, at most", "longest step", ">code package", "")
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return table(columns, [_row(one) for one in found], title=str(shown))


def _row(one: Checked) -> tuple[str | Text, ...]:
    places = one.places.values()
    longest = max(one.places, key=lambda step: one.places[step].timeout_minutes)
    return (
        one.flow.name,
        str(len(one.places)),
        str(sum(place.gpu > 0 for place in places)),
        str(max(place.attempts for place in places)),
        f"{longest}, {one.places[longest].timeout_minutes / 60:g} h",
        size(one.compiled.package_bytes),
        Text("✗ " + counted(len(one.findings), "difference"), "red") if one.findings else Text("✓", "green"),
    )


def _as_json(found: Sequence[Checked]) -> dict[str, object]:
    return {
        one.flow.name: {
            "steps": sorted(one.places),
            "package_bytes": one.compiled.package_bytes,
            "findings": [{"step": finding.step, "text": finding.text} for finding in one.findings],
        }
        for one in found
    }
