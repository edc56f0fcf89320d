"""The hardware side of terminals: struct tty_port."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.tty.tty import TTY_IO_ERROR
from sysfsd.linux.drivers.tty.tty_baudrate import baud_rate
from sysfsd.linux.drivers.tty.tty_io import PORT_ACTIVE, PORT_INITIALIZED
from sysfsd.linux.drivers.tty.tty_io_exports import CBAUD, CLOCAL, HUPCL, open_tty, tty_kref_put, tty_wakeup, ttys
from sysfsd.linux.drivers.tty.tty_ldisc_exports import tty_ldisc_flush
from sysfsd.linux.err import ERESTARTSYS
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import HZ, TaskState
from sysfsd.linux.kernel.time.timer import schedule_timeout
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/tty/tty_port.c")

_O_NONBLOCK: Final = 0o4000

_CLOSING_WAIT_NONE: Final = 65535

#: How often who opens a line looks for somebody at the other end (seconds).
_CARRIER_POLL: Final = 0.1

export.data("struct tty_port_client_operations tty_port_default_client_ops")


# Ports


@export("void tty_port_init(struct tty_port *port)")
def tty_port_init(kernel: Kernel, port: StructView) -> None:
    ttys(kernel).ports.init_port(port)


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
    return tty_port_register_device_attr(kernel, port, driver, index, device, 0, 0)


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
    return ttys(kernel).register_device(driver, index, device.address, drvdata, attr_grp)


@export("void tty_port_unregister_device(struct tty_port *port, struct tty_driver *driver, unsigned int index)")
def tty_port_unregister_device(kernel: Kernel, port: StructView, driver: StructView, index: int) -> None:
    ttys(kernel).unregister_device(driver, index)


@export("void tty_port_destroy(struct tty_port *port)")
def tty_port_destroy(kernel: Kernel, port: StructView) -> None:
    ttys(kernel).ports.forget_port(port.address)


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
    ttys(kernel).standard_install(driver, tty)
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
    return tty_port_block_til_ready(kernel, port, tty, filp)


@export("int tty_port_block_til_ready(struct tty_port *port, struct tty_struct *tty, struct file *filp)")
def tty_port_block_til_ready(kernel: Kernel, port: StructView, tty: StructView, filp: StructView) -> int:
    def hung_up() -> bool:
        known = open_tty(kernel, tty)
        return known is None or known.hung_up or not _port_flag(port, PORT_INITIALIZED)

    baud = tty["termios.c_cflag"] & CBAUD
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
        if tty["termios.c_cflag"] & CBAUD and _port_flag(port, PORT_INITIALIZED):
            _port_op(kernel, port, "dtr_rts", 1)
        if hung_up():
            return -errno.EAGAIN if port["flags"] & 1 else -ERESTARTSYS
        if tty["termios.c_cflag"] & CLOCAL or _port_op(kernel, port, "carrier_raised", otherwise=1):
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
    if tty.address and tty["termios.c_cflag"] & HUPCL:
        _port_op(kernel, port, "dtr_rts", 0)
    _port_op(kernel, port, "shutdown")


@export("int tty_port_close_start(struct tty_port *port, struct tty_struct *tty, struct file *filp)")
def tty_port_close_start(kernel: Kernel, port: StructView, tty: StructView, filp: StructView) -> int:
    known = open_tty(kernel, tty)
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
            ttys(kernel).ioctls.wait_until_sent(known, port["closing_wait"])
        if port["drain_delay"]:
            bps = baud_rate(tty.sub("termios"))
            ticks = max(HZ * 10 * port["drain_delay"] // bps, HZ // 10) if bps > 1200 else 2 * HZ
            kernel.current.state = TaskState.INTERRUPTIBLE
            schedule_timeout(kernel, ticks)
    tty_ldisc_flush(kernel, tty)
    return 1


@export("void tty_port_close_end(struct tty_port *port, struct tty_struct *tty)")
def tty_port_close_end(kernel: Kernel, port: StructView, tty: StructView) -> None:
    tty_ldisc_flush(kernel, tty)
    tty["closing"] = 0
    if port["blocked_open"]:
        if port["close_delay"]:
            kernel.current.state = TaskState.INTERRUPTIBLE
            schedule_timeout(kernel, port["close_delay"])
        ttys(kernel).wake(port.at("open_wait"))
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
        ttys(kernel).wake(port.at(head))


@export("void tty_port_tty_hangup(struct tty_port *port, bool check_clocal)")
def tty_port_tty_hangup(kernel: Kernel, port: StructView, check_clocal: bool) -> None:
    tty = port.to("tty")
    if tty.address and not (check_clocal and tty["termios.c_cflag"] & CLOCAL):
        ttys(kernel).hangup(tty)


@export("void tty_port_tty_vhangup(struct tty_port *port)")
def tty_port_tty_vhangup(kernel: Kernel, port: StructView) -> None:
    if port["tty"]:
        ttys(kernel).hangup(port.to("tty"))


@export("void tty_port_tty_wakeup(struct tty_port *port)")
def tty_port_tty_wakeup(kernel: Kernel, port: StructView) -> None:
    client = port.to("client_ops")
    if client.address != kernel.exports.data_address("tty_port_default_client_ops"):
        kernel.cpu.call(client["write_wakeup"], port.address)
    elif port["tty"]:
        tty_wakeup(kernel, port.to("tty"))
