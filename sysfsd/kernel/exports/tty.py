"""Terminals: of modules, and of a machine whose only console nobody has opened."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import ERESTARTSYS, err
from sysfsd.kernel.exports.locking import mutex_lock_state, mutex_unlock
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.exports.wait import schedule_timeout_jiffies
from sysfsd.kernel.memory import PAGE_SIZE
from sysfsd.kernel.sched import HZ, TaskState
from sysfsd.kernel.tty import (
    PORT_ACTIVE,
    PORT_INITIALIZED,
    TTY_IO_ERROR,
    Tty,
    Ttys,
    baud_rate,
    encode_baud_rate,
    input_baud_rate,
)

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("tty", "drivers/tty/")

_MINOR_BITS: Final = 20
#: Parts of ``c_iflag``, ``c_oflag``, ``c_cflag``, ``c_lflag`` (include/uapi/asm-generic/termbits.h).
_ICRNL, _IXON, _OPOST, _ONLCR = 0o400, 0o2000, 0o1, 0o4
_B38400, _CS8, _CSTOPB, _CREAD, _PARENB, _HUPCL, _CLOCAL, _ADDRB, _CBAUD = (
    0o17, 0o60, 0o100, 0o200, 0o400, 0o2000, 0o4000, 0o4000000000, 0o10017,
)  # fmt: skip
#: ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE, IEXTEN.
_STD_LFLAG: Final = 0o105073
_INIT_C_CC: Final = bytes((3, 0x1C, 0x7F, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1A, 0, 0x12, 0x0F, 0x17, 0x16, 0, 0, 0))
_O_NONBLOCK: Final = 0o4000
_CLOSING_WAIT_NONE: Final = 65535
_MIN_TTYB_SIZE: Final = 256
#: How often who opens a line looks for somebody at the other end (seconds).
_CARRIER_POLL: Final = 0.1

export.data("int fg_console")


def _vc_cons(kernel: Kernel, address: int) -> None:
    """There is the first, without a terminal."""
    size = kernel.image.structs["vc_data"].size
    kernel.memory.write_pointer(address, kernel.slab.kmalloc(size))


export.data("struct vc vc_cons[63]", _vc_cons)


@export("struct tty_struct *get_current_tty(void)")
def get_current_tty(kernel: Kernel) -> int:
    return 0


@export("dev_t tty_devnum(struct tty_struct *tty)")
def tty_devnum(kernel: Kernel, tty: StructView) -> int:
    driver = tty.to("driver")
    return (driver["major"] << _MINOR_BITS | driver["minor_start"]) + tty["index"]


def _ttys(kernel: Kernel) -> Ttys:
    return kernel.state(Ttys)


def _open(kernel: Kernel, tty: StructView) -> Tty | None:
    return _ttys(kernel).tty(tty.address)


# Drivers


def _std_termios(kernel: Kernel, address: int) -> None:
    """``tty_std_termios``: what a terminal is like unless its driver says otherwise."""
    termios = kernel.struct("ktermios", address)
    termios["c_iflag"], termios["c_oflag"] = _ICRNL | _IXON, _OPOST | _ONLCR
    termios["c_cflag"], termios["c_lflag"] = _B38400 | _CS8 | _CREAD | _HUPCL, _STD_LFLAG
    kernel.memory.write(termios.at("c_cc"), _INIT_C_CC)
    termios["c_ispeed"] = termios["c_ospeed"] = 38400


export.data("struct ktermios tty_std_termios", _std_termios)
export.data("struct tty_port_client_operations tty_port_default_client_ops")


@export("struct tty_driver *__tty_alloc_driver(unsigned int lines, struct module *owner, unsigned long flags)")
def __tty_alloc_driver(kernel: Kernel, lines: int, owner: StructView, flags: int) -> StructView:
    return _ttys(kernel).alloc_driver(lines, owner.address, flags)


@export("void tty_driver_kref_put(struct tty_driver *driver)")
def tty_driver_kref_put(kernel: Kernel, driver: StructView) -> None:
    _ttys(kernel).put_driver(driver)


@export("int tty_register_driver(struct tty_driver *driver)")
def tty_register_driver(kernel: Kernel, driver: StructView) -> int:
    _ttys(kernel).register_driver(driver)
    return 0


@export("void tty_unregister_driver(struct tty_driver *driver)")
def tty_unregister_driver(kernel: Kernel, driver: StructView) -> None:
    _ttys(kernel).unregister_driver(driver)


@export("struct device *tty_register_device(struct tty_driver *driver, unsigned int index, struct device *device)")
def tty_register_device(kernel: Kernel, driver: StructView, index: int, device: StructView) -> StructView:
    return _ttys(kernel).register_device(driver, index, device.address, 0, 0)


@export(
    "struct device *tty_register_device_attr(struct tty_driver *driver, unsigned int index, struct device *device,"
    " void *drvdata, const struct attribute_group **attr_grp)"
)
def tty_register_device_attr(
    kernel: Kernel, driver: StructView, index: int, device: StructView, drvdata: int, attr_grp: int
) -> StructView:
    return _ttys(kernel).register_device(driver, index, device.address, drvdata, attr_grp)


@export("void tty_unregister_device(struct tty_driver *driver, unsigned int index)")
def tty_unregister_device(kernel: Kernel, driver: StructView, index: int) -> None:
    _ttys(kernel).unregister_device(driver, index)


# Ports


@export("void tty_port_init(struct tty_port *port)")
def tty_port_init(kernel: Kernel, port: StructView) -> None:
    _ttys(kernel).init_port(port)


@export("void tty_port_link_device(struct tty_port *port, struct tty_driver *driver, unsigned int index)")
def tty_port_link_device(kernel: Kernel, port: StructView, driver: StructView, index: int) -> None:
    if index >= driver["num"]:
        kernel.traps.warn_here("drivers/tty/tty_port.c", 130)
        return
    kernel.memory.write_pointer(driver["ports"] + 8 * index, port.address)


@export(
    "struct device *tty_port_register_device(struct tty_port *port, struct tty_driver *driver, unsigned int index,"
    " struct device *device)",
    "struct device *tty_port_register_device_serdev(struct tty_port *port, struct tty_driver *driver,"
    " unsigned int index, struct device *device)",
)
def tty_port_register_device(
    kernel: Kernel, port: StructView, driver: StructView, index: int, device: StructView
) -> StructView:
    return tty_port_register_device_attr(kernel, port, driver, index, device, 0, 0)  # type: ignore[no-any-return]


@export(
    "struct device *tty_port_register_device_attr(struct tty_port *port, struct tty_driver *driver,"
    " unsigned int index, struct device *device, void *drvdata, const struct attribute_group **attr_grp)",
    "struct device *tty_port_register_device_attr_serdev(struct tty_port *port, struct tty_driver *driver,"
    " unsigned int index, struct device *device, void *drvdata, const struct attribute_group **attr_grp)",
)
def tty_port_register_device_attr(
    kernel: Kernel, port: StructView, driver: StructView, index: int, device: StructView, drvdata: int, attr_grp: int
) -> StructView:
    tty_port_link_device(kernel, port, driver, index)
    return _ttys(kernel).register_device(driver, index, device.address, drvdata, attr_grp)


@export("void tty_port_unregister_device(struct tty_port *port, struct tty_driver *driver, unsigned int index)")
def tty_port_unregister_device(kernel: Kernel, port: StructView, driver: StructView, index: int) -> None:
    _ttys(kernel).unregister_device(driver, index)


@export("void tty_port_destroy(struct tty_port *port)")
def tty_port_destroy(kernel: Kernel, port: StructView) -> None:
    _ttys(kernel).forget_port(port.address)


@export("void tty_port_put(struct tty_port *port)")
def tty_port_put(kernel: Kernel, port: StructView) -> None:
    if not port.address:
        return
    port["kref.refcount.refs.counter"] -= 1
    if port["kref.refcount.refs.counter"]:
        return
    if port["itty"]:
        kernel.traps.warn_here("drivers/tty/tty_port.c", 288)
        return
    tty_port_free_xmit_buf(kernel, port)
    tty_port_destroy(kernel, port)
    destruct = port.to("ops")["destruct"] if port["ops"] else 0
    if destruct:
        kernel.cpu.call(destruct, port.address)
    else:
        kernel.slab.kfree(port.address)


@export("int tty_port_alloc_xmit_buf(struct tty_port *port)")
def tty_port_alloc_xmit_buf(kernel: Kernel, port: StructView) -> int:
    if not port["xmit_buf"]:
        port["xmit_buf"] = kernel.memory.alloc_pages(PAGE_SIZE)
        fifo = port.at("xmit_fifo")
        kernel.memory.write(fifo, bytes(port.struct.member("xmit_fifo").size))
        kernel.memory.write_int(fifo + 8, PAGE_SIZE - 1, 4)
        kernel.memory.write_int(fifo + 12, 1, 4)
        kernel.memory.write_pointer(fifo + 16, port["xmit_buf"])
    return 0


@export("void tty_port_free_xmit_buf(struct tty_port *port)")
def tty_port_free_xmit_buf(kernel: Kernel, port: StructView) -> None:
    if port["xmit_buf"]:
        kernel.memory.free_pages(port["xmit_buf"])
        port["xmit_buf"] = 0
        kernel.memory.write(port.at("xmit_fifo"), bytes(port.struct.member("xmit_fifo").size))


@export("int tty_port_install(struct tty_port *port, struct tty_driver *driver, struct tty_struct *tty)")
def tty_port_install(kernel: Kernel, port: StructView, driver: StructView, tty: StructView) -> int:
    tty["port"] = port.address
    _ttys(kernel).standard_install(driver, tty)
    return 0


def _port_flag(port: StructView, bit: int) -> bool:
    return bool(port["iflags"] >> bit & 1)


def _set_port_flag(port: StructView, bit: int, value: bool) -> None:
    port["iflags"] = port["iflags"] & ~(1 << bit) | value << bit


def _port_op(kernel: Kernel, port: StructView, name: str, *args: int, otherwise: int = 0) -> int:
    function = port.to("ops")[name] if port["ops"] else 0
    return kernel.cpu.call(function, port.address, *args) if function else otherwise


@export("struct tty_struct *tty_port_tty_get(struct tty_port *port)")
def tty_port_tty_get(kernel: Kernel, port: StructView) -> StructView:
    tty = port.to("tty")
    if tty.address:
        tty["kref.refcount.refs.counter"] += 1
    return tty


@export("void tty_port_tty_set(struct tty_port *port, struct tty_struct *tty)")
def tty_port_tty_set(kernel: Kernel, port: StructView, tty: StructView) -> None:
    old = port.to("tty")
    if tty.address:
        tty["kref.refcount.refs.counter"] += 1
    port["tty"] = tty.address
    tty_kref_put(kernel, old)


@export("void tty_kref_put(struct tty_struct *tty)")
def tty_kref_put(kernel: Kernel, tty: StructView) -> None:
    if tty.address:
        _ttys(kernel).put(tty)


@export("int tty_port_open(struct tty_port *port, struct tty_struct *tty, struct file *filp)")
def tty_port_open(kernel: Kernel, port: StructView, tty: StructView, filp: StructView) -> int:
    port["count"] += 1
    tty_port_tty_set(kernel, port, tty)
    if not _port_flag(port, PORT_INITIALIZED):
        tty["flags"] &= ~(1 << TTY_IO_ERROR)
        ret = _port_op(kernel, port, "activate", tty.address)
        if ret:
            tty["flags"] |= 1 << TTY_IO_ERROR
            return ret
        _set_port_flag(port, PORT_INITIALIZED, True)
    return tty_port_block_til_ready(kernel, port, tty, filp)  # type: ignore[no-any-return]


@export("int tty_port_block_til_ready(struct tty_port *port, struct tty_struct *tty, struct file *filp)")
def tty_port_block_til_ready(kernel: Kernel, port: StructView, tty: StructView, filp: StructView) -> int:
    def hung_up() -> bool:
        known = _open(kernel, tty)
        return known is None or known.hung_up or not _port_flag(port, PORT_INITIALIZED)

    baud = tty["termios.c_cflag"] & _CBAUD
    if not tty["flags"] >> TTY_IO_ERROR & 1:
        if not filp.address or filp["f_flags"] & _O_NONBLOCK:
            if baud:
                _port_op(kernel, port, "dtr_rts", 1)
        else:
            port["count"] -= 1
            port["blocked_open"] += 1
            ret = _until_carrier(kernel, port, tty, hung_up)
            if not hung_up():
                port["count"] += 1
            port["blocked_open"] -= 1
            if ret:
                return ret
    _set_port_flag(port, PORT_ACTIVE, True)
    return 0


def _until_carrier(kernel: Kernel, port: StructView, tty: StructView, hung_up: Callable[[], bool]) -> int:
    """Wait for somebody at the other end, unless nobody cares."""
    while True:
        if tty["termios.c_cflag"] & _CBAUD and _port_flag(port, PORT_INITIALIZED):
            _port_op(kernel, port, "dtr_rts", 1)
        if hung_up():
            return -errno.EAGAIN if port["flags"] & 1 else -ERESTARTSYS
        if tty["termios.c_cflag"] & _CLOCAL or _port_op(kernel, port, "carrier_raised", otherwise=1):
            return 0
        if kernel.current.signal_pending():
            return -ERESTARTSYS
        kernel.current.state = TaskState.INTERRUPTIBLE
        with kernel.sched.waiting(port.at("open_wait")):
            kernel.sched.schedule(_CARRIER_POLL)
        kernel.current.state = TaskState.RUNNING


@export("int tty_port_carrier_raised(struct tty_port *port)")
def tty_port_carrier_raised(kernel: Kernel, port: StructView) -> int:
    return _port_op(kernel, port, "carrier_raised", otherwise=1)


@export("void tty_port_raise_dtr_rts(struct tty_port *port)")
def tty_port_raise_dtr_rts(kernel: Kernel, port: StructView) -> None:
    _port_op(kernel, port, "dtr_rts", 1)


@export("void tty_port_lower_dtr_rts(struct tty_port *port)")
def tty_port_lower_dtr_rts(kernel: Kernel, port: StructView) -> None:
    _port_op(kernel, port, "dtr_rts", 0)


def _shutdown(kernel: Kernel, port: StructView, tty: StructView) -> None:
    """``tty_port_shutdown()``."""
    if port["console"] or not _port_flag(port, PORT_INITIALIZED):
        return
    _set_port_flag(port, PORT_INITIALIZED, False)
    if tty.address and tty["termios.c_cflag"] & _HUPCL:
        _port_op(kernel, port, "dtr_rts", 0)
    _port_op(kernel, port, "shutdown")


@export("int tty_port_close_start(struct tty_port *port, struct tty_struct *tty, struct file *filp)")
def tty_port_close_start(kernel: Kernel, port: StructView, tty: StructView, filp: StructView) -> int:
    known = _open(kernel, tty)
    if known is None or (known.hung_up and known.discipline is None):
        return 0
    if tty["count"] == 1 and port["count"] != 1:
        known.warn(f"tty_port_close_start: tty->count = 1 port count = {port['count']}")
        port["count"] = 1
    port["count"] -= 1
    if port["count"] < 0:
        known.warn(f"tty_port_close_start: bad port count ({port['count']})")
        port["count"] = 0
    if port["count"]:
        return 0
    tty["closing"] = 1
    if _port_flag(port, PORT_INITIALIZED):
        if tty["flow.tco_stopped"]:
            known.flush_driver()
        if port["closing_wait"] != _CLOSING_WAIT_NONE:
            _ttys(kernel).wait_until_sent(known, port["closing_wait"])
        if port["drain_delay"]:
            bps = baud_rate(tty.sub("termios"))
            ticks = max(HZ * 10 * port["drain_delay"] // bps, HZ // 10) if bps > 1200 else 2 * HZ
            kernel.current.state = TaskState.INTERRUPTIBLE
            schedule_timeout_jiffies(kernel, ticks)
    tty_ldisc_flush(kernel, tty)
    return 1


@export("void tty_port_close_end(struct tty_port *port, struct tty_struct *tty)")
def tty_port_close_end(kernel: Kernel, port: StructView, tty: StructView) -> None:
    tty_ldisc_flush(kernel, tty)
    tty["closing"] = 0
    if port["blocked_open"]:
        if port["close_delay"]:
            kernel.current.state = TaskState.INTERRUPTIBLE
            schedule_timeout_jiffies(kernel, port["close_delay"])
        _ttys(kernel).wake(port.at("open_wait"))
    _set_port_flag(port, PORT_ACTIVE, False)


@export("void tty_port_close(struct tty_port *port, struct tty_struct *tty, struct file *filp)")
def tty_port_close(kernel: Kernel, port: StructView, tty: StructView, filp: StructView) -> None:
    if not tty_port_close_start(kernel, port, tty, filp):
        return
    _shutdown(kernel, port, tty)
    if not port["console"]:
        tty["flags"] |= 1 << TTY_IO_ERROR
    tty_port_close_end(kernel, port, tty)
    tty_port_tty_set(kernel, port, kernel.struct("tty_struct", 0))


@export("void tty_port_hangup(struct tty_port *port)")
def tty_port_hangup(kernel: Kernel, port: StructView) -> None:
    tty = port.to("tty")
    port["count"] = 0
    if tty.address:
        tty["flags"] |= 1 << TTY_IO_ERROR
    port["tty"] = 0
    _set_port_flag(port, PORT_ACTIVE, False)
    _shutdown(kernel, port, tty)
    tty_kref_put(kernel, tty)
    for head in ("open_wait", "delta_msr_wait"):
        _ttys(kernel).wake(port.at(head))


@export("void tty_port_tty_hangup(struct tty_port *port, bool check_clocal)")
def tty_port_tty_hangup(kernel: Kernel, port: StructView, check_clocal: bool) -> None:
    tty = port.to("tty")
    if tty.address and not (check_clocal and tty["termios.c_cflag"] & _CLOCAL):
        _ttys(kernel).hangup(tty)


@export("void tty_port_tty_vhangup(struct tty_port *port)")
def tty_port_tty_vhangup(kernel: Kernel, port: StructView) -> None:
    if port["tty"]:
        _ttys(kernel).hangup(port.to("tty"))


@export("void tty_port_tty_wakeup(struct tty_port *port)")
def tty_port_tty_wakeup(kernel: Kernel, port: StructView) -> None:
    client = port.to("client_ops")
    if client.address != kernel.exports.data_address("tty_port_default_client_ops"):
        kernel.cpu.call(client["write_wakeup"], port.address)
    elif port["tty"]:
        tty_wakeup(kernel, port.to("tty"))


# Characters that drivers receive


@export("int __tty_insert_flip_char(struct tty_port *port, unsigned char ch, char flag)")
def __tty_insert_flip_char(kernel: Kernel, port: StructView, ch: int, flag: int) -> int:
    return _ttys(kernel).insert(port.address, bytes((ch,)), bytes((flag & 0xFF,)))


@export(
    "int tty_insert_flip_string_fixed_flag(struct tty_port *port, const unsigned char *chars, char flag, size_t size)"
)
def tty_insert_flip_string_fixed_flag(kernel: Kernel, port: StructView, chars: int, flag: int, size: int) -> int:
    data = kernel.memory.read(chars, size) if size else b""
    return _ttys(kernel).insert(port.address, data, bytes((flag & 0xFF,)) * size)


@export(
    "int tty_insert_flip_string_flags(struct tty_port *port, const unsigned char *chars, const char *flags,"
    " size_t size)"
)
def tty_insert_flip_string_flags(kernel: Kernel, port: StructView, chars: int, flags: bytes, size: int) -> int:
    data = kernel.memory.read(chars, size) if size else b""
    return _ttys(kernel).insert(port.address, data, (flags or b"").ljust(size, b"\0")[:size])


@export("int tty_prepare_flip_string(struct tty_port *port, unsigned char **chars, size_t size)")
def tty_prepare_flip_string(kernel: Kernel, port: StructView, chars: int, size: int) -> int:
    address, count = _ttys(kernel).prepare(port.address, size)
    if count:
        kernel.memory.write_pointer(chars, address)
    return count


@export("int tty_buffer_request_room(struct tty_port *port, size_t size)")
def tty_buffer_request_room(kernel: Kernel, port: StructView, size: int) -> int:
    return min(size, _ttys(kernel).room(port.address))


@export("unsigned int tty_buffer_space_avail(struct tty_port *port)")
def tty_buffer_space_avail(kernel: Kernel, port: StructView) -> int:
    return _ttys(kernel).room(port.address)


@export("int tty_buffer_set_limit(struct tty_port *port, int limit)")
def tty_buffer_set_limit(kernel: Kernel, port: StructView, limit: int) -> int:
    if limit < _MIN_TTYB_SIZE:
        raise err(errno.EINVAL)
    port["buf.mem_limit"] = limit
    return 0


@export("void tty_flip_buffer_push(struct tty_port *port)")
def tty_flip_buffer_push(kernel: Kernel, port: StructView) -> None:
    _ttys(kernel).push(port)


# Terminals


@export("int tty_standard_install(struct tty_driver *driver, struct tty_struct *tty)")
def tty_standard_install(kernel: Kernel, driver: StructView, tty: StructView) -> int:
    _ttys(kernel).standard_install(driver, tty)
    return 0


@export("void tty_init_termios(struct tty_struct *tty)")
def tty_init_termios(kernel: Kernel, tty: StructView) -> None:
    _ttys(kernel).init_termios(tty)


@export("void tty_save_termios(struct tty_struct *tty)")
def tty_save_termios(kernel: Kernel, tty: StructView) -> None:
    _ttys(kernel).save_termios(tty)


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
    _ttys(kernel).wake(tty.at("write_wait"))


@export("void tty_hangup(struct tty_struct *tty)", "void tty_vhangup(struct tty_struct *tty)")
def tty_hangup(kernel: Kernel, tty: StructView) -> None:
    _ttys(kernel).hangup(tty)


@export("int tty_hung_up_p(struct file *filp)")
def tty_hung_up_p(kernel: Kernel, filp: StructView) -> int:
    if not filp.address or not filp["private_data"]:
        return 0
    tty = _ttys(kernel).tty(kernel.struct("tty_file_private", filp["private_data"])["tty"])
    return int(tty is not None and tty.hung_up)


def _ask(name: str, declaration: str, method: Callable[[Tty], int]) -> None:
    """A function that asks a terminal's driver something."""

    @export(f"{declaration} {name}(struct tty_struct *tty)")
    def ask(kernel: Kernel, tty: StructView) -> int:
        known = _open(kernel, tty)
        return method(known) if known is not None else 0


