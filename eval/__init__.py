"""Metrics: counts that pool, ratios as properties."""
