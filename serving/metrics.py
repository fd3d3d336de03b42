"""Counts for Prometheus, in its text format 0.0.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.catalog import Catalog


class RequestCounter:
    """Middleware that counts answers by route and status; addresses that are no route count as one."""

    def __init__(self, app: ASGIApp, counts: Counter[tuple[str, int]]) -> None:
        self.app, self.counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self.counts[route, message["status"]] += 1
            await send(message)

        await self.app(scope, receive, counted)


def metrics_text(catalog: Catalog, counts: Mapping[tuple[str, int], int]) -> str:
    """What the store holds and what was asked."""
    states = Counter(entry.state for entry in catalog.entries())
    statuses = Counter(preview.status for preview in catalog.previews.values())
    families = (
        (
            "rushes_assets",
            "gauge",
            "Assets and lost sources by state.",
            {f'{{state="{s}"}}': n for s, n in states.items()},
        ),
        ("rushes_previews", "gauge", "Previews by status.", {f'{{status="{s}"}}': n for s, n in statuses.items()}),
        ("rushes_snapshot", "gauge", "Number of the store's current snapshot.", {"": catalog.snapshot}),
        ("rushes_requests_total", "counter", "Requests answered.", {_labels(*key): n for key, n in counts.items()}),
    )
    return "".join(_family(*family) for family in families)


def _labels(route: str, status: int) -> str:
    return f'{{path="{route}",status="{status}"}}'


def _family(name: str, kind: str, text: str, values: Mapping[str, int]) -> str:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    return "\n".join([*lines, *(f"{name}{labels} {value}" for labels, value in sorted(values.items()))]) + "\n"
