"""How often somebody may send a wrong key."""

from __future__ import annotations

import threading
import time

MAX_WRONG = 10
WINDOW_S = 60.0
_MAX_ADDRESSES = 10_000


class Attempts:
    """Counts wrong keys by address. After ten within a minute, no key from there is looked at for the rest of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[float, int]] = {}  # when the minute began, and how many came since

    def wait_s(self, address: str) -> float:
        """Seconds until keys from an address are looked at again; 0 if they are now."""
        begun, count = self._since(address)
        return begun + WINDOW_S - time.monotonic() if count >= MAX_WRONG else 0.0

    def wrong(self, address: str) -> None:
        """Note a wrong key."""
        with self._lock:
            begun, count = self._since(address)
            if len(self._wrong) >= _MAX_ADDRESSES:
                self._wrong.clear()  # whoever has so many addresses is not stopped by counting them
            self._wrong[address] = (begun, count + 1)

    def _since(self, address: str) -> tuple[float, int]:
        now = time.monotonic()
        begun, count = self._wrong.get(address, (now, 0))
        return (begun, count) if now - begun < WINDOW_S else (now, 0)
