"""Feeds as they are in the wild, to typed values."""
