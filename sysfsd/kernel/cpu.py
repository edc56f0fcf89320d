"""What runs a module's own code."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Cpu", "HaltedCpu"]


class Cpu(Protocol):
    """A processor, to the rest of the kernel model."""

    def call(self, function: int, *args: int) -> int:
        """Call the function at address *function*.

        :param args: up to six integer or pointer arguments
        :returns: what it returns, as a signed int
        """


class HaltedCpu:
    """A processor that executes nothing: every function returns 0 at once."""

    def call(self, function: int, *args: int) -> int:
        return 0
