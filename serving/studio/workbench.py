"""What the studio keeps at hand for labels: all shots, what was said of them, and what the newest heads say."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

import numpy as np
from fastapi import Depends, HTTPException, Path, Request
from numpy.typing import NDArray

from annotation.diversity import Diversity, clusters_of, diversity
from annotation.feeds import Progress, Suggestion, feed, suggest
from eval.tag_metrics import SpotCheck
from featurization.errors import AnnotationError
from featurization.extractor import Image
from featurization.vision import ImageEncoder
from serving.shelf import Shelf
from steps.annotate import Bench, Judged, Trained, judged_shots
from steps.feedback import LABELS, Label, LabelDefinition
from steps.heads import HEADS, KeptHead, head_in_use
from steps.labels import counted_by_feed, definition_of, judgements, texts_of, verdicts
from steps.shot_matrix import ALL_AGAIN, READ, read_shots

FeedName = Literal["search", "positive", "negative", "borderline", "random", "review", "check"]
FEEDS: dict[FeedName, str] = {
    "search": "By words",
    "positive": "Likeliest",
    "negative": "Unlikeliest",
    "borderline": "Borderline",
    "random": "Random",
    "review": "All judged",
    "check": "Spot check",
}
_LEARNT: tuple[FeedName, ...] = ("positive", "negative", "borderline", "random")  # what annotation/feeds.py orders
BATCH = 20
_WHY = "what the newest head says"
LabelKey = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tile:
    """A shot as a feed shows it."""

    id: str
    asset_id: str
    title: str
    start: float
    end: float
    confidence: float
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """How a label stands: what was said, the newest head, and what to do next."""

    definition: LabelDefinition
    labels: tuple[Label, ...]
    judged: Judged
    heads: tuple[KeptHead, ...]
    diversity: Diversity
    suggestion: Suggestion
    agreement: float | None
    doubled: int
    tagged: int  # shots that carry the tag now
    check: SpotCheck  # what the spot check of the head in use says

    @property
    def newest(self) -> KeptHead | None:
        return max(self.heads, key=lambda head: head.when, default=None)

    @property
    def in_use(self) -> KeptHead | None:
        return head_in_use(self.heads)


class Workbench:
    """Labels over one store. What is read is kept until the tables that it came from change."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf, self.store = shelf, shelf.store
        self._lock = threading.RLock()
        self._kept: dict[str, tuple[object, Any]] = {}
        self._scores: dict[str, tuple[str, Floats]] = {}  # by label key: version and probabilities

    @property
    def bench(self) -> Bench:
        """All shots, read again when films came in."""
        encoder = cast(Any, self.shelf.desk.encoders["shots"])

        def read() -> Bench:
            self._scores.clear()
            return Bench(read_shots(self.store), self.shelf.settings, lambda: cast(ImageEncoder, encoder()))

        found: Bench = self._once("bench", READ, read)
        return found

    @property
    def judgements(self) -> Mapping[str, Sequence[Label]]:
        """What stands, by label key."""
        found: Mapping[str, Sequence[Label]] = self._once("labels", (LABELS.name,), lambda: judgements(self.store))
        return found

    @property
    def heads(self) -> Mapping[str, tuple[KeptHead, ...]]:
        """All kept heads, by label key."""
        found: Mapping[str, tuple[KeptHead, ...]] = self._once("heads", (HEADS.name,), lambda: self.store.read(HEADS))
        return found

    def _clusters(self) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self._once("clusters", READ, lambda: clusters_of(self.bench.shots.features))
        return found

    def _once(self, name: str, tables: Sequence[str], read: Any) -> Any:
        """What `read` gives, read again when one of the tables changed."""
        with self._lock:
            current = self.store.current().tables
            state = [current.get(table) for table in tables]
            if name not in self._kept or self._kept[name][0] != state:
                self._kept[name] = (state, read())
            return self._kept[name][1]

    def standing(self, key: str) -> Standing:
        """How a label stands. AnnotationError if there is none."""
        definition = definition_of(key, self.store)
        labels, heads = tuple(self.judgements.get(key, ())), self.heads.get(key, ())
        judged = judged_shots(labels, self.bench.shots)
        told = dict(zip(judged.rows.tolist(), judged.holds.tolist(), strict=True))
        said = verdicts(labels)
        return Standing(
            definition,
            labels,
            judged,
            heads,
            diversity(self._clusters(), told),
            self._suggestion(judged, labels, heads),
            said.agreement,
            said.doubled,
            tagged := len(self.shelf.desk.engine().corpus.tagged.get(definition.name.casefold(), {})),
            _checked(said.newest, head_in_use(heads), tagged),
        )

    @staticmethod
    def _suggestion(judged: Judged, labels: Sequence[Label], heads: Sequence[KeptHead]) -> Suggestion:
        figures = [h.quality.average_precision for h in sorted(heads, key=lambda h: h.when)]
        counts = cast(Any, {name: n for name, n in counted_by_feed(labels).items() if name in _LEARNT})
        known = [figure for figure in figures if figure is not None]
        return suggest(Progress(judged.positives, judged.negatives, counts, known))

    def train(self, key: str, who: str) -> Trained:
        """Train the head of a label on what stands now."""
        trained = self.bench.train(definition_of(key, self.store), self.judgements.get(key, ()), who=who)
        with self._lock:
            self._scores[key] = (trained.head.version, trained.probabilities)
        return trained

    def scores(self, key: str) -> Floats | None:
        """What the newest head says of every shot; None before the first."""
        newest = max(self.heads.get(key, ()), key=lambda head: head.when, default=None)
        if newest is None:
            return None
        with self._lock:
            kept = self._scores.get(key)
        if kept and kept[0] == newest.version and len(kept[1]) == len(self.bench.shots):
            return kept[1]
        if not newest.fits(self.bench.shots.space, self.bench.shots.feature_space):
            return None  # of another encoder: built again it will fit
        found = self.bench.scores(newest)
        with self._lock:
            self._scores[key] = (newest.version, found)
        return found

    def like_picture(self, key: str, images: Sequence[Image]) -> list[Tile]:
        """Shots that are most like a picture, or like the stills of a clip, best first."""
        shots = self.bench.shots
        if not len(shots):
            return []
        encoder = self.bench.encoder
        if encoder.feature_space != shots.feature_space:
            raise AnnotationError(f"shots were seen with another encoder; {ALL_AGAIN}")
        known = judged_shots(self.judgements.get(key, ()), shots).rows
        order = shots.features @ encoder.features(images).mean(axis=0)
        order[known] = -np.inf
        return self._tiles(np.argsort(-order, kind="stable")[: min(BATCH, len(shots) - len(known))], self.scores(key))

    def feed(self, key: str, kind: FeedName, *, asked: str = "", like: str = "", seen: int = 0) -> list[Tile]:
        """Shots to judge, best first; `seen` batches were passed over. AnnotationError says what is needed first."""
        definition, shots = definition_of(key, self.store), self.bench.shots
        if not len(shots):
            return []
        labels = self.judgements.get(key, ())
        judged = judged_shots(labels, shots)
        if kind == "review":
            return self._tiles(judged.rows[::-1], self.scores(key))
        known = np.zeros(len(shots), bool)
        known[judged.rows] = True
        sure = self.scores(key)
        if kind == "search":
            rows = self._looked_for(definition, asked, like, known, seen)
            return self._tiles(rows, sure)
        if kind == "check":
            sure, known = self._hits(key, known)
            rows = feed("random", sure, known, shots.asset_ids, size=BATCH, seed=len(judged.rows))
            return self._tiles(rows, sure)
        if sure is None and kind != "random":
            raise AnnotationError("judge some shots by their words, then build: this feed goes by what was learned")
        ordered = np.zeros(len(shots)) if sure is None else sure
        size = BATCH * (seen + 1)
        rows = feed(kind, ordered, known, shots.asset_ids, size=size, seed=len(judged.rows), features=shots.features)
        return self._tiles(rows[BATCH * seen :], sure)

    def _looked_for(
        self, definition: LabelDefinition, asked: str, like: str, known: NDArray[np.bool_], seen: int
    ) -> NDArray[np.int64]:
        """Rows by words, or by likeness to a shot, without those that were judged."""
        shots = self.bench.shots
        if like:
            if like not in shots.row_of:
                raise AnnotationError(f"there is no shot {like[:80]!r}")
            order = shots.features @ shots.features[shots.row_of[like]]
        else:
            order = self.bench.likeness((asked,) if asked else texts_of(definition))
        rows = np.argsort(-order, kind="stable")
        return np.asarray(rows[~known[rows]][BATCH * seen : BATCH * (seen + 1)])

    def _hits(self, key: str, known: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
        """What the head in use says, and which shots a spot check passes over: those it does not tag."""
        head = head_in_use(self.heads.get(key, ()))
        if head is None:
            raise AnnotationError("a spot check draws from what a deployed label tags; deploy it first")
        sure = self.bench.scores(head)
        return sure, known | (sure < self.shelf.settings.annotate.min_confidence)

    def _tiles(self, rows: NDArray[np.int64], sure: Floats | None) -> list[Tile]:
        return [self._tile(row, sure) for row in rows.tolist()]

    def _tile(self, row: int, sure: Floats | None) -> Tile:
        shots = self.bench.shots
        shot, asset_id = shots.shots[row], shots.asset_ids[row]
        asset = self.shelf.catalog().assets.get(asset_id)
        confidence, why = (0.0, ()) if sure is None else (float(sure[row]), (_WHY,))
        title = asset.title if asset else asset_id
        return Tile(shots.ids[row], asset_id, title, shot.start, shot.end, confidence, why)

    def label_of(self, shot: str, **said: Any) -> Label:
        """A judgement of a shot, as it is kept: by asset and time. 404 if there is no such shot."""
        shots = self.bench.shots
        row = shots.row_of.get(shot)
        if row is None:
            raise HTTPException(404, f"no shot {shot[:80]!r}; load the page again")
        found = shots.shots[row]
        return Label(found.start, found.end, asset=shots.asset_ids[row], shot=shot, **said)


def _checked(newest: Sequence[Label], head: KeptHead | None, tagged: int) -> SpotCheck:
    """What was said of random hits of the head since it came in use."""
    if head is None:
        return SpotCheck()
    said = [label.holds for label in newest if label.feed == "check" and label.when >= head.deployed]
    return SpotCheck(tagged, len(said), sum(said))


def _workbench(request: Request) -> Workbench:
    found: Workbench = request.app.state.workbench
    return found


OfWorkbench = Annotated[Workbench, Depends(_workbench)]
