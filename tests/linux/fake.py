"""A processor that runs no module code."""

from __future__ import annotations

from collections.abc import Callable

from sysfsd.linux.arch.x86.cpu import Cpu

__all__ = ["FakeCpu"]


class FakeCpu(Cpu):
    """Does something else where a function of a module is called: *function*, which is given its address."""

    loaded = None
    running = False

    def __init__(self, function: Callable[[int], int]) -> None:
        self.function = function

    def call(self, function: int, *args: int, site: str = "") -> int:
        return self.function(function)

    call_long = call

    def code_changed(self) -> None:
        """Nothing is known of code."""

    def forget(self) -> None:
        """Nothing is known of tasks."""
