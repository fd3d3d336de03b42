"""Numbers as reports write them: three digits that mean something, a real minus sign, and units in words."""

from __future__ import annotations

import re

from eval.bootstrap import Interval

_HYPHEN = re.compile(r"(?<![\w-])-(?=\d)")
_MIN_S, _HOUR_S = 60, 3600


def three(value: float) -> str:
    """About three significant digits, so that columns of figures line up: 0.412, 1.25, 12.5, 1,250."""
    size = abs(value)
    digits = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "\N{MINUS SIGN}")  # + 0.0: never a minus zero


def signed(value: float) -> str:
    """The same for a difference: +0.031."""
    return f"+{three(value)}" if round(value, 3) > 0 else three(value)


def spanned(interval: Interval) -> str:
    """A mean and its interval: 0.412 (0.351 to 0.470)."""
    return f"{three(interval.mean)} ({three(interval.low)} to {three(interval.high)})"


def gained(interval: Interval) -> str:
    """A difference and its interval: +0.031 (−0.010 to +0.070)."""
    return f"{signed(interval.mean)} ({signed(interval.low)} to {signed(interval.high)})"


def counted(count: int, noun: str) -> str:
    """1 show, 2 shows, 1,000 shows."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def lasting(seconds: float) -> str:
    """How long something took: 4.2 s, 12 min, 1 h 05 min."""
    if seconds < _MIN_S:
        return f"{seconds:.1f} s"
    if seconds < _HOUR_S:
        return f"{seconds / _MIN_S:.0f} min"
    hours, rest = divmod(round(seconds / _MIN_S), 60)
    return f"{hours} h {rest:02d} min"


def sentence(text: str) -> str:
    """A line made into a sentence: a capital at its start, a full stop at its end."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def with_minus(text: str) -> str:
    """A sentence with real minus signs before its numbers."""
    return _HYPHEN.sub("\N{MINUS SIGN}", text)
