"""How many calls one caller may make: a bucket that fills up again, kept in this process."""

from __future__ import annotations

import threading
from datetime import datetime

from desk.errors import TooManyCalls

MOST = 10_000
"""Callers that are remembered; who is not starts with a full bucket."""


class Limits:
    """Calls a minute for each key. Safe to use from several threads."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._buckets: dict[str, tuple[float, datetime]] = {}
        self._lock = threading.Lock()

    def take(self, key: str, now: datetime) -> None:
        """Count one call.

        Raises:
            TooManyCalls: if there was none left.
        """
        with self._lock:
            left, at = self._buckets.get(key, (self._most, now))
            gone = max(0.0, (now - at).total_seconds())
            left = min(self._most, left + gone * self._most / 60)
            if left < 1:
                after = int((1 - left) * 60 / self._most) + 1
                raise TooManyCalls(f"too many calls: try again in {after} seconds", after)
            if len(self._buckets) >= MOST:
                self._buckets.clear()
            self._buckets[key] = (left - 1, max(at, now))
