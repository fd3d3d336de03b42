"""The real text encoder, loaded once for all tests."""

from functools import cache

from featurization.models import load_registry
from featurization.text import TextEncoder


@cache
def text_encoder() -> TextEncoder:
    return TextEncoder(load_registry().fetch("minilm-l6-v2"))
