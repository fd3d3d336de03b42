"""What the Dockerfile says, done in a folder: its COPYs for real, its paths moved below the folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docker.utils.build import exclude_paths
from dockerfile_parse import DockerfileParser

from steps.store import ROOT

OURS = (
    "/srv/rushes",
    "/opt/rushes",
    "/opt/models",
    "/home/rushes",
    "/data",
)  # what is absolute in it, and not a base's


@dataclass(frozen=True)
class Line:
    """One instruction of the Dockerfile, in the stage that it belongs to; the last stage is called ""."""

    stage: str
    name: str
    value: str


def lines(path: Path = ROOT / "Dockerfile") -> list[Line]:
    """The instructions of a Dockerfile, without its comments."""
    parsed = [each for each in DockerfileParser(str(path)).structure if each["instruction"] != "COMMENT"]
    return list(_staged(each for each in parsed))


def _staged(parsed: Iterator[Mapping[str, str]]) -> Iterator[Line]:
    stage = "before"
    for each in parsed:
        if each["instruction"] == "FROM":
            stage = each["value"].partition(" AS ")[2]
        yield Line(stage, each["instruction"], each["value"])


def values(name: str, stage: str = "") -> list[str]:
    """What follows an instruction, each time it stands in a stage."""
    return [line.value for line in lines() if (line.name, line.stage) == (name, stage)]


def context() -> list[str]:
    """The files that a build is sent: all that .dockerignore lets through."""
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    wanted = [line for line in patterns if line and not line.startswith("#")]
    sent = exclude_paths(str(ROOT), wanted) - {"Dockerfile", ".dockerignore"}  # sent always, copied never
    return sorted(name for name in sent if (ROOT / name).is_file())


@dataclass(frozen=True)
class ImageFolder:
    """A folder that stands for the root of an image."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    def at(self, path: str) -> Path:
        """Where a path of the image is."""
        return self.root / path.lstrip("/")

    def moved(self, text: str) -> str:
        """A command with the image's own paths below this folder."""
        return re.sub(f"(?<![\\w.])({'|'.join(OURS)})(?![\\w-])", lambda found: str(self.at(found[1])), text)

    def copy_all(self, stage: str) -> None:
        """Do the COPYs of a stage from the build's context, in its working directories."""
        (base,) = (line.value.partition(" AS ")[0] for line in lines() if (line.name, line.stage) == ("FROM", stage))
        workdir, sent = Path(*values("WORKDIR", base)[-1:] or ["/"]), context()
        for line in (each for each in lines() if each.stage == stage):
            if line.name == "WORKDIR":
                workdir = Path(line.value)
                self.at(str(workdir)).mkdir(parents=True, exist_ok=True)
            elif line.name == "COPY" and "--from=" not in line.value:
                *sources, target = shlex.split(line.value)
                for source in sources:
                    self._copy(source, workdir / target, sent, into=target.endswith("/"))

    def _copy(self, source: str, target: Path, sent: list[str], *, into: bool) -> None:
        found = [name for name in sent if source in (".", name) or name.startswith(f"{source}/")]
        assert found, f"COPY {source}: the context has no such file"
        for name in found:
            inside = name if source == "." else Path(name).name if name == source else name.removeprefix(f"{source}/")
            single = name == source and not into
            place = self.at(str(target)) if single else self.at(str(target)) / inside
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place)

    def environment(self, **more: str) -> dict[str, str]:
        """The image's variables, and nothing of ours but what finds the system's programs."""
        known = {"PATH": os.environ["PATH"], "HOME": str(self.at("/home/rushes")), "TMPDIR": str(self.at("/tmp"))}
        for value in values("ENV"):
            for pair in shlex.split(value):
                name, _, text = pair.partition("=")
                known[name] = self.moved(text).replace("$PATH", known["PATH"])
        return {**known, **more}


def exec_form(value: str) -> list[str]:
    """The arguments of a CMD, or of the CMD of a HEALTHCHECK."""
    return json.loads(value[value.index("[") :])
