"""Programs that the kernel starts by itself (kernel/umh.c): modprobe, if anything."""

from __future__ import annotations

import errno
import os
import subprocess
from threading import Thread
from typing import Final

__all__ = ["run_usermodehelper"]

_ENVIRONMENT: Final = {"HOME": "/", "TERM": "linux", "PATH": "/sbin:/usr/sbin:/bin:/usr/bin"}
#: The host's own modprobe would load modules into the host's kernel.
_NOT_OURS: Final = {"modprobe", "kmod"}


def run_usermodehelper(argv: list[str], wait: bool) -> int:
    """Run a program as whoever runs the daemon.

    :param wait: until it has ended, not only begun
    :returns: its wait status as wait(2) has it, 0, or a negative errno where it could not be started
    """
    if os.path.basename(os.path.realpath(argv[0])) in _NOT_OURS:
        return -errno.ENOENT
    try:
        process = subprocess.Popen(
            argv,
            env=_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return -(error.errno or errno.ENOENT)
    if not wait:
        Thread(target=process.wait, daemon=True).start()  # somebody has to
        return 0
    status = process.wait()
    return -status if status < 0 else status << 8
