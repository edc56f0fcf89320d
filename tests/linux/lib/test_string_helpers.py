"""Sizes and escaped strings: lib/string_helpers.c.

The sizes are Linux 6.1's answers to the same calls in tests/modules/printf_forms.c; escaping is also tried by %pE in
test_vsprintf.py.
"""

from __future__ import annotations

from typing import Final

import pytest

from sysfsd.linux.lib.string_helpers import (
    Escape,
    StringUnits,
    Unescape,
    string_escape_mem,
    string_get_size,
    string_unescape,
)

#: Blocks, their size, and what that is in powers of 1000 and of 1024.
SIZES: Final = [
    (0, 512, "0 B", "0 B"),
    (512, 0, "0 B", "0 B"),
    (1, 1, "1.00 B", "1.00 B"),
    (999, 1, "999 B", "999 B"),
    (1000, 1, "1.00 kB", "1000 B"),
    (1023, 1, "1.02 kB", "1023 B"),
    (1024, 1, "1.02 kB", "1.00 KiB"),
    (1500, 1, "1.50 kB", "1.46 KiB"),
    (9994, 1, "9.99 kB", "9.76 KiB"),
    (9995, 1, "10.00 kB", "9.76 KiB"),
    (9999, 1, "10.00 kB", "9.76 KiB"),
    (99949, 1, "99.9 kB", "97.6 KiB"),
    (99950, 1, "100.0 kB", "97.6 KiB"),
    (999499, 1, "999 kB", "976 KiB"),
    (999500, 1, "1000 kB", "976 KiB"),
    (1048575, 1, "1.05 MB", "1024 KiB"),
    (10239, 1, "10.2 kB", "10.00 KiB"),
    (102399, 1, "102 kB", "100.0 KiB"),
    (1023999, 1, "1.02 MB", "1000 KiB"),
    (16384, 512, "8.39 MB", "8.00 MiB"),
    (8192, 4096, "33.6 MB", "32.0 MiB"),
    (1899, 1000000, "1.90 GB", "1.77 GiB"),
    (1953525168, 512, "1.00 TB", "932 GiB"),
    (4294967295, 1, "4.29 GB", "4.00 GiB"),
    (4294967296, 1, "4.29 GB", "4.00 GiB"),
    (4294967296, 4294967296, "18.4 EB", "16.0 EiB"),
    (18446744073709551615, 1, "18.4 EB", "16.0 EiB"),
    (18446744073709551615, 512, "9.44 ZB", "8.00 ZiB"),
    (18446744073709551615, 18446744073709551615, "340 UNK", "256 UNK"),
    (4096, 18446744073709551615, "75.6 ZB", "64.0 ZiB"),
    (123456789012345, 7, "864 TB", "786 TiB"),
]


@pytest.mark.parametrize(("blocks", "block", "ten", "two"), SIZES)
def test_sizes(blocks: int, block: int, ten: str, two: str) -> None:
    assert string_get_size(blocks, block, StringUnits.UNITS_10) == ten
    assert string_get_size(blocks, block, StringUnits.UNITS_2) == two


# As lib/test-string_helpers.c has them
SPECIAL: Final = b'\\h\\"\a\x1b\\'


@pytest.mark.parametrize(
    ("flags", "escaped"),
    [
        (Escape.SPECIAL, b'\\\\h\\\\\\"\\a\\e\\\\'),
        (Escape.OCTAL, b"\\134\\150\\134\\042\\007\\033\\134"),
        (Escape.SPECIAL | Escape.OCTAL, b'\\\\\\150\\\\\\"\\a\\e\\\\'),
        (Escape.HEX, b"\\x5c\\x68\\x5c\\x22\\x07\\x1b\\x5c"),
        (Escape.SPECIAL | Escape.HEX, b'\\\\\\x68\\\\\\"\\a\\e\\\\'),
        (Escape.OCTAL | Escape.HEX, b"\\134\\150\\134\\042\\007\\033\\134"),
        (Escape.SPACE, SPECIAL),
        (Escape.NP | Escape.HEX, b'\\h\\"\\x07\\x1b\\'),
        (Escape.NP, SPECIAL),
        (Escape(0), SPECIAL),
    ],
)
def test_classes_of_characters(flags: Escape, escaped: bytes) -> None:
    assert string_escape_mem(SPECIAL, flags) == escaped


@pytest.mark.parametrize(
    ("source", "flags", "only", "escaped"),
    [
        (b"\f\\ \n\r\t\v", Escape.HEX, b"\r", b"\f\\ \n\\x0d\t\v"),
        (b"\f\\ \n\r\t\v", Escape.SPACE | Escape.OCTAL, b" \n", b"\f\\\\040\\n\r\t\v"),
        (b'\\h\\"\a\x1b\\', Escape.SPECIAL | Escape.OCTAL, b"\x1b\\", b'\\\\h\\\\"\a\\e\\\\'),
        (b"\0a", Escape.NULL, b"a", b"\\0a"),
        (b"abc", Escape.HEX, b"", b"\\x61\\x62\\x63"),
        (b"a\nb", Escape.NP | Escape.HEX | Escape.APPEND, b"b", b"a\\x0a\\x62"),
        (b"a\xe9b", Escape.NA | Escape.HEX, b"", b"a\\xe9b"),
        (b"a\n\xe9b", Escape.NAP | Escape.OCTAL, b"", b"a\\012\\351b"),
        (b"a\n\xe9b", Escape.NAP | Escape.OCTAL | Escape.APPEND, b"b", b"a\\012\\351\\142"),
        (b"a\n\xe9b", Escape.NP | Escape.OCTAL, b"", b"a\\012\xe9b"),
        (b"", Escape.ANY, b"", b""),
    ],
)
def test_only_some_characters(source: bytes, flags: Escape, only: bytes, escaped: bytes) -> None:
    assert string_escape_mem(source, flags, only) == escaped


@pytest.mark.parametrize(("size", "text"), [(0, b"aA\n\\q"), (20, b"aA\n\\q")])
def test_there_may_be_as_much_room_as_it_takes(size: int, text: bytes) -> None:
    assert string_unescape(b"a\\x41\\n\\q", size, Unescape(15)) == text
