"""LambdaRank: gradient-boosted trees that learn the order of clips within an episode.

Burges, "From RankNet to LambdaRank to LambdaMART", MSR-TR-2010-82, as LightGBM implements it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import lightgbm as lgb
import numpy as np

from featurization.errors import ModelError
from ranking.features import FEATURE_NAMES, FEATURES_VERSION
from ranking.groups import RankingGroup
from ranking.ranker import Scores
from ranking.spans import Floats

_GROUP_LIMIT = 10_000  # LightGBM aborts above it


@dataclass(frozen=True, slots=True)
class LambdaRankOptions:
    """How the trees grow. The defaults suit tens to thousands of episodes."""

    rounds: int = 200
    patience: int = 30  # rounds without a better validation NDCG before it stops; needs validation groups
    learning_rate: float = 0.05
    leaves: int = 7
    min_leaf: int = 5  # clips in a leaf; LightGBM's 20 grows no tree from one small episode
    l2: float = 1.0
    truncation: int = 20  # pairs count if one of the two is among the first so many
    seed: int = 7
    threads: int = 2


@dataclass(frozen=True)
class LambdaRanker:
    """A trained Ranker: LightGBM's text model and the features it was trained on."""

    model: str
    features: tuple[str, ...] = FEATURE_NAMES
    features_version: int = FEATURES_VERSION
    options: dict[str, float] = field(default_factory=dict)
    name: str = "lambdarank"

    def __post_init__(self) -> None:
        if (self.features, self.features_version) != (FEATURE_NAMES, FEATURES_VERSION):
            raise ModelError(f"the ranker was trained on other features ({self._difference()}); train it again")

    @property
    def digest(self) -> str:
        """Sha256 of the text model."""
        return hashlib.sha256(self.model.encode()).hexdigest()

    @property
    def identity(self) -> str:
        return f"{self.name}@{self.digest[:12]}"

    def score(self, matrix: Floats) -> Scores:
        """Scores with their SHAP values (Lundberg, arXiv:1802.03888); each row and the base add up to the score."""
        if not len(matrix):
            return Scores(np.zeros((0, len(self.features))))
        explained = np.asarray(self._booster.predict(matrix, pred_contrib=True), dtype=np.float64)
        return Scores(explained[:, :-1], base=float(explained[0, -1]))

    @cached_property
    def _booster(self) -> lgb.Booster:
        return lgb.Booster(model_str=self.model)

    def _difference(self) -> str:
        gone = sorted(set(self.features) - set(FEATURE_NAMES))
        new = sorted(set(FEATURE_NAMES) - set(self.features))
        parts = [f"{word}: {', '.join(names)}" for word, names in (("gone", gone), ("new", new)) if names]
        return "; ".join(parts) or f"version {self.features_version} or their order, now version {FEATURES_VERSION}"


def train(
    groups: Sequence[RankingGroup],
    *,
    validation: Sequence[RankingGroup] = (),
    options: LambdaRankOptions | None = None,
) -> LambdaRanker:
    """Train on episodes; with `validation` episodes, keep the round whose NDCG@10 on them is best.

    The order of `groups` does not matter. Split by show, never by clip.
    Raises ModelError if there is nothing to learn from, or nothing was learned.
    """
    options = options or LambdaRankOptions()
    data = _dataset(groups, options, what="training")
    held_out = _dataset(validation, options, what="validation", reference=data) if validation else None
    booster = lgb.train(
        _parameters(options),
        data,
        num_boost_round=options.rounds,
        valid_sets=[held_out] if held_out else None,
        callbacks=[lgb.early_stopping(options.patience, verbose=False)] if held_out else None,
    )
    if max(tree["num_leaves"] for tree in booster.dump_model()["tree_info"]) == 1:
        raise ModelError(
            f"the ranker learned nothing from {len(groups)} episodes: no split leaves {options.min_leaf} clips on "
            "both sides; mark more clips or lower min_leaf"
        )
    return LambdaRanker(booster.model_to_string(num_iteration=booster.best_iteration), options=asdict(options))


def save(ranker: LambdaRanker, path: Path) -> None:
    """Write the ranker as JSON: text model, features, options, digest."""
    path.write_text(to_json(ranker), encoding="utf-8")


def load(path: Path) -> LambdaRanker:
    """Read what `save` wrote; ModelError if it is damaged or was trained on other features."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such ranker; train one") from None
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def to_json(ranker: LambdaRanker) -> str:
    """The ranker as one JSON document, the same bytes for the same ranker."""
    return json.dumps(
        {
            "kind": ranker.name,
            "sha256": ranker.digest,
            "features_version": ranker.features_version,
            "features": ranker.features,
            "options": ranker.options,
            "model": ranker.model,
        },
        indent=1,
    )


def from_json(text: str) -> LambdaRanker:
    """The inverse of `to_json`; ModelError if the document is damaged or was trained on other features."""
    try:
        stored = json.loads(text)
        model, version = stored["model"], stored["features_version"]
        features, options = tuple(stored["features"]), stored["options"]
        intact = hashlib.sha256(model.encode()).hexdigest() == stored["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelError("this is not a saved ranker; train one, or restore the file") from None
    if not intact:
        raise ModelError("the model is not the one that was saved (sha256 differs); restore the file or train again")
    return LambdaRanker(model, features, version, options)


def _parameters(options: LambdaRankOptions) -> dict[str, object]:
    return {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [10],
        "learning_rate": options.learning_rate,
        "num_leaves": options.leaves,
        "min_data_in_leaf": options.min_leaf,
        "min_sum_hessian_in_leaf": 1e-3,
        "lambda_l2": options.l2,
        "lambdarank_truncation_level": options.truncation,
        "feature_pre_filter": False,
        "seed": options.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": options.threads,
        "verbosity": -1,
    }


def _dataset(
    groups: Sequence[RankingGroup], options: LambdaRankOptions, *, what: str, reference: lgb.Dataset | None = None
) -> lgb.Dataset:
    """Rows by episode in the order of ids, shuffled inside: LightGBM's NDCG rewards ties in the given order.

    Episodes in which no clip has a grade are left out: they teach nothing and would count as a perfect NDCG.
    """
    graded = sorted((g for g in groups if g.teaches), key=lambda group: group.asset_id)
    if not graded:
        raise ModelError(
            f"none of {len(groups)} {what} episodes has clips of different grades; mark golden clips in them"
        )
    if too_long := [group.asset_id for group in graded if len(group.grades) > _GROUP_LIMIT]:
        raise ModelError(f"{too_long[0]} has more than {_GROUP_LIMIT} candidates; lower max_count of the candidates")
    rng = np.random.default_rng(options.seed)
    orders = [rng.permutation(len(group.grades)) for group in graded]
    return lgb.Dataset(
        np.concatenate([group.matrix[order] for group, order in zip(graded, orders, strict=True)]),
        label=np.concatenate([group.grades[order] for group, order in zip(graded, orders, strict=True)]),
        group=[len(order) for order in orders],
        feature_name=list(FEATURE_NAMES),
        reference=reference,
    )
