"""Copies of publishers' feeds that name what was found."""
