"""Terminals of modules, and what is open of them (drivers/tty/tty_io.c, tty_port.c, tty_buffer.c, tty_ioctl.c).

Nobody has one of them as the terminal of a session.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.tty.n_tty import TTY_NORMAL, NTty
from sysfsd.linux.err import ERESTARTSYS, err
from sysfsd.linux.fs.char_dev import MKDEV, DeviceNumbers, major, minor
from sysfsd.linux.fs.vfs import check, signed, try_module_get
from sysfsd.linux.kernel.cred import Capability
from sysfsd.linux.kernel.sched.core import HZ, TaskState
from sysfsd.linux.lib.kobject import Kobjects
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add, list_del, list_empty
from sysfsd.linux.mm.uaccess import Uaccess

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["DriverFlag", "Ttys", "baud_rate", "encode_baud_rate", "input_baud_rate"]

TTYAUX_MAJOR, TTY_MAJOR = 5, 4
_TYPE_SYSTEM, _TYPE_CONSOLE, _TYPE_SERIAL, _TYPE_PTY = 1, 2, 3, 4
_TYPES: Final = {_TYPE_CONSOLE: "console", _TYPE_SERIAL: "serial"}
_SYSTEM_SUBTYPES: Final = {1: ":/dev/tty", 2: ":console", 3: ":vtmaster"}
_PTY_SUBTYPES: Final = {1: ":master", 2: ":slave"}
#: Parts of ``tty_struct.flags``.
TTY_THROTTLED, TTY_IO_ERROR, TTY_EXCLUSIVE, TTY_DO_WRITE_WAKEUP, TTY_LDISC_OPEN, TTY_HUPPED = 0, 1, 3, 5, 11, 18
_TTY_NO_WRITE_SPLIT: Final = 17
#: Parts of ``tty_port.iflags`` and of ``tty_port.flags``.
PORT_INITIALIZED, PORT_SUSPENDED, PORT_ACTIVE, PORT_CTS_FLOW, PORT_CHECK_CD, PORT_KOPENED = range(6)
_HUP_NOTIFY: Final = 1
_CLOSING_WAIT_NONE: Final = 65535
_CBAUD, _CBAUDEX, _BOTHER, _IBSHIFT, _CLOCAL, _HUPCL, _CREAD = 0o10017, 0o10000, 0o10000, 16, 0o4000, 0o2000, 0o200
_BAUD: Final = (
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400,
    460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
)  # fmt: skip
_EXTENDED: Final = 15
_CHUNK, _LARGE_CHUNK = 2048, 65536
_ENOIOCTLCMD: Final = 515
_SIGIO, _POLL_IN = 29, 1
_MEM_LIMIT: Final = 640 * 1024
#: What is set of a terminal's speed from the outside.
_TIOCM: Final = 0x2000 | 0x4000 | 0x8000 | 0x2 | 0x4
#: Drivers of the kernel proper, the newest first, and what is no driver but looks like one.
_BUILTIN_DRIVERS: Final = (
    "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
    "/dev/console         /dev/console    5       1 system:console\n"
    "/dev/ptmx            /dev/ptmx       5       2 system\n"
    "/dev/vc/0            /dev/vc/0       4       0 system:vtmaster\n",
    "serial               /dev/ttyS       4 64-95 serial\n"
    "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
    "pty_master           /dev/ptm      128 0-1048575 pty:master\n"
    "unknown              /dev/tty        4 1-63 console\n",
)


class DriverFlag:
    """``tty_driver.flags``."""

    INSTALLED: Final = 0x01
    RESET_TERMIOS: Final = 0x02
    DYNAMIC_DEV: Final = 0x08
    DEVPTS_MEM: Final = 0x10
    HARDWARE_BREAK: Final = 0x20
    DYNAMIC_ALLOC: Final = 0x40
    UNNUMBERED_NODE: Final = 0x80


class _Flags(NamedTuple):
    """What a ``struct ktermios`` begins with."""

    c_iflag: int
    c_oflag: int
    c_cflag: int
    c_lflag: int


# Speeds


def _rate(code: int, other: int) -> int:
    if code == _BOTHER:
        return other
    if code & _CBAUDEX:
        code = (code & ~_CBAUDEX) + _EXTENDED
    return _BAUD[code] if code < len(_BAUD) else 0


def baud_rate(termios: StructView) -> int:
    """``tty_termios_baud_rate()``."""
    return _rate(termios["c_cflag"] & _CBAUD, termios["c_ospeed"])


def input_baud_rate(termios: StructView) -> int:
    """``tty_termios_input_baud_rate()``."""
    code = termios["c_cflag"] >> _IBSHIFT & _CBAUD
    return _rate(code, termios["c_ispeed"]) if code else baud_rate(termios)


def encode_baud_rate(termios: StructView, ibaud: int, obaud: int) -> None:
    """``tty_termios_encode_baud_rate()``."""
    if obaud == 0:
        ibaud = 0
    iclose, oclose = ibaud // 50, obaud // 50
    termios["c_ispeed"], termios["c_ospeed"] = ibaud, obaud
    cflag = termios["c_cflag"]
    given = bool(cflag >> _IBSHIFT & _CBAUD)
    if cflag & _CBAUD == _BOTHER:
        oclose, iclose = 0, iclose if given else 0
    if cflag >> _IBSHIFT & _CBAUD == _BOTHER:
        iclose = 0
    cflag &= ~(_CBAUD | _CBAUD << _IBSHIFT)
    found_in = found_out = None
    for number, rate in enumerate(_BAUD):
        bits = number if number <= _EXTENDED else number - _EXTENDED | _CBAUDEX
        if obaud - oclose <= rate <= obaud + oclose:
            cflag |= bits
            found_out = number
        if ibaud - iclose <= rate <= ibaud + iclose:
            found_in = number
            if found_out != number or given:
                cflag |= bits << _IBSHIFT
    if found_out is None:
        cflag |= _BOTHER
    if found_in is None and (ibaud != obaud or given):
        cflag |= _BOTHER << _IBSHIFT
    termios["c_cflag"] = cflag


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

    def flags_of(self, termios: bytes) -> _Flags:
        """Of what somebody keeps of a ``struct ktermios``."""
        return _Flags(*struct.unpack_from("<4I", termios))

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
            self._ttys.flush_to_ldisc(self.view["port"])

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


Ioctl = Callable[["Ttys", Tty, int], int]


class Ttys:
    """The terminals of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.core = kernel.state(DriverCore)
        #: Drivers that are registered, the oldest first.
        self.drivers: list[int] = []
        self._open: dict[int, Tty] = {}
        #: By the address of a port: characters that the driver has not pushed yet, and how they came in.
        self._inserted: dict[int, list[tuple[int, int]]] = {}
        #: The same, once it has, as long as no discipline has seen them.
        self._received: dict[int, list[tuple[int, int]]] = {}
        #: By the address of a port: room among what is not pushed yet that the driver fills itself.
        self._rooms: dict[int, list[tuple[int, int, int]]] = {}
        self._class = 0
        self._fops = 0

    def _operations(self) -> int:
        """``tty_fops``."""
        if not self._fops:
            kernel = self.kernel
            internal = kernel.exports.internal
            fops = kernel.struct("file_operations", kernel.slab.kmalloc(kernel.image.structs["file_operations"].size))
            fops["open"] = internal("int tty_open(struct inode *inode, struct file *filp)", _tty_open)
            fops["release"] = internal("int tty_release(struct inode *inode, struct file *filp)", _tty_release)
            fops["read_iter"] = internal("ssize_t tty_read(struct kiocb *iocb, struct iov_iter *to)", _tty_read)
            fops["write_iter"] = internal("ssize_t tty_write(struct kiocb *iocb, struct iov_iter *from)", _tty_write)
            fops["poll"] = internal("__poll_t tty_poll(struct file *filp, struct poll_table_struct *wait)", _tty_poll)
            ioctl = internal("long tty_ioctl(struct file *file, unsigned int cmd, unsigned long arg)", _tty_ioctl)
            fops["unlocked_ioctl"] = fops["compat_ioctl"] = ioctl
            fops["fasync"] = internal("int tty_fasync(int fd, struct file *filp, int on)", _tty_fasync)
            self._fops = fops.address
        return self._fops

    @property
    def _tty_class(self) -> int:
        if not self._class:
            self._class = self.core.class_.class_create(0, b"tty").address
        return self._class

    def wake(self, head: int) -> None:
        """``wake_up_interruptible()``: of those that wait in Python, and of those on the queue."""
        kernel = self.kernel
        kernel.sched.wake_waiters(head)
        if not list_empty(kernel.memory, kernel.struct("wait_queue_head", head).at("head")):
            kernel.cpu.call(kernel.exports.address_of("__wake_up"), head, TaskState.INTERRUPTIBLE, 1, 0)

    def copy_hw(self, new: StructView, old: StructView) -> None:
        """``tty_termios_copy_hw()``."""
        ours = _HUPCL | _CREAD | _CLOCAL
        new["c_cflag"] = new["c_cflag"] & ours | old["c_cflag"] & ~ours
        new["c_ispeed"], new["c_ospeed"] = old["c_ispeed"], old["c_ospeed"]

    # Drivers

    def alloc_driver(self, lines: int, owner: int, flags: int) -> StructView:
        """``__tty_alloc_driver()``.

        :raises OSError: EINVAL, ENOMEM
        """
        kernel = self.kernel
        if not lines or (flags & DriverFlag.UNNUMBERED_NODE and lines > 1):
            raise err(errno.EINVAL)
        driver = kernel.struct("tty_driver", kernel.slab.kmalloc(kernel.image.structs["tty_driver"].size))
        driver["kref.refcount.refs.counter"] = 1
        driver["num"], driver["owner"], driver["flags"] = lines, owner, flags
        tables = {"cdevs": 1 if flags & DriverFlag.DYNAMIC_ALLOC else lines}
        if not flags & DriverFlag.DEVPTS_MEM:
            tables |= {"ttys": lines, "termios": lines}
        if not flags & DriverFlag.DYNAMIC_ALLOC:
            tables["ports"] = lines
        for name, count in tables.items():
            driver[name] = kernel.slab.kmalloc(8 * count)
        INIT_LIST_HEAD(kernel.memory, driver.at("tty_drivers"))
        return driver

    def put_driver(self, driver: StructView) -> None:
        """``tty_driver_kref_put()``."""
        kernel, counter = self.kernel, "kref.refcount.refs.counter"
        driver[counter] -= 1
        if driver[counter]:
            return
        if driver["flags"] & DriverFlag.INSTALLED:
            for index in range(driver["num"]):
                kernel.slab.kfree(self._table(driver, "termios", index))
                if not driver["flags"] & DriverFlag.DYNAMIC_DEV:
                    self.unregister_device(driver, index)
            self._unregister_proc(driver)
            if driver["flags"] & DriverFlag.DYNAMIC_ALLOC:
                self._cdev("cdev_del", self._table(driver, "cdevs", 0))
        for name in ("cdevs", "ports", "termios", "ttys"):
            kernel.slab.kfree(driver[name])
        kernel.slab.kfree(driver.address)

    def _table(self, driver: StructView, name: str, index: int) -> int:
        return self.kernel.memory.read_pointer(driver[name] + 8 * index) if driver[name] else 0

    def _set_table(self, driver: StructView, name: str, index: int, value: int) -> None:
        if driver[name]:
            self.kernel.memory.write_pointer(driver[name] + 8 * index, value)

    def _cdev(self, function: str, *args: int) -> int:
        return self.kernel.cpu.call_long(self.kernel.exports.address_of(function), *args)

    def register_driver(self, driver: StructView) -> None:
        """``tty_register_driver()``.

        :raises OSError: EBUSY, EINVAL, ENOMEM
        """
        numbers, count = self.kernel.state(DeviceNumbers), driver["num"]
        name = driver.string("name").decode("latin-1")
        region = numbers.register_region(driver["major"], driver["minor_start"], count, name)
        driver["major"] = region.major
        try:
            if driver["flags"] & DriverFlag.DYNAMIC_ALLOC:
                self._add_cdev(driver, 0, MKDEV(region.major, driver["minor_start"]), count)
            self.drivers.append(driver.address)
            registered = []
            try:
                if not driver["flags"] & DriverFlag.DYNAMIC_DEV:
                    for index in range(count):
                        self.register_device(driver, index, 0, 0, 0)
                        registered.append(index)
            except OSError:
                for index in reversed(registered):
                    self.unregister_device(driver, index)
                self.drivers.remove(driver.address)
                raise
        except OSError:
            numbers.unregister_region(region.major, driver["minor_start"], count)
            raise
        self._register_proc(driver)
        driver["flags"] |= DriverFlag.INSTALLED

    def unregister_driver(self, driver: StructView) -> None:
        """``tty_unregister_driver()``."""
        self.kernel.state(DeviceNumbers).unregister_region(driver["major"], driver["minor_start"], driver["num"])
        if driver.address in self.drivers:
            self.drivers.remove(driver.address)

    def _register_proc(self, driver: StructView) -> None:
        """``proc_tty_register_driver()``."""
        show = driver.to("ops")["proc_show"] if driver["ops"] else 0
        if not driver["driver_name"] or driver["proc_entry"] or not show:
            return
        kernel = self.kernel
        path = kernel.slab.string(b"tty/driver/" + driver.string("driver_name"))
        create = kernel.exports.address_of("proc_create_single_data")
        driver["proc_entry"] = kernel.cpu.call_long(create, path, 0, 0, show, driver.address)
        kernel.slab.kfree(path)

    def _unregister_proc(self, driver: StructView) -> None:
        if driver["proc_entry"]:
            self.kernel.cpu.call(self.kernel.exports.address_of("proc_remove"), driver["proc_entry"])
            driver["proc_entry"] = 0

    def _add_cdev(self, driver: StructView, index: int, devt: int, count: int) -> None:
        """``tty_cdev_add()``.

        :raises OSError: ENOMEM, EBUSY
        """
        cdev = self.kernel.struct("cdev", self._cdev("cdev_alloc"))
        self._set_table(driver, "cdevs", index, cdev.address)
        cdev["ops"], cdev["owner"] = self._operations(), driver["owner"]
        ret = signed(self._cdev("cdev_add", cdev.address, devt, count))
        if ret & 0xFFFFFFFF:
            self.kernel.state(Kobjects).put(cdev.sub("kobj"))
            self._set_table(driver, "cdevs", index, 0)
            raise err(-ret)

    # Devices

    def _line_name(self, driver: StructView, index: int) -> str:
        """``tty_line_name()``."""
        name = driver.string("name").decode("latin-1")
        return name if driver["flags"] & DriverFlag.UNNUMBERED_NODE else f"{name}{index + driver['name_base']}"

    def _devt(self, driver: StructView, index: int) -> int:
        return MKDEV(driver["major"], driver["minor_start"]) + index

    def register_device(self, driver: StructView, index: int, parent: int, drvdata: int, groups: int) -> StructView:
        """``tty_register_device_attr()``.

        :raises OSError: EINVAL, EEXIST, ENOMEM
        """
        if index >= driver["num"]:
            name = driver.string("name").decode("latin-1")
            self.kernel.log.pr_err(f"{name}: Attempt to register invalid tty line number ({index})")
            raise err(errno.EINVAL)
        devt = self._devt(driver, index)
        name = self._line_name(driver, index)
        device = self.core.device_create(self._tty_class, parent, devt, drvdata, groups, name.encode("latin-1"))
        if not driver["flags"] & DriverFlag.DYNAMIC_ALLOC:
            try:
                self._add_cdev(driver, index, devt, 1)
            except OSError:
                self.core.device_unregister(device)
                raise
        return device

    def unregister_device(self, driver: StructView, index: int) -> None:
        """``tty_unregister_device()``."""
        kernel = self.kernel
        self._cdev("device_destroy", self._tty_class, self._devt(driver, index))
        if not driver["flags"] & DriverFlag.DYNAMIC_ALLOC:
            cdev = self._table(driver, "cdevs", index)
            if cdev:
                kernel.cpu.call(kernel.exports.address_of("cdev_del"), cdev)
                self._set_table(driver, "cdevs", index, 0)

    def device(self, driver: StructView, index: int) -> int:
        """The device of a line, with a reference; 0: there is none."""
        find = self.kernel.exports.address_of("class_find_device")
        match = self.kernel.exports.address_of("device_match_devt")
        place = self.kernel.slab.kmalloc(8)
        self.kernel.memory.write_int(place, self._devt(driver, index))
        try:
            return self.kernel.cpu.call_long(find, self._tty_class, 0, place, match)
        finally:
            self.kernel.slab.kfree(place)

    # Opening and closing

    def tty(self, address: int) -> Tty | None:
        """The terminal that is open whose structure is at *address*."""
        return self._open.get(address)

    def of_file(self, filp: StructView) -> Tty:
        """The terminal that an open file is of.

        :raises OSError: EIO
        """
        private = self.kernel.struct("tty_file_private", filp["private_data"])
        tty = self._open.get(private["tty"]) if private.address else None
        if tty is None:
            raise err(errno.EIO)
        return tty

    def _find_driver(self, devt: int) -> tuple[StructView, int] | None:
        """``get_tty_driver()``."""
        for address in self.drivers:
            driver = self.kernel.struct("tty_driver", address)
            index = devt - self._devt(driver, 0)
            if 0 <= index < driver["num"]:
                return driver, index
        return None

    def open(self, inode: StructView, filp: StructView) -> None:
        """``tty_open()``.

        :raises OSError: ENODEV, EIO, EBUSY, and what the driver says
        """
        kernel = self.kernel
        filp["f_mode"] &= ~0x3C  # it has no position
        found = self._find_driver(inode["i_rdev"])
        if found is None:
            raise err(errno.ENODEV)
        driver, index = found
        driver["kref.refcount.refs.counter"] += 1
        try:
            tty = self._lookup(driver, filp, index)
            if tty is not None:
                self._reopen(tty)
            else:
                tty = self.init_dev(driver, index)
        finally:
            self.put_driver(driver)
        private = kernel.struct("tty_file_private", kernel.slab.kmalloc(kernel.image.structs["tty_file_private"].size))
        private["tty"], private["file"] = tty.view.address, filp.address
        filp["private_data"] = private.address
        list_add(kernel.memory, private.at("list"), tty.view.at("tty_files"))
        flags = filp["f_flags"]
        ret = tty.call("open", filp.address) if tty.op("open") else -errno.ENODEV
        filp["f_flags"] = flags
        if ret:
            self.release(filp)
            raise err(-ret)
        tty.set_flag(TTY_HUPPED, False)

    def _lookup(self, driver: StructView, filp: StructView, index: int) -> Tty | None:
        """``tty_driver_lookup_tty()``."""
        lookup = driver.to("ops")["lookup"]
        if lookup:
            address = check(signed(self.kernel.cpu.call_long(lookup, driver.address, filp.address, index)))
        else:
            address = self._table(driver, "ttys", index)
        return self._open.get(address & (1 << 64) - 1) if address else None

    def _reopen(self, tty: Tty) -> None:
        """``tty_reopen()``."""
        port = tty.view["port"]
        if port and self.kernel.struct("tty_port", port)["iflags"] >> PORT_KOPENED & 1:
            raise err(errno.EBUSY)
        if tty.flag(TTY_EXCLUSIVE) and not self.kernel.current_cred().capable(Capability.SYS_ADMIN):
            raise err(errno.EBUSY)
        if tty.discipline is None:
            tty.discipline = NTty(tty)
            tty.hung_up = False
        tty.view["count"] += 1

    def init_dev(self, driver: StructView, index: int) -> Tty:
        """``tty_init_dev()``.

        :raises OSError: ENODEV, EINVAL, and what the driver says
        """
        kernel = self.kernel
        if not try_module_get(kernel, driver["owner"]):
            raise err(errno.ENODEV)
        tty = self._alloc(driver, index)
        install = driver.to("ops")["install"]
        try:
            if install:
                ret = kernel.cpu.call(install, driver.address, tty.view.address)
                if ret < 0:
                    raise err(-ret)
            else:
                self.standard_install(driver, tty.view)
        except OSError:
            self._drop(tty)
            module = kernel.modules.address(driver["owner"]) if driver["owner"] else None
            if module is not None:
                module.module_put()
            raise
        if not tty.view["port"]:
            tty.view["port"] = self._table(driver, "ports", index)
        if not tty.view["port"]:
            name = driver.string("name").decode("latin-1")
            message = (
                f"tty_init_dev: {name} driver does not set tty->port. This would crash the kernel. Fix the driver!"
            )
            kernel.traps.warn_at("drivers/tty/tty_io.c", 1424, message, "tty_init_dev.part.0+0x20e")
            self._free(tty)
            raise err(errno.EINVAL)
        kernel.struct("tty_port", tty.view["port"])["itty"] = tty.view.address
        tty.discipline = NTty(tty)
        return tty

    def _alloc(self, driver: StructView, index: int) -> Tty:
        """``alloc_tty_struct()``."""
        kernel = self.kernel
        view = kernel.struct("tty_struct", kernel.slab.kmalloc(kernel.image.structs["tty_struct"].size))
        view["kref.refcount.refs.counter"] = 1
        view["driver"], view["ops"], view["index"] = driver.address, driver["ops"], index
        view["name"] = self._line_name(driver, index).encode("latin-1")
        for head in ("write_wait", "read_wait", "break_wait"):
            INIT_LIST_HEAD(kernel.memory, view.at(f"{head}.head"))
        for lock in ("atomic_write_lock", "legacy_mutex", "throttle_mutex", "winsize_mutex", "termios_rwsem"):
            INIT_LIST_HEAD(kernel.memory, view.at(f"{lock}.wait_list"))
        INIT_LIST_HEAD(kernel.memory, view.at("tty_files"))
        view["dev"] = self.device(driver, index)
        tty = self._open[view.address] = Tty(self, view)
        return tty

    def standard_install(self, driver: StructView, tty: StructView) -> None:
        """``tty_standard_install()``."""
        self.init_termios(tty)
        driver["kref.refcount.refs.counter"] += 1
        tty["count"] += 1
        self._set_table(driver, "ttys", tty["index"], tty.address)

    def init_termios(self, tty: StructView) -> None:
        """``tty_init_termios()``."""
        memory, driver = self.kernel.memory, tty.to("driver")
        termios, first = tty.sub("termios"), driver.sub("init_termios")
        kept = 0 if driver["flags"] & DriverFlag.RESET_TERMIOS else self._table(driver, "termios", tty["index"])
        memory.write(termios.address, memory.read(kept or first.address, first.struct.size))
        if kept:
            termios["c_line"] = first["c_line"]
        termios["c_ispeed"] = input_baud_rate(termios)
        termios["c_ospeed"] = baud_rate(termios)

    def save_termios(self, tty: StructView) -> None:
        """``tty_save_termios()``."""
        kernel, driver = self.kernel, tty.to("driver")
        if driver["flags"] & DriverFlag.RESET_TERMIOS:
            return
        termios = tty.sub("termios")
        kept = self._table(driver, "termios", tty["index"]) or kernel.slab.kmalloc(termios.struct.size)
        kernel.memory.write(kept, kernel.memory.read(termios.address, termios.struct.size))
        self._set_table(driver, "termios", tty["index"], kept)

    def release(self, filp: StructView) -> None:
        """``tty_release()``."""
        kernel = self.kernel
        private = kernel.struct("tty_file_private", filp["private_data"])
        if not private.address:
            return
        tty = self._open.get(private["tty"])
        if tty is None:
            return
        tty.call_if("close", filp.address)
        for head in ("read_wait", "write_wait"):
            self.wake(tty.view.at(head))
        tty.view["count"] -= 1
        if tty.view["count"] < 0:
            tty.warn(f"bad tty->count ({tty.view['count']})")
            tty.view["count"] = 0
        list_del(kernel.memory, private.at("list"))
        kernel.slab.kfree(private.address)
        filp["private_data"] = 0
        if not tty.view["count"]:
            self._free(tty)

    def _free(self, tty: Tty) -> None:
        """``tty_release_struct()``: nobody has it open any more."""
        driver = tty.view.to("driver")
        tty.discipline = None
        tty.call_if("shutdown")
        self.save_termios(tty.view)
        remove = driver.to("ops")["remove"]
        if remove:
            self.kernel.cpu.call(remove, driver.address, tty.view.address)
        else:
            self._set_table(driver, "ttys", tty.view["index"], 0)
        if tty.view["port"]:
            port = self.kernel.struct("tty_port", tty.view["port"])
            port["itty"] = 0
            self._received.pop(port.address, None)
        self.put(tty.view)

    def put(self, view: StructView) -> None:
        """``tty_kref_put()``."""
        counter = "kref.refcount.refs.counter"
        view[counter] -= 1
        tty = self._open.get(view.address)
        if view[counter] or tty is None:
            return
        kernel, driver = self.kernel, view.to("driver")
        owner = kernel.modules.address(driver["owner"]) if driver["owner"] else None
        tty.call_if("cleanup")
        self._drop(tty)
        self.put_driver(driver)
        if owner is not None:
            owner.module_put()

    def _drop(self, tty: Tty) -> None:
        if tty.view["dev"]:
            self.core.put(self.kernel.struct("device", tty.view["dev"]))
        self._open.pop(tty.view.address, None)
        tty.free()

    def hangup(self, view: StructView) -> None:
        """``__tty_hangup()``: who has it open gets nothing out of it any more."""
        tty = self._open.get(view.address)
        if tty is None or tty.flag(TTY_HUPPED):
            return
        tty.hung_up = True
        if tty.discipline is not None:
            tty.flush_driver()
        tty.discipline = None
        for head in ("write_wait", "read_wait", "break_wait"):
            self.wake(view.at(head))
        tty.set_flag(TTY_THROTTLED, False)
        tty.set_flag(TTY_DO_WRITE_WAKEUP, False)
        driver = view.to("driver")
        if driver["flags"] & DriverFlag.RESET_TERMIOS:
            self.init_termios(view)
        tty.call_if("hangup")
        tty.set_flag(TTY_HUPPED, True)

    # Reading and writing

    def read(self, filp: StructView, size: int) -> bytes:
        """``tty_read()``.

        :raises OSError: EIO, EAGAIN, ERESTARTSYS
        """
        tty = self.of_file(filp)
        if tty.hung_up and tty.discipline is None:
            return b""
        if tty.flag(TTY_IO_ERROR) or tty.discipline is None:
            raise err(errno.EIO)
        return tty.discipline.read(size, bool(filp["f_flags"] & os.O_NONBLOCK))

    def write(self, filp: StructView, address: int, size: int) -> int:
        """``tty_write()`` of what is in user memory.

        :raises OSError: EIO, EAGAIN, ERESTARTSYS, EFAULT
        """
        tty = self.of_file(filp)
        if not tty.op("write") or tty.flag(TTY_IO_ERROR):
            raise err(errno.EIO)
        if not tty.op("write_room"):
            tty.log("missing write_room method")
        nonblock = bool(filp["f_flags"] & os.O_NONBLOCK)
        self._lock_write(tty, nonblock)
        try:
            return self._write_chunks(tty, address, size, nonblock)
        finally:
            tty.writing = False
            self.kernel.sched.wake_waiters(tty.view.at("atomic_write_lock"))
            tty.wakeup()

    def _lock_write(self, tty: Tty, nonblock: bool) -> None:
        """``tty_write_lock()``: one after the other."""
        while tty.writing:
            if nonblock:
                raise err(errno.EAGAIN)
            if self.kernel.current.signal_pending():
                raise err(ERESTARTSYS)
            tty.wait(tty.view.at("atomic_write_lock"))
        tty.writing = True

    def _write_chunks(self, tty: Tty, address: int, size: int, nonblock: bool) -> int:
        """``do_tty_write()``."""
        kernel, view = self.kernel, tty.view
        chunk = min(size, _LARGE_CHUNK if tty.flag(_TTY_NO_WRITE_SPLIT) else _CHUNK)
        if view["write_cnt"] < chunk:
            kernel.slab.kfree(view["write_buf"])
            view["write_cnt"] = max(chunk, 1024)
            view["write_buf"] = kernel.slab.kmalloc(view["write_cnt"])
        written = 0
        while True:
            data = kernel.state(Uaccess).copy_from_user(address + written, min(size - written, chunk))
            if len(data) < min(size - written, chunk):
                ret = -errno.EFAULT
                break
            kernel.memory.write(view["write_buf"], data)
            ret = tty.discipline.write(view["write_buf"], data, nonblock) if tty.discipline else -errno.EIO
            if ret <= 0:
                break
            written += ret
            if written >= size:
                break
            ret = -ERESTARTSYS
            if kernel.current.signal_pending():
                break
        if written:
            return written
        if ret < 0:
            raise err(-ret)
        return ret

    def poll(self, filp: StructView, wait: StructView) -> int:
        """``tty_poll()``."""
        tty = self.of_file(filp)
        if tty.discipline is None:
            return 0x7D  # EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM: hung up
        if wait.address and wait["_qproc"]:
            for head in ("read_wait", "write_wait"):
                self.kernel.cpu.call(wait["_qproc"], filp.address, tty.view.at(head), wait.address)
        return tty.discipline.poll()

    # What drivers receive

    def init_port(self, port: StructView) -> None:
        """``tty_port_init()``."""
        kernel = self.kernel
        kernel.memory.write(port.address, bytes(port.struct.size))
        sentinel = port.at("buf.sentinel")
        port["buf.head"] = port["buf.tail"] = sentinel
        port["buf.mem_limit"] = _MEM_LIMIT
        kernel.struct("tty_buffer", sentinel)["flags"] = 1
        INIT_LIST_HEAD(kernel.memory, port.at("buf.work.entry"))
        port["buf.work.func"] = kernel.exports.internal("void flush_to_ldisc(struct work_struct *work)", _flush_work)
        for head in ("open_wait", "delta_msr_wait"):
            INIT_LIST_HEAD(kernel.memory, port.at(f"{head}.head"))
        for lock in ("mutex", "buf_mutex", "buf.lock"):
            INIT_LIST_HEAD(kernel.memory, port.at(f"{lock}.wait_list"))
        port["close_delay"], port["closing_wait"] = 50 * HZ // 100, 3000 * HZ // 100
        port["client_ops"] = self._client_ops()
        port["kref.refcount.refs.counter"] = 1

    def _client_ops(self) -> int:
        """``tty_port_default_client_ops``."""
        kernel = self.kernel
        ops = kernel.struct("tty_port_client_operations", kernel.exports.data_address("tty_port_default_client_ops"))
        if not ops["receive_buf"]:
            ops["receive_buf"] = kernel.exports.internal(
                "int tty_port_default_receive_buf(struct tty_port *port, const unsigned char *p,"
                " const unsigned char *f, size_t count)",
                _default_receive_buf,
            )
            ops["write_wakeup"] = kernel.exports.internal(
                "void tty_port_default_wakeup(struct tty_port *port)", _default_wakeup
            )
        return ops.address

    def forget_port(self, port: int) -> None:
        """``tty_port_destroy()``."""
        self._inserted.pop(port, None)
        self._received.pop(port, None)
        for _start, address, _size in self._rooms.pop(port, ()):
            self.kernel.slab.kfree(address)

    def insert(self, port: int, data: bytes, flags: bytes | None = None) -> int:
        """``tty_insert_flip_string_flags()``: as much as there is room for."""
        count = min(len(data), self.room(port))
        self._inserted.setdefault(port, []).extend(
            zip(data[:count], flags or bytes([TTY_NORMAL]) * count, strict=False)
        )
        return count

    def room(self, port: int) -> int:
        """``tty_buffer_space_avail()``."""
        waiting = sum(len(queues.get(port, ())) for queues in (self._inserted, self._received))
        return max(0, self.kernel.struct("tty_port", port)["buf.mem_limit"] - waiting)

    def prepare(self, port: int, size: int) -> tuple[int, int]:
        """``tty_prepare_flip_string()``: room that the driver fills before it pushes.

        :returns: its address, and how much there is
        """
        count = min(size, self.room(port))
        if not count:
            return 0, 0
        address = self.kernel.slab.kmalloc(count)
        queue = self._inserted.setdefault(port, [])
        self._rooms.setdefault(port, []).append((len(queue), address, count))
        queue.extend([(0, TTY_NORMAL)] * count)
        return address, count

    def _commit(self, port: int) -> None:
        """``tty_flip_buffer_commit()``: what has been inserted can be read from now on."""
        queue = self._inserted.pop(port, [])
        for start, address, count in self._rooms.pop(port, ()):
            data = self.kernel.memory.read(address, count)
            queue[start : start + count] = [(char, TTY_NORMAL) for char in data]
            self.kernel.slab.kfree(address)
        self._received.setdefault(port, []).extend(queue)

    def push(self, port: StructView) -> None:
        """``tty_flip_buffer_push()``."""
        self._commit(port.address)
        kernel = self.kernel
        address = kernel.exports.data_address("system_unbound_wq")
        queue = kernel.workqueues.find(kernel.memory.read_pointer(address))
        if queue is not None:
            kernel.workqueues.queue(queue, port.at("buf.work"))

    def flush_to_ldisc(self, port: int) -> None:
        """``flush_to_ldisc()``, ``tty_port_default_receive_buf()``."""
        client = self.kernel.struct("tty_port", port).to("client_ops")
        own = client["receive_buf"] if client.address not in (0, self._client_ops()) else 0
        while queue := self._received.get(port):
            if own:
                count = self._give(own, port, queue)
                del queue[:count]
                if not count:
                    return
                continue
            tty = self._open.get(self.kernel.struct("tty_port", port)["itty"])
            if tty is None or tty.discipline is None:
                if tty is None:
                    queue.clear()
                return
            chars, flags = bytes(char for char, _ in queue), bytes(flag for _, flag in queue)
            count = tty.discipline.receive(chars, flags if any(flags) else None)
            del queue[:count]
            if not count:
                return

    def _give(self, function: int, port: int, queue: list[tuple[int, int]]) -> int:
        """Have somebody else take what has been received.

        :returns: how many characters
        """
        chars, flags = bytes(char for char, _ in queue), bytes(flag for _, flag in queue)
        kernel = self.kernel
        place = kernel.slab.kmalloc(2 * len(chars))
        try:
            kernel.memory.write(place, chars + flags)
            count = kernel.cpu.call(function, port, place, place + len(chars) if any(flags) else 0, len(chars))
            return min(max(count, 0), len(chars))
        finally:
            kernel.slab.kfree(place)

    def flush_received(self, port: int) -> None:
        """``tty_buffer_flush()``."""
        self._received.pop(port, None)

    # ioctl()

    def ioctl(self, filp: StructView, cmd: int, arg: int) -> int:
        """``tty_ioctl()``.

        :raises OSError: as it says
        """
        tty = self.of_file(filp)
        if tty.hung_up and tty.discipline is None:
            raise err(errno.ENOTTY if cmd == _TIOCSPGRP else errno.EIO)
        if cmd in _DRAINING:
            self.wait_until_sent(tty, 0)
            if self.kernel.current.signal_pending():
                raise err(errno.EINTR)
        if cmd == _TCFLSH and arg in (_TCIFLUSH, _TCIOFLUSH):
            self.flush_received(tty.view["port"])
        known = _TTY_IOCTLS.get(cmd)
        if known is not None:
            return known(self, tty, arg)
        if cmd in _JOB_CONTROL:
            raise err(errno.ENOTTY)
        if tty.op("ioctl"):
            ret = tty.call("ioctl", cmd, arg)
            if ret != -_ENOIOCTLCMD:
                return check(ret)
        known = _DISCIPLINE_IOCTLS.get(cmd)
        if known is None:
            raise err(errno.ENOTTY)
        return known(self, tty, arg)

    def wait_until_sent(self, tty: Tty, timeout: int) -> None:
        """``tty_wait_until_sent()``; *timeout* in ticks, 0: for ever."""
        left = timeout / HZ if timeout else float("inf")
        while tty.chars_in_buffer():
            if left <= 0 or self.kernel.current.signal_pending():
                return
            left = tty.wait(tty.view.at("write_wait"), left)
        tty.call_if("wait_until_sent", int(left * HZ) if left != float("inf") else 0)

    def put_user(self, address: int, data: bytes) -> int:
        """:raises OSError: EFAULT"""
        if self.kernel.state(Uaccess).copy_to_user(address, data):
            raise err(errno.EFAULT)
        return 0

    def get_user(self, address: int, size: int) -> bytes:
        """:raises OSError: EFAULT"""
        data = self.kernel.state(Uaccess).copy_from_user(address, size)
        if len(data) < size:
            raise err(errno.EFAULT)
        return data

    # /proc/tty

    def proc_drivers(self) -> bytes:
        """``show_tty_driver()``: the newest first."""
        first, rest = _BUILTIN_DRIVERS
        lines = []
        for address in reversed(self.drivers):
            driver = self.kernel.struct("tty_driver", address)
            name = driver.string("driver_name").decode("latin-1") if driver["driver_name"] else "unknown"
            text = f"{name:<20} /dev/{driver.string('name').decode('latin-1'):<8} "
            start = driver["minor_start"]
            numbers = f"{start}-{start + driver['num'] - 1}" if driver["num"] > 1 else f"{start:7d}"
            lines.append(f"{text}{driver['major']:3d} {numbers} {_kind(driver)}\n")
        return (first + "".join(lines) + rest).encode("latin-1")


