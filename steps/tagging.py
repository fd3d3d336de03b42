"""Retrain every label on all that was judged, and replace heads in use only by heads that are not worse."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.heads import fit_head
from eval.bootstrap import Interval
from eval.tag_metrics import TagRows, average_precision_gain
from featurization.errors import AnnotationError, ConfigError
from steps.annotate import Bench, judged_shots, now, with_head_tags
from steps.feedback import Label, LabelDefinition
from steps.heads import Change, KeptHead, Plan, commit_heads, head_in_use, heads_in_use, heads_of, put_in_use
from steps.labels import defined, definition_of, judgements, label_key, texts_of
from steps.models import Models
from steps.settings import Settings
from steps.shot_matrix import read_shots
from steps.store import Store, Writes
from steps.tables import TAGS

log = logging.getLogger(__name__)
Floats = NDArray[np.float64]
Verdict = Literal["replaced", "first", "kept", "unchanged", "impossible"]
LABELS_A_TASK = 200
_FOLDS = 5


@dataclass(frozen=True)
class Retrained:
    """What became of one label."""

    label: str
    verdict: Verdict  # "first": built, and waits for somebody to deploy it
    why: str  # one sentence
    head: KeptHead | None = None  # the new one
    instead_of: str = ""  # version that was in use
    gain: Interval | None = None  # of average precision over the head in use, on titles that taught neither


def plan_labels(name: str, store: Store) -> list[tuple[str, ...]]:
    """Keys of the labels to train, shared out to tasks: the one called `name`, or all that were judged."""
    known = defined(store)
    if name:
        if label_key(name) not in known:
            told = ", ".join(one.name for one in list(known.values())[:12]) or "none yet; teach one in the studio"
            raise ConfigError(f"there is no label {name!r}; labels: {told}")
        return [(label_key(name),)]
    judged = judgements(store)
    keys = [key for key in known if key in judged]
    return [tuple(keys[at : at + LABELS_A_TASK]) for at in range(0, len(keys), LABELS_A_TASK)] or [()]


def train_labels(keys: Sequence[str], *, run: str, settings: Settings, store: Store) -> list[Retrained]:
    """Train each label anew, and judge it beside the head in use. A label that cannot be trained stops no other."""
    if not keys:
        return []
    bench, said = bench_over(store, settings), judgements(store)
    return [_retrained(definition_of(key, store), said.get(key, []), run, bench, store) for key in keys]


def bench_over(store: Store, settings: Settings, asset_ids: Sequence[str] | None = None) -> Bench:
    """All shots of the store, or those of some assets, with the encoder that the settings name."""
    models = Models(settings)
    return Bench(read_shots(store, asset_ids), settings, lambda: models.images)


def _retrained(definition: LabelDefinition, labels: Sequence[Label], run: str, bench: Bench, store: Store) -> Retrained:
    old = head_in_use(heads_of(label_key(definition.name), store))
    try:
        new = bench.train(definition, labels, who=run).head
    except AnnotationError as error:
        return Retrained(definition.name, "impossible", str(error))
    if old is None:
        return Retrained(definition.name, "first", "no head is in use; deploy it in the studio", new)
    if new.document == old.document and new.texts == old.texts:
        return Retrained(definition.name, "unchanged", "nothing new was judged", instead_of=old.version)
    if not old.fits(bench.shots.space, bench.shots.feature_space):
        why = f"the head in use was of another encoder ({old.feature_space}), so its tags cannot be renewed"
        return Retrained(definition.name, "replaced", why, new, old.version)
    return _compared(definition, labels, old, new, bench)


def _compared(
    definition: LabelDefinition, labels: Sequence[Label], old: KeptHead, new: KeptHead, bench: Bench
) -> Retrained:
    """Whether what was judged since the old head was built makes it better, on titles that teach neither."""
    gain = gain_of_new(labels, since=old.when, texts=texts_of(definition), bench=bench)
    if gain is None:
        why = "whether it is better cannot be measured: judge shots of both kinds in two titles or more"
        return Retrained(definition.name, "kept", why, instead_of=old.version)
    told = f"average precision on titles that taught neither: {gain.signed}"
    if gain.mean < 0:
        return Retrained(definition.name, "kept", f"the new head is worse; {told}", instead_of=old.version, gain=gain)
    return Retrained(definition.name, "replaced", told, new, old.version, gain)


def gain_of_new(labels: Sequence[Label], *, since: str, texts: tuple[str, ...], bench: Bench) -> Interval | None:
    """How much average precision the judgements after `since` add, in cross-validation over titles; None if unknown.

    The head that was in use cannot be asked itself: it was taught on most of these shots.
    """
    judged = judged_shots(labels, bench.shots)
    then = judged_shots([one for one in labels if one.when <= since], bench.shots)
    titles, past = np.array(judged.titles), np.isin(judged.rows, then.rows)
    ours, theirs = np.full(len(titles), np.nan), np.full(len(titles), np.nan)
    likeness = bench.likeness(texts)
    for out in _folds(titles):
        for into, taught in ((ours, ~out), (theirs, ~out & past)):
            if judged.holds[taught].any():
                examples = bench.examples(judged.rows[taught], judged.holds[taught], texts)
                head = fit_head(examples, bench.statistics, bench.options)
                held = judged.rows[out]
                into[out] = head.probabilities(bench.shots.features[held], likeness[held])
    seen = np.isfinite(ours) & np.isfinite(theirs)
    holds = judged.holds[seen]
    if not (holds.any() and (~holds).any() and len(set(titles[seen])) > 1):
        return None
    rows_ = TagRows(("",) * len(holds), tuple(titles[seen].tolist()), ours[seen], holds)
    return average_precision_gain(rows_, ours[seen], theirs[seen])


def _folds(titles: NDArray[np.str_]) -> Iterator[NDArray[np.bool_]]:
    names = np.unique(titles)
    for fold in range(min(_FOLDS, len(names))):
        yield np.isin(titles, names[fold :: min(_FOLDS, len(names))])


@dataclass(frozen=True)
class Summary:
    """What a whole run did."""

    labels: tuple[Retrained, ...]
    tags: int  # that replaced heads give now

    @property
    def outcome(self) -> Literal["complete", "partial"]:
        return "partial" if any(one.verdict == "impossible" for one in self.labels) else "complete"

    def describe(self) -> str:
        """A few lines for the terminal."""
        if not self.labels:
            return "no label was judged yet; teach one in the studio (`rushes serve`)"
        return "\n".join(f"{one.label}: {one.verdict}: {one.why}" for one in self.labels)


def commit_heads_of(outcomes: Iterable[Retrained], *, run: str, settings: Settings, store: Store) -> Summary:
    """Put what is not worse in use with its tags, and keep what waits for an editor, all at once."""
    done = tuple(sorted(outcomes, key=lambda one: one.label))
    changed = [one for one in done if one.head is not None]
    tags = 0
    if changed:
        bench = bench_over(store, settings)
        plans = {one.label: _plan(one, one.head, bench) for one in changed if one.head}
        tags = commit_heads(run, plans, store=store)
    return Summary(done, tags)


def _plan(one: Retrained, head: KeptHead, bench: Bench) -> Plan:
    tags = bench.tags(head) if one.verdict == "replaced" else None

    def plan(heads: tuple[KeptHead, ...]) -> Change:
        current = head_in_use(heads)
        if tags is None or (current.version if current else "") != one.instead_of:
            known = any(kept.version == head.version for kept in heads)  # an editor was faster: theirs stays in use
            return Change(heads if known else (*heads, head), None)
        return Change(put_in_use(heads, head, now=now()), tags)

    return plan


def catch_up(asset_ids: Sequence[str], *, settings: Settings, store: Store) -> Writes:
    """The tags by the heads in use of assets that were featurized while one changed."""
    heads = heads_in_use(store)
    if not heads or not asset_ids:
        return {}
    tags = store.read(TAGS, asset_ids)
    bench = bench_over(store, settings, asset_ids)
    wanted = with_head_tags({a: tags.get(a, ()) for a in bench.shots.bounds}, heads, bench)
    return {TAGS: {a: own for a, own in wanted.items() if own != tags.get(a, ())}}
