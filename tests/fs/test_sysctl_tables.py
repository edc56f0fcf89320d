"""What modules make below /proc/sys: fs/proc/proc_sysctl.c, kernel/sysctl.c (tests/modules/proc_sysctl.c)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Tree
from sysfsd.fs.tree import tree
from sysfsd.linux.system import Kernel
from tests.conftest import refusal
from tests.fs.user import directory, names, node, open_, read, write

Load = Callable[..., None]
D = "/proc/sys/sysfsd_test/deep"


@pytest.fixture(autouse=True)
def module(kernel: Kernel, files: Tree, load: Load) -> None:
    load("proc_sysctl")


def act(files: Tree, what: str) -> int | None:
    return write(files, "/sys/module/proc_sysctl/parameters/act", what.encode())


def test_directories_come_and_go_with_their_files(kernel: Kernel, files: Tree) -> None:
    assert (directory(files, D).mode, directory(files, D).nlink) == (0o555, 1)
    assert (node(files, f"{D}/number").mode, node(files, f"{D}/own").mode) == (0o644, 0o600)
    assert "number" in names(tree(kernel), D)


def test_all_goes_with_the_module(kernel: Kernel, files: Tree) -> None:
    file = open_(files, f"{D}/number")
    kernel.delete_module("proc_sysctl")
    assert "sysfsd_test" not in names(files, "/proc/sys")
    with refusal(errno.ENOENT):
        file.read(10, 0)


@pytest.mark.parametrize(
    ("name", "before", "data", "after"),
    [
        ("number", b"5\n", b"-0x10\n", b"-16\n"),
        ("number", b"5\n", b"2147483648", errno.EINVAL),
        ("number", b"5\n", b"word", errno.EINVAL),
        ("numbers", b"1\t-2\t3\n", b" 5 6 ", b"5\t6\t3\n"),
        ("numbers", b"1\t-2\t3\n", b"7 x", errno.EINVAL),
        ("limited", b"4\n", b"9", b"9\n"),
        ("limited", b"4\n", b"10", errno.EINVAL),
        ("seconds", b"2\n", b"3", b"3\n"),
        ("ms", b"100\n", b"30", b"32\n"),
        ("unsigned", b"7\n", b"4294967295", b"4294967295\n"),
        ("unsigned", b"7\n", b"-1", errno.EINVAL),
        ("long", b"123456789012\n", b"18446744073709551615", b"18446744073709551615\n"),
        ("byte", b"200\n", b"0xff", b"255\n"),
        ("byte", b"200\n", b"256", errno.EINVAL),
        ("text", b"text\n", b"more than there is room for\n", b"more than there\n"),
        ("text", b"text\n", b"two\nlines", b"two\n"),
        ("read_only", b"5\n", b"1", errno.EACCES),
    ],
)
def test_values(files: Tree, name: str, before: bytes, data: bytes, after: bytes | int) -> None:
    assert read(files, f"{D}/{name}") == before
    assert (write(files, f"{D}/{name}", data) or read(files, f"{D}/{name}")) == after


def test_a_vector_is_read_and_written_from_its_beginning_only(files: Tree) -> None:
    file = open_(files, f"{D}/numbers", os.O_RDWR)
    assert file.read(3, 0) == b"1\t-"
    assert file.read(9, 3) == b""
    assert file.write(b"9", 1) == 1
    assert read(files, f"{D}/numbers") == b"1\t-2\t3\n"
    assert file.write(b"8 7 6 5", 0) == 6


def test_text_goes_on_where_it_ended(files: Tree) -> None:
    file = open_(files, f"{D}/text", os.O_RDWR)
    assert file.write(b"abc", 0) == 3
    assert file.write(b"def", 3) == 3
    assert file.write(b"z", 9) == 1
    assert file.read(20, 0) == b"abcdef\n"
    assert file.read(20, 4) == b"ef\n"


def test_a_handler_of_the_modules_own(kernel: Kernel, files: Tree) -> None:
    assert write(files, f"{D}/own", b"12\n") is None
    assert read(files, f"{D}/number") == b"12\n"
    assert list(kernel.log.records())[-1].text == b"proc_sysctl: own write: 0, 3 at 3"


@pytest.mark.parametrize(
    ("what", "messages"),
    [
        (
            "wrong",
            [
                "sysctl table check failed: sysfsd_test/no_data No data",
                "sysctl table check failed: sysfsd_test/mode bogus .mode 0755",
                "sysctl table check failed: sysfsd_test/no_handler No proc_handler",
                "sysctl table check failed: sysfsd_test/array array not allowed",
            ],
        ),
        ("kernel", ["sysctl duplicate entry: /kernel/panic"]),
    ],
)
def test_tables_that_are_refused(kernel: Kernel, files: Tree, what: str, messages: list[str]) -> None:
    assert act(files, what) == errno.EINVAL
    said = [record.text.decode() for record in kernel.log.records()]
    assert [text for text in said if text.startswith("sysctl")] == messages
