"""All pages of the studio, and what their scripts ask for."""

from __future__ import annotations

from serving.studio import jobs, pages

ROUTERS = (pages.router, jobs.router)
