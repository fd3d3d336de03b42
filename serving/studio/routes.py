"""All pages of the studio, and what their scripts ask for."""

from __future__ import annotations

from serving.studio import episodes, experiments, jobs, labels, media, pages, review

ROUTERS = (
    pages.router,
    labels.router,
    labels.api,
    jobs.router,
    media.router,
    episodes.router,
    review.router,
    experiments.router,
)
