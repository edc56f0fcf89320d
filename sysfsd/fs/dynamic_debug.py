"""The control file of debug messages, which stands in two places (lib/dynamic_debug.c)."""

from __future__ import annotations

from sysfsd.fs.kernfs import SeqFile
from sysfsd.linux.lib.dynamic_debug import DynamicDebug
from sysfsd.linux.system import Kernel

__all__ = ["control"]


def control(kernel: Kernel) -> SeqFile:
    """``dynamic_debug/control``: a line for each message; a write changes which are printed."""
    dyndbg = kernel.state(DynamicDebug)

    def show() -> bytes:
        with kernel.lock:
            return dyndbg.control()

    def write(data: bytes) -> int:
        with kernel.lock:
            return dyndbg.write(data)

    return SeqFile(lambda cred: show, 0o644, write)