def _kind(driver: StructView) -> str:
    type_, subtype = driver["type"], driver["subtype"]
    if type_ == _TYPE_SYSTEM:
        return "system" + _SYSTEM_SUBTYPES.get(subtype, "")
    if type_ == _TYPE_PTY:
        return "pty" + _PTY_SUBTYPES.get(subtype, "")
    return _TYPES.get(type_, f"type:{type_}.{subtype}")


# struct file_operations


def _tty_open(kernel: Kernel, inode: StructView, filp: StructView) -> int:
    kernel.state(Ttys).open(inode, filp)
    return 0


def _tty_release(kernel: Kernel, inode: StructView, filp: StructView) -> int:
    kernel.state(Ttys).release(filp)
    return 0


def _tty_read(kernel: Kernel, iocb: StructView, to: StructView) -> int:
    data = kernel.state(Ttys).read(iocb.to("ki_filp"), to["count"])
    if kernel.state(Uaccess).copy_to_user(to["ubuf"], data):
        raise err(errno.EFAULT)
    return len(data)


def _tty_write(kernel: Kernel, iocb: StructView, from_: StructView) -> int:
    return kernel.state(Ttys).write(iocb.to("ki_filp"), from_["ubuf"], from_["count"])


def _tty_poll(kernel: Kernel, filp: StructView, wait: StructView) -> int:
    return kernel.state(Ttys).poll(filp, wait)