_ask("tty_write_room", "unsigned int", lambda tty: tty.write_room() & 0xFFFFFFFF)
_ask("tty_chars_in_buffer", "unsigned int", lambda tty: tty.chars_in_buffer())
_ask("tty_check_change", "int", lambda tty: 0)
_ask("tty_get_pgrp", "struct pid *", lambda tty: 0)


@export("void tty_driver_flush_buffer(struct tty_struct *tty)")
def tty_driver_flush_buffer(kernel: Kernel, tty: StructView) -> None:
    known = _open(kernel, tty)
    if known is not None:
        known.flush_driver()


@export("void tty_unthrottle(struct tty_struct *tty)")
def tty_unthrottle(kernel: Kernel, tty: StructView) -> None:
    known = _open(kernel, tty)
    if known is not None:
        known.unthrottle()


@export("int tty_put_char(struct tty_struct *tty, unsigned char ch)")
def tty_put_char(kernel: Kernel, tty: StructView, ch: int) -> int:
    known = _open(kernel, tty)
    return known.put_char(ch) if known is not None else 0


@export("void tty_wait_until_sent(struct tty_struct *tty, long timeout)")
def tty_wait_until_sent(kernel: Kernel, tty: StructView, timeout: int) -> None:
    known = _open(kernel, tty)
    if known is not None:
        _ttys(kernel).wait_until_sent(known, timeout)


