"""What terminals, their drivers and settings are (include/linux/tty.h, tty_driver.h, uapi/asm-generic/termbits.h)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.drivers.tty.n_tty import NTty
from sysfsd.linux.kernel.sched.core import HZ, TaskState

if TYPE_CHECKING:
    from sysfsd.linux.drivers.tty.tty_io import Ttys
    from sysfsd.linux.struct_view import StructView

__all__ = [
    "CLOCAL",
    "CREAD",
    "HUPCL",
    "DriverFlag",
    "Flags",
]

#: Parts of ``tty_struct.flags``.
TTY_THROTTLED, TTY_IO_ERROR, TTY_EXCLUSIVE, TTY_DO_WRITE_WAKEUP, TTY_LDISC_OPEN, TTY_HUPPED = 0, 1, 3, 5, 11, 18
CLOCAL, HUPCL, CREAD = 0o4000, 0o2000, 0o200
_SIGIO, _POLL_IN = 29, 1


class DriverFlag:
    """``tty_driver.flags``."""

    INSTALLED: Final = 0x01
    RESET_TERMIOS: Final = 0x02
    DYNAMIC_DEV: Final = 0x08
    DEVPTS_MEM: Final = 0x10
    HARDWARE_BREAK: Final = 0x20
    DYNAMIC_ALLOC: Final = 0x40
    UNNUMBERED_NODE: Final = 0x80


class Flags(NamedTuple):
    """What a ``struct ktermios`` begins with."""

    c_iflag: int
    c_oflag: int
    c_cflag: int
    c_lflag: int


class Tty:
    """``struct tty_struct``: a terminal as long as it is open."""

    def __init__(self, ttys: Ttys, view: StructView) -> None:
        self._ttys = ttys
        self.kernel = ttys.kernel
        self.view = view
        self._discipline: NTty | None = None
        self.hung_up = False
        #: Where single characters are for the driver's write().
        self._char = ttys.kernel.slab.kmalloc(16)
        self.writing = False

    @property
    def discipline(self) -> NTty | None:
        """The line discipline; None: it is closed."""
        return self._discipline

    @discipline.setter
    def discipline(self, discipline: NTty | None) -> None:
        self._discipline = discipline
        self.set_flag(TTY_LDISC_OPEN, discipline is not None)

    @property
    def name(self) -> str:
        return self.view.string("name").decode("latin-1")

    @property
    def cc(self) -> bytes:
        """The special characters."""
        member = self.view.struct.member("termios.c_cc")
        return self.kernel.memory.read(self.view.address + member.offset, member.size)

    def flags_of(self, termios: bytes) -> Flags:
        """Of what somebody keeps of a ``struct ktermios``."""
        return Flags(*struct.unpack_from("<4I", termios))

    # Its driver

    def op(self, name: str) -> int:
        """The address of the driver's function, 0 if it has none."""
        return self.view.to("ops")[name] if self.view["ops"] else 0

    def call(self, name: str, *args: int) -> int:
        """Have the driver do something, which it can, with the terminal."""
        return self.kernel.cpu.call(self.op(name), self.view.address, *args)

    def call_if(self, name: str, *args: int, otherwise: int = 0) -> int:
        return self.call(name, *args) if self.op(name) else otherwise

    def write(self, data: bytes) -> int:
        """Give the driver a few characters of the kernel's own."""
        self.kernel.memory.write(self._char, data)
        return self.call("write", self._char, len(data))

    def put_char(self, char: int) -> int:
        """``tty_put_char()``."""
        return self.call("put_char", char) if self.op("put_char") else self.write(bytes((char,)))

    def flush_chars(self) -> None:
        self.call_if("flush_chars")

    def write_room(self) -> int:
        """``tty_write_room()``: as much as there is, where the driver does not say."""
        return self.call_if("write_room", otherwise=2048)

    def chars_in_buffer(self) -> int:
        return self.call_if("chars_in_buffer") & 0xFFFFFFFF

    def flush_driver(self) -> None:
        self.call_if("flush_buffer")

    def start(self) -> None:
        """``__start_tty()``."""
        if self.view["flow.stopped"] and not self.view["flow.tco_stopped"]:
            self.view["flow.stopped"] = 0
            self.call_if("start")
            self.wakeup()

    def stop(self) -> None:
        """``__stop_tty()``."""
        if not self.view["flow.stopped"]:
            self.view["flow.stopped"] = 1
            self.call_if("stop")

    def throttle(self) -> None:
        """``tty_throttle_safe()``."""
        if not self.flag(TTY_THROTTLED):
            self.set_flag(TTY_THROTTLED, True)
            self.call_if("throttle")

    def unthrottle(self) -> None:
        """``tty_unthrottle()``."""
        if self.flag(TTY_THROTTLED):
            self.set_flag(TTY_THROTTLED, False)
            self.call_if("unthrottle")

    def flag(self, bit: int) -> bool:
        return bool(self.view["flags"] >> bit & 1)

    def set_flag(self, bit: int, value: bool) -> None:
        flags = self.view["flags"] & ~(1 << bit)
        self.view["flags"] = flags | value << bit

    # Who waits

    def wake(self, head: int) -> None:
        """``wake_up_interruptible()``."""
        self._ttys.wake(head)

    def wakeup(self) -> None:
        """``tty_wakeup()``."""
        self.wake(self.view.at("write_wait"))

    def wake_readers(self) -> None:
        if self.view["fasync"]:
            kill_fasync = self.kernel.exports.address_of("kill_fasync")
            self.kernel.cpu.call(kill_fasync, self.view.at("fasync"), _SIGIO, _POLL_IN)
        self.wake(self.view.at("read_wait"))

    def wait(self, head: int, timeout: float = float("inf")) -> float:
        """``wait_woken()``, interruptibly.

        :returns: the seconds that are left
        """
        sched = self.kernel.sched
        sched.current.state = TaskState.INTERRUPTIBLE
        before = sched.jiffies
        with sched.waiting(head):
            sched.schedule(None if timeout == float("inf") else timeout)
        sched.current.state = TaskState.RUNNING
        return max(0.0, timeout - (sched.jiffies - before) / HZ)

    # What it says

    def warn(self, text: str) -> None:
        """``tty_warn()``."""
        self.kernel.log.pr_warn(f"{self._driver_name} {self.name}: {text}")

    def log(self, text: str) -> None:
        """``tty_err()``."""
        self.kernel.log.pr_err(f"{self._driver_name} {self.name}: {text}")

    @property
    def _driver_name(self) -> str:
        driver = self.view.to("driver")
        return driver.string("name").decode("latin-1") if driver["name"] else ""

    # Input

    def restart_input(self) -> None:
        """``tty_buffer_restart_work()``: there is room again."""
        if self.view["port"]:
            self._ttys.buffers.flush_to_ldisc(self.view["port"])

    def set_termios(self, new: bytes) -> None:
        """``tty_set_termios()``."""
        view, memory = self.view, self.kernel.memory
        termios = view.sub("termios")
        old = memory.read(termios.address, termios.struct.size)
        place = self.kernel.slab.kmalloc(len(old))
        try:
            memory.write(place, old)
            memory.write(termios.address, new[: len(old)])
            if self.op("set_termios"):
                self.call("set_termios", place)
            else:
                self._ttys.copy_hw(termios, self.kernel.struct("ktermios", place))
        finally:
            self.kernel.slab.kfree(place)
        if self.discipline is not None:
            self.discipline.set_termios(old)

    def free(self) -> None:
        self.kernel.slab.kfree(self._char)
        self.kernel.slab.kfree(self.view["write_buf"])
        self.kernel.slab.kfree(self.view.address)
