"""What a model is called by: a digest of its numbers, the same on every machine."""

from __future__ import annotations

import hashlib
import json

from ranking.features import FEATURE_NAMES, FEATURES_VERSION


def digest(model: object) -> str:
    """Sha256 of anything JSON can hold."""
    return hashlib.sha256(json.dumps(model, sort_keys=True).encode()).hexdigest()


def identity(name: str, model: object) -> str:
    """The name with a digest of the model and of the features it reads: name@12 hex digits."""
    return f"{name}@{digest([FEATURES_VERSION, FEATURE_NAMES, model])[:12]}"