def _tty_ioctl(kernel: Kernel, filp: StructView, cmd: int, arg: int) -> int:
    return kernel.state(Ttys).ioctl(filp, cmd, arg)


def _tty_fasync(kernel: Kernel, fd: int, filp: StructView, on: int) -> int:
    tty = kernel.state(Ttys).of_file(filp)
    return kernel.cpu.call(
        kernel.exports.address_of("fasync_helper"), fd & 0xFFFFFFFF, filp.address, on, tty.view.at("fasync")
    )


def _default_receive_buf(kernel: Kernel, port: StructView, p: int, f: int, count: int) -> int:
    tty = kernel.state(Ttys).tty(port["itty"])
    if tty is None or tty.discipline is None:
        return 0
    read = kernel.memory.read
    return tty.discipline.receive(read(p, count) if count else b"", read(f, count) if f and count else None)


def _default_wakeup(kernel: Kernel, port: StructView) -> None:
    tty = kernel.state(Ttys).tty(port["tty"])
    if tty is not None:
        tty.wakeup()


def _flush_work(kernel: Kernel, work: StructView) -> None:
    port = work.address - kernel.image.offset("tty_port", "buf.work")
    kernel.state(Ttys).flush_to_ldisc(port)


# What ioctls do

_TERMIOS_SIZE, _TERMIOS2_SIZE, _TERMIO_SIZE = 36, 44, 18
_TERMIOS_NCCS, _TERMIO_NCC = 19, 8
_TCFLSH, _TCIFLUSH, _TCOFLUSH, _TCIOFLUSH = 0x540B, 0, 1, 2
_TIOCSPGRP: Final = 0x5410
#: TIOCSETD, TIOCSBRK, TCSBRK, TCSBRKP.
_DRAINING: Final = (0x5423, 0x5427, 0x5409, 0x5425)
#: TIOCNOTTY, TIOCSCTTY, TIOCGPGRP, TIOCSPGRP, TIOCGSID.
_JOB_CONTROL: Final = (0x5422, 0x540E, 0x540F, 0x5410, 0x5429)


