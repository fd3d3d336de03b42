"""Truth about media: how its files are read, and how well the store agrees with them."""

from steps.truth.measure import TruthFigures, measure_truth

__all__ = ["TruthFigures", "measure_truth"]
