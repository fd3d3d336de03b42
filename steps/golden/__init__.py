"""Golden sets: what editors chose, gathered from every source, checked, and kept apart."""

from steps.golden.clips import Golden, GoldenOptions, GoldenSet, RefusedClip, show_key

__all__ = ["Golden", "GoldenOptions", "GoldenSet", "RefusedClip", "show_key"]