def _get_termios(size: int) -> Ioctl:
    def get(ttys: Ttys, tty: Tty, arg: int) -> int:
        return ttys.put_user(arg, ttys.kernel.memory.read(tty.view.at("termios"), size))

    return get


def _set_termios(size: int, wait: bool, flush: bool) -> Ioctl:
    """``set_termios()``."""

    def set_(ttys: Ttys, tty: Tty, arg: int) -> int:
        termios = tty.view.sub("termios")
        kernel = ttys.kernel
        place = kernel.struct("ktermios", kernel.slab.kmalloc(termios.struct.size))
        try:
            old = kernel.memory.read(termios.address, termios.struct.size)
            kernel.memory.write(place.address, old)
            given = ttys.get_user(arg, size)
            if size == _TERMIO_SIZE:
                flags = struct.unpack_from("<4H", given)
                for name, value in zip(_Flags._fields, flags, strict=True):
                    place[name] = place[name] & 0xFFFF0000 | value
                kernel.memory.write(place.at("c_line"), given[8 : 9 + _TERMIO_NCC])
            else:
                kernel.memory.write(place.address, given)
            place["c_ispeed"], place["c_ospeed"] = input_baud_rate(place), baud_rate(place)
            if wait or flush:
                while tty.chars_in_buffer():
                    if kernel.current.signal_pending():
                        raise err(ERESTARTSYS)
                    tty.wait(tty.view.at("write_wait"))
                if flush and tty.discipline is not None:
                    tty.discipline.flush()
                tty.call_if("wait_until_sent", 0)
            tty.set_termios(kernel.memory.read(place.address, termios.struct.size))
        finally:
            kernel.slab.kfree(place.address)
        return 0

    return set_


