"""Hex dumps: lib/hexdump.c.

The tables have the answers of Linux 6.1 to the same calls in tests/modules/printf_forms.c.
"""

from __future__ import annotations

import errno
from typing import Final

import pytest

from sysfsd.linux.lib.hexdump import DumpPrefix, hex_dump_to_buffer, print_hex_dump
from sysfsd.linux.lib.vsprintf import ptr_to_hashval
from sysfsd.linux.mm.memory import Memory

TEXT: Final = b"0123456789abcdef\x00\x7f\x80\xff ~GHIJKLMNOPQRSTUVWXYZ"

#: Data, bytes a row and a group, room, whether characters follow; what is returned, and stored.
DUMPS: Final[list[tuple[bytes, int, int, int, bool, int, bytes | None]]] = [
    (TEXT[:16], 16, 1, 200, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef"),
    (TEXT[:16], 16, 1, 200, False, 47, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66"),
    (
        TEXT[:32],
        32,
        1,
        200,
        True,
        129,
        (
            b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 00 7f 80 ff 20 7e 47 48 49 4a 4b 4c 4d 4e "
            b"4f 50  0123456789abcdef.... ~GHIJKLMNOP"
        ),
    ),
    (TEXT[:32], 16, 1, 200, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef"),
    (
        TEXT[:32],
        32,
        4,
        200,
        True,
        105,
        (b"33323130 37363534 62613938 66656463 ff807f00 48477e20 4c4b4a49 504f4e4d  0123456789abcdef.... ~GHIJKLMNOP"),
    ),
    (TEXT[:16], 16, 2, 200, True, 57, b"3130 3332 3534 3736 3938 6261 6463 6665  0123456789abcdef"),
    (TEXT[:16], 16, 4, 200, True, 53, b"33323130 37363534 62613938 66656463  0123456789abcdef"),
    (TEXT[:16], 16, 8, 200, True, 51, b"3736353433323130 6665646362613938  0123456789abcdef"),
    (TEXT[:16], 16, 8, 200, False, 33, b"3736353433323130 6665646362613938"),
    (TEXT[8:24], 16, 2, 200, True, 57, b"3938 6261 6463 6665 7f00 ff80 7e20 4847  89abcdef.... ~GH"),
    (
        TEXT[8:32],
        32,
        8,
        200,
        True,
        93,
        (b"6665646362613938 48477e20ff807f00 504f4e4d4c4b4a49                   89abcdef.... ~GHIJKLMNOP"),
    ),
    (TEXT[:5], 16, 1, 200, True, 54, b"30 31 32 33 34                                   01234"),
    (TEXT[:5], 16, 4, 200, True, 54, b"30 31 32 33 34                                   01234"),
    (TEXT[:6], 16, 2, 200, True, 47, b"3130 3332 3534                           012345"),
    (TEXT[:1], 16, 1, 200, False, 2, b"30"),
    (TEXT[:0], 16, 1, 200, True, 0, b""),
    (TEXT[:0], 16, 1, 0, True, 49, None),
    (TEXT[:0], 16, 1, 0, False, -1, None),
    (TEXT[:16], 17, 1, 200, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef"),
    (TEXT[:16], 0, 3, 200, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef"),
    (TEXT[:16], 16, 16, 200, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef"),
    (TEXT[:16], 16, 0, 200, False, 47, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66"),
    (TEXT[:16], 16, 1, 0, True, 65, None),
    (TEXT[:16], 16, 1, 0, False, 47, None),
    (TEXT[:16], 16, 8, 0, False, 33, None),
    (TEXT[:16], 16, 1, 1, True, 65, b""),
    (TEXT[:16], 16, 1, 2, True, 65, b"3"),
    (TEXT[:16], 16, 1, 3, False, 47, b"30"),
    (TEXT[:16], 16, 1, 47, False, 47, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 6"),
    (TEXT[:16], 16, 1, 48, False, 47, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66"),
    (TEXT[:16], 16, 1, 49, False, 47, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66"),
    (TEXT[:16], 16, 1, 50, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  "),
    (TEXT[:16], 16, 1, 55, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  01234"),
    (TEXT[:16], 16, 1, 65, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcde"),
    (TEXT[:16], 16, 1, 66, True, 65, b"30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef"),
    (TEXT[:16], 16, 4, 10, True, 53, b"33323130 "),
    (TEXT[:16], 16, 4, 36, False, 35, b"33323130 37363534 62613938 66656463"),
    (TEXT[:16], 16, 4, 35, False, 35, b"33323130 37363534 62613938 6665646"),
    (TEXT[:16], 16, 8, 20, True, 51, b"3736353433323130 66"),
    (TEXT[:4], 16, 1, 12, False, 11, b"30 31 32 33"),
    (TEXT[:4], 16, 1, 11, False, 11, b"30 31 32 3"),
]


@pytest.mark.parametrize(("data", "rowsize", "groupsize", "room", "characters", "length", "stored"), DUMPS)
def test_a_line_is_what_linux_makes_of_it(
    data: bytes, rowsize: int, groupsize: int, room: int, characters: bool, length: int, stored: bytes | None
) -> None:
    line, returned = hex_dump_to_buffer(data, rowsize, groupsize, room, characters)
    assert returned == length
    assert line == (None if stored is None else stored + b"\0")


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def place(memory: Memory) -> int:
    """Where the text is."""
    address = memory.vmalloc(4096)
    memory.write(address, TEXT)
    return address


def test_lines_with_offsets(memory: Memory, place: int) -> None:
    lines = print_hex_dump(memory, b"\x016", b"dumps: ", DumpPrefix.OFFSET, 16, 1, place, 40, True)
    assert list(lines) == [
        b"\x016dumps: 00000000: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n",
        b"\x016dumps: 00000010: 00 7f 80 ff 20 7e 47 48 49 4a 4b 4c 4d 4e 4f 50  .... ~GHIJKLMNOP\n",
        b"\x016dumps: 00000020: 51 52 53 54 55 56 57 58                          QRSTUVWX\n",
    ]


def test_lines_with_addresses(memory: Memory, place: int) -> None:
    first, second = (ptr_to_hashval(address).encode() for address in (place, place + 32))
    lines = print_hex_dump(memory, b"\x016", b"dumps: ", DumpPrefix.ADDRESS, 32, 8, place, 40, False)
    assert list(lines) == [
        b"\x016dumps: %b: 3736353433323130 6665646362613938 48477e20ff807f00 504f4e4d4c4b4a49\n" % first,
        b"\x016dumps: %b: 5857565554535251\n" % second,
    ]


def test_lines_with_nothing_before_them(memory: Memory, place: int) -> None:
    """Other types of prefixes and row sizes than there are."""
    lines = print_hex_dump(memory, b"", b"dumps: ", 7, 0, 4, place, 20, True)
    assert list(lines) == [
        b"dumps: 33323130 37363534 62613938 66656463  0123456789abcdef\n",
        b"dumps: ff807f00                             ....\n",
    ]


def test_nothing_makes_no_lines(memory: Memory) -> None:
    assert list(print_hex_dump(memory, b"", b"", DumpPrefix.NONE, 16, 1, 0, 0, True)) == []


def test_a_dump_ends_where_memory_does(memory: Memory, place: int) -> None:
    lines = print_hex_dump(memory, b"", b"", DumpPrefix.NONE, 16, 8, place + 4080, 32, False)
    assert next(lines) == b"0000000000000000 0000000000000000\n"
    with pytest.raises(OSError) as caught:
        next(lines)
    assert caught.value.errno == errno.EFAULT


def test_the_longest_line_is_whole(memory: Memory, place: int) -> None:
    (line,) = print_hex_dump(memory, b"", b"", DumpPrefix.NONE, 32, 1, place, 32, True)
    assert len(line) == 32 * 3 + 1 + 32 + 1
