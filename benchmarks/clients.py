"""Latency: of one question after the other, and of many clients that ask without pause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

Ask = Callable[[int], object]  # the number of a question


def timed(ask: Ask, numbers: Iterable[int]) -> list[float]:
    """Seconds that each question took."""
    took = []
    for number in numbers:
        started = time.perf_counter()
        ask(number)
        took.append(time.perf_counter() - started)
    return took


def quantiles(took: Sequence[float], name: str = "") -> dict[str, float]:
    """Median and 95 % in milliseconds; empty if nothing was asked."""
    if not took:
        return {}
    p50, p95 = np.quantile(took, [0.5, 0.95]) * 1000
    return {f"{name}p50_ms": float(p50), f"{name}p95_ms": float(p95)}


def at_once(ask: Ask, *, clients: int, seconds: float) -> dict[str, float]:
    """Latency and failures of clients in threads of their own; client n asks questions n, n + clients, …"""
    took: list[float] = []
    failed: list[Exception] = []
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        while time.perf_counter() < end:
            try:
                took.extend(timed(ask, [number]))
            except Exception as error:  # counted, whatever it is
                failed.append(error)
            number += clients

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = {"clients": clients, "seconds": seconds, "queries": len(took), "errors": len(failed)}
    return {**asked, **quantiles(took)}