def _get_termio(ttys: Ttys, tty: Tty, arg: int) -> int:
    termios = tty.view.sub("termios")
    flags = struct.pack("<4H", *(termios[name] & 0xFFFF for name in _Flags._fields))
    return ttys.put_user(arg, (flags + bytes((termios["c_line"],)) + tty.cc[:_TERMIO_NCC]).ljust(_TERMIO_SIZE, b"\0"))


def _get_winsize(ttys: Ttys, tty: Tty, arg: int) -> int:
    return ttys.put_user(arg, ttys.kernel.memory.read(tty.view.at("winsize"), 8))


def _set_winsize(ttys: Ttys, tty: Tty, arg: int) -> int:
    size = ttys.get_user(arg, 8)
    if tty.op("resize"):
        place = ttys.kernel.slab.kmalloc(8)
        ttys.kernel.memory.write(place, size)
        try:
            return check(tty.call("resize", place))
        finally:
            ttys.kernel.slab.kfree(place)
    ttys.kernel.memory.write(tty.view.at("winsize"), size)
    return 0


def _tiocmget(ttys: Ttys, tty: Tty, arg: int) -> int:
    value = check(tty.call_if("tiocmget", otherwise=-errno.ENOTTY))
    return ttys.put_user(arg, value.to_bytes(4, "little"))