@export("void tty_ldisc_flush(struct tty_struct *tty)")
def tty_ldisc_flush(kernel: Kernel, tty: StructView) -> None:
    known = _open(kernel, tty)
    if known is not None:
        _ttys(kernel).flush_received(tty["port"])
        if known.discipline is not None:
            known.discipline.flush()


@export("int tty_do_resize(struct tty_struct *tty, struct winsize *ws)")
def tty_do_resize(kernel: Kernel, tty: StructView, ws: StructView) -> int:
    kernel.memory.write(tty.at("winsize"), kernel.memory.read(ws.address, ws.struct.size))
    return 0


@export("int tty_set_termios(struct tty_struct *tty, struct ktermios *new_termios)")
def tty_set_termios(kernel: Kernel, tty: StructView, new_termios: StructView) -> int:
    known = _open(kernel, tty)
    if known is not None:
        known.set_termios(kernel.memory.read(new_termios.address, new_termios.struct.size))
    return 0


# What a terminal is like


@export("unsigned int tty_termios_baud_rate(const struct ktermios *termios)")
def tty_termios_baud_rate(kernel: Kernel, termios: StructView) -> int:
    return baud_rate(termios)


@export("unsigned int tty_termios_input_baud_rate(const struct ktermios *termios)")
def tty_termios_input_baud_rate(kernel: Kernel, termios: StructView) -> int:
    return input_baud_rate(termios)


