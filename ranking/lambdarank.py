"""LambdaRank: gradient-boosted trees that learn the order of clips within an episode.

Burges, "From RankNet to LambdaRank to LambdaMART", MSR-TR-2010-82, as LightGBM implements it. LightGBM is imported
when a model is trained or asked, not before: what does not rank by trees does not load it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from featurization.errors import ModelError
from ranking.digest import identity
from ranking.features import FEATURE_NAMES
from ranking.groups import RankingGroup, lessons, refuse_indifference, thinned
from ranking.ranker import Scores
from ranking.spans import Floats

if TYPE_CHECKING:
    import lightgbm as lgb


@dataclass(frozen=True, slots=True)
class LambdaRankOptions:
    """How the trees grow. The defaults suit tens to thousands of episodes."""

    rounds: int = 100
    patience: int = 20  # rounds without a better validation NDCG before it stops; needs validation groups
    learning_rate: float = 0.1
    leaves: int = 4  # small trees learn as well from few episodes, and explain themselves three times as fast as of 7
    min_leaf: int = 5  # clips in a leaf; LightGBM's 20 grows no tree from one small episode
    l2: float = 1.0
    truncation: int = 20  # pairs count if one of the two is among the first so many
    seed: int = 7
    threads: int = 1  # more of them wait for each other as soon as anything else runs

    def __post_init__(self) -> None:
        if min(self.rounds, self.patience, self.min_leaf, self.truncation, self.threads) < 1:
            raise ValueError("rounds, patience, min_leaf, truncation and threads must be at least 1")
        if self.leaves < 2:
            raise ValueError(f"a tree has at least 2 leaves, got {self.leaves}")
        if self.learning_rate <= 0 or self.l2 < 0:
            raise ValueError("learning_rate must be above 0 and l2 not below it")


@dataclass(frozen=True)
class LambdaRanker:
    """A trained Ranker: LightGBM's text model."""

    model: str
    options: dict[str, float] = field(default_factory=dict)  # `rounds` is the best one
    name: str = "lambdarank"

    @property
    def identity(self) -> str:
        return identity(self.name, self.model)

    def score(self, matrix: Floats) -> Scores:
        """Scores with their SHAP values (Lundberg, arXiv:1802.03888); each row and the base add up to the score."""
        if not len(matrix):
            return Scores(np.zeros((0, len(FEATURE_NAMES))))
        explained = np.asarray(self._booster.predict(matrix, pred_contrib=True, num_threads=1), dtype=np.float64)
        return Scores(explained[:, :-1], base=float(explained[0, -1]))

    @cached_property
    def _booster(self) -> lgb.Booster:
        import lightgbm as lgb

        return lgb.Booster(model_str=self.model)


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
    import lightgbm as lgb

    options = options or LambdaRankOptions()
    learned = lessons(groups)
    data = _dataset(learned, options)
    held_out = _dataset(lessons(validation, what="validation"), options, reference=data) if validation else None
    booster = lgb.train(
        _parameters(options),
        data,
        num_boost_round=options.rounds,
        valid_sets=[held_out] if held_out else None,
        callbacks=[lgb.early_stopping(options.patience, verbose=False)] if held_out else None,
    )
    if max(tree["num_leaves"] for tree in booster.dump_model()["tree_info"]) == 1:
        raise ModelError(
            f"the ranker learned nothing from {len(learned)} episodes: no split leaves {options.min_leaf} clips on "
            "both sides; mark more clips or lower min_leaf"
        )
    rounds = booster.best_iteration if held_out else booster.num_trees()
    ranker = LambdaRanker(booster.model_to_string(num_iteration=rounds), asdict(options) | {"rounds": rounds})
    refuse_indifference(lambda matrix: np.asarray(ranker._booster.predict(matrix)), learned)
    return ranker


def _parameters(options: LambdaRankOptions) -> dict[str, object]:
    """As LightGBM knows them. Its gain of 2^grade - 1 stays: gains that grow evenly ranked made catalogues worse."""
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
    learned: Sequence[RankingGroup], options: LambdaRankOptions, *, reference: lgb.Dataset | None = None
) -> lgb.Dataset:
    """Rows by episode, shuffled inside: LightGBM's NDCG rewards ties in the given order."""
    import lightgbm as lgb

    groups = [thinned(group) for group in learned]
    rng = np.random.default_rng(options.seed)
    orders = [rng.permutation(len(group.grades)) for group in groups]
    sizes = [len(order) for order in orders]
    return lgb.Dataset(
        np.concatenate([group.matrix[order] for group, order in zip(groups, orders, strict=True)]),
        label=np.concatenate([group.grades[order] for group, order in zip(groups, orders, strict=True)]),
        group=sizes,
        weight=np.repeat([group.weight for group in groups], sizes),
        feature_name=list(FEATURE_NAMES),
        reference=reference,
    )
