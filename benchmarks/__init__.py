"""Accuracy and speed against peers on the same input in the same run. Not installed: `python -m benchmarks --help`."""