@export("void tty_termios_encode_baud_rate(struct ktermios *termios, unsigned int ibaud, unsigned int obaud)")
def tty_termios_encode_baud_rate(kernel: Kernel, termios: StructView, ibaud: int, obaud: int) -> None:
    encode_baud_rate(termios, ibaud, obaud)


@export("void tty_encode_baud_rate(struct tty_struct *tty, unsigned int ibaud, unsigned int obaud)")
def tty_encode_baud_rate(kernel: Kernel, tty: StructView, ibaud: int, obaud: int) -> None:
    encode_baud_rate(tty.sub("termios"), ibaud, obaud)


@export("void tty_termios_copy_hw(struct ktermios *new, const struct ktermios *old)")
def tty_termios_copy_hw(kernel: Kernel, new: StructView, old: StructView) -> None:
    _ttys(kernel).copy_hw(new, old)


@export("int tty_termios_hw_change(const struct ktermios *a, const struct ktermios *b)")
def tty_termios_hw_change(kernel: Kernel, a: StructView, b: StructView) -> int:
    speeds = any(a[speed] != b[speed] for speed in ("c_ispeed", "c_ospeed"))
    return int(speeds or bool((a["c_cflag"] ^ b["c_cflag"]) & ~(_HUPCL | _CREAD | _CLOCAL) & 0xFFFFFFFF))


@export("unsigned char tty_get_char_size(unsigned int cflag)")
def tty_get_char_size(kernel: Kernel, cflag: int) -> int:
    return 5 + (cflag >> 4 & 3)


@export("unsigned char tty_get_frame_size(unsigned int cflag)")
def tty_get_frame_size(kernel: Kernel, cflag: int) -> int:
    return 2 + 5 + (cflag >> 4 & 3) + sum(bool(cflag & flag) for flag in (_CSTOPB, _PARENB, _ADDRB))
