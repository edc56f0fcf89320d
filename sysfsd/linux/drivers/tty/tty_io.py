"""Terminals of modules, and what is open of them (drivers/tty/tty_io.c, tty_port.c, tty_buffer.c, tty_ioctl.c).

Nobody has one of them as the terminal of a session.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.tty.n_tty import NTty
from sysfsd.linux.drivers.tty.tty import (
    CLOCAL,
    CREAD,
    HUPCL,
    TTY_DO_WRITE_WAKEUP,
    TTY_EXCLUSIVE,
    TTY_HUPPED,
    TTY_IO_ERROR,
    TTY_THROTTLED,
    DriverFlag,
    Tty,
)
from sysfsd.linux.drivers.tty.tty_baudrate import (
    baud_rate,
    input_baud_rate,
)
from sysfsd.linux.drivers.tty.tty_buffer import FlipBuffers
from sysfsd.linux.drivers.tty.tty_ioctl import TtyIoctls
from sysfsd.linux.drivers.tty.tty_port import Ports
from sysfsd.linux.err import ERESTARTSYS, err
from sysfsd.linux.fs.char_dev import MKDEV, DeviceNumbers
from sysfsd.linux.fs.vfs import check, signed, try_module_get
from sysfsd.linux.kernel.cred import Capability
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.lib.kobject import Kobjects
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add, list_del, list_empty
from sysfsd.linux.mm.uaccess import Uaccess

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["Ttys"]


TTYAUX_MAJOR, TTY_MAJOR = 5, 4
_TYPE_SYSTEM, _TYPE_CONSOLE, _TYPE_SERIAL, _TYPE_PTY = 1, 2, 3, 4
_TYPES: Final = {_TYPE_CONSOLE: "console", _TYPE_SERIAL: "serial"}
_SYSTEM_SUBTYPES: Final = {1: ":/dev/tty", 2: ":console", 3: ":vtmaster"}
_PTY_SUBTYPES: Final = {1: ":master", 2: ":slave"}
_TTY_NO_WRITE_SPLIT: Final = 17
#: Parts of ``tty_port.iflags`` and of ``tty_port.flags``.
PORT_INITIALIZED, PORT_SUSPENDED, PORT_ACTIVE, PORT_CTS_FLOW, PORT_CHECK_CD, PORT_KOPENED = range(6)
_HUP_NOTIFY: Final = 1
_CLOSING_WAIT_NONE: Final = 65535
_CHUNK, _LARGE_CHUNK = 2048, 65536
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


class Ttys:
    """The terminals of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.core = kernel.state(DriverCore)
        #: Drivers that are registered, the oldest first.
        self.drivers: list[int] = []
        self.opened: dict[int, Tty] = {}
        self._class = 0
        self._fops = 0
        #: The hardware sides of terminals.
        self.ports = Ports(self)
        #: What drivers have received.
        self.buffers = FlipBuffers(self)
        #: What is asked of terminals by ioctl(2).
        self.ioctls = TtyIoctls(self)

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
        ours = HUPCL | CREAD | CLOCAL
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
        return self.opened.get(address)

    def of_file(self, filp: StructView) -> Tty:
        """The terminal that an open file is of.

        :raises OSError: EIO
        """
        private = self.kernel.struct("tty_file_private", filp["private_data"])
        tty = self.opened.get(private["tty"]) if private.address else None
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
        return self.opened.get(address & (1 << 64) - 1) if address else None

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
        tty = self.opened[view.address] = Tty(self, view)
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
        tty = self.opened.get(private["tty"])
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
            self.buffers.received.pop(port.address, None)
        self.put(tty.view)

    def put(self, view: StructView) -> None:
        """``tty_kref_put()``."""
        counter = "kref.refcount.refs.counter"
        view[counter] -= 1
        tty = self.opened.get(view.address)
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
        self.opened.pop(tty.view.address, None)
        tty.free()

    def hangup(self, view: StructView) -> None:
        """``__tty_hangup()``: who has it open gets nothing out of it any more."""
        tty = self.opened.get(view.address)
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
    return kernel.state(Ttys).ioctls.ioctl(filp, cmd, arg)


def _tty_fasync(kernel: Kernel, fd: int, filp: StructView, on: int) -> int:
    tty = kernel.state(Ttys).of_file(filp)
    return kernel.cpu.call(
        kernel.exports.address_of("fasync_helper"), fd & 0xFFFFFFFF, filp.address, on, tty.view.at("fasync")
    )
