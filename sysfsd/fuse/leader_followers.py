"""Threads that take turns at waiting for work (the pattern Leader/Followers)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Lock, Thread, local
from typing import Final

__all__ = ["LeaderFollowers"]

#: How many threads wait for their turn at most.
_IDLE_MAX: Final = 8


class _Thread(local):
    leads = False


class LeaderFollowers:
    """One thread at a time leads: it takes work and does it. Before it does something that may take its time, it has
    another one lead (:meth:`hand_over`). What takes no time wakes no other thread.

    :param lead: takes and does work until it has handed over, and is done (True); or there will be no more (False)
    """

    def __init__(self, lead: Callable[[], bool]) -> None:
        self._lead = lead
        self._turn = Lock()
        self._changed = Condition()
        #: Threads that wait to lead; those that have handed over, and are not done yet.
        self._idle = self._busy = 0
        self._ended = False
        self._thread = _Thread()

    def start(self) -> None:
        with self._changed:
            self._start()

    def _start(self) -> None:
        self._idle += 1
        Thread(target=self._work, daemon=True).start()

    @property
    def leads(self) -> bool:
        """Whether this thread does."""
        return self._thread.leads

    def hand_over(self) -> None:
        """Have another thread lead: this one may be busy for long."""
        self._thread.leads = False
        with self._changed:
            self._busy += 1
            if not self._idle:
                self._start()
        self._turn.release()

    def end(self) -> None:
        """Wait for those who are busy. Nobody leads any more who does not do so now."""
        with self._changed:
            self._ended = True
            self._changed.wait_for(lambda: not self._busy)

    def _work(self) -> None:
        while True:
            self._turn.acquire()
            with self._changed:
                self._idle -= 1
            if self._ended:
                self._turn.release()
                return
            self._thread.leads = True
            if not self._lead():
                self._ended = True
                self._turn.release()
                return
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()
                if self._ended or self._idle >= _IDLE_MAX:
                    return
                self._idle += 1
