"""The tunables below /proc/sys/kernel: kernel/sysctl.c."""

from __future__ import annotations

import errno

import pytest

from sysfsd.linux.kernel.cred import INIT_CRED, Capability, Cred
from sysfsd.linux.kernel.sysctl import KERN_TABLE, CtlTable
from sysfsd.linux.system import Kernel

WITHOUT_SYS_ADMIN = Cred(0, 0, INIT_CRED.capabilities & ~(1 << Capability.SYS_ADMIN))
TABLE = {entry.procname: entry for entry in KERN_TABLE}


def entry(name: str) -> CtlTable:
    return TABLE[name]


def read(kernel: Kernel, name: str, size: int = 4096, offset: int = 0) -> bytes:
    return entry(name).handler.read(kernel, size, offset)


def write(kernel: Kernel, name: str, data: bytes, offset: int = 0, cred: Cred = INIT_CRED) -> int | None:
    """The errno, or None where the write was taken."""
    try:
        entry(name).handler.write(kernel, cred, data, offset)
    except OSError as error:
        return error.errno
    return None


def test_the_table_is_sorted() -> None:
    assert [entry.procname for entry in KERN_TABLE] == sorted(TABLE)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_file_can_be_read_in_one_line(kernel: Kernel, name: str) -> None:
    text = read(kernel, name)
    assert text.endswith(b"\n") and text.count(b"\n") == 1
    assert read(kernel, name, offset=len(text)) == b""


# Numbers


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"5\n", 5),
        (b"5", 5),
        (b" \t\n5 \t\n", 5),
        (b"0x10", 16),
        (b"0X1f", 31),
        (b"010", 8),
        (b"-3", -3),
        (b"-0x10", -16),
        (b"7 8", 7),
        (b"7 x", 7),
        (b"2147483647", 2147483647),
        (b"-2147483648", -2147483648),
        (b"5" + b" " * 5000, 5),
        (b"\r5", 5),
        (b"\v\f5", 5),
        (b"\xa05", 5),
    ],
)
def test_a_number_is_taken(kernel: Kernel, data: bytes, value: int) -> None:
    assert write(kernel, "panic", data) is None
    assert read(kernel, "panic") == b"%d\n" % value


@pytest.mark.parametrize(
    "data",
    [
        b" ",
        b"\n",
        b"x",
        b"+5",
        b"-",
        b"--5",
        b"- 5",
        b"5x",
        b"6,5",
        b"6\0",
        b"6\0junk",
        b"5\r",
        b"08",
        b"0x",
        b"0xg",
        b"1.5",
        b"2147483648",
        b"-2147483649",
        b"18446744073709551616",
        b"000000000000000000000",
        b"1" * 30,
        b"\0",
    ],
)
def test_what_is_no_number_is_invalid(kernel: Kernel, data: bytes) -> None:
    assert write(kernel, "panic", data) == errno.EINVAL
    assert read(kernel, "panic") == b"0\n"


def test_zeros_count_as_digits_up_to_twenty(kernel: Kernel) -> None:
    assert write(kernel, "panic", b"0" * 20) is None


@pytest.mark.parametrize("name", ["panic", "printk", "modules_disabled", "hostname", "kptr_restrict"])
def test_writing_nothing_changes_nothing(kernel: Kernel, name: str) -> None:
    before = read(kernel, name)
    assert write(kernel, name, b"") is None
    assert read(kernel, name) == before


def test_a_read_or_write_that_begins_elsewhere_does_nothing(kernel: Kernel) -> None:
    assert read(kernel, "panic", offset=1) == b""
    assert write(kernel, "panic", b"5", offset=1) is None
    assert read(kernel, "panic") == b"0\n"


def test_a_short_read_gives_the_beginning(kernel: Kernel) -> None:
    assert read(kernel, "printk", size=3) == read(kernel, "printk")[:3]


@pytest.mark.parametrize(
    ("data", "code", "after"),
    [
        (b"1 2 3 4", None, b"1\t2\t3\t4\n"),
        (b"5", None, b"5\t4\t1\t7\n"),
        (b"5 6", None, b"5\t6\t1\t7\n"),
        (b"1 2 3 4 5 x", None, b"1\t2\t3\t4\n"),
        (b"5 x", errno.EINVAL, b"5\t4\t1\t7\n"),
        (b"6 5x", errno.EINVAL, b"6\t4\t1\t7\n"),
        (b"-1 99", None, b"-1\t99\t1\t7\n"),
        (b"1\t2\n3", None, b"1\t2\t3\t7\n"),
    ],
)
def test_several_numbers(kernel: Kernel, data: bytes, code: int | None, after: bytes) -> None:
    kernel.log.console_loglevel = 4
    assert write(kernel, "printk", data) == code
    assert read(kernel, "printk") == after


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("kptr_restrict", [0, 1, 2], [-1, 3]),
        ("dmesg_restrict", [0, 1], [-1, 2]),
        ("panic_on_warn", [0, 1], [-1, 2]),
        ("printk_delay", [0, 10000], [-1, 10001]),
        ("modules_disabled", [1], [0, 2, -1]),
        ("printk_ratelimit", [-1, 0, 8589934], [8589935, 2147483647]),
    ],
)
def test_numbers_have_limits(kernel: Kernel, name: str, good: list[int], bad: list[int]) -> None:
    for value in good:
        assert write(kernel, name, b"%d" % value) is None
        assert read(kernel, name) == b"%d\n" % value
    for value in bad:
        assert write(kernel, name, b"%d" % value) == errno.EINVAL
        assert read(kernel, name) == b"%d\n" % good[-1]


