"""The kernel log: a ring of records, read as text, as /dev/kmsg records or through syslog(2).

Follows kernel/printk/printk.c and printk_ringbuffer.c.
"""

from __future__ import annotations

import errno
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, MutableSequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from sysfsd.linux.err import err

__all__ = ["EPOLLIN", "LOG_LINE_MAX", "Level", "PrintkLog", "PrintkRecord"]

#: The longest message, its NUL included (bytes).
LOG_LINE_MAX: Final = 1024 - 32
#: The longest text that a record becomes, prefixes and a NUL included (bytes).
CONSOLE_LOG_MAX: Final = 1024

#: How often a reader that waits looks whether its caller still does (seconds).
#: ``EPOLLIN | EPOLLRDNORM``, ``EPOLLERR | EPOLLPRI``.
EPOLLIN: Final = 0x41
_EPOLLERR: Final = 0xA
_INTERRUPT_POLL: Final = 0.1

CONSOLE_LOGLEVEL_DEFAULT: Final = 7
CONSOLE_LOGLEVEL_MOTORMOUTH: Final = 15
_SOH = b"\x01"


class Level(IntEnum):
    """The eight levels of include/linux/kern_levels.h."""

    EMERG = 0
    ALERT = 1
    CRIT = 2
    ERR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7


