"""What Prometheus scrapes: what was asked of this process, and where the store and its index stand.

Requests and events are those of this process; what is said of the store is the same from every process.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from featurization.errors import RushesError
from serving.watch import Watch
from steps.models import SHOT_MODEL, SPEECH_MODEL, TEXT_MODEL, Models
from steps.rankers import current_ranker
from steps.settings import Settings
from steps.version import VERSION

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counts of one app, and what it says of its store when it is scraped."""

    def __init__(self, watch: Watch, settings: Settings) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the lines, and nobody reads them
        self.registry = CollectorRegistry()
        self.requests = Counter("rushes_requests", "Requests answered.", ("path", "status"), registry=self.registry)
        self.seconds = Histogram(
            "rushes_request_seconds",
            "From a request to the end of its answer.",
            ("path",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.in_flight = Gauge("rushes_requests_in_flight", "Requests being answered.", registry=self.registry)
        self.events = Counter("rushes_events", "Events taken and kept.", ("kind",), registry=self.registry)
        self.registry.register(_Standing(watch, settings))

    def scraped(self, accept: str) -> tuple[bytes, str]:
        """The text of all metrics and its media type, in the format that the scraper accepts."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type


class _Standing(Collector):
    """The store, its index and the models, looked up when scraped; what cannot be read is left out."""

    def __init__(self, watch: Watch, settings: Settings) -> None:
        self._watch, self._settings = watch, settings

    def describe(self) -> list[Metric]:
        return []  # lest registering it reads the store

    def collect(self) -> Iterator[Metric]:
        build = InfoMetricFamily("rushes_build", "The version that answers.")
        build.add_metric((), {"version": VERSION, "python": platform.python_version()})
        yield build
        yield from self._of_parts({"store": self._of_store, "index": self._of_index, "models": self._of_models})

    def _of_parts(self, parts: Mapping[str, Callable[[], list[Metric]]]) -> Iterator[Metric]:
        up = GaugeMetricFamily("rushes_up", "Whether a part can be read: 1 or 0.", labels=("part",))
        for part, look in parts.items():
            try:
                yield from look()
                up.add_metric((part,), 1)
            except (RushesError, OSError):
                up.add_metric((part,), 0)
        yield up

    def _of_store(self) -> list[Metric]:
        census = self._watch.census()
        return [
            _number("rushes_snapshot", "Number of the store's current snapshot.", census.snapshot.number),
            _number("rushes_snapshot_timestamp_seconds", "When it was committed.", _seconds(census.committed)),
            _by("rushes_assets", "Assets and lost sources by state.", "state", census.assets),
            _by("rushes_previews", "Previews by status.", "status", census.previews),
            _by("rushes_waiting", "Assets that a run of a stage would take.", "stage", census.waiting),
            _by("rushes_quarantined", "Assets and sources given up, by stage.", "stage", census.quarantined),
        ]

    def _of_index(self) -> list[Metric]:
        if (generation := self._watch.generation()) is None:
            return []
        since = self._watch.lags_since(generation, self._models.spaces)
        built = datetime.fromisoformat(generation.built)
        rows = {name: stamp.rows for name, stamp in generation.stamps.items()}
        return [
            _number("rushes_index_generation", "Number of the index's generation.", generation.number),
            _number("rushes_index_snapshot", "The store's snapshot that it was made from.", generation.snapshot),
            _number("rushes_index_timestamp_seconds", "When it was built.", _seconds(built)),
            _number("rushes_index_lag_seconds", "Since the first commit that it lacks; 0 if none.", _age_s(since)),
            _by("rushes_index_rows", "Rows that can be found.", "collection", rows),
        ]

    def _of_models(self) -> list[Metric]:
        family = InfoMetricFamily("rushes_model", "Models in use, by what for.", labels=("task",))
        for task, identity in self._identities().items():
            name, _, digest = identity.partition("@")
            family.add_metric((task,), {"model": name, "digest": digest})
        return [family]

    @cached_property
    def _models(self) -> Models:
        return Models(self._settings)

    def _identities(self) -> dict[str, str]:
        return {**self._hearing_and_seeing, "ranker": current_ranker(self._watch.store, self._settings).identity}

    @cached_property
    def _hearing_and_seeing(self) -> dict[str, str]:
        of = self._models.identity
        return {
            "words": of(self._settings.transcribe.model),
            "speech": of(SPEECH_MODEL),
            "speakers": self._models.voice_space,
            "text": of(TEXT_MODEL),
            "shots": of(SHOT_MODEL),
            "images": self._models.image_extractor.space,
            "sounds": self._models.sound_extractor.space,
        }


def _number(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _seconds(when: datetime | None) -> float:
    """Since 1970; 0 for never."""
    return when.timestamp() if when else 0.0


def _age_s(since: datetime | None) -> float:
    return max(0.0, (datetime.now(UTC) - since).total_seconds()) if since else 0.0
