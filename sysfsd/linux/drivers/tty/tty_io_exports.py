"""Terminals: of modules, and of a machine whose only console nobody has opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.tty.tty import Tty
from sysfsd.linux.drivers.tty.tty_io import Ttys
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.locking.mutex_exports import mutex_lock_state, mutex_unlock
from sysfsd.linux.kernel.sched.core import TaskState

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/tty/tty_jobctrl.c", "drivers/tty/tty_io.c", "drivers/tty/tty_mutex.c")

_MINOR_BITS: Final = 20

#: Parts of ``c_iflag``, ``c_oflag``, ``c_cflag``, ``c_lflag`` (include/uapi/asm-generic/termbits.h).
_ICRNL, _IXON, _OPOST, _ONLCR = 0o400, 0o2000, 0o1, 0o4

_B38400, _CS8, CSTOPB, CREAD, PARENB, HUPCL, CLOCAL, ADDRB, CBAUD = (
    0o17, 0o60, 0o100, 0o200, 0o400, 0o2000, 0o4000, 0o4000000000, 0o10017,
)  # fmt: skip

#: ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE, IEXTEN.
_STD_LFLAG: Final = 0o105073

_INIT_C_CC: Final = bytes((3, 0x1C, 0x7F, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1A, 0, 0x12, 0x0F, 0x17, 0x16, 0, 0, 0))


@export("struct tty_struct *get_current_tty(void)")
def get_current_tty(kernel: Kernel) -> int:
    return 0


@export("dev_t tty_devnum(struct tty_struct *tty)")
def tty_devnum(kernel: Kernel, tty: StructView) -> int:
    driver = tty.to("driver")
    return (driver["major"] << _MINOR_BITS | driver["minor_start"]) + tty["index"]


def ttys(kernel: Kernel) -> Ttys:
    return kernel.state(Ttys)


def open_tty(kernel: Kernel, tty: StructView) -> Tty | None:
    return ttys(kernel).tty(tty.address)


# Drivers


def _std_termios(kernel: Kernel, address: int) -> None:
    """``tty_std_termios``: what a terminal is like unless its driver says otherwise."""
    termios = kernel.struct("ktermios", address)
    termios["c_iflag"], termios["c_oflag"] = _ICRNL | _IXON, _OPOST | _ONLCR
    termios["c_cflag"], termios["c_lflag"] = _B38400 | _CS8 | CREAD | HUPCL, _STD_LFLAG
    kernel.memory.write(termios.at("c_cc"), _INIT_C_CC)
    termios["c_ispeed"] = termios["c_ospeed"] = 38400


export.data("struct ktermios tty_std_termios", _std_termios)


@export("struct tty_driver *__tty_alloc_driver(unsigned int lines, struct module *owner, unsigned long flags)")
def __tty_alloc_driver(kernel: Kernel, lines: int, owner: StructView, flags: int) -> StructView:
    return ttys(kernel).alloc_driver(lines, owner.address, flags)


@export("void tty_driver_kref_put(struct tty_driver *driver)")
def tty_driver_kref_put(kernel: Kernel, driver: StructView) -> None:
    ttys(kernel).put_driver(driver)


@export("int tty_register_driver(struct tty_driver *driver)")
def tty_register_driver(kernel: Kernel, driver: StructView) -> int:
    ttys(kernel).register_driver(driver)
    return 0


@export("void tty_unregister_driver(struct tty_driver *driver)")
def tty_unregister_driver(kernel: Kernel, driver: StructView) -> None:
    ttys(kernel).unregister_driver(driver)


@export("struct device *tty_register_device(struct tty_driver *driver, unsigned int index, struct device *device)")
def tty_register_device(kernel: Kernel, driver: StructView, index: int, device: StructView) -> StructView:
    return ttys(kernel).register_device(driver, index, device.address, 0, 0)


@export(
    "struct device *tty_register_device_attr(struct tty_driver *driver, unsigned int index, struct device *device,"
    " void *drvdata, const struct attribute_group **attr_grp)"
)
def tty_register_device_attr(
    kernel: Kernel, driver: StructView, index: int, device: StructView, drvdata: int, attr_grp: int
) -> StructView:
    return ttys(kernel).register_device(driver, index, device.address, drvdata, attr_grp)


@export("void tty_unregister_device(struct tty_driver *driver, unsigned int index)")
def tty_unregister_device(kernel: Kernel, driver: StructView, index: int) -> None:
    ttys(kernel).unregister_device(driver, index)


@export("void tty_kref_put(struct tty_struct *tty)")
def tty_kref_put(kernel: Kernel, tty: StructView) -> None:
    if tty.address:
        ttys(kernel).put(tty)


# Terminals


@export("int tty_standard_install(struct tty_driver *driver, struct tty_struct *tty)")
def tty_standard_install(kernel: Kernel, driver: StructView, tty: StructView) -> int:
    ttys(kernel).standard_install(driver, tty)
    return 0


@export("void tty_init_termios(struct tty_struct *tty)")
def tty_init_termios(kernel: Kernel, tty: StructView) -> None:
    ttys(kernel).init_termios(tty)


@export("void tty_save_termios(struct tty_struct *tty)")
def tty_save_termios(kernel: Kernel, tty: StructView) -> None:
    ttys(kernel).save_termios(tty)


@export("void tty_lock(struct tty_struct *tty)")
def tty_lock(kernel: Kernel, tty: StructView) -> None:
    tty["kref.refcount.refs.counter"] += 1
    mutex_lock_state(kernel, tty.sub("legacy_mutex"), TaskState.UNINTERRUPTIBLE)


@export("void tty_unlock(struct tty_struct *tty)")
def tty_unlock(kernel: Kernel, tty: StructView) -> None:
    mutex_unlock(kernel, tty.sub("legacy_mutex"))
    tty_kref_put(kernel, tty)


@export("const char *tty_name(const struct tty_struct *tty)")
def tty_name(kernel: Kernel, tty: StructView) -> int:
    return tty.at("name") if tty.address else kernel.slab.string(b"NULL tty")


@export("void tty_wakeup(struct tty_struct *tty)")
def tty_wakeup(kernel: Kernel, tty: StructView) -> None:
    ttys(kernel).wake(tty.at("write_wait"))


@export("void tty_hangup(struct tty_struct *tty)", "void tty_vhangup(struct tty_struct *tty)")
def tty_hangup(kernel: Kernel, tty: StructView) -> None:
    ttys(kernel).hangup(tty)


@export("int tty_hung_up_p(struct file *filp)")
def tty_hung_up_p(kernel: Kernel, filp: StructView) -> int:
    if not filp.address or not filp["private_data"]:
        return 0
    tty = ttys(kernel).tty(kernel.struct("tty_file_private", filp["private_data"])["tty"])
    return int(tty is not None and tty.hung_up)


def declare_question(export: Area, name: str, declaration: str, method: Callable[[Tty], int]) -> None:
    """A function that asks a terminal's driver something."""

    @export(f"{declaration} {name}(struct tty_struct *tty)")
    def ask(kernel: Kernel, tty: StructView) -> int:
        known = open_tty(kernel, tty)
        return method(known) if known is not None else 0


declare_question(export, "tty_check_change", "int", lambda tty: 0)

declare_question(export, "tty_get_pgrp", "struct pid *", lambda tty: 0)


@export("int tty_put_char(struct tty_struct *tty, unsigned char ch)")
def tty_put_char(kernel: Kernel, tty: StructView, ch: int) -> int:
    known = open_tty(kernel, tty)
    return known.put_char(ch) if known is not None else 0


@export("int tty_do_resize(struct tty_struct *tty, struct winsize *ws)")
def tty_do_resize(kernel: Kernel, tty: StructView, ws: StructView) -> int:
    kernel.memory.write(tty.at("winsize"), kernel.memory.read(ws.address, ws.struct.size))
    return 0
