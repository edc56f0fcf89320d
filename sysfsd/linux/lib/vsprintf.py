"""How the kernel prints and reads values (lib/vsprintf.c, Documentation/core-api/printk-formats.rst)."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import struct
import weakref
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import Capability
from sysfsd.linux.lib.cmdline import SPACE
from sysfsd.linux.lib.errname import errname
from sysfsd.linux.lib.string_helpers import Escape, string_escape_mem
from sysfsd.linux.mm.mmflags import GFPFLAG_NAMES, PAGE_FLAGS_FIELDS, PAGEFLAG_NAMES, PAGEFLAGS_MASK, VMAFLAG_NAMES

if TYPE_CHECKING:
    from sysfsd.image.image import KernelImage
    from sysfsd.linux.kernel.cred import Cred
    from sysfsd.linux.kernel.sysctl import Tunables
    from sysfsd.linux.mm.memory import Memory

__all__ = [
    "LIMIT",
    "MemoryVaList",
    "PrintingKernel",
    "ScanResult",
    "Scanned",
    "VaList",
    "ptr_to_hashval",
    "simple_strntoll",
    "simple_strntoull",
    "vsnprintf",
    "vsnprintf_sized",
    "vsscanf",
]

#: The most text that is kept of one call (bytes): the largest piece that kmalloc() gives, so that no kasprintf() misses
#: anything.
LIMIT: Final = 1 << 22
#: ``FIELD_WIDTH_MAX`` and ``PRECISION_MAX``, for numbers given by ``*``.
FIELD_WIDTH_MAX: Final = (1 << 23) - 1
PRECISION_MAX: Final = (1 << 15) - 1

_PAGE_SIZE: Final = 4096
_MAX_ERRNO: Final = 4095
_U64: Final = (1 << 64) - 1
_FIRST_ERROR: Final = (1 << 64) - _MAX_ERRNO
#: Pieces of text up to this size are not counted against the limit: there are no more of them than the format has room
#: for.
_SMALL: Final = 256
#: Strings are read in pieces of this size.
_STRING_CHUNK: Final = 1 << 16
#: The longest format that %pV follows.
_FORMAT_MAX: Final = 1 << 16
#: How deep %pV may nest (a kernel stack is full at about that), and how many there may be below one call.
_NESTED_MAX: Final = 40
_NESTED_CALLS_MAX: Final = 10_000

# The flags of a conversion.
SIGN: Final = 1  # a signed type
LEFT: Final = 2
PLUS: Final = 4
SPACED: Final = 8
ZEROPAD: Final = 16
SMALL: Final = 32  # lower-case digits
SPECIAL: Final = 64  # 0x, 0

_FLAGS: Final = {ord("-"): LEFT, ord("+"): PLUS, ord(" "): SPACED, ord("#"): SPECIAL, ord("0"): ZEROPAD}

_KEY: Final = os.urandom(16)


def ptr_to_hashval(pointer: int) -> str:
    """``%p``: a number that stands for the pointer as long as the kernel runs, and tells nothing about it."""
    digest = hashlib.blake2b(pointer.to_bytes(8, "little"), key=_KEY, digest_size=4).digest()
    return f"{int.from_bytes(digest, 'little'):016x}"


# What is asked of others


class VaList(Protocol):
    """The arguments behind a format, one after the other."""

    def arg(self) -> int:
        """The next one: its eight bytes as an unsigned number."""


class Symbols(Protocol):
    """What finds an address's name: kallsyms."""

    def sprint_symbol(self, address: int, offset: bool = True, backtrace: bool = False) -> str:
        """``function+0x12/0x34 [module]``, or the address where nothing is known of it."""


class PrintingKernel(Protocol):
    """As much of a kernel as printing needs."""

    @property
    def memory(self) -> Memory: ...

    @property
    def image(self) -> KernelImage: ...

    @property
    def tunables(self) -> Tunables: ...

    @property
    def kallsyms(self) -> Symbols: ...

    def current_cred(self) -> Cred:
        """Who is running."""

    def warn(self, message: str) -> None:
        """``WARN()``."""


class MemoryVaList:
    """A va_list of the x86-64 ABI (System V ABI, 3.5.7) in the kernel's memory.

    :param memory: where it is
    :param address: of the list; what is taken is noted there, as va_arg() does
    """

    _LIST: Final = struct.Struct("<IIQQ")
    #: Where the registers for integers end in the save area; behind them, arguments lie on the stack.
    _GP_END: Final = 48

    def __init__(self, memory: Memory, address: int) -> None:
        self._memory = memory
        self._address: int | None = address
        self._gp, _fp, self._overflow, self._registers = self._LIST.unpack(memory.read(address, self._LIST.size))

    def arg(self) -> int:
        """``va_arg()``."""
        memory, address = self._memory, self._address
        if self._gp < self._GP_END:
            slot = self._registers + self._gp
            self._gp += 8
            if address is not None:
                memory.write_int(address, self._gp)
        else:
            slot = self._overflow
            self._overflow += 8
            if address is not None:
                memory.write_pointer(address + 8, self._overflow)
        return memory.read_pointer(slot)

    def copy(self) -> MemoryVaList:
        """``va_copy()``: what is taken from the copy, this list still has."""
        copy = MemoryVaList.__new__(MemoryVaList)
        copy._memory, copy._address = self._memory, None
        copy._gp, copy._overflow, copy._registers = self._gp, self._overflow, self._registers
        return copy


# Numbers and strings


class PrintfSpec(NamedTuple):
    """``struct printf_spec``: what stands between % and the letter; -1 where a number is not given."""

    field_width: int = -1
    flags: int = 0
    base: int = 10
    precision: int = -1


_DIGITS: Final = {(8, 0): b"%o", (8, SMALL): b"%o", (16, 0): b"%X", (16, SMALL): b"%x"}