def _tiocmset(change: Callable[[int], tuple[int, int]]) -> Ioctl:
    def set_(ttys: Ttys, tty: Tty, arg: int) -> int:
        if not tty.op("tiocmset"):
            raise err(errno.ENOTTY)
        on, off = change(int.from_bytes(ttys.get_user(arg, 4), "little"))
        return check(tty.call("tiocmset", on & _TIOCM, off & _TIOCM))

    return set_


def _structure(name: str, operation: str) -> Ioctl:
    """What a driver fills in: TIOCGICOUNT, TIOCGSERIAL."""

    def get(ttys: Ttys, tty: Tty, arg: int) -> int:
        kernel = ttys.kernel
        if not tty.op(operation):
            raise err(errno.ENOTTY)
        size = kernel.image.structs[name].size
        place = kernel.slab.kmalloc(size)
        try:
            check(tty.call(operation, place))
            return ttys.put_user(arg, kernel.memory.read(place, size))
        finally:
            kernel.slab.kfree(place)

    return get


def _set_serial(ttys: Ttys, tty: Tty, arg: int) -> int:
    kernel, size = ttys.kernel, ttys.kernel.image.structs["serial_struct"].size
    data = ttys.get_user(arg, size)
    if not tty.op("set_serial"):
        raise err(errno.ENOTTY)
    place = kernel.slab.kmalloc(size)
    kernel.memory.write(place, data)
    try:
        return check(tty.call("set_serial", place))
    finally:
        kernel.slab.kfree(place)


