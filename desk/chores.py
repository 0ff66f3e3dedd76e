"""What the desk does by itself: sends webhooks, forgets old idempotency keys."""

from __future__ import annotations

import logging
import threading

from desk.api.repeats import sweep
from desk.hooks import send_all
from desk.live import Desk
from triage.errors import TriageError

EVERY_S = 5.0
SWEEP_EVERY = 720
"""Rounds between two looks for old keys: about an hour."""

_log = logging.getLogger(__name__)


class Chores:
    """A thread that does them until it is stopped; the store may come and go."""

    def __init__(self, desk: Desk, every_s: float = EVERY_S) -> None:
        self._desk = desk
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the round at hand, and end."""
        self._stop.set()
        self._thread.join()

    def round(self, *, sweeping: bool) -> None:
        """One round."""
        now = self._desk.clock()
        try:
            if self._desk.deployment.settings.hooks:
                send_all(self._desk.deployment.settings, self._desk.store, now)
            if sweeping:
                sweep(self._desk, now)
        except TriageError as error:
            _log.warning("the desk's chores wait for the store: %s", error)
        except Exception:  # noqa: BLE001 - the next round must come, whatever this one met
            _log.exception("the desk's chores failed and are tried again")

    def _run(self) -> None:
        count = 0
        while not self._stop.wait(self._every_s):
            self.round(sweeping=count % SWEEP_EVERY == 0)
            count += 1