def number(num: int, spec: PrintfSpec) -> bytes:
    """``number()``: *num* in its base, with sign, prefix and padding; without SIGN, it counts as unsigned."""
    width, flags, base, precision = spec
    digits = (_DIGITS[base, flags & SMALL] if base != 10 else b"%d") % abs(num)
    lead = b""
    if flags & SIGN:
        lead = b"-" if num < 0 else b"+" if flags & PLUS else b" " if flags & SPACED else b""
    if flags & SPECIAL:
        if base == 16:
            lead += b"0x" if flags & SMALL else b"0X"
        elif base == 8 and num:
            lead += b"0"
    if precision > len(digits):
        digits = digits.rjust(precision, b"0")
    width -= len(lead)
    if width <= len(digits):
        return lead + digits
    if flags & LEFT:
        return lead + digits.ljust(width)
    if flags & ZEROPAD:
        return lead + digits.rjust(width, b"0")
    return (lead + digits).rjust(width + len(lead))


def special_hex_number(num: int, size: int) -> bytes:
    """``special_hex_number()``: all digits of a number of *size* bytes: ``0x0000ffff``."""
    return b"0x%0*x" % (2 * size, num)


def widen_string(text: bytes, spec: PrintfSpec) -> bytes:
    """``widen_string()``."""
    if len(text) >= spec.field_width:
        return text
    return text.ljust(spec.field_width) if spec.flags & LEFT else text.rjust(spec.field_width)


def string_nocheck(text: bytes, spec: PrintfSpec) -> bytes:
    """``string_nocheck()``: at most as much of *text* as the precision says."""
    return widen_string(text if spec.precision < 0 else text[: spec.precision], spec)


def error_string(text: bytes, spec: PrintfSpec) -> bytes:
    """``error_string()``: in place of what could not be printed."""
    return string_nocheck(text, spec if spec.precision != -1 else spec._replace(precision=16))


def check_pointer_msg(ptr: int) -> bytes | None:
    """``check_pointer_msg()``: what to say of a pointer that cannot be one."""
    if _PAGE_SIZE <= ptr < _FIRST_ERROR:
        return None
    return b"(efault)" if ptr else b"(null)"


class Printer:
    """One call of vsnprintf(): the kernel it prints for, and how much text is still of interest.

    :param room: bytes of text that are kept; what is beyond is only counted
    """

    __slots__ = ("_depth", "_nested", "kernel", "lost", "memory", "room")

    def __init__(self, kernel: PrintingKernel, room: int) -> None:
        self.kernel = kernel
        self.memory = kernel.memory
        self.room = room
        #: Bytes that were not kept; they belong behind the first *room* bytes of the text.
        self.lost = 0
        self._depth = 0
        #: Formats within that have been printed, here and by inner printers.
        self._nested: list[int] | None = None

    def print(self, fmt: bytes, args: VaList) -> bytes:
        """The text; to be cut to its limit."""
        parts: list[bytes] = []
        for step in _parse(fmt) if len(fmt) <= _CACHED_MAX else _parse.__wrapped__(fmt):
            text = step if isinstance(step, bytes) else step(self, args)
            parts.append(text if len(text) <= _SMALL else self._keep(text))
        return b"".join(parts)

    def _keep(self, text: bytes) -> bytes:
        kept = text[: self.room]
        self.room -= len(kept)
        self.lost += len(text) - len(kept)
        return kept

    def nested(self, fmt: bytes, args: VaList) -> bytes:
        """The same for a format within.

        :raises OSError: EFAULT where that goes on and on: the kernel would run out of its stack
        """
        if self._nested is None:
            self._nested = [0]
        if self._depth == _NESTED_MAX or self._nested[0] == _NESTED_CALLS_MAX:
            raise err(errno.EFAULT)
        self._nested[0] += 1
        inner = Printer(self.kernel, self.room)
        inner._depth, inner._nested = self._depth + 1, self._nested
        text = inner.print(fmt, args)
        self.lost += inner.lost
        return text

    def string_at(self, ptr: int, precision: int = -1) -> bytes:
        """The string at *ptr*, or as much of it as *precision* says."""
        if 0 <= precision <= _STRING_CHUNK:
            return self.memory.read_string(ptr, precision) if precision else b""
        text = self.memory.read_string(ptr, _STRING_CHUNK)
        if len(text) < _STRING_CHUNK:
            return text
        chunks = [text]
        while len(text) == _STRING_CHUNK:
            ptr += _STRING_CHUNK
            text = self.memory.read_string(ptr, _STRING_CHUNK)
            if len(chunks) * _STRING_CHUNK <= max(self.room, FIELD_WIDTH_MAX):
                chunks.append(text)
            else:
                self.lost += len(text)
        return b"".join(chunks)

    def member(self, ptr: int, kind: str, name: str, signed: bool = False) -> int:
        """The number or pointer that is called *name* in the structure at *ptr*."""
        member = self.kernel.image.structs[kind].member(name)
        return self.memory.read_int(ptr + member.offset, member.size, signed)

    def offset(self, kind: str, name: str) -> int:
        return self.kernel.image.offset(kind, name)

    def big_endian(self, ptr: int, kind: str, name: str) -> int:
        """The same where the network's byte order is used."""
        member = self.kernel.image.structs[kind].member(name)
        return int.from_bytes(self.memory.read(ptr + member.offset, member.size), "big")

    def warn_once(self, place: str, message: str) -> None:
        """``WARN_ONCE()``: *place* stands for where in the code that is."""
        warned = _warned.setdefault(self.kernel, set())
        if place not in warned:
            warned.add(place)
            self.kernel.warn(message)


#: What each kernel has been warned of.
_warned: Final[weakref.WeakKeyDictionary[PrintingKernel, set[str]]] = weakref.WeakKeyDictionary()


def string(printer: Printer, ptr: int, spec: PrintfSpec) -> bytes:
    """``string()``: %s."""
    message = check_pointer_msg(ptr)
    if message is not None:
        return error_string(message, spec)
    return widen_string(printer.string_at(ptr, spec.precision), spec)


# Pointers: %p and the letters behind it

#: What prints a pointer: it gets the letters behind %p, too.
PointerFormat = Callable[[Printer, int, PrintfSpec, bytes], bytes]

_STR_SPEC: Final = PrintfSpec()
_FLAG_SPEC: Final = PrintfSpec(base=16, flags=SPECIAL | SMALL)


