"""What every flow shares: its code package, its configuration, and how it ends.

Every task of a run imports this module, so what is heavy is imported where it is used.

Run flows from the repository root: `python flows/ingest_media.py run --source samples/feed.xml`.
"""

import os
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING

from deployment import Refused, checked_profile, deployed
from metaflow import Config, FlowSpec, card, current, package_sources, project

import steps
from featurization.errors import RushesError

ROOT = Path(steps.__file__).resolve().parents[1]  # also where a code package was extracted
if TYPE_CHECKING:
    from markupsafe import Markup

    from steps.costs import Effort, RunRecord
    from steps.progress import RunProgress
    from steps.settings import Settings
    from steps.spending import TaskUse
    from steps.store import Store

PACKAGES = ("annotation", "config", "eval", "featurization", "ranking", "search", "serving", "steps")
SUFFIXES = ".py,.toml,.cfg,.lock,.html,.css,.js,.svg,.csv,.safetensors"
PACKAGED = (*PACKAGES, "setup.cfg")  # which names the packages that an image must hold
IN_AN_IMAGE = ("METAFLOW_KUBERNETES_WORKLOAD", "AWS_BATCH_JOB_ID")  # variables of tasks on Kubernetes and AWS Batch
BEGUN = time.time()  # about when the process of a task began
EXIT_PARTIAL = 3  # the run finished, but some assets were quarantined


def told_plainly(body):
    """Show a step's progress, note what it took, and end it in one line when the input is to blame."""

    @wraps(body)
    def step_body(self, *args):
        from steps.deadline import alarm_passes

        try:
            with _observed(), alarm_passes():
                _check_image()
                if body.__name__ == "start":
                    _check_store()
                self.uses = _uses_before(*args) if args else getattr(self, "uses", [])
                body(self, *args)
                self.uses = _uses_so_far(self)
        except RushesError as error:
            raise Refused(str(error)) from None
        except ImportError as error:
            way = "run `rushes doctor`, or build the image anew from config/requirements.lock"
            raise Refused(f"the step {body.__name__} cannot import what it needs ({error}); {way}") from error

    return step_body


def _check_image() -> None:
    """In a task that runs in an image, refuse one that was built for another version of rushes."""
    if any(name in os.environ for name in IN_AN_IMAGE):
        from steps.environment import check_environment

        check_environment(ROOT)


def _check_store() -> None:
    """See that the store can be used before a run begins with it."""
    from steps.store_check import check_store

    check_store(_store())


@contextmanager
def _observed():
    """Show what our own packages tell, and trace the task if a collector is named."""
    from steps.logs import configure
    from steps.traces import task_span

    run, step, task = this_run(), current.step_name, current.task_id
    configure(run=run, step=step, task=task)
    with task_span(run, step, task):
        yield


def checked_config(text: str) -> dict:
    """Parse and check a TOML config; what is wrong with it is said in one line before anything runs."""
    from steps.settings import parse

    try:
        return parse(text)
    except RushesError as error:
        raise Refused(str(error)) from None


@deployed
@package_sources([str(ROOT / name) for name in PACKAGED], suffixes=SUFFIXES)
@project(name="rushes")
class ProjectFlow(FlowSpec):
    """Base of all flows: the project's packages travel with it, and its config is checked before anything runs.

    `config` says what the flows do, `profile` where their steps run.
    """

    config = Config("config", default=str(ROOT / "config" / "default.toml"), parser=checked_config)
    profile = Config("profile", default=str(ROOT / "config" / "local.toml"), parser=checked_profile)

    @property
    def settings(self) -> "Settings":
        """The run's settings, as frozen option classes."""
        from steps.options import build
        from steps.settings import Settings

        return build(Settings, self.config.to_dict())

    @property
    def store(self) -> "Store":
        """The store that RUSHES_STORE names."""
        return _store()


