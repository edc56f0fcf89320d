"""What reads and writes the variables of tables of /proc/sys."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import HZ
from sysfsd.linux.kernel.sysctl import proc_get_long
from sysfsd.linux.kernel.time.time_exports import msecs_to_jiffies
from sysfsd.linux.lib.cmdline import SPACE
from sysfsd.linux.mm.memory import PAGE_SIZE

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/sysctl.c")

_INT_MAX: Final = (1 << 31) - 1

_UINT_MAX: Final = (1 << 32) - 1

_ULONG_MAX: Final = (1 << 64) - 1

_U8_MAX: Final = 255

#: ``USER_HZ``: ticks of a second, as users count.
_USER_HZ: Final = 100

_HANDLER: Final = "int {}(struct ctl_table *table, int write, void *buffer, size_t *lenp, loff_t *ppos)"


class _Call(NamedTuple):
    """One call of a handler: what it is about, and where its caller's buffer is."""

    kernel: Kernel
    table: StructView
    write: bool
    buffer: int
    lenp: int
    ppos: int

    @property
    def length(self) -> int:
        return self.kernel.memory.read_int(self.lenp, 8)

    @property
    def pos(self) -> int:
        return self.kernel.memory.read_int(self.ppos, 8)

    def done(self, length: int) -> int:
        """So many bytes have been read or written."""
        self.kernel.memory.write_int(self.lenp, length, 8)
        self.kernel.memory.write_int(self.ppos, self.pos + length, 8)
        return 0

    def nothing(self) -> int:
        self.kernel.memory.write_int(self.lenp, 0, 8)
        return 0

    def put(self, text: bytes) -> int:
        """Hand over as much of *text* as there is room for."""
        text = text[: self.length]
        self.kernel.memory.write(self.buffer, text)
        return self.done(len(text))

    def limit(self, which: str, size: int, default: int, signed: bool = False) -> int:
        """A limit that the table gives: ``extra1``, ``extra2``."""
        return self.kernel.memory.read_int(self.table[which], size, signed) if self.table[which] else default


