"""Logistic regression, weighted and pulled to a prior; and Platt's scaling of its scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Floats = NDArray[np.float64]
_ROUNDS = 200
_FREE = 1e-3  # pull on what has no prior, so that separable rows have an answer


def fitted(rows: Floats, truth: Floats, weight: Floats, *, prior: Floats, pull: Floats) -> Floats:
    """Coefficients (columns + 1,), the last one constant: the most probable under a Gaussian prior.

    `truth` (rows,) may lie between 0 and 1; `prior` and `pull` (columns,) are the prior's means and precisions.
    """
    centre, precision = np.append(prior, 0.0), np.append(pull, _FREE)

    def loss(coefficients: Floats) -> tuple[float, Floats]:
        scores, away = rows @ coefficients[:-1] + coefficients[-1], coefficients - centre
        wrong = weight * (expit(scores) - truth)
        value = weight @ (np.logaddexp(0, scores) - truth * scores) + 0.5 * precision @ away**2
        return float(value), np.append(rows.T @ wrong, wrong.sum()) + precision * away

    found = minimize(loss, centre, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    return np.asarray(found.x)


def platt(scores: Floats, truth: Floats, weight: Floats, *, pull: float) -> tuple[float, float]:
    """Slope and offset that make scores log odds (Platt, 1999); the slope is pulled to 1 and never negative."""
    slope, offset = fitted(scores[:, None], truth, weight, prior=np.ones(1), pull=np.array([pull]))
    if slope > 0:
        return float(slope), float(offset)
    share = (weight @ truth + 0.5) / (weight.sum() + 1)
    return 0.0, float(np.log(share / (1 - share)))
