"""Golden sets: what editors chose, gathered from every source, checked, and kept apart."""

from steps.golden.clips import Golden, GoldenOptions, GoldenSet, RefusedClip, show_key
from steps.golden.gather import gather_golden

__all__ = ["Golden", "GoldenOptions", "GoldenSet", "RefusedClip", "gather_golden", "show_key"]