def _vector(call: _Call, size: int, show: Callable[[int], int], store: Callable[[int], int], signed: bool) -> int:
    """``__do_proc_dointvec()`` and its likes: numbers side by side.

    :param size: bytes of one
    :param show: makes the number that users see of one in memory
    :param store: the other way round; an ``OSError`` where it cannot be
    """
    memory, data, length = call.kernel.memory, call.table["data"], call.length
    if not data or not call.table["maxlen"] or not length or (call.pos and not call.write):
        return call.nothing()
    places = [data + i * size for i in range(call.table["maxlen"] // size)]
    if not call.write:
        texts = (b"%d" % show(memory.read_int(place, size, signed)) for place in places)
        return call.put(b"\t".join(texts) + b"\n" if places else b"")
    if call.pos:
        return call.done(length)
    text = memory.read(call.buffer, min(length, PAGE_SIZE - 1))
    left = text
    for index, place in enumerate(places):
        left = left.lstrip(SPACE)
        if not left:
            if not index:
                raise err(errno.EINVAL)
            break
        value, used = proc_get_long(left)
        memory.write_int(place, store(value) & (1 << 8 * size) - 1, size)
        left = left[used:]
    return call.done(length - len(left.lstrip(SPACE)))


def _within(value: int, low: int, high: int) -> int:
    """:raises OSError: EINVAL where it is not"""
    if not low <= value <= high:
        raise err(errno.EINVAL)
    return value


def _int(value: int) -> int:
    return _within(value, -_INT_MAX - 1, _INT_MAX)


def _same(value: int) -> int:
    return value


def _handler(name: str) -> Callable[[Callable[[_Call], int]], Callable[[_Call], int]]:
    """Declare a handler."""

    def register(function: Callable[[_Call], int]) -> Callable[[_Call], int]:
        @export(_HANDLER.format(name))
        def handle(kernel: Kernel, table: StructView, write: int, buffer: int, lenp: int, ppos: int) -> int:
            return function(_Call(kernel, table, bool(write), buffer, lenp, ppos))

        return function

    return register


@_handler("proc_dointvec")
def _dointvec(call: _Call) -> int:
    return _vector(call, 4, _same, _int, True)


@_handler("proc_dobool")
def _dobool(call: _Call) -> int:
    """A truth value in an int's place of which only the first byte counts."""
    memory, data = call.kernel.memory, call.table["data"]
    if not call.write:
        if not data or not call.table["maxlen"] or not call.length or call.pos:
            return call.nothing()
        return call.put(b"%d\n" % memory.read_int(data, 1)) if call.table["maxlen"] >= 4 else call.put(b"")
    return _vector(call, 4, _same, lambda value: int(bool(_int(value))), True)


@_handler("proc_dointvec_minmax")
def _dointvec_minmax(call: _Call) -> int:
    low, high = call.limit("extra1", 4, -_INT_MAX - 1, True), call.limit("extra2", 4, _INT_MAX, True)
    return _vector(call, 4, _same, lambda value: _within(_int(value), low, high), True)


def _one(call: _Call, size: int, low: int, high: int) -> int:
    """``__do_proc_douintvec()``: there are no vectors of them."""
    if call.table["data"] and call.table["maxlen"] and call.length and not (call.pos and not call.write):
        if call.table["maxlen"] != size:
            call.nothing()
            raise err(errno.EINVAL)
        if call.write and not call.pos:
            memory, length = call.kernel.memory, call.length
            text = memory.read(call.buffer, min(length, PAGE_SIZE - 1)).lstrip(SPACE)
            value, _used = proc_get_long(text)
            if text.startswith(b"-"):
                raise err(errno.EINVAL)
            memory.write_int(call.table["data"], _within(_within(value, 0, _UINT_MAX), low, high), size)
            return 0
    return _vector(call, size, _same, _same, False)


@_handler("proc_douintvec")
def _douintvec(call: _Call) -> int:
    return _one(call, 4, 0, _UINT_MAX)


@_handler("proc_douintvec_minmax")
def _douintvec_minmax(call: _Call) -> int:
    return _one(call, 4, call.limit("extra1", 4, 0), call.limit("extra2", 4, _UINT_MAX))


@_handler("proc_dou8vec_minmax")
def _dou8vec_minmax(call: _Call) -> int:
    low, high = call.limit("extra1", 4, 0), call.limit("extra2", 4, _U8_MAX)
    if call.table["maxlen"] != 1 or low > _U8_MAX or high > _U8_MAX:
        raise err(errno.EINVAL)
    return _one(call, 1, low, high)


def _quotient(value: int, divisor: int) -> int:
    """Division as C does it."""
    return -(-value // divisor) if value < 0 else value // divisor


def _ticks(per_second: int) -> Callable[[_Call], int]:
    """Jiffies in memory, seconds or others of so many a second outside."""

    def handle(call: _Call) -> int:
        factor = HZ / per_second
        return _vector(
            call,
            4,
            lambda value: _quotient(value * per_second, HZ),
            lambda value: int(_within(value, -int(_INT_MAX / factor), int(_INT_MAX / factor)) * factor),
            True,
        )

    return handle


_handler("proc_dointvec_jiffies")(_ticks(1))

_handler("proc_dointvec_userhz_jiffies")(_ticks(_USER_HZ))


@_handler("proc_dointvec_ms_jiffies")
def _dointvec_ms_jiffies(call: _Call) -> int:
    return _vector(
        call,
        4,
        lambda value: value * (1000 // HZ),
        lambda value: _within(msecs_to_jiffies(value & _UINT_MAX), 0, _INT_MAX),
        True,
    )


def _doulongvec(call: _Call, multiply: int, divide: int) -> int:
    """``__do_proc_doulongvec_minmax()``."""
    low, high = call.limit("extra1", 8, 0), call.limit("extra2", 8, _ULONG_MAX)

    def store(value: int) -> int:
        if value < 0:
            raise err(errno.EINVAL)
        return _within((multiply * value & _ULONG_MAX) // divide, low, high)

    return _vector(call, 8, lambda value: (divide * value & _ULONG_MAX) // multiply, store, False)


@_handler("proc_doulongvec_minmax")
def _doulongvec_minmax(call: _Call) -> int:
    return _doulongvec(call, 1, 1)


@_handler("proc_doulongvec_ms_jiffies_minmax")
def _doulongvec_ms_jiffies_minmax(call: _Call) -> int:
    return _doulongvec(call, HZ, 1000)


@_handler("proc_dostring")
def _dostring(call: _Call) -> int:
    """Text up to a newline; a write may go on where the last one ended."""
    memory, data, room = call.kernel.memory, call.table["data"], call.table["maxlen"]
    length, pos = call.length, call.pos
    if not data or not room or not length:
        return call.nothing()
    old = memory.read(data, room).split(b"\0", 1)[0]
    if not call.write:
        if pos > len(old):
            return call.nothing()
        return call.put(old[pos:] + b"\n")
    if pos <= len(old[: room - 1]):
        new = re.split(b"[\0\n]", memory.read(call.buffer, min(length, room)), maxsplit=1)[0]
        memory.write(data, (old[:pos] + new)[: room - 1] + b"\0")
        memory.write_int(call.ppos, pos + length, 8)
    return 0