class _ConsoleLevel:
    """One of the four levels of ``console_printk``."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __get__(self, log: PrintkLog, _owner: type | None = None) -> int:
        return log.console_printk[self._index]

    def __set__(self, log: PrintkLog, value: int) -> None:
        log.console_printk[self._index] = value


@dataclass(slots=True)
class PrintkRecord:
    """One record: ``struct printk_info`` and its text."""

    seq: int
    ts_nsec: int
    facility: int
    level: int
    text: bytes
    #: Continues a line that others' messages had already ended.
    cont: bool
    #: Nothing can be appended any more: only now do readers see it.
    finalized: bool
    caller: int
    #: Bytes of the ring that it takes.
    space: int
    dev_info: dict[str, str] = field(default_factory=dict)

    def syslog_prefix(self) -> bytes:
        """``<6>`` and the time, as syslog(2) gives it."""
        seconds, rest = divmod(self.ts_nsec, 10**9)
        return b"<%d>[%5d.%06d] " % (self.facility << 3 | self.level, seconds, rest // 1000)

    def syslog_text(self) -> bytes:
        """``record_print_text()``: each line of the message behind the prefix, as far as there is room."""
        prefix = self.syslog_prefix()
        text = b""
        for line in self.text.split(b"\n"):
            room = CONSOLE_LOG_MAX - len(text) - len(prefix) - 2
            if room < len(line) and text:
                break
            text += prefix + line[: max(room, 0)] + b"\n"
        return text

    def print_text_size(self) -> int:
        """``get_record_print_text_size()``: the length of :meth:`syslog_text` if there were room for everything."""
        return len(self.syslog_prefix()) * (self.text.count(b"\n") + 1) + len(self.text) + 1

    def kmsg_text(self) -> bytes:
        """The record as one read() of /dev/kmsg returns it (Documentation/ABI/testing/dev-kmsg)."""
        head = b"%d,%d,%d,%c;" % (
            self.facility << 3 | self.level,
            self.seq,
            self.ts_nsec // 1000,
            b"c" if self.cont else b"-",
        )
        lines = [head + _escape(self.text)]
        lines += [b" " + _escape(f"{key}={value}".encode()) for key, value in self.dev_info.items() if value]
        return b"\n".join(lines) + b"\n"


def _escape(text: bytes) -> bytes:
    return re.sub(rb"[^ -\x7e]|\\", lambda m: b"\\x%02x" % m[0][0], text)


def _parse_prefix(text: bytes) -> tuple[int | None, bool, bytes]:
    """Take ``KERN_ERR`` and its kin off the front: the level, whether ``KERN_CONT`` was there, the rest."""
    level: int | None = None
    cont = False
    while text[:1] == _SOH and text[1:2] and text[1:2] in b"01234567c":
        if text[1:2] == b"c":
            cont = True
        elif level is None:
            level = text[1] - ord("0")
        text = text[2:]
    return level, cont, text


def _text_space(reserve: int) -> int:
    """``to_blk_size()``: what the ring gives for a text that is announced as so long, its id and its end included."""
    return min(reserve, LOG_LINE_MAX) + 8 + 7 & ~7


class PrintkLog:
    """The ring buffer and the console levels of one kernel.

    :param size: bytes of text kept before the oldest records give way
    :param clock: nanoseconds since the kernel booted
    """

    #: ``PRB_AVGBITS``: the ring has a descriptor for every 32 bytes of text.
    AVERAGE_TEXT: Final = 32

    def __init__(self, size: int = 1 << 17, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.size = size
        self.clock = clock
        #: The four levels of /proc/sys/kernel/printk; once modules run, those are in the kernel's memory.
        self.console_printk: MutableSequence[int] = [
            CONSOLE_LOGLEVEL_DEFAULT,
            Level.WARNING,
            1,
            CONSOLE_LOGLEVEL_DEFAULT,
        ]
        #: What was logged before has been cleared, for those who read the log from its beginning.
        self.clear_seq = 0
        self.log_wait = threading.Condition()
        #: Who polls the log: called once, when there is another record.
        self.pollers: dict[object, Callable[[], None]] = {}
        self._records: deque[PrintkRecord] = deque()
        self._next_seq = 0
        self._used = 0
        self._once: set[str] = set()

    console_loglevel = _ConsoleLevel(0)
    default_message_loglevel = _ConsoleLevel(1)
    minimum_console_loglevel = _ConsoleLevel(2)
    default_console_loglevel = _ConsoleLevel(3)

    # Writing

    def emit(
        self,
        text: bytes,
        level: int | None = None,
        facility: int = 0,
        dev_info: dict[str, str] | None = None,
        caller: int = 0,
    ) -> int:
        """``vprintk_emit()``: store a formatted message and wake the readers.

        :param text: the message; KERN_SOH prefixes count where *facility* is 0 (the kernel)
        :param caller: the task, so that a continuation finds its own line
        :returns: the length of the text stored
        """
        reserve = len(text) + 1 + (2 if level is not None and facility == 0 else 0)
        text = text[: LOG_LINE_MAX - 1]
        final = text.endswith(b"\n") or bool(dev_info)
        text = text.removesuffix(b"\n")
        cont = False
        if facility == 0:
            prefix_level, cont, text = _parse_prefix(text)
            level = prefix_level if level is None else level
        if level is None:
            level = self.default_message_loglevel
        with self.log_wait:
            last = self._records[-1] if self._records else None
            if last is not None and not last.finalized:
                if cont and last.caller == caller and len(last.text) + len(text) < LOG_LINE_MAX:
                    last.text += text
                    last.finalized = final
                    self._used -= last.space
                    last.space = _text_space(len(last.text) - len(text) + reserve)
                    self._used += last.space
                    self._wake()
                    return len(text)
                last.finalized = True
            self._append(
                PrintkRecord(
                    self._next_seq,
                    self.clock(),
                    facility,
                    level & 7,
                    text,
                    cont,
                    final,
                    caller,
                    _text_space(reserve),
                    dev_info or {},
                )
            )
            self._wake()
        return len(text)

    def _wake(self) -> None:
        self.log_wait.notify_all()
        while self.pollers:
            self.pollers.popitem()[1]()

    def poll(self, seq: int, poller: object, wake: Callable[[], None] | None) -> int:
        """``devkmsg_poll()``: the events for whoever reads *seq* next (``EPOLL*``).

        :param wake: called once, when there may be others; None: *poller* does not wait any more
        """
        with self.log_wait:
            if wake is not None:
                self.pollers[poller] = wake
            else:
                self.pollers.pop(poller, None)
            record = self.read_valid(seq)
            if record is None:
                return 0
            return EPOLLIN if record.seq == seq else EPOLLIN | _EPOLLERR

    def _append(self, record: PrintkRecord) -> None:
        self._records.append(record)
        self._next_seq += 1
        self._used += record.space
        while self._used > self.size or len(self._records) > self.size // self.AVERAGE_TEXT:
            self._used -= self._records.popleft().space

    def _pr(self, level: Level, text: str) -> None:
        self.emit(text.encode("latin-1", "replace") + b"\n", level)

    def pr_emerg(self, text: str) -> None:
        self._pr(Level.EMERG, text)

    def pr_crit(self, text: str) -> None:
        self._pr(Level.CRIT, text)

    def pr_err(self, text: str) -> None:
        self._pr(Level.ERR, text)

    def pr_warn(self, text: str) -> None:
        self._pr(Level.WARNING, text)

    def pr_notice(self, text: str) -> None:
        self._pr(Level.NOTICE, text)

    def pr_info(self, text: str) -> None:
        self._pr(Level.INFO, text)

    def _pr_once(self, key: str, level: Level, text: str) -> None:
        if key not in self._once:
            self._once.add(key)
            self._pr(level, text)

    def pr_notice_once(self, key: str, text: str) -> None:
        """``pr_notice_once()``: *key* stands for the place in the code that prints once a boot."""
        self._pr_once(key, Level.NOTICE, text)

    def pr_warn_once(self, key: str, text: str) -> None:
        """``pr_warn_once()``."""
        self._pr_once(key, Level.WARNING, text)

    # Reading

    @property
    def first_seq(self) -> int:
        """``prb_first_valid_seq()``."""
        return self._records[0].seq if self._records else self._next_seq

    @property
    def next_seq(self) -> int:
        """``prb_next_seq()``: one behind the last record that can be read."""
        if self._records and not self._records[-1].finalized:
            return self._next_seq - 1
        return self._next_seq

    def read_valid(self, seq: int) -> PrintkRecord | None:
        """The first readable record at or behind *seq*, if there is one yet."""
        with self.log_wait:
            if not self._records or seq >= self._next_seq:
                return None
            record = self._records[max(seq - self._records[0].seq, 0)]
            return record if record.finalized else None

    def records(self, seq: int = 0) -> Iterator[PrintkRecord]:
        """The readable records from *seq* on."""
        while (record := self.read_valid(seq)) is not None:
            yield record
            seq = record.seq + 1

    def wait(self, seq: int, interrupted: Callable[[], bool]) -> None:
        """Wait until there is something to be read at or behind *seq*.

        :raises OSError: EINTR once *interrupted*
        """
        while self.read_valid(seq) is None:
            with self.log_wait:
                if self.read_valid(seq) is None:
                    self.log_wait.wait(_INTERRUPT_POLL)
            if interrupted():  # also where there is something now: whoever is gone must not take it
                raise err(errno.EINTR)

    # The console

    def console_verbose(self) -> None:
        """``console_verbose()``: show everything, now that it matters."""
        if self.console_loglevel:
            self.console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH
