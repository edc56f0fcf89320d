"""The ioctls of terminals (drivers/tty/tty_ioctl.c)."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sysfsd.linux.drivers.tty.tty import CLOCAL, TTY_EXCLUSIVE, DriverFlag, Flags, Tty
from sysfsd.linux.drivers.tty.tty_baudrate import baud_rate, input_baud_rate
from sysfsd.linux.err import ERESTARTSYS, err
from sysfsd.linux.fs.char_dev import major, minor
from sysfsd.linux.fs.vfs import check
from sysfsd.linux.kernel.cred import Capability
from sysfsd.linux.kernel.sched.core import HZ
from sysfsd.linux.mm.uaccess import Uaccess

if TYPE_CHECKING:
    from sysfsd.linux.drivers.tty.tty_io import Ttys
    from sysfsd.linux.struct_view import StructView

__all__ = ["TtyIoctls"]

_ENOIOCTLCMD: Final = 515
#: What is set of a terminal's speed from the outside.
_TIOCM: Final = 0x2000 | 0x4000 | 0x8000 | 0x2 | 0x4


Ioctl = Callable[["Ttys", Tty, int], int]


class TtyIoctls:
    """Carries out the ioctls of the terminals of one kernel."""

    def __init__(self, ttys: Ttys) -> None:
        self.ttys = ttys
        self.kernel = ttys.kernel

    # ioctl()

    def ioctl(self, filp: StructView, cmd: int, arg: int) -> int:
        """``tty_ioctl()``.

        :raises OSError: as it says
        """
        tty = self.ttys.of_file(filp)
        if tty.hung_up and tty.discipline is None:
            raise err(errno.ENOTTY if cmd == _TIOCSPGRP else errno.EIO)
        if cmd in _DRAINING:
            self.wait_until_sent(tty, 0)
            if self.kernel.current.signal_pending():
                raise err(errno.EINTR)
        if cmd == _TCFLSH and arg in (_TCIFLUSH, _TCIOFLUSH):
            self.ttys.buffers.flush_received(tty.view["port"])
        known = _TTY_IOCTLS.get(cmd)
        if known is not None:
            return known(self.ttys, tty, arg)
        if cmd in _JOB_CONTROL:
            raise err(errno.ENOTTY)
        if tty.op("ioctl"):
            ret = tty.call("ioctl", cmd, arg)
            if ret != -_ENOIOCTLCMD:
                return check(ret)
        known = _DISCIPLINE_IOCTLS.get(cmd)
        if known is None:
            raise err(errno.ENOTTY)
        return known(self.ttys, tty, arg)

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
        return ttys.ioctls.put_user(arg, ttys.kernel.memory.read(tty.view.at("termios"), size))

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
            given = ttys.ioctls.get_user(arg, size)
            if size == _TERMIO_SIZE:
                flags = struct.unpack_from("<4H", given)
                for name, value in zip(Flags._fields, flags, strict=True):
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
    flags = struct.pack("<4H", *(termios[name] & 0xFFFF for name in Flags._fields))
    return ttys.ioctls.put_user(
        arg, (flags + bytes((termios["c_line"],)) + tty.cc[:_TERMIO_NCC]).ljust(_TERMIO_SIZE, b"\0")
    )


def _get_winsize(ttys: Ttys, tty: Tty, arg: int) -> int:
    return ttys.ioctls.put_user(arg, ttys.kernel.memory.read(tty.view.at("winsize"), 8))


def _set_winsize(ttys: Ttys, tty: Tty, arg: int) -> int:
    size = ttys.ioctls.get_user(arg, 8)
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
    return ttys.ioctls.put_user(arg, value.to_bytes(4, "little"))


def _tiocmset(change: Callable[[int], tuple[int, int]]) -> Ioctl:
    def set_(ttys: Ttys, tty: Tty, arg: int) -> int:
        if not tty.op("tiocmset"):
            raise err(errno.ENOTTY)
        on, off = change(int.from_bytes(ttys.ioctls.get_user(arg, 4), "little"))
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
            return ttys.ioctls.put_user(arg, kernel.memory.read(place, size))
        finally:
            kernel.slab.kfree(place)

    return get


def _set_serial(ttys: Ttys, tty: Tty, arg: int) -> int:
    kernel, size = ttys.kernel, ttys.kernel.image.structs["serial_struct"].size
    data = ttys.ioctls.get_user(arg, size)
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
    data = ttys.ioctls.get_user(arg, 1)
    if tty.discipline is None:
        raise err(errno.EIO)
    tty.discipline.receive(data, bytes(1))
    return 0


def _set_discipline(ttys: Ttys, tty: Tty, arg: int) -> int:
    if int.from_bytes(ttys.ioctls.get_user(arg, 4), "little"):
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
    return ttys.ioctls.put_user(arg, number.to_bytes(4, "little"))


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
    return ttys.ioctls.put_user(arg, int(bool(tty.view["termios.c_cflag"] & CLOCAL)).to_bytes(4, "little"))


def _set_soft_carrier(ttys: Ttys, tty: Tty, arg: int) -> int:
    wanted = CLOCAL if int.from_bytes(ttys.ioctls.get_user(arg, 4), "little") else 0
    kernel, termios = ttys.kernel, tty.view.sub("termios")
    place = kernel.slab.kmalloc(termios.struct.size)
    kernel.memory.write(place, kernel.memory.read(termios.address, termios.struct.size))
    termios["c_cflag"] = termios["c_cflag"] & ~CLOCAL | wanted
    tty.call_if("set_termios", place)
    kernel.slab.kfree(place)
    if termios["c_cflag"] & CLOCAL != wanted:
        raise err(errno.EINVAL)
    return 0


def _put(value: Callable[[Tty], int]) -> Ioctl:
    return lambda ttys, tty, arg: ttys.ioctls.put_user(arg, (value(tty) & 0xFFFFFFFF).to_bytes(4, "little"))


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