def test_modules_once_disabled_stay_so(kernel: Kernel) -> None:
    assert write(kernel, "modules_disabled", b"0") == errno.EINVAL
    assert write(kernel, "modules_disabled", b"1") is None
    assert write(kernel, "modules_disabled", b"1") is None
    assert write(kernel, "modules_disabled", b"0") == errno.EINVAL


def test_seconds_are_kept_in_jiffies(kernel: Kernel) -> None:
    assert read(kernel, "printk_ratelimit") == b"5\n"
    write(kernel, "printk_ratelimit", b"2")
    assert kernel.tunables.printk_ratelimit == 500


# Capabilities


@pytest.mark.parametrize("name", ["kptr_restrict", "dmesg_restrict", "tainted"])
def test_some_files_need_more_than_their_mode(kernel: Kernel, name: str) -> None:
    assert write(kernel, name, b"1", cred=WITHOUT_SYS_ADMIN) == errno.EPERM
    assert write(kernel, name, b"1", offset=1, cred=WITHOUT_SYS_ADMIN) == errno.EPERM


@pytest.mark.parametrize("name", ["printk", "modules_disabled", "panic_on_warn"])
def test_others_do_not(kernel: Kernel, name: str) -> None:
    assert write(kernel, name, b"1", cred=WITHOUT_SYS_ADMIN) is None


# Text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"/bin/true\n", b"/bin/true\n"),
        (b"/bin/true", b"/bin/true\n"),
        (b"a\nb\n", b"a\n"),
        (b"a\0b", b"a\n"),
        (b"\n", b"\n"),
        (b" a ", b" a \n"),
        (b"x" * 300, b"x" * 255 + b"\n"),
    ],
)
def test_text_ends_with_its_line(kernel: Kernel, data: bytes, text: bytes) -> None:
    assert write(kernel, "modprobe", data) is None
    assert read(kernel, "modprobe") == text


def test_text_can_be_read_in_parts(kernel: Kernel) -> None:
    write(kernel, "modprobe", b"abc")
    assert [read(kernel, "modprobe", 1, offset) for offset in range(6)] == [b"a", b"b", b"c", b"\n", b"", b""]


def test_a_write_goes_on_where_the_last_one_ended(kernel: Kernel) -> None:
    write(kernel, "modprobe", b"/first")
    assert write(kernel, "modprobe", b"/second", offset=6) is None
    assert read(kernel, "modprobe") == b"/first/second\n"
    assert write(kernel, "modprobe", b"x", offset=99) is None
    assert read(kernel, "modprobe") == b"/first/second\n"


def test_a_host_name_has_64_letters(kernel: Kernel) -> None:
    write(kernel, "hostname", b"h" * 100)
    assert read(kernel, "hostname") == b"h" * 64 + b"\n"


# /dev/kmsg


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"on\n", b"on\n"),
        (b"off\n", b"off\n"),
        (b"ratelimit\n", b"ratelimit\n"),
        (b"onx", b"onx\n"),
        (b"ratelimitx", b"ratelimit\n"),
        (b"on", None),
        (b"off\n\n", None),
        (b"on off", None),
        (b"ON\n", None),
        (b" on\n", None),
        (b"1\n", None),
        (b"\n", None),
    ],
)
def test_whether_users_messages_are_logged(kernel: Kernel, data: bytes, text: bytes | None) -> None:
    assert write(kernel, "printk_devkmsg", data) == (None if text else errno.EINVAL)
    assert read(kernel, "printk_devkmsg") == (text or b"ratelimit\n")


def test_that_setting_is_written_at_once(kernel: Kernel) -> None:
    assert write(kernel, "printk_devkmsg", b"on\n", offset=3) == errno.EINVAL


# Taints


@pytest.mark.parametrize(
    ("data", "code", "mask"),
    [
        (b"8", None, 8),
        (b"0", None, 0),
        (b"0x10", None, 16),
        (b"8 16", None, 8),
        (b"64 x", None, 64),
        (b"16x", errno.EINVAL, 0),
        (b"-1", errno.EINVAL, 0),
        (b"18446744073709551616", errno.EINVAL, 0),
        (b"524288", None, 0),
        (b"9223372036854775807", None, 524287),
        (b"\n", errno.EINVAL, 0),
    ],
)
def test_taints_can_be_added(kernel: Kernel, data: bytes, code: int | None, mask: int) -> None:
    assert write(kernel, "tainted", data) == code
    assert read(kernel, "tainted") == b"%d\n" % mask


def test_taints_cannot_be_taken_away(kernel: Kernel) -> None:
    write(kernel, "tainted", b"8")
    write(kernel, "tainted", b"16")
    write(kernel, "tainted", b"0")
    assert kernel.tainted == 24


# Files that no one can write


@pytest.mark.parametrize("name", ["arch", "osrelease", "ostype", "version", "cap_last_cap"])
def test_some_files_are_only_for_reading(name: str) -> None:
    assert entry(name).mode == 0o444


def test_the_release_is_that_of_the_kernel(kernel: Kernel) -> None:
    assert read(kernel, "osrelease") == kernel.image.release.encode() + b"\n"
