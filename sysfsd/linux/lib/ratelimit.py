"""Rate limits (lib/ratelimit.c)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["RatelimitState"]


@dataclass(slots=True)
class RatelimitState:
    """No more than *burst* events in *interval* seconds; the rest are counted in *missed*."""

    interval: float = 5.0
    burst: int = 10
    clock: Callable[[], float] = time.monotonic
    missed: int = 0
    printed: int = 0
    begin: float | None = field(default=None, repr=False)

    def ratelimit(self) -> bool:
        """``___ratelimit()``: whether this event may go ahead."""
        if not self.interval:
            return True
        now = self.clock()
        if self.begin is None or now - self.begin > self.interval:
            self.begin = now
            self.printed = 0
        if self.printed < self.burst:
            self.printed += 1
            return True
        self.missed += 1
        return False
