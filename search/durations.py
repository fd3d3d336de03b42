"""Lengths of time as people write them: `90`, `5s`, `1m30s`, `1h`, `250ms`."""

from __future__ import annotations

import re

from featurization.errors import SearchError

_FORM = re.compile(
    r"(?:(?P<bare>\d{1,9}(?:\.\d{1,6})?)"
    r"|(?=\d)(?:(?P<h>\d{1,6}(?:\.\d{1,6})?)h)?(?:(?P<m>\d{1,7}(?:\.\d{1,6})?)m(?!s))?(?:(?P<s>\d{1,9}(?:\.\d{1,6})?)s)?"
    r"(?:(?P<ms>\d{1,12})ms)?)",
    re.ASCII | re.IGNORECASE,
)
_SECONDS = {"bare": 1.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def parse_duration(text: str) -> float:
    """Seconds. SearchError says how to write it."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise SearchError(f"{text[:40]!r} is no duration; write 5s, 1m30s, 90 or 1h")
    return sum(float(found[unit]) * size for unit, size in _SECONDS.items() if found[unit])
