"""/sys/kernel/debug: fs/debugfs/, fs/libfs.c (tests/modules/debugfs_files.c)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Symlink, Tree
from sysfsd.fs.tree import tree
from sysfsd.linux.fs.vfs import File
from sysfsd.linux.system import Kernel
from tests.conftest import refusal
from tests.fs.user import directory, names, node, open_, write

Load = Callable[..., None]
ROOT = "/sys/kernel/debug"
D = f"{ROOT}/debugfs_files"


@pytest.fixture(autouse=True)
def module(kernel: Kernel, files: Tree, load: Load) -> None:
    load("debugfs_files")


def whole(files: Tree, name: str) -> bytes:
    """A file, closed again: its module cannot go while it is open."""
    file = open_(files, f"{D}/{name}")
    try:
        return file.read(1 << 16, 0)
    finally:
        file.release()


def put(files: Tree, name: str, data: bytes) -> int | None:
    """The errno of one write."""
    file = open_(files, f"{D}/{name}", os.O_WRONLY)
    try:
        assert file.write(data, 0) == len(data)
    except OSError as error:
        return error.errno
    finally:
        file.release()
    return None


def act(files: Tree, what: str) -> int | None:
    return write(files, "/sys/module/debugfs_files/parameters/act", what.encode() + b"\n")


def test_the_root_is_not_for_everyone(files: Tree) -> None:
    assert (directory(files, ROOT).mode, directory(files, ROOT).nlink) == (0o700, 5)
    assert directory(files, D).mode == 0o755


def test_what_is_newest_comes_first(files: Tree) -> None:
    assert directory(files, D).names()[:3] == ["link", "array", "blob"]
    assert directory(files, D).names()[-1] == "sub"
    link = node(files, f"{D}/link")
    assert isinstance(link, Symlink)
    assert link.target == "sub/seq"


def test_a_tree_that_comes_later_shows_them_too(kernel: Kernel) -> None:
    assert names(tree(kernel), f"{D}/sub") == {"seq"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("file", b"text\n"),
        ("no_fops", b""),
        ("unsafe", b"64\n"),
        ("number", b"number 64\n"),
        ("read_only", b"0x40\n"),
        ("sub/seq", b"seq in sub\n"),
        ("u8", b"8\n"),
        ("u16", b"16\n"),
        ("u32", b"32\n"),
        ("x8", b"0x08\n"),
        ("x16", b"0x0010\n"),
        ("x32", b"0x00000020\n"),
        ("x64", b"0x0000000000000040\n"),
        ("ulong", b"5\n"),
        ("size_t", b"6\n"),
        ("atomic", b"-7\n"),
        ("bool", b"Y\n"),
        ("blob", b"bytes\0of a blob\n"),
        ("array", b"1 4294967295 3\n"),
    ],
)
def test_what_a_file_shows(files: Tree, name: str, text: bytes) -> None:
    assert whole(files, name) == text


@pytest.mark.parametrize(
    ("name", "data", "answer"),
    [
        ("u8", b"0x1f\n", b"31\n"),
        ("u8", b"300\n", b"44\n"),
        ("u8", b"-1\n", errno.EINVAL),
        ("u8", b"99999999999999999999", errno.ERANGE),
        ("x64", b"18446744073709551615", b"0xffffffffffffffff\n"),
        ("atomic", b"-12\n", b"-12\n"),
        ("bool", b"n", b"N\n"),
        ("bool", b"perhaps", b"Y\n"),
        ("number", b"7", b"number 14\n"),
        ("number", b"1001", errno.ERANGE),
        ("read_only", b"1", errno.EACCES),
        ("u16", b"1", errno.EACCES),
        ("array", b"1", errno.EINVAL),
    ],
)
def test_what_a_file_takes(files: Tree, name: str, data: bytes, answer: bytes | int) -> None:
    code = put(files, name, data)
    assert (code or whole(files, name)) == answer


def test_what_cannot_be_read(files: Tree) -> None:
    with refusal(errno.EACCES):
        whole(files, "u64")
    put(files, "number", b"13")
    with refusal(errno.ENODATA):
        whole(files, "number")


def test_a_number_is_asked_for_at_the_beginning(files: Tree) -> None:
    file = open_(files, f"{D}/number", os.O_RDWR)
    assert isinstance(file, File)
    assert not file.seekable
    assert file.read(3) == b"num"
    assert put(files, "number", b"4") is None
    assert file.read(100) == b"ber 64\n"
    file.release()
    assert whole(files, "number") == b"number 8\n"


def test_an_open_file_holds_its_module(kernel: Kernel, files: Tree) -> None:
    file = open_(files, f"{D}/file")
    with refusal(errno.EWOULDBLOCK):
        kernel.delete_module("debugfs_files")
    file.release()
    kernel.delete_module("debugfs_files")
    assert names(files, ROOT) == {"dynamic_debug", "kprobes"}


def test_a_file_that_is_removed_while_it_is_open(kernel: Kernel, files: Tree) -> None:
    file, single = open_(files, f"{D}/file", os.O_RDWR), open_(files, f"{D}/sub/seq")
    assert act(files, "remove") is None
    assert "file" not in names(files, D)
    for refused in (lambda: file.read(1, 0), lambda: file.write(b"x", 0)):
        with refusal(errno.EIO):
            refused()
    file.release()
    assert list(kernel.log.records())[-1].text == b"debugfs_files: release"
    assert act(files, "subtree") is None
    with refusal(errno.EIO):
        single.read(1, 0)
    single.release()


@pytest.mark.parametrize(
    ("what", "code", "message"),
    [
        ("dir", errno.EEXIST, "debugfs: Directory 'sub' with parent 'debugfs_files' already present!"),
        ("file", errno.EEXIST, "debugfs: File 'file' in directory 'debugfs_files' already present!"),
        ("in_error", errno.ENODEV, None),
        ("slash", errno.EACCES, None),
    ],
)
def test_what_cannot_be_made(kernel: Kernel, files: Tree, what: str, code: int, message: str | None) -> None:
    assert act(files, what) == code
    if message:
        assert message in [record.text.decode() for record in kernel.log.records()]


def test_renamed_and_removed_by_name(files: Tree) -> None:
    assert act(files, "rename") is None
    assert "u8" not in names(files, D)
    assert whole(files, "sub/moved") == b"8\n"
    assert act(files, "by_name") is None
    assert "u16" not in names(files, D)


def test_users_change_modes_but_no_names(files: Tree) -> None:
    node(files, f"{D}/u32").chmod(0o640)
    assert node(files, f"{D}/u32").mode == 0o640
    with refusal(errno.EPERM):
        directory(files, D).unlink("u32")
