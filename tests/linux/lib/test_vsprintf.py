"""Formatted printing and scanning: lib/vsprintf.c.

The tables are what tests/modules/printf_forms.c calls, with the answers of Linux 6.1 (its log, in
tests/conformance/expected/run-printf*).
"""

from __future__ import annotations

import errno
import os
import struct
import time
from typing import Final

import pytest

from sysfsd.image.image import KernelImage
from sysfsd.linux.kernel.cred import INIT_CRED, Cred
from sysfsd.linux.kernel.sysctl import Tunables
from sysfsd.linux.lib.errname import errname
from sysfsd.linux.lib.vsprintf import (
    LIMIT,
    MemoryVaList,
    ptr_to_hashval,
    simple_strntoll,
    simple_strntoull,
    vsnprintf,
    vsnprintf_sized,
    vsscanf,
)
from sysfsd.linux.mm.memory import Memory

#: An argument: a number or pointer, bytes to point to (a NUL follows), or the name of something to point to.
Arg = int | bytes | str
Rows = list[tuple[bytes, tuple[Arg, ...], bytes]]

IMAGE: Final = KernelImage()
NULL: Final = 0
U64_MAX: Final = (1 << 64) - 1


def err_ptr(error: int) -> int:
    return error & U64_MAX


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def s64(value: int) -> bytes:
    return struct.pack("<q", value)


def laid_out(kind: str, **values: int) -> bytes:
    """A structure whose other members are zero."""
    data = bytearray(IMAGE.structs[kind].size)
    for path, value in values.items():
        member = IMAGE.structs[kind].member(path.replace("__", "."))
        data[member.offset : member.offset + member.size] = (value & (1 << 8 * member.size) - 1).to_bytes(
            member.size, "little"
        )
    return bytes(data)


def resource(start: int, end: int, flags: int) -> bytes:
    return laid_out("resource", start=start, end=end, flags=flags)


TIME: Final = laid_out("rtc_time", tm_sec=43, tm_min=35, tm_hour=5, tm_mday=26, tm_mon=10, tm_year=118)
YEAR: Final = laid_out("rtc_time", tm_year=118)
ODD_TIME: Final = laid_out("rtc_time", tm_sec=-1, tm_min=100, tm_hour=1000, tm_mday=-5, tm_mon=-2, tm_year=-2000)
LAST_TIME: Final = laid_out("rtc_time", tm_mon=2147483647, tm_year=2147483647)
MAC: Final = b"\x2d\x48\xd6\xfc\x7a\x05"
UUID: Final = bytes(range(16))
BITS: Final = bytes(range(1, 17))
IP4: Final = b"\x01\x02\x03\x04"
IP6: Final = b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01"
#: Addresses of sockets: 127.0.0.1 and 2001:db8::1, port 12345.
SIN: Final = b"\x02\0\x30\x39\x7f\0\0\x01"
SIN_9: Final = b"\x02\0\0\x09\x7f\0\0\x01"
SIN6: Final = b"\x0a\0\x30\x39\x12\x34\x56\x78" + IP6 + b"\x05\x06\0\0"
ODD: Final = b' \n\t\r\v\f"\\\a\x1b\0\x01\x7f\x80\xa0\xe9'
SEVENTY: Final = b"0123456789" * 7
COFFEE: Final = b"\xc0\xff\xee"


class Symbols:
    """Two functions that have names, of which one is a module's."""

    def sprint_symbol(self, address: int, offset: bool = True, backtrace: bool = False) -> str:
        for start, size, name, module in ((0xFFFFFFFF81000000, 0x100, "_text", ""), (MODULE, 0x40, "p", " [forms]")):
            if start <= address - backtrace < start + size:
                return name + (f"+{address - start:#x}/{size:#x}" if offset else "") + module
        return f"{address:#x}"


MODULE: Final = 0xFFFFFFFFC0001000


