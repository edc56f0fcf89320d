"""syslog(2) (kernel/printk/printk.c, ``do_syslog()``)."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import Capability, Cred
from sysfsd.linux.kernel.printk.printk import EPOLLIN, PrintkRecord
from sysfsd.linux.mm.uaccess import access_ok

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["CopyToUser", "Syslog", "SyslogAction", "check_syslog_permissions"]

#: Writes bytes at an address of the caller's memory; raises EFAULT where not all of them can be written.
CopyToUser = Callable[[int, bytes], None]


class SyslogAction(IntEnum):
    """What syslog(2) is asked to do (include/linux/syslog.h)."""

    CLOSE = 0
    OPEN = 1
    READ = 2
    READ_ALL = 3
    READ_CLEAR = 4
    CLEAR = 5
    CONSOLE_OFF = 6
    CONSOLE_ON = 7
    CONSOLE_LEVEL = 8
    SIZE_UNREAD = 9
    SIZE_BUFFER = 10


#: What everybody may do unless dmesg_restrict is set.
_UNRESTRICTED: Final = {SyslogAction.READ_ALL, SyslogAction.SIZE_BUFFER}


def check_syslog_permissions(kernel: Kernel, action: int, cred: Cred) -> None:
    """Whether *cred* may do that; so is asked too who opens /dev/kmsg to read.

    :raises OSError: EPERM
    """
    if (action in _UNRESTRICTED and not kernel.tunables.dmesg_restrict) or cred.capable(Capability.SYSLOG):
        return
    if not cred.capable(Capability.SYS_ADMIN):
        raise err(errno.EPERM)
    who = kernel.sched.identity
    kernel.log.pr_warn_once(
        "syslog",
        f"printk: {who.comm} ({who.pid}): Attempt to access syslog with CAP_SYS_ADMIN but no CAP_SYSLOG (deprecated).",
    )


class Syslog:
    """What the kernel keeps from one call to the next; ``SYSLOG_ACTION_READ`` has one position for all who read."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._log = kernel.log
        #: ``syslog_lock``: of the next two.
        self._lock = threading.Lock()
        #: The record to be read next, and how many bytes of it have been.
        self._seq = 0
        self._partial = 0
        self._saved_console_loglevel: int | None = None

    def do_syslog(
        self,
        action: int,
        buf: int,
        size: int,
        cred: Cred,
        copy_to_user: CopyToUser,
        interrupted: Callable[[], bool],
    ) -> int:
        """``do_syslog()`` for a reader of syslog(2); the parameters are those of :meth:`Kernel.syslog`."""
        check_syslog_permissions(self._kernel, action, cred)
        match action:
            case SyslogAction.CLOSE | SyslogAction.OPEN:
                pass
            case SyslogAction.READ:
                if _check_buffer(buf, size):
                    return self._print(buf, size, copy_to_user, interrupted)
            case SyslogAction.READ_ALL | SyslogAction.READ_CLEAR:
                if _check_buffer(buf, size):
                    return self._print_all(buf, size, copy_to_user, clear=action == SyslogAction.READ_CLEAR)
            case SyslogAction.CLEAR:
                self._log.clear_seq = self._log.next_seq
            case SyslogAction.CONSOLE_OFF:
                self._console_off()
            case SyslogAction.CONSOLE_ON:
                self._console_on()
            case SyslogAction.CONSOLE_LEVEL:
                self._console_level(size)
            case SyslogAction.SIZE_UNREAD:
                return self.size_unread()
            case SyslogAction.SIZE_BUFFER:
                return self._log.size
            case _:
                raise err(errno.EINVAL)
        return 0

    # The log

    def _print(self, buf: int, size: int, copy_to_user: CopyToUser, interrupted: Callable[[], bool]) -> int:
        """``syslog_print()``: wait for a record, then read as many whole ones as fit, or a part of the first.

        What has been taken is gone, even where it could not be copied.
        """
        piece = b""
        while not piece:
            seq = self._seq
            self._log.wait(seq, interrupted)
            with self._lock:
                piece = self._take(size) if self._seq == seq else b""
        length = 0
        while piece:
            try:
                copy_to_user(buf + length, piece)
            except OSError:
                if not length:
                    raise
                break
            length += len(piece)
            with self._lock:
                piece = self._take(size - length, whole=True)
        return length

    def _take(self, size: int, whole: bool = False) -> bytes:
        """The rest of the next record, if there is one: what of it fits, or nothing where it must be *whole*."""
        record = self._log.read_valid(self._seq)
        if record is None:
            return b""
        self._skip_lost(record)
        text = record.syslog_text()[self._partial :]
        if len(text) <= size:
            self._seq = record.seq + 1
            self._partial = 0
            return text
        if whole:
            return b""
        self._partial += size
        return text[:size]

    def _skip_lost(self, record: PrintkRecord) -> None:
        """What would have been next may have given way to *record* meanwhile."""
        if record.seq != self._seq:
            self._seq = record.seq
            self._partial = 0

    def read(self, size: int, interrupted: Callable[[], bool]) -> bytes:
        """``SYSLOG_ACTION_READ`` for a reader of /proc/kmsg.

        :raises OSError: EINTR
        """
        data = bytearray()
        self._print(0, size, lambda _, piece: data.extend(piece), interrupted)
        return bytes(data)

    def poll(self, poller: object, wake: Callable[[], None] | None) -> int:
        """``kmsg_poll()``: the events for a reader of /proc/kmsg (``EPOLL*``); see :meth:`PrintkLog.poll`."""
        return self._log.poll(self._seq, poller, wake) & EPOLLIN

    def size_unread(self) -> int:
        """``SYSLOG_ACTION_SIZE_UNREAD``: bytes that are still to be read, before any record is shortened."""
        with self._lock:
            record = self._log.read_valid(self._seq)
            if record is None:
                return 0
            self._skip_lost(record)
            return sum(record.print_text_size() for record in self._log.records(self._seq)) - self._partial

    def _print_all(self, buf: int, size: int, copy_to_user: CopyToUser, clear: bool) -> int:
        """``syslog_print_all()``: the last whole records since the last clear that fit.

        What could be copied before a fault does not count, but with *clear* it is not shown again.
        """
        length = 0
        seq = self._find_first_fitting_seq(self._log.clear_seq, size)
        try:
            while (record := self._log.read_valid(seq)) is not None:
                text = record.syslog_text()
                if length + len(text) > size:
                    seq -= 1  # Linux steps back too far: the last record copied is shown again after a clear
                    break
                copy_to_user(buf + length, text)
                length += len(text)
                seq = record.seq + 1
        finally:
            if clear:
                self._log.clear_seq = seq
        return length

    def _find_first_fitting_seq(self, seq: int, size: int) -> int:
        """``find_first_fitting_seq()``: from where on all records fit into *size* bytes."""
        sizes = [(record.seq, record.print_text_size()) for record in self._log.records(seq)]
        length = sum(text_size for _, text_size in sizes)
        for record_seq, text_size in sizes:
            if length <= size:
                return record_seq
            length -= text_size
            seq = record_seq + 1
        return seq

    # The console

    def _console_off(self) -> None:
        if self._saved_console_loglevel is None:
            self._saved_console_loglevel = self._log.console_loglevel
        self._log.console_loglevel = self._log.minimum_console_loglevel

    def _console_on(self) -> None:
        if self._saved_console_loglevel is not None:
            self._log.console_loglevel = self._saved_console_loglevel
            self._saved_console_loglevel = None

    def _console_level(self, level: int) -> None:
        """:raises OSError: EINVAL unless *level* is 1 to 8"""
        if not 1 <= level <= 8:
            raise err(errno.EINVAL)
        self._log.console_loglevel = max(level, self._log.minimum_console_loglevel)
        self._saved_console_loglevel = None


def _check_buffer(buf: int, size: int) -> bool:
    """Whether there is anything to be read.

    :raises OSError: EINVAL for no buffer and for a negative size, EFAULT where no process has memory
    """
    if not buf or size < 0:
        raise err(errno.EINVAL)
    if size and not access_ok(buf, size):
        raise err(errno.EFAULT)
    return size > 0
