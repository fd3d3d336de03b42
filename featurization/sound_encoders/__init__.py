"""Encoders that make vectors of sounds."""