def main(flow: type[ProjectFlow]) -> None:
    """Run a flow's command line; a run that had to quarantine something exits with EXIT_PARTIAL."""
    if "RUSHES_OUTCOME" in os.environ:  # a task: only the process that started the run has an exit status to set
        flow()
        return
    if not any(os.environ.get(name, "root") != "root" for name in ("METAFLOW_USER", "SUDO_USER", "USERNAME", "USER")):
        os.environ["USERNAME"] = "rushes"  # Metaflow refuses to run as root or as nobody
    with tempfile.TemporaryDirectory(prefix="rushes-") as folder:
        outcome = Path(folder) / "outcome"
        os.environ["RUSHES_OUTCOME"] = str(outcome)
        try:
            flow()
        except SystemExit as exit_:
            if not exit_.code and outcome.exists() and outcome.read_text() == "partial":
                sys.exit(EXIT_PARTIAL)
            raise


@cache
def _store() -> "Store":
    """One for the whole task, so that it knows what the task read and wrote."""
    from steps.store import Store

    return Store()


def _uses_before(inputs) -> "list[TaskUse]":
    """What all tasks before a join took, each once; one that died did not live to say it."""
    return list({use.task: use for task in inputs for use in getattr(task, "uses", None) or ()}.values())


def _uses_so_far(flow: ProjectFlow) -> "list[TaskUse]":
    from steps.spending import task_use

    return [*flow.uses, task_use(current.step_name, current.task_id, begun=BEGUN, files=flow.store.files)]


def this_run() -> str:
    """The run that this task is of: "FLOW/ID"."""
    return f"{current.flow_name}/{current.run_id}"


def run_record(flow: ProjectFlow, effort: "Effort | None" = None) -> "RunRecord":
    """What the run took until now; `effort` is what it did for its assets."""
    from steps.costs import recorded

    return recorded(this_run(), _uses_so_far(flow), effort)


def costs_of(flow: ProjectFlow, effort: "Effort | None" = None) -> "Markup":
    """Sections of a page on what the run took until now."""
    from steps.reporting.cost_sections import costs_sections

    return costs_sections(run_record(flow, effort), flow.settings.prices)


def keep_record(flow: ProjectFlow, effort: "Effort | None" = None) -> None:
    """Keep what the run took, for the next ones to be judged by."""
    from steps.costs import keep_record, recorded

    keep_record(recorded(this_run(), flow.uses, effort), flow.store)


def progress_card(step):
    """Give a step of a foreach a live card, in its first task alone: a card costs a second and a megabyte."""
    words = sys.argv
    index = words[words.index("--split-index") + 1] if "--split-index" in words else "0"
    return card(type="blank", id="progress", refresh_interval=30)(step) if index == "0" else step


def show_progress(progress: "RunProgress") -> None:
    """Show on the task's live card, if it has one, how far the run is."""
    if "card" not in current:
        return
    from metaflow.cards import Markdown, ProgressBar

    shown, percent, told = current.card["progress"], round(100 * progress.share), progress.as_markdown()
    if parts := list(shown.components):
        bar, text = parts
        bar.update(percent)
        text.update(told)
    else:
        shown.extend([ProgressBar(max=100, value=percent, label="Expected work", unit="%"), Markdown(told)])
    shown.refresh()


def task_failures(inputs) -> str:
    """Why tasks of a foreach died, as `@catch(var="failure")` kept it; empty if none did."""
    failures = (getattr(task, "failure", None) for task in inputs)
    return "; ".join(sorted({str(failure.exception).strip().splitlines()[-1] for failure in failures if failure}))


def forget_staged(store: "Store") -> None:
    """Delete what this run, and the one that it resumed, had staged, and how far it was: it is committed."""
    from steps.progress import forget_progress
    from steps.staging import clear

    for run_id in {current.run_id, current.origin_run_id} - {None}:
        clear(store, f"{current.flow_name}/{run_id}")
        forget_progress(store, f"{current.flow_name}/{run_id}")


def report_outcome(outcome: str) -> None:
    """Tell the process that started the run how it ended; elsewhere (Argo, Batch) nobody listens."""
    if target := os.environ.get("RUSHES_OUTCOME"):
        Path(target).write_text(outcome)
