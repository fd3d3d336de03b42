"""The flows as an engine would get them: compiled by Metaflow itself, with S3 and AWS in memory."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from featurization.errors import ConfigError
from serving.commands.deploy_check.flow_sources import FlowSource
from steps.profile import Profile
from steps.store import ROOT

BUCKET = "rushes-deploy-check"
_NEEDED = ("boto3", "hera", "kubernetes", "moto")
_ROLE = "arn:aws:iam::123456789012:role/rushes"
_ENVIRONMENT = {  # nobody is asked: these name what exists in memory only
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
    "METAFLOW_USER": "deploy-check",
    "METAFLOW_DEFAULT_DATASTORE": "s3",
    "METAFLOW_DATASTORE_SYSROOT_S3": f"s3://{BUCKET}/metaflow",
    "METAFLOW_ARGO_EVENTS_EVENT": "rushes",
    "METAFLOW_ARGO_EVENTS_EVENT_SOURCE": "rushes",
    "METAFLOW_ARGO_EVENTS_SERVICE_ACCOUNT": "rushes",
    "METAFLOW_ARGO_EVENTS_WEBHOOK_URL": "http://rushes",
    "METAFLOW_ECS_S3_ACCESS_IAM_ROLE": _ROLE,
    "METAFLOW_SFN_IAM_ROLE": _ROLE,
    "METAFLOW_EVENTS_SFN_ACCESS_IAM_ROLE": _ROLE,
    "METAFLOW_SFN_DYNAMO_DB_TABLE": "rushes",
}


@dataclass(frozen=True)
class Compiled:
    """One flow as its engine would get it, or why it could not be compiled."""

    flow: str
    definition: Mapping[str, Any]  # an Argo WorkflowTemplate, or a state machine
    package: tuple[str, ...] = ()  # names in the uploaded code package
    package_bytes: int = 0
    images: Mapping[str, str] | None = None  # by job definition (Step Functions)
    cron: str = ""  # as the scheduler got it (Step Functions)
    error: str = ""


def check_installed() -> None:
    """ConfigError if what compiles and checks is not installed."""
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise ConfigError(f"deploy-check needs {', '.join(missing)}: pip install '.[deploy]', or `make install`")


class Compilation:
    """A process that compiles flows for one profile; several may be at work at a time."""

    def __init__(self, file: Path, profile: Profile, flows: Sequence[FlowSource]) -> None:
        self._flows = [flow.name for flow in flows]
        self._folder = tempfile.TemporaryDirectory(prefix="rushes-deploy-")
        queues = [name for name in (profile.queue, profile.gpu_queue) if name]
        asked = {
            "platform": profile.platform,
            "profile": str(file.resolve()),
            "flows": {flow.name: str(flow.file) for flow in flows},
            "queues": queues,
            "bucket": BUCKET,
            "out": self._folder.name,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW", "AWS_"))}
        private = {"METAFLOW_HOME": self._folder.name, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "serving.commands.deploy_check.worker", json.dumps(asked)],
            cwd=self._folder.name,
            env={**kept, **_ENVIRONMENT, **private},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def result(self) -> list[Compiled]:
        """What became of each flow, once all are compiled."""
        said, _ = self._process.communicate()
        made = [self._read(flow, said) for flow in self._flows]
        self._folder.cleanup()
        return made

    def _read(self, flow: str, said: str) -> Compiled:
        path = Path(self._folder.name) / f"{flow}.json"
        if not path.exists():
            return Compiled(flow, {}, error=(said.strip().splitlines() or ["it ended without a word"])[-1])
        told = json.loads(path.read_text(encoding="utf-8"))
        return Compiled(**{**told, "package": tuple(told.get("package", ()))})
