"""Readers of subtitle formats other than WebVTT, SRT and SBV, one file each, all giving lines with times."""
