"""Argument lines: lib/cmdline.c."""

from __future__ import annotations

import pytest

from sysfsd.linux.lib.cmdline import next_arg, skip_spaces


def split(line: bytes) -> tuple[bytes, bytes | None, bytes]:
    """The first argument, its value, and what is left of the line."""
    param, value, end = next_arg(line)
    return param, value, line[end:]


@pytest.mark.parametrize(
    ("line", "param", "value", "rest"),
    [
        (b"a", b"a", None, b""),
        (b"a b", b"a", None, b"b"),
        (b"a=1", b"a", b"1", b""),
        (b"a=1 b=2", b"a", b"1", b"b=2"),
        (b"a=", b"a", b"", b""),
        (b"a=b=c", b"a", b"b=c", b""),
        (b"a   b", b"a", None, b"b"),
        (b"a\tb", b"a", None, b"b"),
        (b"a\nb", b"a", None, b"b"),
        (b"a\xa0b", b"a", None, b"b"),
        (b"a ", b"a", None, b""),
    ],
)
def test_white_space_ends_an_argument(line: bytes, param: bytes, value: bytes | None, rest: bytes) -> None:
    assert split(line) == (param, value, rest)


@pytest.mark.parametrize(
    ("line", "param", "value", "rest"),
    [
        (b'a="b c" d', b"a", b"b c", b"d"),
        (b'"a=b c" d', b"a", b"b c", b"d"),
        (b'"a b" c', b"a b", None, b"c"),
        (b'a="b" c', b"a", b"b", b"c"),
        (b'a=b" c"d e', b"a", b'b" c"d', b"e"),
        (b'a" "b=c d', b'a" "b', b"c", b"d"),
        (b'a="b c', b"a", b"b c", b""),
        (b'a="', b"a", b"", b""),
        (b'a=""', b"a", b"", b""),
        (b'"a="', b"a", b"", b""),
        (b'"a="b c"', b"a", b"b", b'c"'),
        (b'a="b"c d', b"a", b'b"c', b"d"),
        (b'"', b"", None, b""),
        (b'""', b"", None, b""),
        (b'"a', b"a", None, b""),
    ],
)
def test_quotes_protect_white_space(line: bytes, param: bytes, value: bytes | None, rest: bytes) -> None:
    assert split(line) == (param, value, rest)


@pytest.mark.parametrize(
    ("line", "param", "value"), [(b"=", b"=", None), (b"=1", b"=1", None), (b"=a=1", b"=a", b"1"), (b"==1", b"=", b"1")]
)
def test_an_equals_sign_in_front_is_part_of_the_name(line: bytes, param: bytes, value: bytes | None) -> None:
    assert split(line) == (param, value, b"")


@pytest.mark.parametrize("space", [b" ", b"\t", b"\n", b"\v", b"\f", b"\r", b"\xa0"])
def test_what_counts_as_white_space(space: bytes) -> None:
    assert skip_spaces(space * 2 + b"x" + space) == b"x" + space


@pytest.mark.parametrize("char", [b"\0", b"\x1c", b"\x85", b"x"])
def test_what_does_not_count_as_white_space(char: bytes) -> None:
    assert skip_spaces(char) == char
