"""Tags of the store against what people said of the same stretches (POST /labels)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eval.bootstrap import Interval
from eval.tag_metrics import DECIDED, SpotCheck, TagMetrics, TagRows, judge_tags, mean_average_precision
from featurization.media import Tag, shares_half
from steps.feedback import LABELS, Label
from steps.labels import same_name, verdicts
from steps.store import Store
from steps.tables import SHOTS, TAGS

_WAY = "look at shots that `rushes search --tag LABEL` finds, and POST /labels with holds true or false"
_TagsOf = Mapping[tuple[str, str], Sequence[Tag]]  # by asset and label


@dataclass(frozen=True)
class TagFigures:
    """How well tags agree with people, pooled and by label; nothing was measured if `pooled` is None."""

    pooled: TagMetrics | None = None
    mean_of_labels: Interval | None = None  # average precision, each label counting once
    by_label: Mapping[str, TagMetrics] = field(default_factory=dict)
    spot: SpotCheck = field(default_factory=SpotCheck)  # of tags that are shown
    spot_by_label: Mapping[str, SpotCheck] = field(default_factory=dict)
    judged: int = 0  # stretches and labels that somebody judged
    disputed: int = 0  # of those, on how many labellers disagree
    unseen: int = 0  # judged, but in assets that were never featurized
    untagged: tuple[str, ...] = ()  # labels that no tag has

    def figures(self) -> dict[str, float]:
        """The figures that tables show, by name; what nothing could show is left out."""
        if self.pooled is None:
            return {}
        found: dict[str, Interval | None] = {
            "precision": self.pooled.precision,
            "recall": self.pooled.recall,
            "average precision": self.pooled.average_precision,
            "average precision, mean of labels": self.mean_of_labels,
        }
        spot = {"precision, spot-checked": self.spot.precision} if self.spot.checked else {}
        return {name: interval.mean for name, interval in found.items() if interval} | spot

    def describe(self) -> str:
        """A few lines for people."""
        if self.pooled is None:
            return f"no labels to measure tags by: {_WAY}"
        figures = ", ".join(f"{name} {value:.3f}" for name, value in self.figures().items())
        lines = [
            f"labelled stretches: {self.judged}, of labels: {len(self.by_label)}; {figures}",
            f"checked: {self.spot.checked} of {self.spot.shown} tags at {DECIDED:g} or more",
        ]
        if self.disputed:
            lines.append(f"labellers disagree on {self.disputed}; the newest word counts")
        if self.unseen:
            lines.append(f"left out, being in assets whose shots nobody looked at: {self.unseen}; featurize them first")
        if self.untagged:
            lines.append(f"no tag has: {', '.join(self.untagged)}")
        return "\n".join(lines)


def tag_figures(store: Store) -> TagFigures:
    """Figures of the tags in the store, from everything that people said of them."""
    labels = [label for of_asset in store.read(LABELS).values() for label in of_asset]
    tags = store.read(TAGS)
    seen = store.read(SHOTS).keys() | tags.keys()
    told = verdicts(label for label in labels if label.asset in seen)
    unseen = len(verdicts(label for label in labels if label.asset not in seen).newest)
    if not told.newest:
        return TagFigures(unseen=unseen)
    by_name = _by_name(tags)
    rows = _rows(told.newest, by_name)
    names = sorted(set(rows.labels))
    spots = _spot_checks(told.newest, by_name)
    return TagFigures(
        pooled=judge_tags(rows),
        mean_of_labels=mean_average_precision(rows),
        by_label={name: judge_tags(rows.of(name)) for name in names},
        spot=sum(spots.values(), SpotCheck()),
        spot_by_label=spots,
        judged=len(told.newest),
        disputed=told.disputed,
        unseen=unseen,
        untagged=tuple(name for name in names if name not in spots),
    )


def _by_name(tags: Mapping[str, Sequence[Tag]]) -> _TagsOf:
    found: dict[tuple[str, str], list[Tag]] = defaultdict(list)
    for asset_id, of_asset in tags.items():
        for tag in of_asset:
            found[asset_id, same_name(tag.label)].append(tag)
    return found


def _rows(newest: Sequence[Label], tags: _TagsOf) -> TagRows:
    names = tuple(same_name(label.label) for label in newest)
    met = [
        [tag.confidence for tag in tags.get((label.asset, name), ()) if shares_half(tag, label)]
        for label, name in zip(newest, names, strict=True)
    ]
    return TagRows(
        labels=names,
        assets=tuple(label.asset for label in newest),
        confidence=np.array([max(confidences, default=0.0) for confidences in met]),
        holds=np.array([label.holds for label in newest], dtype=bool),
    )


def _spot_checks(newest: Sequence[Label], tags: _TagsOf) -> dict[str, SpotCheck]:
    """What people said of the tags that are shown, by label."""
    said: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in newest:
        said[label.asset, same_name(label.label)].append(label)
    checks: dict[str, SpotCheck] = defaultdict(SpotCheck)
    for (asset_id, name), of_asset in tags.items():
        shown = [tag for tag in of_asset if tag.confidence >= DECIDED]
        checks[name] += _spot_check(shown, said[asset_id, name])
    return dict(sorted(checks.items()))


def _spot_check(tags: Sequence[Tag], said: Sequence[Label]) -> SpotCheck:
    """Of several words on one tag the newest counts; `said` has the oldest first."""
    newest = [[label for label in said if shares_half(tag, label)][-1:] for tag in tags]
    held = sum(label.holds for words in newest for label in words)
    return SpotCheck(len(tags), sum(map(len, newest)), held)