def _exclusive(value: bool) -> Ioctl:
    def set_(ttys: Ttys, tty: Tty, arg: int) -> int:
        tty.set_flag(TTY_EXCLUSIVE, value)
        return 0

    return set_


def _send_break(ttys: Ttys, tty: Tty, milliseconds: int) -> int:
    """``send_break()``."""
    if not tty.op("break_ctl"):
        return 0
    if tty.view.to("driver")["flags"] & DriverFlag.HARDWARE_BREAK:
        return check(tty.call("break_ctl", milliseconds))
    ret = tty.call("break_ctl", 0xFFFFFFFF)
    if ret:
        return 0 if ret == -errno.EOPNOTSUPP else check(ret)
    left = milliseconds / 1000
    while left > 0 and not ttys.kernel.current.signal_pending():
        left = tty.wait(tty.view.at("break_wait"), left)
    ret = tty.call("break_ctl", 0)
    if ttys.kernel.current.signal_pending():
        raise err(errno.EINTR)
    return check(ret)


def _sti(ttys: Ttys, tty: Tty, arg: int) -> int:
    """TIOCSTI: as if it had been typed."""
    if not ttys.kernel.current_cred().capable(Capability.SYS_ADMIN):
        raise err(errno.EPERM)
    data = ttys.get_user(arg, 1)
    if tty.discipline is None:
        raise err(errno.EIO)
    tty.discipline.receive(data, bytes(1))
    return 0


