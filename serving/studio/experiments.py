"""The page of the experiments that run: what each says so far."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from serving.shelf import OfStore
from serving.studio.rendering import rendered
from steps.experiments import read_experiment
from steps.reporting.experiment_report import experiment_report

router = APIRouter(include_in_schema=False)


@router.get("/experiments", response_class=HTMLResponse)
def show_experiments(request: Request, shelf: OfStore) -> HTMLResponse:
    """All experiments that run, as they stand now."""
    now, running = datetime.now(UTC), shelf.settings.experiments.running
    read = ((read_experiment(one, store=shelf.store, now=now), one) for one in running)
    reports = [Markup(experiment_report(reading, experiment)) for reading, experiment in read]
    return rendered(request, "experiments.html", section="experiments", reports=reports)