class Machine:
    """As much of a kernel as printing asks for, and memory with things to point to."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.image = IMAGE
        self.tunables = Tunables()
        self.kallsyms = Symbols()
        self.cred = INIT_CRED
        self.warnings: list[str] = []
        self._free = self.memory.vmalloc(1 << 20)
        self.names: dict[str, int] = {}
        for name, parent in (("foo", 0), ("bravo", 0), ("alfa", 1), ("romeo", 2), ("orphan", None)):
            above = self._free if name == "foo" else 0 if parent is None else self.names[f"dentries[{parent}]"]
            place = self.place(bytes(IMAGE.structs["dentry"].size))
            index = len(self.names)
            self.names[f"dentries[{index}]"] = place
            text = self.place(name.encode())
            self.memory.write(place, laid_out("dentry", d_parent=above, d_name__name=text))
        self.names["file"] = self.place(laid_out("file", f_path__dentry=self.names["dentries[3]"]))
        for name, disk, partition in (("disk", b"sda", 0), ("partition", b"sda", 3), ("partition_p", b"nvme0n1", 12)):
            gendisk = self.place(bytes(IMAGE.structs["gendisk"].size))
            self.memory.write(gendisk + IMAGE.offset("gendisk", "disk_name"), disk)
            self.names[name] = self.place(laid_out("block_device", bd_disk=gendisk, bd_partno=partition))
        self.names["node"] = self.place(bytes(IMAGE.structs["fwnode_handle"].size))
        core = self.place(laid_out("clk_core", name=self.place(b"pll")))
        self.names["clock"] = self.place(laid_out("clk", core=core))

    def place(self, data: bytes) -> int:
        """Somewhere in memory where *data* and a NUL are."""
        address = self._free
        self._free += (len(data) + 16) & -16
        self.memory.write(address, data + b"\0")
        return address

    def slot(self, arg: Arg) -> int:
        """The eight bytes that stand for an argument."""
        if isinstance(arg, str):
            return self.names[arg]
        return self.place(arg) if isinstance(arg, bytes) else arg & U64_MAX

    def current_cred(self) -> Cred:
        return self.cred

    def warn(self, message: str) -> None:
        self.warnings.append(message)


class Args:
    """Arguments that have been put into slots."""

    def __init__(self, *slots: int) -> None:
        self.slots = list(slots)

    def arg(self) -> int:
        return self.slots.pop(0)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture(scope="module")
def shared() -> Machine:
    """One that nothing is changed of."""
    return Machine()


def printed(machine: Machine, fmt: bytes, *args: Arg) -> bytes:
    free = machine._free
    text = vsnprintf(machine, fmt, Args(*(machine.slot(arg) for arg in args)))
    machine._free = free
    return text


NUMBERS: Final[Rows] = [
    (b"", (), b""),
    (b"plain text", (), b"plain text"),
    (b"100%%", (), b"100%"),
    (b"%%|%5%|%-5%|%05%|%.3%|%l%", (), b"%|%|%|%|%|%"),
    (b"%*%|", (7,), b"%|"),
    (b"%.*%|", (7,), b"%|"),
    (b"%d %d %d %d", (0, 1, -1, 42), b"0 1 -1 42"),
    (b"%i|%i", (2147483647, -2147483648), b"2147483647|-2147483648"),
    (b"%u|%u", (0, -1), b"0|4294967295"),
    (b"%d|%u", (0x123456789, 0x123456789), b"591751049|591751049"),
    (b"%d|%d", (4294967295, 2147483648), b"-1|-2147483648"),
    (b"%x|%X|%o", (0xDEADBEEF, 0xDEADBEEF, 0xDEADBEEF), b"deadbeef|DEADBEEF|33653337357"),
    (b"%x|%X|%o", (0, 0, 0), b"0|0|0"),
    (b"%x|%o", (-1, -1), b"ffffffff|37777777777"),
    (b"%#x|%#X|%#o", (255, 255, 255), b"0xff|0XFF|0377"),
    (b"%#x|%#X|%#o", (0, 0, 0), b"0x0|0X0|0"),
    (b"%#d|%#u|%#i", (5, 5, 5), b"5|5|5"),
    (b"%5d|%-5d|%05d|%+d|% d", (42, 42, 42, 42, 42), b"   42|42   |00042|+42| 42"),
    (b"%5d|%-5d|%05d|%+d|% d", (-42, -42, -42, -42, -42), b"  -42|-42  |-0042|-42|-42"),
    (b"%5u|%-5u|%05u|%+u|% u", (42, 42, 42, 42, 42), b"   42|42   |00042|42|42"),
    (b"%+x|% x|%+o|%+X", (42, 42, 42, 42), b"2a|2a|52|2A"),
    (b"%5x|%-5x|%05x|%#5x|%#-5x|%#05x", (10, 10, 10, 10, 10, 10), b"    a|a    |0000a|  0xa|0xa  |0x00a"),
    (b"%#08x|%#8x|%-#8x|%#-8X|%0#8X", (0xAB, 0xAB, 0xAB, 0xAB, 0xAB), b"0x0000ab|    0xab|0xab    |0XAB    |0X0000AB"),
    (b"%#5o|%-#5o|%#05o|%0#10o", (8, 8, 8, 8), b"  010|010  |00010|0000000010"),
    (b"%#5o|%-#5o|%#05o|%0#10o", (0, 0, 0, 0), b"    0|0    |00000|0000000000"),
    (b"%-05d|%0-5d|% 05d|%+05d|%+-5d|% -5d", (7, 7, 7, 7, 7, 7), b"7    |7    | 0007|+0007|+7   | 7   "),
    (b"%+ d|% +d|%+ d", (7, 7, -7), b"+7|+7|-7"),
    (b"%--5d|%++d|%00005d|%##x", (7, 7, 7, 7), b"7    |+7|00007|0x7"),
    (b"%1d|%2d|%3d|%4d", (123, 123, 123, 123), b"123|123|123| 123"),
    (b"%01d|%02d|%03d|%04d", (-12, -12, -12, -12), b"-12|-12|-12|-012"),
    (b"%.0d|%.d|%.1d|%.5d", (0, 0, 0, 0), b"0|0|0|00000"),
    (b"%.0d|%.d|%.1d|%.5d", (42, 42, 42, 42), b"42|42|42|00042"),
    (b"%.5d|%.5d|%.5x|%.5o|%#.5x|%#.5o", (42, -42, 42, 42, 42, 42), b"00042|-00042|0002a|00052|0x0002a|000052"),
    (b"%8.5d|%-8.5d|%08.5d|%+8.5d|%+08.5d", (42, 42, 42, 42, 42), b"   00042|00042   |00000042|  +00042|+0000042"),
    (b"%8.5d|%-8.5d|%08.5d|% 8.5d|% 08.5d", (-42, -42, -42, 42, 42), b"  -00042|-00042  |-0000042|   00042| 0000042"),
    (
        b"%10.5x|%-10.5x|%010.5x|%#10.5x|%#010.5x",
        (0xAB, 0xAB, 0xAB, 0xAB, 0xAB),
        b"     000ab|000ab     |00000000ab|   0x000ab|0x000000ab",
    ),
    (b"%10.3o|%#10.5o|%#010.5o|%-#10.5o", (8, 8, 8, 8), b"       010|    000010|0000000010|000010    "),
    (b"%5.10d|%-5.10d|%05.10d", (42, 42, 42), b"0000000042|0000000042|0000000042"),
    (b"%.20d|%.30x", (1, 1), b"00000000000000000001|000000000000000000000000000001"),
    (b"%*d|%-*d|%0*d", (6, 42, 6, 42, 6, 42), b"    42|42    |000042"),
    (b"%*d|%-*d|%0*d", (-6, 42, -6, 42, -6, 42), b"42    |42    |42    "),
    (b"%*d|%-*d|%0*d", (0, 42, 0, 42, 0, 42), b"42|42|42"),
    (b"%.*d|%.*d|%.*d", (5, 42, 0, 42, -5, 42), b"00042|42|42"),
    (b"%*.*d|%*.*x|%-*.*d|", (8, 5, 42, -8, 3, 42, 8, 5, 42), b"   00042|02a     |00042   |"),
    (b"%*.*d|", (8, -5, 42), b"      42|"),
    (b"%+*d|% *d|%#*x|%0*x", (5, 1, 5, 1, 6, 1, 6, 1), b"   +1|    1|   0x1|000001"),
    (b"%hhd|%hhd|%hhd|%hhd", (0, 127, 128, 255), b"0|127|-128|-1"),
    (b"%hhu|%hhu|%hhx|%hho|%hhX", (256, -1, -1, -1, 0x1AB), b"0|255|ff|377|AB"),
    (b"%hd|%hd|%hd|%hd", (0, 32767, 32768, 65535), b"0|32767|-32768|-1"),
    (b"%hu|%hu|%hx|%ho|%hX", (65536, -1, -1, -1, 0x1ABCD), b"0|65535|ffff|177777|ABCD"),
    (b"%ho%ho%#ho", (1037, 5282, -11627), b"2015122420151225"),
    (
        b"%ld|%ld|%lu|%lx",
        (-1, 0x7FFFFFFFFFFFFFFF, -1, -1),
        b"-1|9223372036854775807|18446744073709551615|ffffffffffffffff",
    ),
    (
        b"%lld|%lld|%llu|%llx",
        (-1, 0x7FFFFFFFFFFFFFFF, -1, -1),
        b"-1|9223372036854775807|18446744073709551615|ffffffffffffffff",
    ),
    (b"%li|%lo|%lX|%llo|%llX", (42, 42, 42, 42, 42), b"42|52|2A|52|2A"),
    (b"%ld|%llu", (0x8000000000000000, 18446744073709551615), b"-9223372036854775808|18446744073709551615"),
    (b"%Ld|%Lu|%Lx|%Li", (-1, -1, -1, -5), b"-1|18446744073709551615|ffffffffffffffff|-5"),
    (b"%zd|%zu|%zx|%zi|%zo", (-1, -1, -1, -2, 8), b"-1|18446744073709551615|ffffffffffffffff|-2|10"),
    (b"%td|%tu|%tx|%ti|%to", (-1, -1, -1, -2, 8), b"-1|18446744073709551615|ffffffffffffffff|-2|10"),
    (
        b"%+ld|% lld|%#lx|%#llX|%+zd|%020lx|%-20lu|",
        (5, 5, 5, 0xABC, 5, 5, 5),
        b"+5| 5|0x5|0XABC|+5|00000000000000000005|5                   |",
    ),
    (b"%lu %lu %lu %lu", (9, 10, 99, 100), b"9 10 99 100"),
    (b"%lu %lu %lu", (99999999, 100000000, 9999999999999999), b"99999999 100000000 9999999999999999"),
    (b"%lu %lu", (10000000000000000, 12345678901234567890), b"10000000000000000 12345678901234567890"),
    (b"%+5hhd|%-6hx|%06ho", (-1, -1, -1), b"   -1|ffff  |177777"),
    (b"%300d|", (1,), b" " * 299 + b"1|"),
    (b"%-300d|", (1,), b"1" + b" " * 299 + b"|"),
    (b"%0300d|", (1,), b"0" * 299 + b"1|"),
    (b"%.300d|", (1,), b"0" * 299 + b"1|"),
    (b"%d %s %x %c%%", (1, b"two", 3, ord("4")), b"1 two 3 4%"),
    (b"%d%d%d%d%d%d%d%d%d", (1, 2, 3, 4, 5, 6, 7, 8, 9), b"123456789"),
    (
        b"%d %d %d %d %d %d %d %d %d %d %d %d",
        (10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120),
        b"10 20 30 40 50 60 70 80 90 100 110 120",
    ),
]

STRINGS: Final[Rows] = [
    (b"%s", (b"",), b""),
    (b"%s %s", (b"Hello", b"world"), b"Hello world"),
    (b"%s\n\t\r", (b"line",), b"line\n\t\r"),
    (
        b"%10s|%-10s|%010s|%+10s|% 10s|%#10s",
        (b"abc", b"abc", b"abc", b"abc", b"abc", b"abc"),
        b"       abc|abc       |       abc|       abc|       abc|       abc",
    ),
    (b"%2s|%-2s|%0s", (b"abc", b"abc", b"abc"), b"abc|abc|abc"),
    (b"%.2s|%.0s|%.s|%.10s", (b"abc", b"abc", b"abc", b"abc"), b"ab||abc|abc"),
    (b"%5.2s|%-5.2s|%5.0s|%-5.s|", (b"abc", b"abc", b"abc", b"abc"), b"   ab|ab   |     |abc  |"),
    (b"%*s|%-*s|%*s|", (6, b"abc", 6, b"abc", -6, b"abc"), b"   abc|abc   |abc   |"),
    (b"%.*s|%.*s|%.*s|", (2, b"abc", 0, b"abc", -1, b"abc"), b"ab|||"),
    (b"%*.*s|%-*.*s|", (6, 2, b"abc", 6, 2, b"abc"), b"    ab|ab    |"),
    (b"%4.*s|", (-5, b"123456"), b"    |"),
    (b"%ls|%hs|%hhs|%lls|%zs|%ts|%Ls", (b"a", b"b", b"c", b"d", b"e", b"f", b"g"), b"a|b|c|d|e|f|g"),
    (b"%s", (b"\x80\xff\xe9\x01\x1b",), b"\x80\xff\xe9\x01\x1b"),
    (b"%.3s", (b"\x80\xff\xe9\x01\x1b",), b"\x80\xff\xe9"),
    (b"%s", (NULL,), b"(null)"),
    (
        b"%10s|%-10s|%.3s|%.20s|%3s|%.0s|",
        (NULL, NULL, NULL, NULL, NULL, NULL),
        b"    (null)|(null)    |(nu|(null)|(null)||",
    ),
    (b"%s %s %s", (1, 4095, err_ptr(-1)), b"(efault) (efault) (efault)"),
    (b"%12s|%-12s|%.4s|", (100, 100, 100), b"    (efault)|(efault)    |(efa|"),
    (b"%s %s", (err_ptr(-errno.ENOENT), err_ptr(-4095)), b"(efault) (efault)"),
    (b"%200s|", (b"abc",), b" " * 197 + b"abc|"),
    (b"%-200s|", (b"abc",), b"abc" + b" " * 197 + b"|"),
    (b"%500s|", (b"abc",), b" " * 497 + b"abc|"),
    (b"%c%c%c", (ord("a"), ord("b"), ord("c")), b"abc"),
    (b"%c|%c|%c", (0x141, 0xFF, -1), b"A|\xff|\xff"),
    (b"a%cb", (0,), b"a\x00b"),
    (
        b"%5c|%-5c|%05c|%+5c|%1c|%0c|%.3c|",
        (ord("x"), ord("x"), ord("x"), ord("x"), ord("x"), ord("x"), ord("x")),
        b"    x|x    |    x|    x|x|x|x|",
    ),
    (b"%*c|%-*c|%*c|%.*c|", (4, ord("x"), 4, ord("x"), -4, ord("x"), 4, ord("x")), b"   x|x   |x   |x|"),
    (b"%lc|%hc", (ord("l"), ord("h")), b"l|h"),
    (b"%300c|", (ord("x"),), b" " * 299 + b"x|"),
    (b"\x016%s", (b"with a level",), b"\x016with a level"),
    (b"\xff\xe4%s\xf6", (b"\xfc",), b"\xff\xe4\xfc\xf6"),
]

UNSUPPORTED: Final[Rows] = [
    (b"before %n after %d", (1, 2), b"before "),
    (b"%f|%d", (1, 2), b""),
    (b"%e", (1,), b""),
    (b"%g", (1,), b""),
    (b"%a", (1,), b""),
    (b"%m", (1,), b""),
    (b"%b", (1,), b""),
    (b"%D", (1,), b""),
    (b"%S", (1,), b""),
    (b"%C", (1,), b""),
    (b"%y %d", (1, 2), b""),
    (b"%q", (1,), b""),
    (b"%1$d", (5,), b""),
    (b"%jd", (1,), b""),
    (b"%Zd", (1,), b""),
    (b"%lhd", (1,), b""),
    (b"%hld", (1,), b""),
    (b"%llld", (1,), b""),
    (b"%hhhd", (1,), b""),
    (b"%LLd", (1,), b""),
    (b"%zzd", (1,), b""),
    (b"%ttd", (1,), b""),
    (b"%lLd", (1,), b""),
    (b"%Lld", (1,), b""),
    (b"%ll", (1,), b""),
    (b"end%", (), b"end"),
    (b"end%5", (), b"end"),
    (b"end%-", (), b"end"),
    (b"end%.", (), b"end"),
    (b"end%.5", (), b"end"),
    (b"end%l", (), b"end"),
    (b"end%*", (5,), b"end"),
    (b"end%.*", (5,), b"end"),
    (b"% %d|", (5,), b"%d|"),
    (b"%5 d|", (5,), b""),
    (b"%-+ #0", (5,), b""),
    (b"%**d", (5, 6), b""),
    (b"%*5d", (5, 6), b""),
    (b"%.-5d", (5,), b""),
    (b"%.5.5d", (5,), b""),
    (b"%5-d", (5,), b""),
    (b"%\n", (5,), b""),
    (b"%\x80", (5,), b""),
]

POINTERS: Final[Rows] = [
    (b"%p|%px", (NULL, NULL), b"0000000000000000|0000000000000000"),
    (b"%p|%px", (err_ptr(-errno.ENOENT), err_ptr(-errno.ENOENT)), b"fffffffffffffffe|fffffffffffffffe"),
    (b"%p|%px", (err_ptr(-4095), err_ptr(-4095)), b"fffffffffffff001|fffffffffffff001"),
    (b"%px|%px|%px", (1, 0xAB, 0xFFFFFFFF81000000), b"0000000000000001|00000000000000ab|ffffffff81000000"),
    (
        b"%20px|%-20px|%020px|%5px|%.3px|%.20px|",
        (0xAB12, 0xAB12, 0xAB12, 0xAB12, 0xAB12, 0xAB12),
        (
            b"                ab12|ab12                |0000000000000000ab12| ab12|000000000000ab12|0000"
            b"000000000000ab12|"
        ),
    ),
    (
        b"%#px|%#20px|%#-20px|%#5px|%+px|% px",
        (0xAB12, 0xAB12, 0xAB12, 0xAB12, 0xAB12, 0xAB12),
        (b"0x0000000000ab12|              0xab12|0xab12              |0xab12|000000000000ab12|000000000000ab12"),
    ),
    (
        b"%20p|%-20p|%020p|%5p|%.3p|%#p|",
        (NULL, NULL, NULL, NULL, NULL, NULL),
        (b"                   0|0                   |00000000000000000000|    0|0000000000000000|0x00000000000000|"),
    ),
    (
        b"%*p|%-*p|%.*p|",
        (20, NULL, 20, NULL, 20, NULL),
        b"                   0|0                   |00000000000000000000|",
    ),
    (
        b"%0px|%1px|%016px|%-px|",
        (0xAB12, 0xAB12, 0xAB12, 0xAB12),
        b"000000000000ab12|ab12|000000000000ab12|ab12            |",
    ),
    (b"%lpx|%hpx|%zpx", (0xAB12, 0xAB12, 0xAB12), b"000000000000ab12|000000000000ab12|000000000000ab12"),
    (b"%pxyz|%px1", (0xAB12, 0xAB12), b"000000000000ab12|000000000000ab12"),
    (b"%px-x|%px x|%px.x", (0xAB12, 0xAB12, 0xAB12), b"000000000000ab12-x|000000000000ab12 x|000000000000ab12.x"),
    (
        b"%px\xe9\xc0|%px\xd7|%px\xa9",
        (0xAB12, 0xAB12, 0xAB12),
        b"000000000000ab12|000000000000ab12\xd7|000000000000ab12\xa9",
    ),
    (
        b"%pq|%pZ9|%p0|%p1",
        (NULL, NULL, NULL, NULL),
        b"0000000000000000|0000000000000000|0000000000000000|0000000000000000",
    ),
    (
        b"%pF|%pL|%pP|%pj",
        (NULL, NULL, NULL, NULL),
        b"0000000000000000|0000000000000000|0000000000000000|0000000000000000",
    ),
    (b"%pK", (NULL,), b"0000000000000000"),
    (b"%20pK|%-20pK|", (NULL, NULL), b"                   0|0                   |"),
    (b"%pe|%pe|%pe", (err_ptr(-errno.ENOENT), err_ptr(-errno.EIO), err_ptr(-errno.EAGAIN)), b"-ENOENT|-EIO|-EAGAIN"),
    (b"%pe|%pe|%pe", (err_ptr(-1), err_ptr(-41), err_ptr(-133)), b"-EPERM|-41|-EHWPOISON"),
    (b"%pe|%pe|%pe", (err_ptr(-134), err_ptr(-511), err_ptr(-512)), b"-134|-511|-ERESTARTSYS"),
    (b"%pe|%pe|%pe", (err_ptr(-517), err_ptr(-520), err_ptr(-524)), b"-EPROBE_DEFER|-520|-ENOTSUPP"),
    (b"%pe|%pe|%pe", (err_ptr(-530), err_ptr(-531), err_ptr(-1234)), b"-ERECALLCONFLICT|-531|-1234"),
    (b"%pe|%pe|%pe", (err_ptr(-4095), err_ptr(-35), err_ptr(-95)), b"-4095|-EDEADLK|-EOPNOTSUPP"),
    (
        b"%10pe|%-10pe|%.3pe|%8pe|%-8pe|",
        (err_ptr(-errno.EIO), err_ptr(-errno.EIO), err_ptr(-errno.EIO), err_ptr(-1234), err_ptr(-1234)),
        b"      -EIO|-EIO      |-EI|   -1234|-1234   |",
    ),
    (
        b"%+pe|%08pe|%.6pe|%010pe",
        (err_ptr(-1234), err_ptr(-1234), err_ptr(-1234), err_ptr(-errno.EIO)),
        b"-1234|-0001234|-001234|      -EIO",
    ),
    (b"%pe|%20pe|", (NULL, NULL), b"0000000000000000|                   0|"),
    (b"%pks|%pus|%10pks|%.2pus", (b"kernel", b"user", b"kernel", b"user"), b"kernel|user|    kernel|us"),
    (
        b"%pk|%pu|%pku|%puk|%10pk|%.4pu",
        (b"kernel", b"user", b"kernel", b"user", b"kernel", b"user"),
        b"(einval)|(einval)|(einval)|(einval)|  (einval)|(ein",
    ),
    (b"%pks|%pus|%pk|%pu", (NULL, NULL, NULL, NULL), b"(null)|(null)|(einval)|(einval)"),
    (b"%pks|%pus", (1, err_ptr(-1)), b"(efault)|(efault)"),
    (b"%pO|%pOF|%pOFn|%pOx", (NULL, NULL, NULL, NULL), b"(%pO?)|(%pOF?)|(%pOF?)|(%pO?)"),
    (b"%12pO|%-12pOF|%.3pOF|", (b"x", b"x", b"x"), b"      (%pO?)|(%pOF?)     |(%p|"),
    (b"%pf|%pfx|%pfs", (NULL, NULL, NULL), b"(%pf?)|(%pf?)|(%pf?)"),
    (b"%pfw|%pfwP|%pfwf", (NULL, NULL, NULL), b"(null)|(null)|(null)"),
    (
        b"%pfw|%pfwP|%pfwf|%20pfw|%8pfwP|%.3pfwP|",
        ("node", "node", "node", "node", "node", "node"),
        b"(null)(null)|(null)|(null)(null)|        (null)(null)|  (null)|(nu|",
    ),
    (b"%pA|%10pA|%.2pA|", (NULL, NULL, NULL), b"(%pA?)|    (%pA?)|(%|"),
]

NOWHERE: Final[Rows] = [
    (b"%pR|%pr|%pR|%pr", (NULL, NULL, 1, err_ptr(-1)), b"(null)|(null)|(efault)|(efault)"),
    (b"%ph|%*ph|%0ph|%3ph", (NULL, 3, NULL, NULL, NULL), b"(null)|(null)|(null)|(null)"),
    (b"%ph|%phC|%*phN", (1, err_ptr(-1), 5, 4095), b"(efault)|(efault)|(efault)"),
    (b"%*ph|%*ph", (0, NULL, -1, NULL), b"|(null)"),
    (b"%pb|%*pb|%pbl|%*pbl", (NULL, 8, NULL, NULL, 8, NULL), b"(null)|  (null)|(null)|  (null)"),
    (b"%pb|%*pb|%pbl|%*pbl", (1, 8, 1, 1, 8, 1), b"(efault)|(efault)|(efault)|(efault)"),
    (b"%pM|%pm|%pMR|%pMF", (NULL, 1, err_ptr(-1), NULL), b"(null)|(efault)|(efault)|(null)"),
    (
        b"%pI4|%pi4|%pI6|%pi6|%pI6c|%pIS|%piS|%pI|%pi",
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        b"(null)|(null)|(null)|(null)|(null)|(null)|(null)|(null)|(null)",
    ),
    (
        b"%pI4|%pi4|%pI6|%pi6|%pI6c|%pIS|%piS|%pI|%pi",
        (1, 1, 1, 1, 1, 1, 1, 1, 1),
        b"(efault)|(efault)|(efault)|(efault)|(efault)|(efault)|(efault)|(efault)|(efault)",
    ),
    (b"%pE|%*pE|%*pE|%0pE", (NULL, 3, NULL, 0, NULL, NULL), b"(null)|(null)||(null)"),
    (b"%pE|%*pE", (1, 3, err_ptr(-1)), b"(efault)|(efault)"),
    (b"%pU|%pUL|%pUb", (NULL, 1, err_ptr(-1)), b"(null)|(efault)|(efault)"),
    (b"%pV|%pV|%pV", (NULL, 1, err_ptr(-1)), b"(null)|(efault)|(efault)"),
    (b"%pN|%pNF|%pNF", (NULL, NULL, 1), b"(null)|(null)|(efault)"),
    (b"%p4|%p4c|%p4cc|%p4cc|%p4cd", (NULL, NULL, NULL, 1, NULL), b"(%p4?)|(%p4?)|(null)|(efault)|(%p4?)"),
    (b"%pa|%pap|%pad|%pa", (NULL, 1, err_ptr(-1), 4095), b"(null)|(efault)|(efault)|(efault)"),
    (b"%pd|%pd2|%pD|%pD4", (NULL, 1, NULL, err_ptr(-1)), b"(null)|(efault)|(null)|(efault)"),
    (b"%pt|%ptR|%ptT|%ptTd", (NULL, NULL, 1, err_ptr(-1)), b"(null)|(null)|(efault)|(efault)"),
    (b"%pC|%pCn|%pC", (NULL, 1, err_ptr(-1)), b"(null)|(efault)|(efault)"),
    (b"%pg|%pg|%pg", (NULL, 1, err_ptr(-1)), b"(null)|(efault)|(efault)"),
    (b"%pG|%pGp|%pGg|%pGv", (NULL, NULL, 1, err_ptr(-1)), b"(null)|(null)|(efault)|(efault)"),
    (
        b"%12pR|%-12pM|%.3pU|%.20pUB|%-9pI4|",
        (NULL, NULL, NULL, NULL, NULL),
        b"      (null)|(null)      |(nu|(null)|(null)   |",
    ),
]

RESOURCES: Final[Rows] = [
    (b"%pR", (resource(0x60000000, 0x6FFFFFFF, 0x2200),), b"[mem 0x60000000-0x6fffffff pref]"),
    (b"%pr", (resource(0x60000000, 0x6FFFFFFF, 0x2200),), b"[mem 0x60000000-0x6fffffff flags 0x2200]"),
    (b"%pR", (resource(0x60000000, 0x60000000, 0x200),), b"[mem 0x60000000]"),
    (b"%pR", (resource(0x10060000000, 0x1006FFFFFFF, 0x102200),), b"[mem 0x10060000000-0x1006fffffff 64bit pref]"),
    (b"%pR", (resource(0, 0xFFF, 0x30300200),), b"[mem size 0x00001000 64bit window disabled]"),
    (b"%pR", (resource(0, 0xFFF, 0x20000200),), b"[mem size 0x00001000]"),
    (b"%pr", (resource(0, 0xFFF, 0x20000200),), b"[mem 0x00000000-0x00000fff flags 0x20000200]"),
    (b"%pR", (resource(5, 0, 0x20000200),), b"[mem size 0xfffffffffffffffc]"),
    (b"%pR", (resource(0, 0xFFFFFFFFFFFFFFFF, 0x20000200),), b"[mem size 0x00000000]"),
    (b"%pR", (resource(0, 0x1F, 0x10302200),), b"[mem 0x00000000-0x0000001f 64bit pref window disabled]"),
    (
        b"%pR|%pr",
        (resource(0x3F8, 0x3FF, 0x100), resource(0x3F8, 0x3FF, 0x100)),
        b"[io  0x03f8-0x03ff]|[io  0x03f8-0x03ff flags 0x100]",
    ),
    (b"%pR|%pr", (resource(0x12345, 0x12345, 0x100), resource(1, 1, 0x100)), b"[io  0x12345]|[io  0x0001 flags 0x100]"),
    (b"%pR|%pr", (resource(5, 5, 0x400), resource(5, 7, 0x400)), b"[irq 5]|[irq 5-7 flags 0x400]"),
    (b"%pR|%pr", (resource(3, 3, 0x800), resource(3, 4, 0x800)), b"[dma 3]|[dma 3-4 flags 0x800]"),
    (b"%pR|%pr", (resource(0, 0xFF, 0x1000), resource(5, 5, 0x1000)), b"[bus 00-ff]|[bus 05 flags 0x1000]"),
    (
        b"%pR|%pr",
        (resource(0, 0xFF, 0), resource(5, 5, 0x30000000)),
        b"[??? 0x00000000-0x000000ff flags 0x0]|[??? 0x00000005 flags 0x30000000]",
    ),
    (b"%60pR|", (resource(0, 0xFF, 0x200),), b"                                 [mem 0x00000000-0x000000ff]|"),
    (b"%-60pR|", (resource(0, 0xFF, 0x200),), b"[mem 0x00000000-0x000000ff]                                 |"),
    (b"%.10pR|%20.5pr|", (resource(0, 0xFF, 0x200), resource(0, 0xFF, 0x200)), b"[mem 0x000|               [mem |"),
    (
        b"%pRx|%prR",
        (resource(0, 0xFF, 0x300), resource(0, 0xFF, 0x600)),
        b"[io  0x0000-0x00ff]|[mem 0x00000000-0x000000ff flags 0x600]",
    ),
    (
        b"%pR",
        (resource(0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFE, 0x10302200),),
        b"[mem 0xffffffffffffffff-0xfffffffffffffffe 64bit pref window disabled]",
    ),
    (
        b"%pR",
        (resource(0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFE0FF),),
        b"[??? 0xffffffffffffffff-0xfffffffffffffffe flags 0xffffffffffffe0ff]",
    ),
]

BYTES: Final[Rows] = [
    (b"%ph", (COFFEE,), b"c0"),
    (b"%3ph|%3phC|%3phD|%3phN", (COFFEE, COFFEE, COFFEE, COFFEE), b"c0 ff ee|c0:ff:ee|c0-ff-ee|c0ffee"),
    (b"%*ph|%*phC|%*phD|%*phN", (3, COFFEE, 3, COFFEE, 3, COFFEE, 3, COFFEE), b"c0 ff ee|c0:ff:ee|c0-ff-ee|c0ffee"),
    (
        b"%*ph|%*ph|%-3ph|%.2ph|%03ph",
        (0, COFFEE, -3, COFFEE, COFFEE, COFFEE, COFFEE),
        b"|c0 ff ee|c0 ff ee|c0|c0 ff ee",
    ),
    (b"%2phx|%2phNC|%2ph C", (COFFEE, COFFEE, COFFEE), b"c0 ff|c0ff|c0 ff C"),
    (
        b"%64phN",
        (SEVENTY,),
        (
            b"303132333435363738393031323334353637383930313233343536373839303132333435363738393031323334"
            b"35363738393031323334353637383930313233"
        ),
    ),
    (
        b"%65phN",
        (SEVENTY,),
        (
            b"303132333435363738393031323334353637383930313233343536373839303132333435363738393031323334"
            b"35363738393031323334353637383930313233"
        ),
    ),
    (
        b"%100phC",
        (SEVENTY,),
        (
            b"30:31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:"
            b"30:31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:"
            b"30:31:32:33"
        ),
    ),
    (
        b"%pM|%pMR|%pMF|%pm|%pmR|%pmF|%pMx",
        (MAC, MAC, MAC, MAC, MAC, MAC, MAC),
        (
            b"2d:48:d6:fc:7a:05|05:7a:fc:d6:48:2d|2d-48-d6-fc-7a-05|2d48d6fc7a05|057afcd6482d|2d48d6fc7a"
            b"05|2d:48:d6:fc:7a:05"
        ),
    ),
    (
        b"%20pM|%-20pM|%.5pM|%20.5pm|",
        (MAC, MAC, MAC, MAC),
        b"   2d:48:d6:fc:7a:05|2d:48:d6:fc:7a:05   |2d:48|               2d48d|",
    ),
    (b"%pUb|%pUB", (UUID, UUID), b"00010203-0405-0607-0809-0a0b0c0d0e0f|00010203-0405-0607-0809-0A0B0C0D0E0F"),
    (b"%pUl|%pUL", (UUID, UUID), b"03020100-0504-0706-0809-0a0b0c0d0e0f|03020100-0504-0706-0809-0A0B0C0D0E0F"),
    (
        b"%pU|%pUx|%40pU|%-40pU|%.8pU|",
        (UUID, UUID, UUID, UUID, UUID),
        (
            b"00010203-0405-0607-0809-0a0b0c0d0e0f|00010203-0405-0607-0809-0a0b0c0d0e0f|    00010203-040"
            b"5-0607-0809-0a0b0c0d0e0f|00010203-0405-0607-0809-0a0b0c0d0e0f    |00010203|"
        ),
    ),
    (
        b"%pNF|%20pNF|%pN|%pNx",
        (u64(0x123456789A), u64(0), u64(1), u64(1)),
        b"0x000000123456789a|0x0000000000000000|(%pN?)|(%pN?)",
    ),
    (
        b"%p4cc|%p4cc|%p4cc|%p4cc",
        (u32(0x3231564E), u32(0xB231564E), u32(0x10111213), u32(0x20303159)),
        (
            b"NV12 little-endian (0x3231564e)|NV12 big-endian (0xb231564e)|.... little-endian (0x1011121"
            b"3)|Y10  little-endian (0x20303159)"
        ),
    ),
    (
        b"%p4cc|%40p4cc|%-40p4cc|%.6p4cc|",
        (u32(0xFFE9A080), u32(0x20303159), u32(0x20303159), u32(0x20303159)),
        (
            b".... big-endian (0xffe9a080)|         Y10  little-endian (0x20303159)|Y10  little-endian ("
            b"0x20303159)         |Y10  l|"
        ),
    ),
    (
        b"%p4|%p4c|%p4ccx|%20p4|",
        (u32(1), u32(1), u32(0x20303159), u32(1)),
        b"(%p4?)|(%p4?)|Y10  little-endian (0x20303159)|              (%p4?)|",
    ),
    (
        b"%pa|%pap|%pad|%pax",
        (u64(0xFEE00000), u64(0), u64(0x123456789ABCDEF0), u64(1)),
        b"0x00000000fee00000|0x0000000000000000|0x123456789abcdef0|0x0000000000000001",
    ),
    (
        b"%30pa|%-30pa|%.3pa|%#pa",
        (u64(1), u64(1), u64(1), u64(1)),
        b"0x0000000000000001|0x0000000000000001|0x0000000000000001|0x0000000000000001",
    ),
]

BITMAPS: Final[Rows] = [
    (b"%20pb|%*pb", (u64(0), 20, u64(0)), b"00000|00000"),
    (b"%20pbl|%*pbl", (u64(0), 20, u64(0)), b"|"),
    (b"%20pb|%*pb", (u64(0xA28AC), 20, u64(0xA28AC)), b"a28ac|a28ac"),
    (b"%20pbl|%*pbl", (u64(0xA28AC), 20, u64(0xA28AC)), b"2-3,5,7,11,13,17,19|2-3,5,7,11,13,17,19"),
    (b"%20pb|%20pbl", (u64(0xFFFFFFF), u64(0xFFFFFFF)), b"fffff|0-19"),
    (
        b"%1pb|%2pb|%3pb|%4pb|%5pb|%8pb|%9pb",
        (u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX)),
        b"1|3|7|f|1f|ff|1ff",
    ),
    (
        b"%31pb|%32pb|%33pb|%63pb|%64pb",
        (u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX)),
        b"7fffffff|ffffffff|1,ffffffff|7fffffff,ffffffff|ffffffff,ffffffff",
    ),
    (
        b"%31pbl|%32pbl|%33pbl|%63pbl|%64pbl",
        (u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX)),
        b"0-30|0-31|0-32|0-62|0-63",
    ),
    (b"%64pb|%64pbl", (u64(0x8000000100000081), u64(0x8000000100000081)), b"80000001,00000081|0,7,32,63"),
    (
        b"%64pb|%64pbl",
        (u64(0x5555555555555555), u64(0x5555555555555555)),
        (
            b"55555555,55555555|0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48,50"
            b",52,54,56,58,60,62"
        ),
    ),
    (b"%128pb", (BITS,), b"100f0e0d,0c0b0a09,08070605,04030201"),
    (b"%100pb", (BITS,), b"d,0c0b0a09,08070605,04030201"),
    (b"%128pbl", (BITS,), b"0,9,16-17,26,32,34,41-42,48-50,59,64,67,73,75,80-81,83,90-91,96,98-99,105-107,112-115,124"),
    (
        b"%pb|%pbl|%0pb|%0pbl|%*pb|%*pbl|",
        (u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), u64(U64_MAX), -5, u64(U64_MAX), -5, u64(U64_MAX)),
        b"||||1f|0-4|",
    ),
    (
        b"%-8pb|%08pb|%.2pb|%#8pb|%-8pbl|",
        (u64(0xA5), u64(0xA5), u64(0xA5), u64(0xA5), u64(0xA5)),
        b"a5|a5||a5|0,2,5,7|",
    ),
    (b"%8pbx|%8pblx|%8pbL", (u64(0xA5), u64(0xA5), u64(0xA5)), b"a5|0,2,5,7|a5"),
]

ADDRESSES: Final[Rows] = [
    (b"%pI4|%pi4", (b"\x7f\x00\x00\x01", b"\x7f\x00\x00\x01"), b"127.0.0.1|127.000.000.001"),
    (b"%pI4|%pi4", (b"\x00\nc\xff", b"\x00\nc\xff"), b"0.10.99.255|000.010.099.255"),
    (b"%pI4h|%pI4n|%pI4b|%pI4l|%pI4x", (IP4, IP4, IP4, IP4, IP4), b"4.3.2.1|1.2.3.4|1.2.3.4|4.3.2.1|1.2.3.4"),
    (
        b"%pi4h|%pi4n|%pi4b|%pi4l|%pi4x",
        (IP4, IP4, IP4, IP4, IP4),
        b"004.003.002.001|001.002.003.004|001.002.003.004|004.003.002.001|001.002.003.004",
    ),
    (
        b"%20pI4|%-20pI4|%.5pI4|%20.5pi4|",
        (IP4, IP4, IP4, IP4),
        b"             1.2.3.4|1.2.3.4             |1.2.3|               001.0|",
    ),
    (b"%pI6|%pi6", (UUID, UUID), b"0001:0203:0405:0607:0809:0a0b:0c0d:0e0f|000102030405060708090a0b0c0d0e0f"),
    (b"%pI6c|%pi6c", (UUID, UUID), b"1:203:405:607:809:a0b:c0d:e0f|000102030405060708090a0b0c0d0e0f"),
    (
        b"%50pI6c|%-50pI6|%.9pI6|",
        (IP6, IP6, IP6),
        (
            b"                                       2001:db8::1|2001:0db8:0000:0000:0000:0000:0000:0001"
            b"           |2001:0db8|"
        ),
    ),
    (b"%pI6c", (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",), b"::"),
    (b"%pI6c", (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",), b"::1"),
    (b"%pI6c", (b"\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",), b"fe80::"),
    (b"%pI6c", (b" \x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01",), b"2001:0:0:1::1"),
    (b"%pI6c", (b" \x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x01",), b"2001::1:0:0:1:1"),
    (b"%pI6c", (b" \x01\x00\x00\x00\x01\x00\x01\x00\x01\x00\x01\x00\x01\x00\x01",), b"2001:0:1:1:1:1:1:1"),
    (b"%pI6c", (b"\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01",), b"0:1:0:1:0:1:0:1"),
    (b"%pI6c", (b"\x00\x00\x00\x00\x00\x01\x00\x01\x00\x01\x00\x01\x00\x00\x00\x00",), b"::1:1:1:1:0:0"),
    (b"%pI6c", (b"\x01#\x00E\x0f\xff\xf0\x00\x00\x0f\x00\xff\x00\x00\x00\x00",), b"123:45:fff:f000:f:ff::"),
    (b"%pI6c", (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x04",), b"::ffff:1.2.3.4"),
    (b"%pI6c", (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00",), b"::ffff:0.0.0.0"),
    (b"%pI6c", (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04",), b"::102:304"),
    (b"%pI6c", (b"\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00^\xfe\x01\x02\x03\x04",), b"fe80::5efe:1.2.3.4"),
    (b"%pI6c", (b"\xfe\x80\x00\x00\x00\x00\x00\x00\x02\x00^\xfe\x01\x02\x03\x04",), b"fe80::200:5efe:1.2.3.4"),
    (b"%pI6c", (b"\xfe\x80\x00\x01\x00\x02\x00\x03\x02\x00^\xfe\x01\x02\x03\x04",), b"fe80:1:2:3:200:5efe:1.2.3.4"),
    (b"%pI6c", (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00^\xfe\x01\x02\x03\x04",), b"::5efe:1.2.3.4"),
    (b"%pI6c", (b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x04",), b"100::ffff:102:304"),
    (b"%pI|%pi|%pI5|%pix|%10pI|%.3pi|", (IP4, IP4, IP4, IP4, IP4, IP4), b"(%pI?)|(%pi?)|(%pI?)|(%pi?)|    (%pI?)|(%p|"),
    (b"%pIS|%piS", (SIN, SIN), b"127.0.0.1|127.000.000.001"),
    (
        b"%pISp|%piSp|%pISfs|%pISc|%pISpc",
        (SIN, SIN, SIN, SIN, SIN),
        b"127.0.0.1:12345|127.000.000.001:12345|127.0.0.1|127.0.0.1|127.0.0.1:12345",
    ),
    (
        b"%pISh|%pISph|%pIShp|%pISnp|%pISlb|%pISbl|%pIS4h",
        (SIN, SIN, SIN, SIN, SIN, SIN, SIN),
        b"1.0.0.127|1.0.0.127:12345|1.0.0.127:12345|127.0.0.1:12345|127.0.0.1|1.0.0.127|127.0.0.1",
    ),
    (
        b"%6pISp|%-6pISp|%.3pISp|%06pISp|%.12pISp",
        (SIN_9, SIN_9, SIN_9, SIN_9, SIN_9),
        b"127.0.0.1:     9|127.0.0.1:9     |127|127.0.0.1:000009|127.0.0.1:00",
    ),
    (b"%20pIS|%-20pIS|", (SIN_9, SIN_9), b"           127.0.0.1|127.0.0.1           |"),
    (b"%pIS|%piS", (SIN6, SIN6), b"2001:0db8:0000:0000:0000:0000:0000:0001|20010db8000000000000000000000001"),
    (b"%pISc|%piSc", (SIN6, SIN6), b"2001:db8::1|20010db8000000000000000000000001"),
    (
        b"%pISp|%piSp",
        (SIN6, SIN6),
        b"[2001:0db8:0000:0000:0000:0000:0000:0001]:12345|[20010db8000000000000000000000001]:12345",
    ),
    (
        b"%pISf|%pISs|%pISpfsc",
        (SIN6, SIN6, SIN6),
        (
            b"[2001:0db8:0000:0000:0000:0000:0000:0001]/36984440|[2001:0db8:0000:0000:0000:0000:0000:000"
            b"1]%1541|[2001:db8::1]:12345/36984440%1541"
        ),
    ),
    (
        b"%piSpfsc|%piScsfp|%pIShc",
        (SIN6, SIN6, SIN6),
        (
            b"[20010db8000000000000000000000001]:12345/36984440%1541|[20010db8000000000000000000000001]:"
            b"12345/36984440%1541|2001:db8::1"
        ),
    ),
    (
        b"%pISpfsc",
        (
            b"\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        ),
        b"[::]:0/0%0",
    ),
    (
        b"%pIS|%piS|%10pISp|%.3pIS",
        (
            b"\x01\x0009\x7f\x00\x00\x01",
            b"\x00\x0009\x7f\x00\x00\x01",
            b"\x0b\x0009\x7f\x00\x00\x01",
            b"\x02\x0209\x7f\x00\x00\x01",
        ),
        b"(einval)|(einval)|  (einval)|(ei",
    ),
]

ESCAPES: Final[Rows] = [
    (b"%pE|%1pE|%0pE|%-1pE|", (b"\n", b"\n", b"\n", b"\n"), b"\\n|\\n|\\n|\\n|"),
    (b"%*pE", (16, ODD), b' \\n\\t\\r\\v\\f"\\\\a\\e\\0\\001\\177\\200\xa0\xe9'),
    (b"%*pEa", (16, ODD), b'\\040\\n\\t\\r\\v\\f\\"\\\\\\a\\e\\0\\001\\177\\200\\240\\351'),
    (b"%*pEc", (16, ODD), b' \n\t\r\x0b\x0c\\"\\\\\\a\\e\x00\x01\x7f\x80\xa0\xe9'),
    (b"%*pEh", (16, ODD), b"\\x20\\x0a\\x09\\x0d\\x0b\\x0c\\x22\\x5c\\x07\\x1b\\x00\\x01\\x7f\\x80\\xa0\\xe9"),
    (b"%*pEn", (16, ODD), b' \n\t\r\x0b\x0c"\\\x07\x1b\\0\x01\x7f\x80\xa0\xe9'),
    (b"%*pEo", (16, ODD), b"\\040\\012\\011\\015\\013\\014\\042\\134\\007\\033\\000\\001\\177\\200\\240\\351"),
    (b"%*pEp", (16, ODD), b' \n\t\r\x0b\x0c"\\\x07\x1b\x00\x01\x7f\x80\xa0\xe9'),
    (b"%*pEs", (16, ODD), b' \\n\\t\\r\\v\\f"\\\x07\x1b\x00\x01\x7f\x80\xa0\xe9'),
    (b"%*pEhp", (16, ODD), b' \\x0a\\x09\\x0d\\x0b\\x0c"\\\\x07\\x1b\\x00\\x01\\x7f\\x80\xa0\xe9'),
    (b"%*pEho", (16, ODD), b"\\040\\012\\011\\015\\013\\014\\042\\134\\007\\033\\000\\001\\177\\200\\240\\351"),
    (b"%*pEsn", (16, ODD), b' \\n\\t\\r\\v\\f"\\\x07\x1b\\0\x01\x7f\x80\xa0\xe9'),
    (b"%*pEcs", (16, ODD), b' \\n\\t\\r\\v\\f\\"\\\\\\a\\e\x00\x01\x7f\x80\xa0\xe9'),
    (b"%*pEap", (16, ODD), b' \\n\\t\\r\\v\\f"\\\\a\\e\\0\\001\\177\\200\xa0\xe9'),
    (b"%*pExs", (16, ODD), b' \\n\\t\\r\\v\\f"\\\\a\\e\\0\\001\\177\\200\xa0\xe9'),
    (b"%*pEhxs", (16, ODD), b"\\x20\\x0a\\x09\\x0d\\x0b\\x0c\\x22\\x5c\\x07\\x1b\\x00\\x01\\x7f\\x80\\xa0\\xe9"),
    (b"%5pE|%-5pE|%.2pE|%*pE|", (b"abcde", b"abcde", b"\n\n\n", -3, b"\n\n\n"), b"abcde|abcde|\\n|\\n\\n\\n|"),
]

TIMES: Final[Rows] = [
    (b"%ptR", (TIME,), b"2018-11-26T05:35:43"),
    (b"%ptRd|%ptRt", (TIME, TIME), b"2018-11-26|05:35:43"),
    (b"%ptRr|%ptRs", (TIME, TIME), b"0118-10-26T05:35:43|2018-11-26 05:35:43"),
    (
        b"%ptRdr|%ptRtr|%ptRrs|%ptRsr",
        (YEAR, YEAR, YEAR, YEAR),
        b"0118-00-00|00:00:00|0118-00-00 00:00:00|0118-00-00 00:00:00",
    ),
    (
        b"%ptRdt|%ptRtd|%ptRrd|%ptRrt",
        (YEAR, YEAR, YEAR, YEAR),
        b"2018-01-00|00:00:00|0118-00-00T00:00:00|0118-00-00T00:00:00",
    ),
    (
        b"%ptR|%ptRr",
        (ODD_TIME, ODD_TIME),
        (
            b"18446744073709551516-18446744073709551615-18446744073709551611T1000:100:184467440737095516"
            b"15|18446744073709549616-18446744073709551614-18446744073709551611T1000:100:184467440737095"
            b"51615"
        ),
    ),
    (b"%ptR", (LAST_TIME,), b"18446744071562069867-18446744071562067968-00T00:00:00"),
    (b"%30ptR|%-30ptR|%.4ptR|", (YEAR, YEAR, YEAR), b"2018-01-00T00:00:00|2018-01-00T00:00:00|2018-01-00T00:00:00|"),
    (b"%pt|%ptx|%ptr|%10pt|", (YEAR, YEAR, YEAR, YEAR), b"(%pt?)|(%pt?)|(%pt?)|    (%pt?)|"),
    (b"%ptT|%ptTr", (s64(1546615943), s64(1546615943)), b"2019-01-04T15:32:23|0119-00-04T15:32:23"),
    (b"%ptTt|%ptTd", (s64(1546615943), s64(1546615943)), b"15:32:23|2019-01-04"),
    (
        b"%ptTs|%ptTsr|%ptTts|%ptTds|%ptTtrs|%ptTdrs",
        (s64(1546615943), s64(1546615943), s64(1546615943), s64(1546615943), s64(1546615943), s64(1546615943)),
        b"2019-01-04 15:32:23|0119-00-04 15:32:23|15:32:23|2019-01-04|15:32:23|0119-00-04",
    ),
    (
        b"%ptT|%ptT|%ptT",
        (s64(0), s64(-1), s64(951782399)),
        b"1970-01-01T00:00:00|1969-12-31T23:59:59|2000-02-28T23:59:59",
    ),
    (
        b"%ptT|%ptT|%ptT",
        (s64(951782400), s64(951868799), s64(951868800)),
        b"2000-02-29T00:00:00|2000-02-29T23:59:59|2000-03-01T00:00:00",
    ),
    (
        b"%ptT|%ptT|%ptT",
        (s64(1077926400), s64(4107542399), s64(4107542400)),
        b"2004-02-28T00:00:00|2100-02-28T23:59:59|2100-03-01T00:00:00",
    ),
    (
        b"%ptT|%ptT|%ptT",
        (s64(2147483647), s64(-2147483648), s64(4294967296)),
        b"2038-01-19T03:14:07|1901-12-13T20:45:52|2106-02-07T06:28:16",
    ),
    (
        b"%ptT|%ptT|%ptT",
        (s64(253402300799), s64(253402300800), s64(-62167219200)),
        b"9999-12-31T23:59:59|10000-01-01T00:00:00|0000-01-01T00:00:00",
    ),
    (
        b"%ptT|%ptT",
        (s64(-62167219201), s64(67768036191676799)),
        b"18446744073709551615-12-31T23:59:59|18446744071562069867-12-31T23:59:59",
    ),
    (
        b"%ptT|%ptTr",
        (s64(67768036191676800), s64(67768036191676800)),
        b"18446744071562069868-01-01T00:00:00|18446744071562067968-00-01T00:00:00",
    ),
    (
        b"%ptT|%ptT",
        (s64(9223372036854775807), s64(-9223372036854775807)),
        b"219250468-12-04T15:30:07|18446744073490305087-01-27T08:29:53",
    ),
]

FLAGS: Final[Rows] = [
    (b"%pGp", (u64(0),), b"0x0(node=0|zone=0|lastcpupid=0x0)"),
    (
        b"%pGp",
        (u64(0x1FFFFFF),),
        (
            b"0x1ffffff(locked|waiters|error|referenced|uptodate|dirty|lru|active|workingset|slab|owner_"
            b"priv_1|arch_1|reserved|private|private_2|writeback|head|mappedtodisk|reclaim|swapbacked|un"
            b"evictable|mlocked|uncached|hwpoison|arch_2|node=0|zone=0|lastcpupid=0x0)"
        ),
    ),
    (
        b"%pGp",
        (u64(0xFFFFFFFFFFFFFFFF),),
        (
            b"0xffffffffffffffff(locked|waiters|error|referenced|uptodate|dirty|lru|active|workingset|sl"
            b"ab|owner_priv_1|arch_1|reserved|private|private_2|writeback|head|mappedtodisk|reclaim|swap"
            b"backed|unevictable|mlocked|uncached|hwpoison|arch_2|node=1023|zone=7|lastcpupid=0x1fffff)"
        ),
    ),
    (b"%pGp", (u64(0x2000000),), b"0x2000000(node=0|zone=0|lastcpupid=0x0)"),
    (b"%pGp", (u64(0x17FFFFC0000010),), b"0x17ffffc0000010(lru|node=0|zone=2|lastcpupid=0x1fffff)"),
    (b"%pGp", (u64(0x57FFFFC0010200),), b"0x57ffffc0010200(slab|head|node=1|zone=2|lastcpupid=0x1fffff)"),
    (b"%pGp", (u64(0x48000040000001),), b"0x48000040000001(locked|node=1|zone=1|lastcpupid=0x1)"),
    (b"%pGv|%pGv", (u64(0), u64(0x75)), b"|read|exec|mayread|maywrite|mayexec"),
    (
        b"%pGv",
        (u64(0xFFFFFFFF),),
        (
            b"read|write|exec|shared|mayread|maywrite|mayexec|mayshare|growsdown|uffd_missing|pfnmap|uff"
            b"d_wp|locked|io|seqread|randread|dontcopy|dontexpand|lockonfault|account|noreserve|hugetlb|"
            b"sync|pat|wipeonfork|dontdump|softdirty|mixedmap|hugepage|nohugepage|mergeable|0x800"
        ),
    ),
    (
        b"%pGv",
        (u64(0xFFFFFFFFFFFFFFFF),),
        (
            b"read|write|exec|shared|mayread|maywrite|mayexec|mayshare|growsdown|uffd_missing|uffd_minor"
            b"|pfnmap|uffd_wp|locked|io|seqread|randread|dontcopy|dontexpand|lockonfault|account|noreser"
            b"ve|hugetlb|sync|pat|wipeonfork|dontdump|softdirty|mixedmap|hugepage|nohugepage|mergeable|0"
            b"xffffffdf00000800"
        ),
    ),
    (b"%pGv|%pGv", (u64(0x800), u64(0x8000000000000801)), b"0x800|read|0x8000000000000800"),
    (b"%pGg|%pGg|%pGg", (u32(0), u32(0xCC0), u32(0xA20)), b"|GFP_KERNEL|GFP_ATOMIC"),
    (b"%pGg|%pGg|%pGg", (u32(0xA21), u32(0x200), u32(0x1C24CA)), b"GFP_ATOMIC|GFP_DMA|__GFP_ATOMIC|GFP_TRANSHUGE"),
    (
        b"%pGg",
        (u32(0xFFFFFFFF),),
        (
            b"GFP_TRANSHUGE|GFP_ATOMIC|GFP_DMA|GFP_DMA32|__GFP_RETRY_MAYFAIL|__GFP_NOFAIL|__GFP_NORETRY|"
            b"__GFP_ZERO|__GFP_MEMALLOC|__GFP_THISNODE|__GFP_RECLAIMABLE|__GFP_ACCOUNT|__GFP_WRITE|__GFP"
            b"_ZEROTAGS|0xff000000"
        ),
    ),
    (b"%pGg", (u32(0xF8000000),), b"0xf8000000"),
    (b"%pGg", (u32(0xF8000200),), b"__GFP_ATOMIC|0xf8000000"),
    (b"%pGg|%pGg|%pGg", (u32(0xDC0), u32(0xC00), u32(0x400)), b"GFP_KERNEL|__GFP_ZERO|GFP_NOIO|__GFP_DIRECT_RECLAIM"),
    (
        b"%pGg|%pGg|%pGg",
        (u32(0x100DCA), u32(0x1C20CA), u32(0x1C28CA)),
        b"GFP_HIGHUSER_MOVABLE|__GFP_ZERO|GFP_TRANSHUGE_LIGHT|GFP_TRANSHUGE_LIGHT|GFP_NOWAIT",
    ),
    (
        b"%pGg|%pGg",
        (u32(0x7FFFFFFF), u32(0x400CC0)),
        (
            b"GFP_TRANSHUGE|GFP_ATOMIC|GFP_DMA|GFP_DMA32|__GFP_RETRY_MAYFAIL|__GFP_NOFAIL|__GFP_NORETRY|"
            b"__GFP_ZERO|__GFP_MEMALLOC|__GFP_THISNODE|__GFP_RECLAIMABLE|__GFP_ACCOUNT|__GFP_WRITE|__GFP"
            b"_ZEROTAGS|0x7f000000|GFP_KERNEL_ACCOUNT"
        ),
    ),
    (b"%pG|%pGx|%10pG|%.2pG|", (u64(0), u64(0), u64(0), u64(0)), b"(%pG?)|(%pG?)|    (%pG?)|(%|"),
    (b"%20pGg|%-20pGv|%.2pGg", (u32(0xCC0), u64(1), u32(0xCC0)), b"GFP_KERNEL|read|GFP_KERNEL"),
]

NAMES: Final[Rows] = [
    (b"%pd|%pd2|%pd3|%pd4", ("dentries[0]", "dentries[0]", "dentries[0]", "dentries[0]"), b"foo|foo|foo|foo"),
    (
        b"%pd|%pd2|%pd3|%pd4",
        ("dentries[1]", "dentries[1]", "dentries[1]", "dentries[1]"),
        b"bravo|/bravo|/bravo|/bravo",
    ),
    (
        b"%pd|%pd2|%pd3|%pd4",
        ("dentries[3]", "dentries[3]", "dentries[3]", "dentries[3]"),
        b"romeo|alfa/romeo|bravo/alfa/romeo|/bravo/alfa/romeo",
    ),
    (
        b"%pd1|%pd5|%pdx|%pd22",
        ("dentries[3]", "dentries[3]", "dentries[3]", "dentries[3]"),
        b"romeo|romeo|romeo|alfa/romeo",
    ),
    (
        b"%-12pd2|%*pd2|%12pd2|%.7pd2|%.0pd2|%12.7pd3|",
        ("dentries[2]", -12, "dentries[2]", "dentries[2]", "dentries[2]", "dentries[2]", "dentries[3]"),
        b"bravo/alfa  |bravo/alfa  |  bravo/alfa|bravo/a||     bravo/a|",
    ),
    (
        b"%pd|%pd2|%12pd2|%.3pd2",
        ("dentries[4]", "dentries[4]", "dentries[4]", "dentries[4]"),
        b"orphan|(null)|      (null)|(nu",
    ),
    (
        b"%pD|%pD2|%pD3|%pD4|%10pD",
        ("file", "file", "file", "file", "file"),
        b"romeo|alfa/romeo|bravo/alfa/romeo|/bravo/alfa/romeo|     romeo",
    ),
    (b"%pg|%10pg|%-10pg|%.2pg|", ("disk", "disk", "disk", "disk"), b"sda|       sda|sda       |sd|"),
    (
        b"%pg|%10pg|%-10pg|%.2pg|%04pg",
        ("partition", "partition", "partition", "partition", "partition"),
        b"sda3|       sda         3|sda       3         |sd03| sda0003",
    ),
    (
        b"%pg|%10pg|%-10pg|%.2pg|%pgx",
        ("partition_p", "partition_p", "partition_p", "partition_p", "partition_p"),
        b"nvme0n1p12|   nvme0n1p        12|nvme0n1   p12        |nvp12|nvme0n1p12",
    ),
]

#: How long the text is, and how it begins.
WIDE: Final[list[tuple[bytes, tuple[Arg, ...], int, bytes]]] = [
    (b"%8388607d|", (1,), 8388608, b" " * 40),
    (b"%8388608d|", (1,), 2, b"1|"),
    (b"%-8388609d|", (1,), 2, b"1|"),
    (b"%16777215d|", (1,), 2, b"1|"),
    (b"%16777216d|", (1,), 2, b"1|"),
    (b"%16777221d|", (1,), 6, b"    1|"),
    (b"%4294967301d|", (1,), 6, b"    1|"),
    (b"%99999999999999999999d|", (1,), 1048576, b" " * 40),
    (b"%.32767d|", (1,), 32768, b"0" * 40),
    (b"%.32768d|", (1,), 2, b"1|"),
    (b"%.65535d|", (1,), 2, b"1|"),
    (b"%.65541d|", (1,), 6, b"00001|"),
    (b"%.99999999999999999999d|", (1,), 2, b"1|"),
    (b"%8388607s|", (b"abc",), 8388608, b" " * 40),
    (b"%-8388607s|", (b"abc",), 8388608, b"abc                                     "),
    (b"%8388607c|", (ord("x"),), 8388608, b" " * 40),
    (b"%16777215p|", (NULL,), 17, b"0000000000000000|"),
    (b"%16777215px|", (0x1234,), 17, b"0000000000001234|"),
    (b"%8388607d%8388607d|", (1, 2), 16777215, b" " * 40),
    (b"%8388607d%s%8388607d|", (1, b"text", 2), 16777219, b" " * 40),
    (b"%*d|", (8388607, 1), 8388608, b" " * 40),
    (b"%*d|", (-8388607, 1), 8388608, b"1                                       "),
    (b"%.*d|", (32767, 1), 32768, b"0" * 40),
    (b"%.*d|", (-32768, 1), 2, b"1|"),
    (b"%*d|", (8388608, 1), 8388608, b" " * 40),
    (b"%*d|", (-8388609, 1), 8388608, b"1                                       "),
    (b"%*d|", (2147483647, 1), 8388608, b" " * 40),
    (b"%*s|", (-2147483648, b"abc"), 8388608, b"abc                                     "),
    (b"%.*d|", (32768, 1), 32768, b"0" * 40),
    (b"%.*d|", (2147483647, 1), 32768, b"0" * 40),
    (b"%.*d|", (-2147483648, 1), 2, b"1|"),
    (b"%.*d|", (-32769, 1), 2, b"1|"),
    (b"%.*s|", (2147483647, b"abc"), 4, b"abc|"),
]

#: For a buffer of a size: what vsnprintf() and vscnprintf() return, and what is stored.
SIZES: Final[list[tuple[int, bytes, tuple[Arg, ...], int, int, bytes]]] = [
    (0, b"%s", (b"abcdef",), 6, 0, b""),
    (1, b"%s", (b"abcdef",), 6, 0, b"\x00"),
    (2, b"%s", (b"abcdef",), 6, 1, b"a\x00"),
    (6, b"%s", (b"abcdef",), 6, 5, b"abcde\x00"),
    (7, b"%s", (b"abcdef",), 6, 6, b"abcdef\x00"),
    (8, b"%s", (b"abcdef",), 6, 6, b"abcdef\x00"),
    (0, b"%d", (123456,), 6, 0, b""),
    (1, b"%d", (123456,), 6, 0, b"\x00"),
    (4, b"%d", (123456,), 6, 3, b"123\x00"),
    (7, b"%d", (123456,), 6, 6, b"123456\x00"),
    (4, b"%10d", (42,), 10, 3, b"   \x00"),
    (4, b"%-10d", (42,), 10, 3, b"42 \x00"),
    (4, b"%10s", (b"abc",), 10, 3, b"   \x00"),
    (4, b"%-10s", (b"abc",), 10, 3, b"abc\x00"),
    (9, b"%10s", (b"abc",), 10, 8, b"       a\x00"),
    (4, b"%c%c%c%c%c", (ord("a"), ord("b"), ord("c"), ord("d"), ord("e")), 5, 3, b"abc\x00"),
    (4, b"%10c", (ord("x"),), 10, 3, b"   \x00"),
    (4, b"%%%%%%%%", (), 4, 3, b"%%%\x00"),
    (4, b"", (), 0, 0, b"\x00"),
    (5, b"%pM", (b"\x01\x02\x03\x04\x05\x06",), 17, 4, b"01:0\x00"),
    (5, b"%6phC", (b"\x01\x02\x03\x04\x05\x06",), 17, 4, b"01:0\x00"),
    (5, b"%64pbl", (u64(0x5555555555555555),), 90, 4, b"0,2,\x00"),
    (5, b"%64pb", (u64(0x5555555555555555),), 17, 4, b"5555\x00"),
    (5, b"%*pE", (4, b"\n\n\n\n"), 8, 4, b"\\n\\n\x00"),
    (5, b"%pGg", (u32(0xDC0),), 21, 4, b"GFP_\x00"),
    (5, b"%ptT", (s64(0),), 19, 4, b"1970\x00"),
    (5, b"%pe", (err_ptr(-errno.ENOENT),), 7, 4, b"-ENO\x00"),
    (5, b"%8388607d", (1,), 8388607, 4, b"    \x00"),
    (5, b"%8388607d%8388607d%8388607d", (1, 2, 3), 25165821, 4, b"    \x00"),
    (5, b"ab%8388607s", (b"abc",), 8388609, 4, b"ab  \x00"),
    (5, b"ab%-8388607scd", (b"abc",), 8388611, 4, b"abab\x00"),
]

SCANS: Final[list[tuple[bytes, bytes, int, list[str]]]] = [
    (b"42", b"%d", 1, ["2a000000"]),
    (b"-42", b"%d", 1, ["d6ffffff"]),
    (b"+42", b"%d", 0, []),
    (b"  42  43", b"%d%d", 2, ["2a000000", "2b000000"]),
    (b"42 43 44 45 46", b"%d %d %d %d %d", 5, ["2a000000", "2b000000", "2c000000", "2d000000", "2e000000"]),
    (b"42,43", b"%d,%d", 2, ["2a000000", "2b000000"]),
    (b"42, 43", b"%d,%d", 2, ["2a000000", "2b000000"]),
    (b"42 ,43", b"%d,%d", 1, ["2a000000"]),
    (b"42 ,43", b"%d ,%d", 2, ["2a000000", "2b000000"]),
    (b"42;43", b"%d,%d", 1, ["2a000000"]),
    (b"42abc", b"%d%s", 2, ["2a000000", "61626300"]),
    (b"abc", b"%d", 0, []),
    (b"", b"%d", 0, []),
    (b"   ", b"%d", 0, []),
    (b"", b"", 0, []),
    (b"", b"abc", 0, []),
    (b"abc", b"abc", 0, []),
    (b"abd", b"abc", 0, []),
    (b"ab", b"abc", 0, []),
    (b"-", b"%d", 0, []),
    (b"-x", b"%d", 0, []),
    (b"--5", b"%d", 0, []),
    (b"- 5", b"%d", 0, []),
    (b"-5", b"%u", 0, []),
    (b"4294967295 4294967296", b"%u %u", 2, ["ffffffff", "00000000"]),
    (b"4294967295 -4294967296", b"%d %d", 2, ["ffffffff", "00000000"]),
    (b"18446744073709551615 18446744073709551616", b"%llu %llu", 2, ["ffffffffffffffff", "0000000000000000"]),
    (b"99999999999999999999999999", b"%llu", 1, ["ffffffe3d20cc8dc"]),
    (b"-9223372036854775808 9223372036854775808", b"%lld %lld", 2, ["0000000000000080", "0000000000000080"]),
    (b"255 -1 300", b"%hhu %hhd %hhd", 3, ["ff", "ff", "2c"]),
    (b"65535 -1 70000", b"%hu %hd %hd", 3, ["ffff", "ffff", "7011"]),
    (
        b"255 65535 5 6 7",
        b"%hhx %hx %lx %llx %zx",
        5,
        ["55", "3555", "0500000000000000", "0600000000000000", "0700000000000000"],
    ),
    (
        b"1 2 3 4 5",
        b"%lu %ld %Lu %Ld %zu",
        5,
        ["0100000000000000", "0200000000000000", "0300000000000000", "0400000000000000", "0500000000000000"],
    ),
    (b"-1 -2 -3", b"%zd %ld %lld", 3, ["ffffffffffffffff", "feffffffffffffff", "fdffffffffffffff"]),
    (b"ff 0xff FF 0XFF", b"%x %x %X %x", 4, ["ff000000", "ff000000", "ff000000", "ff000000"]),
    (b"0x", b"%x", 1, ["00000000"]),
    (b"0xg", b"%x%s", 2, ["00000000", "6700"]),
    (b"g", b"%x", 0, []),
    (b"10 010 0x10 8 08", b"%i %i %i %i %i", 5, ["0a000000", "08000000", "10000000", "08000000", "00000000"]),
    (b"-10 -010 -0x10", b"%i %i %i", 3, ["f6ffffff", "f8ffffff", "f0ffffff"]),
    (b"0x 0xg", b"%i%s", 2, ["00000000", "7800"]),
    (b"0", b"%i", 1, ["00000000"]),
    (b"ff", b"%i", 0, []),
    (b"17 8 778", b"%o %o %o", 1, ["0f000000"]),
    (b"0x10", b"%d%s", 2, ["00000000", "78313000"]),
    (b"0x10", b"%u%s", 2, ["00000000", "78313000"]),
    (b"0x10", b"%o%s", 2, ["00000000", "78313000"]),
    (b"12345", b"%2d%2d%2d", 3, ["0c000000", "22000000", "05000000"]),
    (b"12345", b"%3d%d", 2, ["7b000000", "2d000000"]),
    (b"-12345", b"%3d%d", 2, ["f4ffffff", "59010000"]),
    (b"-12345", b"%1d%d", 0, []),
    (b"-5", b"%2d", 1, ["fbffffff"]),
    (b"0x1234", b"%1x%s", 2, ["00000000", "783132333400"]),
    (b"0x1234", b"%2x%s", 2, ["00000000", "3132333400"]),
    (b"0x1234", b"%3x%s", 2, ["01000000", "32333400"]),
    (b"0x1234", b"%3i%s", 2, ["01000000", "32333400"]),
    (b"0x1234", b"%1i%s", 2, ["00000000", "783132333400"]),
    (b"-0x1234", b"%2i%s", 2, ["00000000", "783132333400"]),
    (b"-0x1234", b"%3i%s", 2, ["00000000", "3132333400"]),
    (b"-0x1234", b"%4i%s", 2, ["ffffffff", "32333400"]),
    (b"12345", b"%0d", 0, []),
    (b"12345", b"%65537d%d", 2, ["01000000", "29090000"]),
    (b"12345", b"%32768d", 0, []),
    (b"12345", b"%-2d", 0, []),
    (b"hello world", b"%s %s", 2, ["68656c6c6f00", "776f726c6400"]),
    (b"hello world", b"%s%s", 2, ["68656c6c6f00", "776f726c6400"]),
    (b"  hello", b"%s", 1, ["68656c6c6f00"]),
    (b"hello", b"%3s%s", 2, ["68656c00", "6c6f00"]),
    (b"hello", b"%3s %s", 2, ["68656c00", "6c6f00"]),
    (b"hello ", b"%s %s", 1, ["68656c6c6f00"]),
    (b"a", b"%0s", 0, []),
    (b"hello", b"%c%c%c", 3, ["68", "65", "6c"]),
    (b"hello", b"%3c%c", 2, ["68656c", "6c"]),
    (b"he", b"%5c%c", 1, ["6865"]),
    (b" he", b"%c%c%c", 3, ["20", "68", "65"]),
    (b" he", b" %c%c", 2, ["68", "65"]),
    (b"h e", b"%c %c", 2, ["68", "65"]),
    (b"hello", b"%*c%s", 0, []),
    (b"hello world", b"%*s %s", 1, ["776f726c6400"]),
    (b"12 34 56", b"%*d %d", 1, ["22000000"]),
    (b"12 34 56", b"%*d%d", 1, ["22000000"]),
    (b"12,34", b"%*d,%d", 0, []),
    (b"12,34 56", b"%*d,%d %d", 1, ["38000000"]),
    (b"12 34", b"%*d%%%d", 0, []),
    (b"12", b"%*d", 0, []),
    (b"12 5", b"%d %*d %d", 1, ["0c000000"]),
    (b"hello", b"%*[a-z]%s", 0, []),
    (b"42 hello", b"%d%n", 1, ["2a000000", "02000000"]),
    (b"42 hello", b"%d %n%s%n", 2, ["2a000000", "03000000", "68656c6c6f00", "08000000"]),
    (b"", b"%n", 0, ["00000000"]),
    (b"abc", b"abc%n", 0, ["03000000"]),
    (b"abc", b"%n%n%s", 1, ["00000000", "00000000", "61626300"]),
    (b"100%", b"%d%%", 1, ["64000000"]),
    (b"100%", b"%d%%%n", 1, ["64000000", "04000000"]),
    (b"100 %5", b"%d%%%d", 1, ["64000000"]),
    (b"100x", b"%d%%%n", 1, ["64000000"]),
    (b"00:0a:95", b"%2[^:]:%2[^:]:%2[^:]", 3, ["303000", "306100", "393500"]),
    (b"hello", b"%5[a-z]", 0, []),
    (b"h-z", b"%5[a-z]%s", 0, []),
    (b"hello", b"%3[hel]%s", 2, ["68656c00", "6c6f00"]),
    (b"hello", b"%10[hel]%s", 2, ["68656c6c00", "6f00"]),
    (b"hello", b"%10[xyz]%s", 0, []),
    (b"hello", b"%[hel]%s", 0, []),
    (b"hello", b"%5[]%s", 0, []),
    (b"hello", b"%5[^]%s", 0, []),
    (b"hello", b"%5[hel%s", 0, []),
    (b"he]lo", b"%5[he]%s", 2, ["686500", "5d6c6f00"]),
    (b"hello world", b"%20[^w]%s", 2, ["68656c6c6f2000", "776f726c6400"]),
    (b"hello", b"%20[^w]", 1, ["68656c6c6f00"]),
    (b"^a", b"%5[a^]", 1, ["5e6100"]),
    (b"hello", b"%y", 0, []),
    (b"hello", b"%", 0, []),
    (b"hello", b"%5", 0, []),
    (b"hello", b"%l", 0, []),
    (b"5", b"%p", 0, []),
    (b"5", b"%hhhd", 0, []),
    (b"5", b"%llld", 0, []),
    (b"5 6", b"%Lhd", 0, []),
    (b"a  b", b"a b%n", 0, ["04000000"]),
    (b"ab", b"a b%n", 0, ["02000000"]),
    (b"a\tb\nc", b"a b c%n", 0, ["05000000"]),
    (b"a\xa0b", b"a b%n", 0, ["03000000"]),
    (b"1 2", b" %d %d ", 2, ["01000000", "02000000"]),
    (b"1 2", b"%d  %d  %n", 2, ["01000000", "02000000", "03000000"]),
    (b"  ", b" %n", 0, ["02000000"]),
    (b"x1y2z3", b"x%dy%dz%d", 3, ["01000000", "02000000", "03000000"]),
    (b"2024-05-06", b"%4d-%2d-%2d", 3, ["e8070000", "05000000", "06000000"]),
    (b"2024-05-06", b"%i-%i-%i", 3, ["e8070000", "05000000", "06000000"]),
    (b"1.5", b"%d.%d", 2, ["01000000", "05000000"]),
    (b"0000:00:1f.2", b"%x:%x:%x.%x", 4, ["00000000", "00000000", "1f000000", "02000000"]),
    (b"fe80::1", b"%4hx::%hx", 2, ["80fe", "0100"]),
    (b"\xe9\xff z", b"%s %c", 2, ["e9ff00", "7a"]),
]


def ids(rows: Rows) -> list[str]:
    return [repr(row[0])[2:-1] for row in rows]


ALL: Final = [
    *NUMBERS,
    *STRINGS,
    *POINTERS,
    *NOWHERE,
    *RESOURCES,
    *BYTES,
    *BITMAPS,
    *ADDRESSES,
    *ESCAPES,
    *TIMES,
    *FLAGS,
    *NAMES,
]


@pytest.mark.parametrize(("fmt", "args", "text"), ALL, ids=ids(ALL))
def test_a_format_prints_what_linux_prints(shared: Machine, fmt: bytes, args: tuple[Arg, ...], text: bytes) -> None:
    assert printed(shared, fmt, *args) == text


@pytest.mark.parametrize(("fmt", "args", "text"), UNSUPPORTED, ids=ids(UNSUPPORTED))
def test_what_is_unsupported_ends_the_text(machine: Machine, fmt: bytes, args: tuple[Arg, ...], text: bytes) -> None:
    assert printed(machine, fmt, *args) == text
    assert len(machine.warnings) == (text != b"%d|")


@pytest.mark.parametrize(("fmt", "args", "length", "start"), WIDE)
def test_widths_and_precisions_have_limits(
    machine: Machine, fmt: bytes, args: tuple[Arg, ...], length: int, start: bytes
) -> None:
    text, whole = vsnprintf_sized(machine, fmt, Args(*map(machine.slot, args)), 4096)
    assert whole == length
    assert len(text) == min(length, 4096)
    assert text.startswith(start)


@pytest.mark.parametrize(("size", "fmt", "args", "length", "cut", "stored"), SIZES)
def test_a_small_buffer_gets_the_beginning(
    machine: Machine, size: int, fmt: bytes, args: tuple[Arg, ...], length: int, cut: int, stored: bytes
) -> None:
    text, whole = vsnprintf_sized(machine, fmt, Args(*map(machine.slot, args)), max(size - 1, 0))
    assert whole == length
    assert len(text) == cut
    assert (text + b"\0" if size else b"") == stored


# Warnings


def test_a_kernel_is_warned_once(machine: Machine) -> None:
    for _ in range(3):
        assert printed(machine, b"a%nb%d", 1, 2) == b"a"
    assert machine.warnings == ["Please remove unsupported %n in format string"]
    printed(machine, b"%y")
    assert len(machine.warnings) == 1
    other = Machine()
    printed(other, b"%\xe9")
    assert other.warnings == ["Please remove unsupported %\xe9 in format string"]


def test_the_end_of_a_format_is_unsupported_too(machine: Machine) -> None:
    assert printed(machine, b"end%l") == b"end"
    assert machine.warnings == ["Please remove unsupported %\0 in format string"]


def test_each_kind_of_warning_comes_once(machine: Machine) -> None:
    printed(machine, b"%*d%*d", 1 << 23, 1, -1 << 31, 1)
    printed(machine, b"%.*d%.*d", 1 << 15, 1, -1 << 31, 1)
    printed(machine, b"%pA%pA%y", 1 << 40, 1 << 40)
    assert machine.warnings == [
        "field width 8388608 too large",
        "precision 32768 too large",
        "Please remove %pA from non-Rust code",
        "Please remove unsupported %y in format string",
    ]


def test_the_largest_widths_and_precisions_are_fine(machine: Machine) -> None:
    printed(machine, b"%*d%*d", (1 << 23) - 1, 1, -1 << 23, 1)
    printed(machine, b"%.*d%.*d", (1 << 15) - 1, 1, -1 << 15, 1)
    assert machine.warnings == []


# Pointers that are hashed, shown or hidden


@pytest.mark.parametrize("fmt", [b"%p", b"%pe", b"%pz", b"%pF", b"%lp", b"%pX", b"%pK", b"%16p", b"%016p", b"%.16p"])
def test_an_address_is_hashed(shared: Machine, fmt: bytes) -> None:
    text = printed(shared, fmt, MODULE)
    assert text.decode().strip().rjust(16, "0") == ptr_to_hashval(MODULE)
    assert text != printed(shared, fmt, MODULE + 1)


@pytest.mark.parametrize("address", [1, 4095, 4096, MODULE, (1 << 64) - 4096])
def test_whatever_is_no_error_is_hashed(shared: Machine, address: int) -> None:
    assert printed(shared, b"%p", address).decode() == ptr_to_hashval(address)


def test_a_hash_is_padded_like_a_number(shared: Machine) -> None:
    digits = ptr_to_hashval(MODULE).lstrip("0").encode()
    assert printed(shared, b"%20p|%-20p|%1p|%#1p", *[MODULE] * 4) == b"%20b|%-20b|%b|0x%b" % ((digits,) * 4)
    assert printed(shared, b"%#p", MODULE) == b"0x" + digits.rjust(14, b"0")


SYSLOG: Final = 1 << 34


@pytest.mark.parametrize(
    ("restrict", "capabilities", "shown"),
    [
        (0, 0, "hash"),
        (0, SYSLOG, "hash"),
        (1, SYSLOG, "address"),
        (1, ~SYSLOG, "zero"),
        (2, -1, "zero"),
        (3, -1, "zero"),
    ],
)
def test_kptr_restrict(machine: Machine, restrict: int, capabilities: int, shown: str) -> None:
    machine.tunables.kptr_restrict = restrict
    machine.cred = Cred(0, 0, capabilities)
    wanted = {"hash": ptr_to_hashval(MODULE), "address": f"{MODULE:016x}", "zero": "0" * 16}[shown].encode()
    assert printed(machine, b"%pK", MODULE) == wanted
    assert printed(machine, b"%20pK|", MODULE).strip(b" |") == wanted.lstrip(b"0").rjust(1, b"0")


# Symbols


@pytest.mark.parametrize(
    ("fmt", "address", "text"),
    [
        (b"%pS", MODULE, b"p+0x0/0x40 [forms]"),
        (b"%ps", MODULE + 1, b"p [forms]"),
        (b"%pB", MODULE + 0x40, b"p+0x40/0x40 [forms]"),
        (b"%pSR", MODULE, b"p+0x0/0x40 [forms]"),
        (b"%psR", MODULE, b"p [forms]"),
        (b"%pSb", MODULE, b"p+0x0/0x40 [forms]"),
        (b"%pSRb", MODULE, b"p+0x0/0x40 [forms]"),
        (b"%pBb", MODULE + 1, b"p+0x1/0x40 [forms]"),
        (b"%25pS|", MODULE, b"       p+0x0/0x40 [forms]|"),
        (b"%-25pS|", MODULE, b"p+0x0/0x40 [forms]       |"),
        (b"%.6pS|%12.3ps", MODULE, b"p+0x0/|         p ["),
        (b"%pS", 0, b"0x0"),
        (b"%pS", 0x1234, b"0x1234"),
        (b"%20pB", err_ptr(-2), b"  0xfffffffffffffffe"),
        (b"%ps", 0xFFFFFFFF81000010, b"_text"),
    ],
)
def test_symbols(shared: Machine, fmt: bytes, address: int, text: bytes) -> None:
    assert printed(shared, fmt, *[address] * fmt.count(b"%")) == text


def test_clocks(shared: Machine) -> None:
    assert printed(shared, b"%pC|%5pCn|%.1pC", *["clock"] * 3) == b"pll|  pll|p"


@pytest.mark.parametrize(
    ("error", "name"),
    [(5, "EIO"), (-5, "-EIO"), (11, "EAGAIN"), (-133, "-EHWPOISON"), (0, None), (134, None), (520, None)],
)
def test_errors_have_names(error: int, name: str | None) -> None:
    assert errname(error) == name


def test_errors_are_called_as_the_host_calls_them() -> None:
    differ = {number: name for number, name in errno.errorcode.items() if errname(number) not in (name, None)}
    assert set(differ) <= {11, 35, 95}


# Memory that is not there

BAD: Final = 0xFFFFFFFFFE000000


FOLLOWED: Final = (
    b"%s %pks %ph %pE %pM %pm %pI4 %pI6 %pi6c %pIS %pR %pr %pUb %pV %pNF %p4cc %pa %pad %pd %pd4 %pD %pC %pg %pGp %pGg"
    b" %pGv %ptR %ptT %8pb %8pbl"
)


@pytest.mark.parametrize("fmt", FOLLOWED.split())
def test_a_bad_pointer_is_followed(shared: Machine, fmt: bytes) -> None:
    with pytest.raises(OSError) as caught:
        printed(shared, fmt, BAD)
    assert caught.value.errno == errno.EFAULT


@pytest.mark.parametrize("fmt", [b"%*ph", b"%*pE", b"%*pb", b"%*pbl"])
def test_a_bad_pointer_to_many_bytes_is_followed(shared: Machine, fmt: bytes) -> None:
    with pytest.raises(OSError) as caught:
        printed(shared, fmt, 5, BAD)
    assert caught.value.errno == errno.EFAULT


def test_a_precision_keeps_within_memory(machine: Machine) -> None:
    """What lies behind the characters wanted is not read."""
    page = machine.memory.vmalloc(4096)
    machine.memory.write(page + 4092, b"abcd")
    assert printed(machine, b"%.4s|%.0s|%.2s", page + 4092, BAD, page + 4092) == b"abcd||ab"
    with pytest.raises(OSError) as caught:
        printed(machine, b"%s", page + 4092)
    assert caught.value.errno == errno.EFAULT


# Long texts


def test_a_long_string_is_printed_whole(machine: Machine) -> None:
    text = b"0123456789abcdef" * 20_000
    place = machine.memory.vmalloc(len(text) + 1)
    machine.memory.write(place, text)
    assert vsnprintf(machine, b"<%s>", Args(place)) == b"<" + text + b">"
    assert vsnprintf_sized(machine, b"<%s>%d", Args(place, 5), 10) == (b"<012345678", len(text) + 3)
    assert vsnprintf_sized(machine, b"%400000s|%s", Args(place, place), 100_000) == (
        b" " * 80_000 + text[:20_000],
        400_001 + len(text),
    )


def test_what_is_not_wanted_is_counted(machine: Machine) -> None:
    fmt = b"%8388607d" * 300 + b"%s"
    text, length = vsnprintf_sized(machine, fmt, Args(*[1] * 300, machine.place(b"end")), 1024)
    assert text == b" " * 1024
    assert length == 300 * 8388607 + 3


@pytest.mark.parametrize("limit", [0, 1, 255, 256, 257, 1000, 1300, 5000])
def test_the_text_up_to_a_limit_is_right(machine: Machine, limit: int) -> None:
    fmt = b"a%300d%s%-400s%d" * 3 + b"%.500d%pV"
    args = [1, machine.place(b"x" * 290), machine.place(b"left"), 7] * 3 + [9, machine.place(b"")]
    nested = va_format(machine, b"<%600s|%d>", machine.place(b"in"), 3)
    args[-1] = nested
    whole = vsnprintf(machine, fmt, Args(*args))
    assert len(whole) == 3 * (1 + 300 + 290 + 400 + 1) + 500 + 604
    assert vsnprintf_sized(machine, fmt, Args(*args), limit) == (whole[:limit], len(whole))


def test_without_a_limit_there_is_one_all_the_same(machine: Machine) -> None:
    assert len(vsnprintf(machine, b"%8388607d", Args(1))) == LIMIT


def test_large_bitmaps(machine: Machine) -> None:
    place = machine.memory.vmalloc(8192)
    machine.memory.write(place, bytes(7500) + b"\xff\x7f")
    assert printed(machine, b"%*pbl", 1 << 16, place) == b"60000-60014"
    machine.memory.write(place, b"\x55" * 8192)
    text = printed(machine, b"%*pb", 1 << 16, place)
    assert text == b",".join([b"55555555"] * 2048)
    assert printed(machine, b"%*pbl", 1 << 16, place) == ",".join(map(str, range(0, 65536, 2))).encode()


def test_many_formats_are_parsed_within_bounds(machine: Machine) -> None:
    for number in range(5000):
        assert printed(machine, b"%d" + b" " * (number % 1500) + b"|%d" % number, 1).endswith(b"|%d" % number)
    assert printed(machine, b"%d" * 1000, *range(1000)) == "".join(map(str, range(1000))).encode()


# va_lists


def va_list(machine: Machine, *args: Arg, gp: int = 0) -> int:
    """A va_list in memory, of which *gp* bytes of registers were taken before."""
    slots = [machine.slot(arg) for arg in args]
    fit = (48 - gp) // 8
    registers = machine.place(bytes(gp) + struct.pack(f"<{len(slots[:fit])}Q", *slots[:fit]))
    stack = machine.place(struct.pack(f"<{len(slots[fit:])}Q", *slots[fit:]))
    return machine.place(struct.pack("<IIQQ", gp, 48, stack, registers))


def va_format(machine: Machine, fmt: bytes, *args: Arg, gp: int = 0) -> int:
    return machine.place(laid_out("va_format", fmt=machine.place(fmt), va=va_list(machine, *args, gp=gp)))


NESTED: Final[list[tuple[bytes, tuple[Arg, ...], bytes]]] = [
    (b"", (), b""),
    (b"text", (), b"text"),
    (b"%d %s", (1, b"two"), b"1 two"),
    (b"%d %d %d %d %d %d %d %d %d %d", tuple(range(1, 11)), b"1 2 3 4 5 6 7 8 9 10"),
    (b"%*d|%.*s|%pe", (5, 42, 3, b"abcdef", err_ptr(-5)), b"   42|abc|-EIO"),
    (b"%5d%%|%c|%lx", (42, ord("c"), -1), b"   42%|c|ffffffffffffffff"),
]


@pytest.mark.parametrize("gp", [0, 8, 16, 40, 48])
@pytest.mark.parametrize(("fmt", "args", "text"), NESTED)
def test_a_format_within_a_format(machine: Machine, fmt: bytes, args: tuple[Arg, ...], text: bytes, gp: int) -> None:
    nested = va_format(machine, fmt, *args, gp=gp)
    assert printed(machine, b"%pV", nested) == text
    assert printed(machine, b"<%pV|%pV>%d", nested, nested, 7) == b"<" + text + b"|" + text + b">7"
    assert printed(machine, b"%50pV|%-50pV|%.2pVx|", nested, nested, nested) == text + b"|" + text + b"|" + text + b"|"


def test_taking_an_argument_is_noted_in_memory(machine: Machine) -> None:
    place = va_list(machine, *range(100, 110))
    assert [MemoryVaList(machine.memory, place).arg() for _ in range(10)] == list(range(100, 110))
    assert machine.memory.read_int(place) == 48


def test_a_list_can_be_read_on_by_others(machine: Machine) -> None:
    place = va_list(machine, *range(10))
    assert vsnprintf(machine, b"%d %d %d", MemoryVaList(machine.memory, place)) == b"0 1 2"
    assert vsnprintf(machine, b"%d %d %d %d %d", MemoryVaList(machine.memory, place)) == b"3 4 5 6 7"


def test_a_copy_of_a_list_goes_its_own_way(machine: Machine) -> None:
    place = va_list(machine, *range(10))
    before = machine.memory.read(place, 24)
    args = MemoryVaList(machine.memory, place)
    copy = args.copy()
    assert [copy.arg() for _ in range(10)] == list(range(10))
    assert machine.memory.read(place, 24) == before
    assert args.arg() == 0
    assert args.copy().arg() == 1


def test_a_format_within_itself_ends(machine: Machine) -> None:
    place = machine.place(bytes(16))
    loop = laid_out("va_format", fmt=machine.place(b"%pV%pV"), va=va_list(machine, place, place))
    machine.memory.write(place, loop)
    with pytest.raises(OSError) as caught:
        printed(machine, b"%pV", place)
    assert caught.value.errno == errno.EFAULT


def test_formats_that_grow_without_end_are_given_up(machine: Machine) -> None:
    nested = va_format(machine, b"x")
    for _ in range(30):
        nested = va_format(machine, b"%pV%pV", nested, nested)
    with pytest.raises(OSError) as caught:
        printed(machine, b"%pV", nested)
    assert caught.value.errno == errno.EFAULT


def test_nesting_as_far_as_a_stack_goes(machine: Machine) -> None:
    nested = va_format(machine, b"x")
    for _ in range(20):
        nested = va_format(machine, b"<%pV>", nested)
    assert printed(machine, b"%pV", nested) == b"<" * 20 + b"x" + b">" * 20


# Against another implementation


def test_integers_print_as_in_python(shared: Machine) -> None:
    """Where both agree: no precision, no flag that the type does not have."""
    values = (0, 1, -1, 7, 8, 42, -42, 255, 65536, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63))
    for flags in (b"", b"-", b"0", b"+", b" ", b"-+", b"0+", b"- "):
        for width in (b"", b"1", b"5", b"25"):
            for value in values:
                fmt = b"%" + flags + width
                assert printed(shared, fmt + b"ld", value) == (fmt + b"d") % value
                if b"+" not in flags and b" " not in flags:
                    for letter in (b"u", b"x", b"X", b"o"):
                        assert printed(shared, fmt + b"l" + letter, value) == (fmt + letter) % (value & U64_MAX)


def test_days_are_those_of_the_calendar(shared: Machine) -> None:
    for day in range(-200_000, 200_000, 97):
        seconds = day * 86_400 + day % 86_400
        wanted = time.strftime("%m-%d %H:%M:%S", time.gmtime(seconds))
        year = time.gmtime(seconds).tm_year
        assert printed(shared, b"%ptTs", s64(seconds)) == f"{year:04d}-{wanted}".encode()


def test_common_formats_are_quick(shared: Machine) -> None:
    """Not a measurement: only that nothing is parsed again and again."""
    place = shared.place(b"name")
    start = time.process_time()
    for _ in range(20_000):
        vsnprintf(shared, b"%s: %d of %u (0x%x) %lu\n", Args(place, 1, 2, 3, 4))
    assert time.process_time() - start < 2


def test_whatever_a_format_is_something_is_printed(machine: Machine) -> None:
    """No format makes anything but text, or the fault that the kernel would have had."""
    place = machine.place(os.urandom(256))
    letters = b"%diuxXocspnzhlLtSBRrbMmIiEUVKN4adtCDgGOfAxeuk0123456789.*-+# \xe9\0"
    random = os.urandom(1 << 16)
    for at in range(0, len(random), 8):
        fmt = b"%" + bytes(letters[byte % len(letters)] for byte in random[at : at + random[at] % 8])
        args = Args(*[(5, place, 0, -5 & U64_MAX, 1 << 40)[byte % 5] for byte in random[at : at + 8]] * 4)
        try:
            assert isinstance(vsnprintf(machine, fmt, args, 100), bytes)
        except OSError as error:
            assert error.errno == errno.EFAULT


# Scanning


@pytest.mark.parametrize(("text", "fmt", "count", "stored"), SCANS)
def test_a_scan_finds_what_linux_finds(text: bytes, fmt: bytes, count: int, stored: list[str]) -> None:
    result = vsscanf(text, fmt)
    assert result.num == count
    assert [store.data.hex() for store in result.stores] == stored
    assert all(len(store.data) == store.size for store in result.stores)


def test_what_a_scan_stores_has_a_kind(shared: Machine) -> None:
    stores = vsscanf(b"-5 word xyz 300", b"%hd %s %2c%*c%n %hhu").stores
    assert stores == [("int", 2, -5), ("string", 5, b"word"), ("chars", 2, b"xy"), ("int", 4, 11), ("int", 1, 44)]


@pytest.mark.parametrize(
    ("text", "base", "value", "end"),
    [
        (b"", 0, 0, 0),
        (b"x", 10, 0, 0),
        (b"12x", 10, 12, 2),
        (b"0x1F", 0, 31, 4),
        (b"0x1F", 16, 31, 4),
        (b"0x", 16, 0, 2),
        (b"0xg", 0, 0, 1),
        (b"0x", 0, 0, 1),
        (b"017", 0, 15, 3),
        (b"08", 0, 0, 1),
        (b"1012", 2, 5, 3),
        (b"ff", 36, 555, 2),
        (b"18446744073709551617", 10, 1, 20),
        (b"9" * 10_000, 10, (10**10_000 - 1) & U64_MAX, 10_000),
    ],
)
def test_simple_strtoull(text: bytes, base: int, value: int, end: int) -> None:
    assert simple_strntoull(text, base) == (value, end)


@pytest.mark.parametrize(
    ("text", "base", "chars", "value", "end"),
    [
        (b"-12", 10, 10, -12, 3),
        (b"-12", 10, 2, -1, 2),
        (b"-12", 10, 1, 0, 1),
        (b"-0x10", 0, 3, 0, 3),
        (b"-0x10", 0, 4, -1, 4),
        (b"9223372036854775808", 10, 99, -(1 << 63), 19),
    ],
)
def test_simple_strntoll(text: bytes, base: int, chars: int, value: int, end: int) -> None:
    assert simple_strntoll(text, base, 0, chars) == (value, end)
