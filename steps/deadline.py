"""The end of a task's time reaches its step, whatever is caught on the way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class OutOfTime(BaseException):
    """The time of a task is over. No error of an asset: what catches those lets it pass."""


@contextmanager
def alarm_passes() -> Iterator[None]:
    """Let what the handler of SIGALRM raises pass through `except Exception`, and raise it as it was at the end.

    Else the asset at which the time ran out would be blamed for it, and the task would go on without a limit.
    """
    handler = signal.getsignal(signal.SIGALRM)
    if not callable(handler):  # no time is set
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        try:
            handler(number, frame)
        except Exception as error:
            raise OutOfTime from error

    signal.signal(signal.SIGALRM, ring)
    try:
        yield
    except OutOfTime as over:
        raise (over.__cause__ or over) from None
    finally:
        signal.signal(signal.SIGALRM, handler)
