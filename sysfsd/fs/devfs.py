"""/dev/kmsg (kernel/printk/printk.c, devkmsg_*; Documentation/ABI/testing/dev-kmsg)."""

from __future__ import annotations

import errno
import os
import re
from typing import Final

from sysfsd.fs.kernfs import Directory, File, FileSystemType, OpenContext, OpenFile
from sysfsd.kernel.cred import Capability, Cred
from sysfsd.kernel.err import err
from sysfsd.kernel.kernel import Kernel
from sysfsd.kernel.printk import LOG_LINE_MAX
from sysfsd.kernel.ratelimit import RatelimitState

__all__ = ["dev"]

_LOG_USER: Final = 1
#: How often a reader that waits looks whether its caller still does (seconds).
_INTERRUPT_POLL: Final = 0.1


def dev(kernel: Kernel) -> Directory:
    """The directory /dev."""
    return Directory({"kmsg": Kmsg(kernel)}, fstype=FileSystemType(create=errno.EACCES))


class Kmsg(File):
    """The log: each read() is one record, each write() one message."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(0o644)
        self._kernel = kernel

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: EPERM where users' messages are off, or the log is not for everyone to read"""
        tunables = self._kernel.tunables
        if tunables.printk_devkmsg.startswith("off"):
            raise err(errno.EPERM)
        if context.readable and tunables.dmesg_restrict and not _may_read_log(context.cred):
            raise err(errno.EPERM)
        return _OpenKmsg(self._kernel, context)


def _may_read_log(cred: Cred) -> bool:
    return cred.capable(Capability.SYSLOG) or cred.capable(Capability.SYS_ADMIN)


class _OpenKmsg:
    def __init__(self, kernel: Kernel, context: OpenContext) -> None:
        self._kernel = kernel
        self._log = kernel.log
        self._context = context
        self._seq = kernel.log.first_seq
        self._ratelimit = RatelimitState()

    def read(self, size: int, offset: int) -> bytes:
        """The next record.

        :raises OSError: EAGAIN where there is none and the caller will not wait, EPIPE once after records were lost,
            EINVAL where the record does not fit (it is skipped), EINTR
        """
        while (record := self._log.read_valid(self._seq)) is None:
            if self._context.flags & os.O_NONBLOCK:
                raise err(errno.EAGAIN)
            if self._context.interrupted():
                raise err(errno.EINTR)
            with self._log.log_wait:
                self._log.log_wait.wait(_INTERRUPT_POLL)
        if record.seq != self._seq:
            self._seq = record.seq
            raise err(errno.EPIPE)
        self._seq += 1
        text = record.kmsg_text()
        if len(text) > size:
            raise err(errno.EINVAL)
        return text

    def write(self, data: bytes, offset: int) -> int:
        """Log one message; ``<N>`` before it gives facility and level.

        :raises OSError: EINVAL where it is too long
        """
        if len(data) > LOG_LINE_MAX:
            raise err(errno.EINVAL)
        setting = self._kernel.tunables.printk_devkmsg
        if setting.startswith("off") or not (setting.startswith("on") or self._ratelimit.ratelimit()):
            return len(data)
        line = data.split(b"\0", 1)[0]
        level, facility = None, _LOG_USER
        prefix = re.match(rb"<(\d*)>", line)
        if prefix is not None:
            number = int(prefix[1] or b"0") & 0xFFFFFFFF
            level, facility = number & 7, (number >> 3) & 0xFF or _LOG_USER
            line = line[prefix.end() :]
        self._log.emit(line, level, facility, caller=self._context.current.pid)
        return len(data)

    def release(self) -> None:
        """Own up to the messages that were dropped."""
        if self._ratelimit.missed:
            self._log.pr_warn(
                f"printk: {self._context.comm()}: {self._ratelimit.missed} output lines suppressed due to ratelimiting"
            )
