"""The kernel's tunables below /proc/sys/kernel (kernel/sysctl.c, kernel/printk/sysctl.c).

A file is a table entry: its mode and the handler that turns the value into text and back.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import Capability, Cred
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.lib.cmdline import SPACE

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["KERN_TABLE", "CtlTable", "ProcHandler", "Tunables", "proc_get_long"]

HZ: Final = 250
_PAGE: Final = 4096
_INT_MAX: Final = (1 << 31) - 1
_ULONG_MAX: Final = (1 << 64) - 1
#: What may follow a number.
_SEPARATORS: Final = b" \t\n"
#: The most characters that a number may have (TMPBUFLEN).
_NUMBER_MAX: Final = 21
_NUMBER: Final = re.compile(rb"(-?)(0[xX][0-9a-fA-F]+|[0-9]+)")


@dataclass(slots=True)
class Tunables:
    """Values that the kernel model itself does not keep elsewhere."""

    cap_last_cap: int = 40
    dmesg_restrict: int = 1
    domainname: str = "(none)"
    hostname: str = "(none)"
    kptr_restrict: int = 0
    modprobe: str = "/sbin/modprobe"
    modules_disabled: int = 0
    oops_limit: int = 10000
    panic: int = 0
    panic_on_oops: int = 0
    panic_on_warn: int = 0
    perf_event_paranoid: int = 3
    printk_delay: int = 0
    printk_devkmsg: str = "ratelimit"
    #: In jiffies.
    printk_ratelimit: int = 5 * HZ
    printk_ratelimit_burst: int = 10
    warn_limit: int = 0


class ProcHandler(Protocol):
    """``proc_handler``: how a tunable is read and written."""

    def read(self, kernel: Kernel, size: int, offset: int) -> bytes: ...

    def write(self, kernel: Kernel, cred: Cred, data: bytes, offset: int) -> None: ...


def proc_get_long(data: bytes) -> tuple[int, int]:
    """``proc_get_long()``: the number that *data* begins with, and its length.

    :raises OSError: EINVAL
    """
    match = _NUMBER.match(data[: _NUMBER_MAX + 1])
    if match is None or match.end() >= _NUMBER_MAX or data[match.end() : match.end() + 1].strip(_SEPARATORS):
        raise err(errno.EINVAL)
    digits = match[2]
    base = 16 if digits[:2].lower() == b"0x" else 8 if digits.startswith(b"0") else 10
    try:
        value = int(digits, base)
    except ValueError:  # 08, 09
        raise err(errno.EINVAL) from None
    if value > _ULONG_MAX:
        raise err(errno.EINVAL)
    return (-value if match[1] else value), match.end()


def _numbers(data: bytes, limit: int) -> Iterator[int]:
    """Up to *limit* numbers between white space.

    :raises OSError: EINVAL at the first thing that is none, and if there is no number at all
    """
    data = data[: _PAGE - 1].lstrip(SPACE)
    if not data:
        raise err(errno.EINVAL)
    for _ in range(limit):
        if not data:
            return
        value, used = proc_get_long(data)
        yield value
        data = data[used:].lstrip(SPACE)


def _require_sysadmin(cred: Cred) -> None:
    if not cred.capable(Capability.SYS_ADMIN):
        raise err(errno.EPERM)


class IntVec(NamedTuple):
    """``proc_dointvec_minmax()``: one or more ints; a read or write that does not begin at 0 does nothing."""

    fields: tuple[str, ...]
    min: int = -_INT_MAX - 1
    max: int = _INT_MAX
    sysadmin: bool = False
    #: What the number is multiplied with in memory: jiffies for seconds.
    scale: int = 1
    of: Callable[[Kernel], object] = lambda kernel: kernel.tunables

    def read(self, kernel: Kernel, size: int, offset: int) -> bytes:
        if offset:
            return b""
        values = (int(getattr(self.of(kernel), field) / self.scale) for field in self.fields)
        return ("\t".join(map(str, values)) + "\n").encode()[:size]

    def write(self, kernel: Kernel, cred: Cred, data: bytes, offset: int) -> None:
        if self.sysadmin:
            _require_sysadmin(cred)
        if offset or not data:
            return
        numbers = _numbers(data, len(self.fields))
        for field, value in zip(self.fields, numbers):  # noqa: B905 - fewer numbers than fields is fine
            scaled = value * self.scale
            if not self.min <= value <= self.max or not -_INT_MAX - 1 <= scaled <= _INT_MAX:
                raise err(errno.EINVAL)
            setattr(self.of(kernel), field, scaled)


class String(NamedTuple):
    """``proc_dostring()``: text up to a newline; a write may go on where the last one ended."""

    field: str
    #: Room in memory, the NUL included (bytes).
    maxlen: int

    def read(self, kernel: Kernel, size: int, offset: int) -> bytes:
        text: str = getattr(kernel.tunables, self.field)
        return (text + "\n").encode("latin-1")[offset : offset + size]

    def write(self, kernel: Kernel, cred: Cred, data: bytes, offset: int) -> None:
        old: str = getattr(kernel.tunables, self.field)
        if data and offset <= len(old):
            new = re.split("[\0\n]", data.decode("latin-1"), maxsplit=1)[0]
            setattr(kernel.tunables, self.field, (old[:offset] + new)[: self.maxlen - 1])


class DevkmsgLog(NamedTuple):
    """``devkmsg_sysctl_set_loglvl()``: whether what users write to /dev/kmsg is logged."""

    maxlen: int = 10
    settings: tuple[str, ...] = ("on", "off", "ratelimit")

    def read(self, kernel: Kernel, size: int, offset: int) -> bytes:
        return String("printk_devkmsg", self.maxlen).read(kernel, size, offset)

    def write(self, kernel: Kernel, cred: Cred, data: bytes, offset: int) -> None:
        old = kernel.tunables.printk_devkmsg
        string = String("printk_devkmsg", self.maxlen)
        string.write(kernel, cred, data, offset)
        new = kernel.tunables.printk_devkmsg
        # What counts is the beginning, and that the text written is no longer than the setting and a newline.
        known = next((word for word in self.settings if new.startswith(word)), None)
        if offset or known is None or len(data) != len(known) + 1:
            kernel.tunables.printk_devkmsg = old
            raise err(errno.EINVAL)


class TaintMask(NamedTuple):
    """``proc_taint()``: bits can be added, none taken away."""

    def read(self, kernel: Kernel, size: int, offset: int) -> bytes:
        return b"" if offset else f"{kernel.tainted}\n".encode()[:size]

    def write(self, kernel: Kernel, cred: Cred, data: bytes, offset: int) -> None:
        _require_sysadmin(cred)
        if offset or not data:
            return
        mask = next(_numbers(data, 1))
        if mask < 0:
            raise err(errno.EINVAL)
        for taint in Taint:
            if mask >> taint & 1:
                kernel.add_taint(taint)


class Fixed(NamedTuple):
    """A string that no one can write: its file is 0444."""

    text: Callable[[Kernel], str]

    def read(self, kernel: Kernel, size: int, offset: int) -> bytes:
        return (self.text(kernel) + "\n").encode("latin-1")[offset : offset + size]

    def write(self, kernel: Kernel, cred: Cred, data: bytes, offset: int) -> None:
        raise err(errno.EPERM)


class CtlTable(NamedTuple):
    """``struct ctl_table``: a file below /proc/sys/kernel."""

    procname: str
    mode: int
    handler: ProcHandler


def _scheduler(kernel: Kernel) -> object:
    return kernel.sched


def _proc(name: str) -> Fixed:
    return Fixed(lambda kernel: kernel.image.proc[f"sys/kernel/{name}"].rstrip("\n"))


def _one(field: str, **limits: int) -> IntVec:
    return IntVec((field,), **limits)  # type: ignore[arg-type]


_CONSOLE: Final = (
    "console_loglevel",
    "default_message_loglevel",
    "minimum_console_loglevel",
    "default_console_loglevel",
)

KERN_TABLE: Final = (
    CtlTable("arch", 0o444, Fixed(lambda kernel: "x86_64")),
    CtlTable("cap_last_cap", 0o444, _one("cap_last_cap")),
    CtlTable("dmesg_restrict", 0o644, _one("dmesg_restrict", min=0, max=1, sysadmin=True)),
    CtlTable("domainname", 0o644, String("domainname", 65)),
    CtlTable("hostname", 0o644, String("hostname", 65)),
    CtlTable("kptr_restrict", 0o644, _one("kptr_restrict", min=0, max=2, sysadmin=True)),
    CtlTable("modprobe", 0o644, String("modprobe", 256)),
    CtlTable("modules_disabled", 0o644, _one("modules_disabled", min=1, max=1)),
    CtlTable("ngroups_max", 0o444, Fixed(lambda kernel: "65536")),
    CtlTable("oops_limit", 0o644, _one("oops_limit", min=0)),
    CtlTable("osrelease", 0o444, _proc("osrelease")),
    CtlTable("ostype", 0o444, _proc("ostype")),
    CtlTable("panic", 0o644, _one("panic")),
    CtlTable("panic_on_oops", 0o644, _one("panic_on_oops")),
    CtlTable("panic_on_warn", 0o644, _one("panic_on_warn", min=0, max=1)),
    CtlTable("perf_event_paranoid", 0o644, _one("perf_event_paranoid")),
    CtlTable("printk", 0o644, IntVec(_CONSOLE, of=lambda kernel: kernel.log)),
    CtlTable("printk_delay", 0o644, _one("printk_delay", min=0, max=10000)),
    CtlTable("printk_devkmsg", 0o644, DevkmsgLog()),
    CtlTable("printk_ratelimit", 0o644, _one("printk_ratelimit", scale=HZ)),
    CtlTable("printk_ratelimit_burst", 0o644, _one("printk_ratelimit_burst")),
    CtlTable("tainted", 0o644, TaintMask()),
    CtlTable("version", 0o444, _proc("version")),
    CtlTable("warn_limit", 0o644, _one("warn_limit", min=0)),
    CtlTable("watchdog_thresh", 0o644, IntVec(("watchdog_thresh",), 0, 60, of=_scheduler)),
)
