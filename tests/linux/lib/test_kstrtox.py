"""Strings to numbers: lib/kstrtox.c."""

from __future__ import annotations

import errno

import pytest

from sysfsd.linux.lib.kstrtox import INT_TYPES, kstrto, kstrtobool


def refusal(kind: str, text: bytes, base: int = 0) -> int | None:
    with pytest.raises(OSError) as caught:
        kstrto(INT_TYPES[kind], text, base)
    return caught.value.errno


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"0", 0),
        (b"7", 7),
        (b"10", 10),
        (b"010", 8),
        (b"0x10", 16),
        (b"0XfF", 255),
        (b"00", 0),
        (b"000000000000000000000000000000000000000007", 7),
    ],
)
def test_the_prefix_decides_the_base(text: bytes, value: int) -> None:
    assert kstrto(INT_TYPES["int"], text) == value


@pytest.mark.parametrize(
    ("text", "base", "value"), [(b"10", 8, 8), (b"10", 16, 16), (b"0x10", 16, 16), (b"010", 10, 10)]
)
def test_a_given_base_decides(text: bytes, base: int, value: int) -> None:
    assert kstrto(INT_TYPES["int"], text, base) == value


def test_a_trailing_newline_is_not_part_of_a_number() -> None:
    assert kstrto(INT_TYPES["int"], b"5\n") == 5


@pytest.mark.parametrize("sign", [b"+", b""])
def test_a_plus_sign_means_nothing(sign: bytes) -> None:
    assert kstrto(INT_TYPES["uint"], sign + b"5") == 5


def test_only_signed_types_take_a_minus_sign() -> None:
    assert kstrto(INT_TYPES["int"], b"-5") == -5
    assert refusal("uint", b"-5") == errno.EINVAL


def test_minus_zero_is_zero() -> None:
    assert kstrto(INT_TYPES["int"], b"-0") == 0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b" 5",
        b"5 ",
        b"5\n\n",
        b"5x",
        b"x",
        b"-",
        b"+",
        b"+-5",
        b"-+5",
        b"--5",
        b"0x",
        b"0xg",
        b"08",
        b"1.5",
        b"1_000",
        b"1,2",
        b"\xb2",
    ],
)
def test_what_is_no_number_is_invalid(text: bytes) -> None:
    assert refusal("int", text) == errno.EINVAL


@pytest.mark.parametrize("kind", sorted(INT_TYPES))
def test_a_type_holds_its_limits_and_nothing_beyond(kind: str) -> None:
    bits = 8 * INT_TYPES[kind].size
    signed = kind in ("s8", "s16", "int", "l", "ll")
    largest = (1 << bits - signed) - 1
    assert kstrto(INT_TYPES[kind], str(largest).encode()) == largest
    assert refusal(kind, str(largest + 1).encode()) == errno.ERANGE
    if signed:
        assert kstrto(INT_TYPES[kind], str(-largest - 1).encode()) == -largest - 1
        assert refusal(kind, str(-largest - 2).encode()) == errno.ERANGE


@pytest.mark.parametrize(
    "text", [b"18446744073709551616", b"0x10000000000000000", b"02000000000000000000000", b"9" * 5000]
)
def test_more_than_64_bits_is_out_of_range(text: bytes) -> None:
    assert refusal("ull", text) == errno.ERANGE


def test_out_of_range_comes_before_what_follows() -> None:
    assert refusal("int", b"99999999999999999999x") == errno.ERANGE
    assert refusal("int", b"9999999999x") == errno.EINVAL


@pytest.mark.parametrize(
    "text", [b"y", b"Y", b"t", b"T", b"1", b"on", b"On", b"oN", b"yes", b"true", b"1x", b"ono", b"y\n"]
)
def test_spellings_of_yes(text: bytes) -> None:
    assert kstrtobool(text) is True


@pytest.mark.parametrize("text", [b"n", b"N", b"f", b"F", b"0", b"of", b"off", b"OFF", b"no", b"false", b"01", b"n\n"])
def test_spellings_of_no(text: bytes) -> None:
    assert kstrtobool(text) is False


@pytest.mark.parametrize("text", [b"", b"\n", b"o", b"ox", b"2", b" y", b"+1", b"-1", b"enable"])
def test_other_words_are_no_boolean(text: bytes) -> None:
    with pytest.raises(OSError) as caught:
        kstrtobool(text)
    assert caught.value.errno == errno.EINVAL
