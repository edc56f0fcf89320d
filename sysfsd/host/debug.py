"""What developers are told of a kernel that is not in their own process: of a mount's daemon, of a lab.

Where the environment has ``SYSFSD_DEBUG=DIRECTORY``, each kernel writes a file there: a line ``called NAME`` for each
function of the kernel that module code calls, and ``failed WHAT`` with the Python traceback for each mistake of the
model.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["SYSFSD_DEBUG", "watch"]

#: The variable of the environment that names the directory.
SYSFSD_DEBUG: Final = "SYSFSD_DEBUG"


def watch(kernel: Kernel, directory: str) -> None:
    """Write down in *directory* what *kernel* does from now on."""
    name = Path(directory, f"{os.getpid()}-{id(kernel):x}-{os.urandom(4).hex()}")
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def called(function: str) -> None:
        os.write(fd, f"called {function}\n".encode())

    def failed(what: str, error: Exception) -> None:
        report = "".join(traceback.format_exception(error))
        os.write(fd, f"failed {what}\n{report}".encode())

    kernel.first_called, kernel.model_failed = called, failed