def _set_discipline(ttys: Ttys, tty: Tty, arg: int) -> int:
    if int.from_bytes(ttys.get_user(arg, 4), "little"):
        raise err(errno.EINVAL)
    return 0


def _vhangup(ttys: Ttys, tty: Tty, arg: int) -> int:
    if not ttys.kernel.current_cred().capable(Capability.SYS_ADMIN):
        raise err(errno.EPERM)
    ttys.hangup(tty.view)
    return 0


def _getdev(ttys: Ttys, tty: Tty, arg: int) -> int:
    devt = ttys._devt(tty.view.to("driver"), tty.view["index"])
    number = minor(devt) & 0xFF | major(devt) << 8 | (minor(devt) & ~0xFF) << 12
    return ttys.put_user(arg, number.to_bytes(4, "little"))


def _flow(ttys: Ttys, tty: Tty, arg: int) -> int:
    """TCXONC."""
    if arg in (0, 1):
        off = arg == 0
        if bool(tty.view["flow.tco_stopped"]) != off:
            tty.view["flow.tco_stopped"] = int(off)
            (tty.stop if off else tty.start)()
        return 0
    if arg not in (2, 3):
        raise err(errno.EINVAL)
    char = tty.cc[9 if arg == 2 else 8]
    if char:
        if tty.op("send_xchar"):
            tty.call("send_xchar", char)
        else:
            tty.write(bytes((char,)))
    return 0


def _flush(ttys: Ttys, tty: Tty, arg: int) -> int:
    """``__tty_perform_flush()``."""
    if arg not in (_TCIFLUSH, _TCOFLUSH, _TCIOFLUSH):
        raise err(errno.EINVAL)
    if arg in (_TCIFLUSH, _TCIOFLUSH) and tty.discipline is not None:
        tty.discipline.flush()
        tty.unthrottle()
    if arg in (_TCOFLUSH, _TCIOFLUSH):
        tty.flush_driver()
    return 0


def _soft_carrier(ttys: Ttys, tty: Tty, arg: int) -> int:
    return ttys.put_user(arg, int(bool(tty.view["termios.c_cflag"] & _CLOCAL)).to_bytes(4, "little"))


def _set_soft_carrier(ttys: Ttys, tty: Tty, arg: int) -> int:
    wanted = _CLOCAL if int.from_bytes(ttys.get_user(arg, 4), "little") else 0
    kernel, termios = ttys.kernel, tty.view.sub("termios")
    place = kernel.slab.kmalloc(termios.struct.size)
    kernel.memory.write(place, kernel.memory.read(termios.address, termios.struct.size))
    termios["c_cflag"] = termios["c_cflag"] & ~_CLOCAL | wanted
    tty.call_if("set_termios", place)
    kernel.slab.kfree(place)
    if termios["c_cflag"] & _CLOCAL != wanted:
        raise err(errno.EINVAL)
    return 0


def _put(value: Callable[[Tty], int]) -> Ioctl:
    return lambda ttys, tty, arg: ttys.put_user(arg, (value(tty) & 0xFFFFFFFF).to_bytes(4, "little"))


_TTY_IOCTLS: Final[dict[int, Ioctl]] = {
    0x5412: _sti,
    0x5413: _get_winsize,
    0x5414: _set_winsize,
    0x540C: _exclusive(True),
    0x540D: _exclusive(False),
    0x80045440: _put(lambda tty: int(tty.flag(TTY_EXCLUSIVE))),
    0x5424: _put(lambda tty: 0),
    0x5423: _set_discipline,
    0x5437: _vhangup,
    0x80045432: _getdev,
    0x5427: lambda ttys, tty, arg: check(tty.call_if("break_ctl", 0xFFFFFFFF)),
    0x5428: lambda ttys, tty, arg: check(tty.call_if("break_ctl", 0)),
    0x5409: lambda ttys, tty, arg: 0 if arg else _send_break(ttys, tty, 250),
    0x5425: lambda ttys, tty, arg: _send_break(ttys, tty, arg * 100 if arg else 250),
    0x5415: _tiocmget,
    0x5416: _tiocmset(lambda value: (value, 0)),
    0x5417: _tiocmset(lambda value: (0, value)),
    0x5418: _tiocmset(lambda value: (value, ~value)),
    0x545D: _structure("serial_icounter_struct", "get_icount"),
    0x541E: _structure("serial_struct", "get_serial"),
    0x541F: _set_serial,
}
_DISCIPLINE_IOCTLS: Final[dict[int, Ioctl]] = {
    0x5411: _put(lambda tty: tty.chars_in_buffer()),
    0x541B: _put(lambda tty: tty.discipline.in_queue() if tty.discipline is not None else 0),
    0x540A: _flow,
    _TCFLSH: _flush,
    0x5401: _get_termios(_TERMIOS_SIZE),
    0x802C542A: _get_termios(_TERMIOS2_SIZE),
    0x5402: _set_termios(_TERMIOS_SIZE, wait=False, flush=False),
    0x5403: _set_termios(_TERMIOS_SIZE, wait=True, flush=False),
    0x5404: _set_termios(_TERMIOS_SIZE, wait=True, flush=True),
    0x402C542B: _set_termios(_TERMIOS2_SIZE, wait=False, flush=False),
    0x402C542C: _set_termios(_TERMIOS2_SIZE, wait=True, flush=False),
    0x402C542D: _set_termios(_TERMIOS2_SIZE, wait=True, flush=True),
    0x5405: _get_termio,
    0x5406: _set_termios(_TERMIO_SIZE, wait=False, flush=False),
    0x5407: _set_termios(_TERMIO_SIZE, wait=True, flush=False),
    0x5408: _set_termios(_TERMIO_SIZE, wait=True, flush=True),
    0x5419: _soft_carrier,
    0x541A: _set_soft_carrier,
}