def _checked(convert: PointerFormat) -> PointerFormat:
    """``check_pointer()`` first."""

    @wraps(convert)
    def check(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
        message = check_pointer_msg(ptr)
        return convert(printer, ptr, spec, fmt) if message is None else error_string(message, spec)

    return check


def _pointer_string(ptr: int, spec: PrintfSpec) -> bytes:
    width, flags, _base, precision = spec
    if width == -1:
        width, flags = 16, flags | ZEROPAD
    return number(ptr, PrintfSpec(width, flags | SMALL, 16, precision))


def pointer_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``pointer_string()``: %px, the address itself."""
    return _pointer_string(ptr, spec)


def default_pointer(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``ptr_to_id()``: %p, hashed unless it is no address at all."""
    if ptr and ptr < _FIRST_ERROR:
        ptr = int(ptr_to_hashval(ptr), 16)
    return _pointer_string(ptr, spec)


def restricted_pointer(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``restricted_pointer()``: %pK, for those who may see addresses."""
    kernel = printer.kernel
    restrict = kernel.tunables.kptr_restrict
    if restrict == 0:
        return default_pointer(printer, ptr, spec, fmt)
    cred = kernel.current_cred()
    shown = restrict == 1 and cred.capable(Capability.SYSLOG) and cred.real_ids() == (cred.uid, cred.gid)
    return _pointer_string(ptr if shown else 0, spec)


def err_ptr(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``err_ptr()``: %pe, an error's name."""
    if ptr < _FIRST_ERROR:
        return default_pointer(printer, ptr, spec, fmt)
    error = ptr - (1 << 64)
    name = errname(error)
    if name is not None:
        return string_nocheck(name.encode(), spec)
    return number(error, spec._replace(flags=spec.flags | SIGN, base=10))


def symbol_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``symbol_string()``: %pS, %ps, %pB; without CONFIG_STACKTRACE_BUILD_ID a b behind them adds nothing."""
    symbols = printer.kernel.kallsyms
    text = symbols.sprint_symbol(ptr, offset=fmt[:1] != b"s", backtrace=fmt[:1] == b"B")
    return string_nocheck(text.encode("latin-1", "replace"), spec)


_IORESOURCE_MEM_64: Final = 0x00100000
_IORESOURCE_PREFETCH: Final = 0x00002000
_IORESOURCE_WINDOW: Final = 0x00200000
_IORESOURCE_DISABLED: Final = 0x10000000
_IORESOURCE_UNSET: Final = 0x20000000

_MEM_SPEC: Final = PrintfSpec(10, SPECIAL | SMALL | ZEROPAD, 16)
#: Kinds of resources by the flag that tells, with what they are called and how their ends are printed.
_RESOURCES: Final = {
    0x0100: (b"io  ", PrintfSpec(6, SPECIAL | SMALL | ZEROPAD, 16)),
    0x0200: (b"mem ", _MEM_SPEC),
    0x0400: (b"irq ", PrintfSpec()),
    0x0800: (b"dma ", PrintfSpec()),
    0x1000: (b"bus ", PrintfSpec(2, SMALL | ZEROPAD, 16)),
}
#: What else is told of one.
_RESOURCE_FLAGS: Final = {
    _IORESOURCE_MEM_64: b" 64bit",
    _IORESOURCE_PREFETCH: b" pref",
    _IORESOURCE_WINDOW: b" window",
    _IORESOURCE_DISABLED: b" disabled",
}


@_checked
def resource_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``resource_string()``: %pR and %pr, ``[mem 0x60000000-0x6fffffff flags 0x2200]``."""
    start, end, flags = (printer.member(ptr, "resource", name) for name in ("start", "end", "flags"))
    kind = next((kind for flag, kind in _RESOURCES.items() if flags & flag), None)
    decode = fmt[:1] == b"R" and kind is not None
    name, ends = kind or (b"??? ", _MEM_SPEC)
    text = b"[" + name
    if decode and flags & _IORESOURCE_UNSET:
        text += b"size " + number((end - start + 1) & _U64, ends)
    else:
        text += number(start, ends)
        if start != end:
            text += b"-" + number(end, ends)
    if decode:
        text += b"".join(word for flag, word in _RESOURCE_FLAGS.items() if flags & flag)
    else:
        text += b" flags " + number(flags, _FLAG_SPEC)
    return string_nocheck(text + b"]", spec)


def hex_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``hex_string()``: %ph, as many bytes as the field is wide."""
    if spec.field_width == 0:
        return b""
    message = check_pointer_msg(ptr)
    if message is not None:
        return error_string(message, spec)
    data = printer.memory.read(ptr, min(spec.field_width, 64) if spec.field_width > 0 else 1)
    separator = {b"C": ":", b"D": "-", b"N": ""}.get(fmt[1:2], " ")
    return (data.hex(separator) if separator else data.hex()).encode()


def _bitmap(printer: Printer, ptr: int, spec: PrintfSpec) -> tuple[int, int]:
    """A bitmap of as many bits as the field is wide: how many there are, and they."""
    bits = max(spec.field_width, 0)
    size = (bits + 63) // 64 * 8
    value = int.from_bytes(printer.memory.read(ptr, size), "little") if bits else 0
    return bits, value & (1 << bits) - 1


@_checked
def bitmap_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``bitmap_string()``: %pb, in words of 32 bits."""
    bits, value = _bitmap(printer, ptr, spec)
    if not bits:
        return b""
    digits = (bits + 3) // 4
    words = value.to_bytes((bits + 31) // 32 * 4, "big").hex(",", 4)
    # All digits of the first word but those that stand for bits of the map.
    return words[-digits % 8 :].encode()


@_checked
def bitmap_list_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``bitmap_list_string()``: %pbl, ``0-3,8``."""
    _bits, value = _bitmap(printer, ptr, spec)
    ranges = (match.span() for match in re.finditer("1+", f"{value:b}"[::-1]))
    return ",".join([f"{bot}-{top - 1}" if top - 1 > bot else str(bot) for bot, top in ranges]).encode()


def bitmap_pointer(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """%pb and %pbl."""
    return (bitmap_list_string if fmt[1:2] == b"l" else bitmap_string)(printer, ptr, spec, fmt)


@_checked
def mac_address_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``mac_address_string()``: %pM, %pm."""
    address = printer.memory.read(ptr, 6)
    if fmt[1:2] == b"R":
        address = address[::-1]
    if fmt[:1] == b"m":
        return string_nocheck(address.hex().encode(), spec)
    return string_nocheck(address.hex("-" if fmt[1:2] == b"F" else ":").encode(), spec)


def ip4_string(address: bytes, fmt: bytes) -> bytes:
    """``ip4_string()``: with leading zeros for %pi4; h and l say that the bytes are in the machine's order."""
    if fmt[2:3] in (b"h", b"l"):
        address = address[::-1]
    return b".".join([(b"%03d" if fmt[:1] == b"i" else b"%d") % byte for byte in address])


def ip6_compressed_string(address: bytes) -> bytes:
    """``ip6_compressed_string()``: as RFC 5952 says."""
    mapped = address[:12] == bytes(10) + b"\xff\xff"
    isatap = address[8:12] in (b"\0\0\x5e\xfe", b"\x02\0\x5e\xfe")
    words = struct.unpack(">8H", address)[: 6 if mapped or isatap else 8]
    groups = [b"%x" % word for word in words]
    if mapped or isatap:
        groups.append(ip4_string(address[12:], b"I4"))
    best, length = 0, 1
    for start in range(len(words)):
        run = next((i for i, word in enumerate(words[start:]) if word), len(words) - start)
        if run > length:
            best, length = start, run
    if length == 1:
        return b":".join(groups)
    return b":".join(groups[:best]) + b"::" + b":".join(groups[best + length :])


def ip6_string(address: bytes, fmt: bytes) -> bytes:
    """``ip6_string()``: all digits, for %pi6 without colons."""
    return (address.hex(":", 2) if fmt[:1] == b"I" else address.hex()).encode()


def ip6_addr_string_sa(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``ip6_addr_string_sa()``: of a struct sockaddr_in6, with port, flow and scope if asked for."""
    options = fmt[2:]
    address = printer.memory.read(ptr + printer.offset("sockaddr_in6", "sin6_addr"), 16)
    text = ip6_compressed_string(address) if fmt[:1] == b"I" and b"c" in options else ip6_string(address, fmt)
    if any(option in options for option in b"pfs"):
        text = b"[" + text + b"]"
    if b"p" in options:
        text += b":" + number(printer.big_endian(ptr, "sockaddr_in6", "sin6_port"), spec)
    if b"f" in options:
        text += b"/" + number(printer.big_endian(ptr, "sockaddr_in6", "sin6_flowinfo") & 0x0FFFFFFF, spec)
    if b"s" in options:
        text += b"%" + number(printer.member(ptr, "sockaddr_in6", "sin6_scope_id"), spec)
    return string_nocheck(text, spec)


def ip4_addr_string_sa(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``ip4_addr_string_sa()``: of a struct sockaddr_in, with its port if asked for."""
    options = fmt[2:]
    order = next((bytes([option]) for option in reversed(options) if option in b"hlnb"), b"")
    address = printer.memory.read(ptr + printer.offset("sockaddr_in", "sin_addr"), 4)
    text = ip4_string(address, fmt[:1] + b"4" + order)
    if b"p" in options:
        text += b":" + number(printer.big_endian(ptr, "sockaddr_in", "sin_port"), spec)
    return string_nocheck(text, spec)


_SOCKADDRS: Final = {2: ip4_addr_string_sa, 10: ip6_addr_string_sa}  # AF_INET, AF_INET6


@_checked
def ip_addr_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``ip_addr_string()``: %pI and %pi."""
    match fmt[1:2]:
        case b"4":
            return string_nocheck(ip4_string(printer.memory.read(ptr, 4), fmt), spec)
        case b"6":
            address = printer.memory.read(ptr, 16)
            compressed = fmt[:1] == b"I" and fmt[2:3] == b"c"
            return string_nocheck(ip6_compressed_string(address) if compressed else ip6_string(address, fmt), spec)
        case b"S":
            print_address = _SOCKADDRS.get(printer.member(ptr, "sockaddr", "sa_family"))
            if print_address is None:
                return error_string(b"(einval)", spec)
            letters = re.match(rb"..[A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]*", fmt, re.DOTALL)
            return print_address(printer, ptr, spec, letters[0] if letters else fmt)
        case _:
            return error_string(b"(%p" + fmt[:1] + b"?)", spec)


_ESCAPE_LETTERS: Final = {
    ord("a"): Escape.ANY,
    ord("c"): Escape.SPECIAL,
    ord("h"): Escape.HEX,
    ord("n"): Escape.NULL,
    ord("o"): Escape.OCTAL,
    ord("p"): Escape.NP,
    ord("s"): Escape.SPACE,
}


def escaped_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``escaped_string()``: %pE, as many bytes as the field is wide."""
    if spec.field_width == 0:
        return b""
    message = check_pointer_msg(ptr)
    if message is not None:
        return error_string(message, spec)
    flags = Escape(0)
    for letter in itertools.takewhile(_ESCAPE_LETTERS.__contains__, fmt[1:]):
        flags |= _ESCAPE_LETTERS[letter]
    data = printer.memory.read(ptr, max(spec.field_width, 1))
    return string_escape_mem(data, flags or Escape.ANY_NP)


@_checked
def va_format(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``va_format()``: %pV, a format and its arguments, which stay where they are."""
    memory = printer.memory
    inner = memory.read_string(printer.member(ptr, "va_format", "fmt"), _FORMAT_MAX)
    return printer.nested(inner, MemoryVaList(memory, printer.member(ptr, "va_format", "va")).copy())


@_checked
def uuid_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``uuid_string()``: %pU."""
    digits = printer.memory.read(ptr, 16)
    if fmt[1:2] in (b"l", b"L"):
        digits = digits[3::-1] + digits[5:3:-1] + digits[7:5:-1] + digits[8:]
    text = "-".join(part.hex() for part in (digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:]))
    return string_nocheck((text.upper() if fmt[1:2] in (b"B", b"L") else text).encode(), spec)


@_checked
def netdev_bits(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``netdev_bits()``: %pNF."""
    if fmt[1:2] != b"F":
        return error_string(b"(%pN?)", spec)
    return special_hex_number(printer.memory.read_int(ptr, 8), 8)


def fourcc_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``fourcc_string()``: %p4cc, ``NV12 little-endian (0x3231564e)``."""
    if fmt[1:3] != b"cc":
        return error_string(b"(%p4?)", spec)
    message = check_pointer_msg(ptr)
    if message is not None:
        return error_string(message, spec)
    code = printer.memory.read_int(ptr, 4)
    letters = re.sub(rb"[^ -~]", b".", (code & 0x7FFFFFFF).to_bytes(4, "little"))
    order = b"big" if code >> 31 else b"little"
    return string_nocheck(b"%b %b-endian (%b)" % (letters, order, special_hex_number(code, 4)), spec)


@_checked
def address_val(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``address_val()``: %pa, a physical or DMA address."""
    return special_hex_number(printer.memory.read_int(ptr, 8), 8)


def dentry_name(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``dentry_name()``: %pd, the last one to four components of a path."""
    depth = int(fmt[1:2]) if fmt[1:2] in (b"2", b"3", b"4") else 1
    names: list[bytes] = []
    for _ in range(depth):
        message = check_pointer_msg(ptr)
        if message is not None:
            return error_string(message, spec)
        parent = printer.member(ptr, "dentry", "d_parent")
        if parent == ptr and names:
            names.append(b"")
            break
        names.append(printer.string_at(printer.member(ptr, "dentry", "d_name.name")))
        if parent == ptr:
            break
        ptr = parent
    return string_nocheck(b"/".join(reversed(names)), spec)


@_checked
def file_dentry_name(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``file_dentry_name()``: %pD."""
    return dentry_name(printer, printer.member(ptr, "file", "f_path.dentry"), spec, fmt)


@_checked
def bdev_name(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``bdev_name()``: %pg, a disk or a partition."""
    disk = printer.member(ptr, "block_device", "bd_disk") + printer.offset("gendisk", "disk_name")
    text = string(printer, disk, spec)
    partition = printer.member(ptr, "block_device", "bd_partno")
    if not partition:
        return text
    separator = b"p" if printer.string_at(disk)[-1:].isdigit() else b""
    return text + separator + number(partition, spec)


class _RtcTime(NamedTuple):
    """``struct rtc_time``: years count from 1900, months from 0."""

    tm_sec: int
    tm_min: int
    tm_hour: int
    tm_mday: int
    tm_mon: int
    tm_year: int


def _signed(value: int, bits: int) -> int:
    """*value* in a signed type of that size."""
    half = 1 << bits - 1
    return ((value + half) & (1 << bits) - 1) - half


def time64_to_tm(seconds: int) -> _RtcTime:
    """``time64_to_tm()``: any second of 64 bits by the Gregorian calendar."""
    days, second = divmod(seconds, 86400)
    # Years begin in March here: the leap day is their last, and months have lengths that repeat.
    era, day = divmod(days + 719468, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    mday = day - (153 * month + 2) // 5 + 1
    month += 2
    year += 400 * era + month // 12
    return _RtcTime(second % 60, second // 60 % 60, second // 3600, mday, month % 12, _signed(year - 1900, 32))


def _rtc_str(time: _RtcTime, fmt: bytes) -> bytes:
    """``rtc_str()``: date, time or both; r for the numbers as they are, s for a space between."""
    have_date, have_time = fmt[2:3] != b"t", fmt[2:3] != b"d"
    options = re.match(rb"[rs]*", fmt[2:] if have_date and have_time else fmt[3:])
    raw, spaced = (options is not None and letter in options[0] for letter in (b"r", b"s"))
    parts: list[bytes] = []
    if have_date:
        year, month = time.tm_year + (0 if raw else 1900), time.tm_mon + (0 if raw else 1)
        parts.append(b"%04d-%02d-%02d" % tuple(_signed(value, 32) & _U64 for value in (year, month, time.tm_mday)))
    if have_time:
        parts.append(b"%02d:%02d:%02d" % tuple(v & _U64 for v in (time.tm_hour, time.tm_min, time.tm_sec)))
    return (b" " if spaced else b"T").join(parts)


@_checked
def time_and_date(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``time_and_date()``: %ptR and %ptT."""
    match fmt[1:2]:
        case b"R":
            fields = (printer.member(ptr, "rtc_time", name, signed=True) for name in _RtcTime._fields)
            return _rtc_str(_RtcTime(*fields), fmt)
        case b"T":
            return _rtc_str(time64_to_tm(printer.memory.read_int(ptr, 8, signed=True)), fmt)
        case _:
            return error_string(b"(%pt?)", spec)


@_checked
def clock(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``clock()``: %pC, a clock's name."""
    core = printer.member(ptr, "clk", "core")
    return string(printer, printer.member(core, "clk_core", "name"), spec)


def _format_flags(flags: int, names: Mapping[str, int]) -> bytes:
    """``format_flags()``: ``read|write|0x1000000000``."""
    found: list[bytes] = []
    for name, mask in names.items():
        if flags and flags & mask == mask:
            found.append(name.encode())
            flags &= ~mask
    if flags:
        found.append(number(flags, _FLAG_SPEC))
    return b"|".join(found)


def _format_page_flags(flags: int) -> bytes:
    """``format_page_flags()``: ``0xfffffc0000000(node=0|zone=1|lastcpupid=0x1fffff)``."""
    found = [_format_flags(flags & PAGEFLAGS_MASK, PAGEFLAG_NAMES)] if flags & PAGEFLAGS_MASK else []
    for name, shift, mask, hexadecimal in PAGE_FLAGS_FIELDS:
        value = number(flags >> shift & mask, _FLAG_SPEC if hexadecimal else _STR_SPEC)
        found.append(name.encode() + b"=" + value)
    return number(flags, _FLAG_SPEC) + b"(" + b"|".join(found) + b")"


@_checked
def flags_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``flags_string()``: %pGp, %pGv, %pGg."""
    read = printer.memory.read_int
    match fmt[1:2]:
        case b"p":
            return _format_page_flags(read(ptr, 8))
        case b"v":
            return _format_flags(read(ptr, 8), VMAFLAG_NAMES)
        case b"g":
            return _format_flags(read(ptr, 4), GFPFLAG_NAMES)
        case _:
            return error_string(b"(%pG?)", spec)


def device_node_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``device_node_string()``: %pOF; there are no such nodes without CONFIG_OF."""
    return error_string(b"(%pOF?)" if fmt[1:2] == b"F" else b"(%pO?)", spec)


def fwnode_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """``fwnode_string()``: %pfw, of nodes that have no operations to ask for their names."""
    if fmt[1:2] != b"w":
        return error_string(b"(%pf?)", spec)
    message = check_pointer_msg(ptr)
    if message is not None:
        return error_string(message, spec)
    # Without a name there is no prefix to it, either.
    return error_string(b"(null)", spec) if fmt[2:3] == b"P" else widen_string(b"(null)(null)", spec)


def rust_argument(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """%pA, in a kernel without Rust."""
    printer.warn_once("rust", "Please remove %pA from non-Rust code")
    return error_string(b"(%pA?)", spec)


def bpf_string(printer: Printer, ptr: int, spec: PrintfSpec, fmt: bytes) -> bytes:
    """%pks and %pus: strings for BPF."""
    return string(printer, ptr, spec) if fmt[1:2] == b"s" else error_string(b"(einval)", spec)


#: ``pointer()``: what the letter behind %p asks for. Any other is passed over.
_POINTERS: Final[dict[bytes, PointerFormat]] = {
    b"S": symbol_string,
    b"s": symbol_string,
    b"B": symbol_string,
    b"R": resource_string,
    b"r": resource_string,
    b"h": hex_string,
    b"b": bitmap_pointer,
    b"M": mac_address_string,
    b"m": mac_address_string,
    b"I": ip_addr_string,
    b"i": ip_addr_string,
    b"E": escaped_string,
    b"U": uuid_string,
    b"V": va_format,
    b"K": restricted_pointer,
    b"N": netdev_bits,
    b"4": fourcc_string,
    b"a": address_val,
    b"d": dentry_name,
    b"t": time_and_date,
    b"C": clock,
    b"D": file_dentry_name,
    b"g": bdev_name,
    b"G": flags_string,
    b"O": device_node_string,
    b"f": fwnode_string,
    b"A": rust_argument,
    b"x": pointer_string,
    b"e": err_ptr,
    b"u": bpf_string,
    b"k": bpf_string,
}


# Formats

#: One piece of a format: text as it stands, or what makes text of the next arguments.
Step = bytes | Callable[[Printer, VaList], bytes]
#: What makes text of one argument.
Conversion = Callable[[Printer, int, PrintfSpec], bytes]

#: Formats up to this length are parsed only once (bytes), and so many of them are remembered.
_CACHED_MAX: Final = 256
_CACHE_SIZE: Final = 1024

#: The kernel's isalnum(), for Latin-1.
_ALNUM: Final = rb"[0-9A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]"
_TOKEN: Final = re.compile(
    rb"[^%]+"
    rb"|%(?P<flags>[-+ #0]*)(?P<width>[0-9]+|\*)?(?:\.(?P<precision>[0-9]+|\*)?)?(?P<qualifier>hh|ll|[hlLzt])?"
    rb"(?:p(?P<pointer>" + _ALNUM + rb"*)|(?P<letter>.?))",
    re.DOTALL,
)
#: Bits of an integer by its qualifier.
_BITS: Final = {b"hh": 8, b"h": 16, b"": 32, b"l": 64, b"ll": 64, b"L": 64, b"z": 64, b"t": 64}
#: Base and further flags by the letter of an integer.
_INTEGERS: Final = {
    b"d": (10, SIGN),
    b"i": (10, SIGN),
    b"u": (10, 0),
    b"x": (16, SMALL),
    b"X": (16, 0),
    b"o": (8, 0),
}


def _literal(digits: bytes, bits: int) -> int:
    """``skip_atoi()`` into a bit field, where too large a number loses its upper bits."""
    return _signed(int(digits[-bits:]), bits)  # what is in front is a multiple of 10**bits


def set_field_width(printer: Printer, spec: PrintfSpec, width: int) -> PrintfSpec:
    """``set_field_width()``, given as an argument."""
    if not -FIELD_WIDTH_MAX - 1 <= width <= FIELD_WIDTH_MAX:
        printer.warn_once("width", f"field width {width} too large")
        width = min(max(width, -FIELD_WIDTH_MAX), FIELD_WIDTH_MAX)
    if width < 0:
        return spec._replace(field_width=_signed(-width, 24), flags=spec.flags | LEFT)
    return spec._replace(field_width=width)


def set_precision(printer: Printer, spec: PrintfSpec, precision: int) -> PrintfSpec:
    """``set_precision()``, given as an argument; a negative one is 0."""
    if not -PRECISION_MAX - 1 <= precision <= PRECISION_MAX:
        printer.warn_once("precision", f"precision {precision} too large")
    return spec._replace(precision=min(max(precision, 0), PRECISION_MAX))


def _converted(convert: Conversion, spec: PrintfSpec, star_width: bool, star_precision: bool) -> Step:
    """One conversion; a * takes an argument of its own before the one to print."""
    if not (star_width or star_precision):
        return lambda printer, args: convert(printer, args.arg(), spec)

    def step(printer: Printer, args: VaList) -> bytes:
        given = spec
        if star_width:
            given = set_field_width(printer, given, _signed(args.arg(), 32))
        if star_precision:
            given = set_precision(printer, given, _signed(args.arg(), 32))
        return convert(printer, args.arg(), given)

    return step


def _integer(bits: int, signed: bool) -> Conversion:
    mask = (1 << bits) - 1
    half = 1 << bits - 1 if signed else 0
    return lambda printer, value, spec: number(((value & mask) ^ half) - half, spec)


def _quick_integer(bits: int, spec: PrintfSpec) -> Step | None:
    """What Python's own formatting prints alike: all but precisions, and octal numbers with a prefix."""
    width, flags, base, precision = spec
    if precision >= 0 or (base == 8 and flags & SPECIAL):
        return None
    signed = bool(flags & SIGN)
    letters = b"".join(
        letter
        for letter, flag in ((b"-", LEFT), (b"+", PLUS), (b" ", SPACED), (b"#", SPECIAL), (b"0", ZEROPAD))
        if flags & flag and (signed or flag not in (PLUS, SPACED))
    )
    kind = b"d" if base == 10 else b"o" if base == 8 else b"x" if flags & SMALL else b"X"
    template = b"%" + letters + (b"%d" % width if width > 0 else b"") + kind
    mask = (1 << bits) - 1
    half = 1 << bits - 1
    if signed:
        return lambda printer, args: template % (((args.arg() & mask) ^ half) - half)
    return lambda printer, args: template % (args.arg() & mask)


def _char(printer: Printer, value: int, spec: PrintfSpec) -> bytes:
    return widen_string(bytes((value & 0xFF,)), spec)


def _pointer(fmt: bytes) -> Conversion:
    """``pointer()``."""
    convert = _POINTERS.get(fmt[:1], default_pointer)
    return lambda printer, ptr, spec: convert(printer, ptr, spec, fmt)


def _without_argument(letter: bytes, spec: PrintfSpec, star_width: bool, star_precision: bool) -> Step:
    """``%%``, and letters that mean nothing: only a * takes an argument."""

    def step(printer: Printer, args: VaList) -> bytes:
        if star_width:
            set_field_width(printer, spec, _signed(args.arg(), 32))
        if star_precision:
            set_precision(printer, spec, _signed(args.arg(), 32))
        if letter == b"%":
            return letter
        shown = (letter or b"\0").decode("latin-1")
        printer.warn_once("format", f"Please remove unsupported %{shown} in format string")
        return b""

    return step


@lru_cache(maxsize=_CACHE_SIZE)
def _parse(fmt: bytes) -> tuple[Step, ...]:
    """``format_decode()``, for a whole format at once; it ends where there is something unsupported."""
    steps: list[Step] = []
    for token in _TOKEN.finditer(fmt):
        if token[0][:1] != b"%":
            steps.append(token[0])
            continue
        width, precision, letter, pointer = token.group("width", "precision", "letter", "pointer")
        flags = 0
        for flag in token["flags"]:
            flags |= _FLAGS[flag]
        stars = width == b"*", precision == b"*"
        spec = PrintfSpec(
            field_width=-1 if width in (None, b"*") else _literal(width, 24),
            flags=flags,
            precision=-1 if precision in (None, b"*") else max(_literal(precision, 16), 0),
        )
        if pointer is not None:
            steps.append(_converted(_pointer(pointer), spec, *stars))
        elif letter in _INTEGERS:
            base, more = _INTEGERS[letter]
            spec = spec._replace(base=base, flags=flags | more)
            bits = _BITS[token["qualifier"] or b""]
            quick = None if any(stars) else _quick_integer(bits, spec)
            steps.append(quick or _converted(_integer(bits, bool(more & SIGN)), spec, *stars))
        elif letter == b"s":
            steps.append(_converted(string, spec, *stars))
        elif letter == b"c":
            steps.append(_converted(_char, spec, *stars))
        else:
            steps.append(b"%" if letter == b"%" and not any(stars) else _without_argument(letter, spec, *stars))
            if letter != b"%":
                break
    return tuple(steps)


def vsnprintf(kernel: PrintingKernel, fmt: bytes, args: VaList, limit: int = LIMIT) -> bytes:
    """``vsnprintf()``: the text that *fmt* makes of *args*.

    :param fmt: the format, without its NUL
    :param limit: how much of the text is wanted (bytes)
    :raises OSError: EFAULT where the kernel would have followed a bad pointer
    """
    return vsnprintf_sized(kernel, fmt, args, limit)[0]


def vsnprintf_sized(kernel: PrintingKernel, fmt: bytes, args: VaList, limit: int = LIMIT) -> tuple[bytes, int]:
    """The same, and how long the whole text would be: what vsnprintf() returns."""
    printer = Printer(kernel, limit)
    text = printer.print(fmt, args)
    length = len(text) + printer.lost
    return (text if len(text) <= limit else text[:limit]), length


# Reading: sscanf()

_INT_MAX: Final = (1 << 31) - 1
_SHRT_MAX: Final = (1 << 15) - 1
_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"
_NOT_SPACE: Final = re.compile(b"[^" + SPACE + b"]*")
_SCAN: Final = re.compile(rb"(?P<width>[0-9]+)?(?P<qualifier>hh|ll|[hlLz])?")
#: Base and signedness by the letter of an integer.
_SCANNED_INTEGERS: Final = {
    b"d": (10, True),
    b"i": (0, True),
    b"u": (10, False),
    b"x": (16, False),
    b"X": (16, False),
    b"o": (8, False),
}
#: With what an integer must begin, by its base.
_FIRST_DIGITS: Final = {0: b"0123456789", 8: b"01234567", 10: b"0123456789", 16: _HEX_DIGITS}


class Scanned(NamedTuple):
    """What one conversion of sscanf() stores through the next pointer."""

    #: ``int``, ``string`` (a NUL follows it) or ``chars`` (none does).
    kind: str
    #: Bytes to store.
    size: int
    value: int | bytes

    @property
    def data(self) -> bytes:
        """The bytes to store."""
        if isinstance(self.value, int):
            return (self.value & (1 << 8 * self.size) - 1).to_bytes(self.size, "little")
        return self.value.ljust(self.size, b"\0")


class ScanResult(NamedTuple):
    """What sscanf() found: what to store, in the order of the pointers, and what to return."""

    stores: list[Scanned]
    num: int


def simple_strntoull(text: bytes, base: int, at: int = 0, max_chars: int = _INT_MAX) -> tuple[int, int]:
    """``simple_strntoull()``: a number as far as there are digits; what is too large loses its upper bits.

    :param base: 0 for the prefix to decide
    :param at: where it begins
    :returns: the number, and where it ends
    """
    start = at
    prefix = text[at : at + 2].lower() == b"0x"
    if base == 0:
        hexadecimal = prefix and text[at + 2 : at + 3] in _HEX_DIGITS and at + 2 < len(text)
        base = 16 if hexadecimal else 8 if text[at : at + 1] == b"0" else 10
    if base == 16 and prefix:
        at += 2
    if at - start >= max_chars:  # no room for a digit: nothing is converted, and all of it is passed over
        return 0, start + max_chars
    digits = b"0123456789abcdef"[:base]
    value = 0
    while at < len(text) and at - start < max_chars:
        digit = digits.find(text[at : at + 1].lower())
        if digit < 0:
            break
        value = value * base + digit & _U64
        at += 1
    return value, at


def simple_strntoll(text: bytes, base: int, at: int = 0, max_chars: int = _INT_MAX) -> tuple[int, int]:
    """``simple_strntoll()``: the same with a sign."""
    if text[at : at + 1] == b"-" and max_chars > 0:
        value, end = simple_strntoull(text, base, at + 1, max_chars - 1)
        return _signed(-value, 64), end
    value, end = simple_strntoull(text, base, at, max_chars)
    return _signed(value, 64), end


def vsscanf(buf: bytes, fmt: bytes) -> ScanResult:
    """``vsscanf()``: find in *buf* what *fmt* describes.

    :param buf: the string, without its NUL
    :param fmt: the format, without its NUL
    """
    return _Scanner(buf, fmt).scan()


class _Scanner:
    def __init__(self, buf: bytes, fmt: bytes) -> None:
        self.buf = buf
        self.fmt = fmt
        self.at = 0
        self.in_fmt = 0
        self.stores: list[Scanned] = []
        self.count = 0

    def scan(self) -> ScanResult:
        while self.in_fmt < len(self.fmt) and self._next():
            pass
        return ScanResult(self.stores, self.count)

    def _store(self, kind: str, size: int, value: int | bytes) -> bool:
        self.stores.append(Scanned(kind, size, value))
        self.count += 1
        return True

    def _skip_spaces(self) -> None:
        self.at = len(self.buf) - len(self.buf[self.at :].lstrip(SPACE))

    def _next(self) -> bool:
        """The next piece of the format; whether to go on behind it."""
        fmt = self.fmt
        if fmt[self.in_fmt] in SPACE:
            while self.in_fmt < len(fmt) and fmt[self.in_fmt] in SPACE:
                self.in_fmt += 1
            self._skip_spaces()
            return True
        char = fmt[self.in_fmt : self.in_fmt + 1]
        self.in_fmt += 1
        if char != b"%":
            self.at += 1
            return self.buf[self.at - 1 : self.at] == char
        if fmt[self.in_fmt : self.in_fmt + 1] == b"*":
            return self._skip()
        parsed = _SCAN.match(fmt, self.in_fmt)
        assert parsed is not None
        width = -1 if parsed["width"] is None else _literal(parsed["width"], 16)
        if width <= 0 and parsed["width"] is not None:
            return False
        letter = fmt[parsed.end() : parsed.end() + 1]
        self.in_fmt = parsed.end() + 1
        if letter == b"n":
            self.stores.append(Scanned("int", 4, self.at))
            return True
        if not letter or self.at == len(self.buf):
            return False
        if letter in _SCANNED_INTEGERS:
            return self._integer(*_SCANNED_INTEGERS[letter], width, _BITS[parsed["qualifier"] or b""] // 8)
        other = {b"c": self._chars, b"s": self._string, b"[": self._set, b"%": self._percent}.get(letter)
        return other is not None and other(width)

    def _skip(self) -> bool:
        """``%*d``: whatever the letter, up to white space."""
        if self.at == len(self.buf):
            return False
        skipped = re.compile(b"[^%" + SPACE + b"]*").match(self.fmt, self.in_fmt)
        word = _NOT_SPACE.match(self.buf, self.at)
        assert skipped is not None and word is not None
        self.in_fmt, self.at = skipped.end(), word.end()
        return b"[" not in skipped[0]

    def _chars(self, width: int) -> bool:
        text = self.buf[self.at : self.at + max(width, 1)]
        self.at += len(text)
        return self._store("chars", len(text), text)

    def _string(self, width: int) -> bool:
        self._skip_spaces()
        word = _NOT_SPACE.match(self.buf, self.at, self.at + (width if width > 0 else _SHRT_MAX))
        assert word is not None
        self.at = word.end()
        return self._store("string", len(word[0]) + 1, word[0])

    def _set(self, width: int) -> bool:
        """``%10[abc]``: a width is required, and - means itself."""
        if width < 0:
            return False
        negate = self.fmt[self.in_fmt : self.in_fmt + 1] == b"^"
        start = self.in_fmt + negate
        end = self.fmt.find(b"]", start)
        if end <= start:
            return False
        self.in_fmt = end + 1
        chars = self.fmt[start:end]
        stop = self.at
        while stop < min(len(self.buf), self.at + width) and (self.buf[stop] in chars) != negate:
            stop += 1
        if stop == self.at:
            return False
        text = self.buf[self.at : stop]
        self.at = stop
        return self._store("string", len(text) + 1, text)

    def _percent(self, width: int) -> bool:
        self.at += 1
        return self.buf[self.at - 1 : self.at] == b"%"

    def _integer(self, base: int, signed: bool, width: int, size: int) -> bool:
        self._skip_spaces()
        first = self.buf[self.at : self.at + 1]
        if signed and first == b"-":
            if width == 1:
                return False
            first = self.buf[self.at + 1 : self.at + 2]
        if not first or first not in _FIRST_DIGITS[base]:
            return False
        convert = simple_strntoll if signed else simple_strntoull
        value, self.at = convert(self.buf, base, self.at, width if width > 0 else _INT_MAX)
        return self._store("int", size, _signed(value, 8 * size) if signed else value & (1 << 8 * size) - 1)
