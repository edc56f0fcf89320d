"""What modules make below /proc: fs/proc/generic.c, fs/proc/inode.c, fs/seq_file.c (tests/modules/proc_files.c)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Symlink, Tree
from sysfsd.fs.tree import tree
from sysfsd.linux.fs.vfs import File
from sysfsd.linux.system import Kernel
from tests.conftest import refusal
from tests.fs.user import directory, names, node, open_, read, write

Load = Callable[..., None]
D = "/proc/proc_files"


class Log:
    """What the module says."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._seq = kernel.log.next_seq

    def __call__(self) -> list[str]:
        """What it has said since this was last asked."""
        said = [record.text.decode("latin-1") for record in self._kernel.log.records(self._seq)]
        self._seq = self._kernel.log.next_seq
        return [text.removeprefix("proc_files: ") for text in said if text.startswith("proc_files: ")]


@pytest.fixture(autouse=True)
def module(kernel: Kernel, files: Tree, load: Load) -> None:
    load("proc_files")


@pytest.fixture
def log(kernel: Kernel, module: None) -> Log:
    return Log(kernel)


def test_all_goes_with_the_module(kernel: Kernel, files: Tree) -> None:
    kernel.delete_module("proc_files")
    assert {"proc_files", "proc_files_top"}.isdisjoint(names(files, "/proc"))


def parameter(files: Tree, name: str, value: object) -> int | None:
    """The errno of a change of a module parameter."""
    return write(files, f"/sys/module/proc_files/parameters/{name}", f"{value}\n".encode())


def test_names_modes_and_owners(files: Tree) -> None:
    assert directory(files, D).names() == [
        "sub", "data", "link", "none", "buggy", "large", "plain", "single", "stream", "forever", "records", "refuses",
    ]  # fmt: skip
    modes = {name: node(files, f"{D}/{name}").mode for name in ("sub", "plain", "none", "single", "data", "refuses")}
    assert modes == {"sub": 0o750, "plain": 0o666, "none": 0o600, "single": 0o444, "data": 0o440, "refuses": 0o444}
    assert directory(files, D).nlink == 3
    link = node(files, f"{D}/link")
    assert isinstance(link, Symlink)
    assert (link.target, link.size) == ("sub/../plain", 12)


def test_a_tree_that_comes_later_shows_them_too(kernel: Kernel) -> None:
    assert {"list", "seq"} == names(tree(kernel), f"{D}/sub")


def test_directories_of_the_kernel_proper_are_there(files: Tree) -> None:
    assert {"bus", "driver", "fs", "irq", "sysvipc", "tty"} <= names(files, "/proc")
    assert names(files, "/proc/driver") == set()
    assert "net" not in names(files, "/proc")


def test_functions_of_the_module_are_called(files: Tree, log: Log) -> None:
    file = open_(files, f"{D}/plain", os.O_RDWR)
    assert file.read(3, 0) == b"not"
    assert file.write(b"hello", 3) == 5
    assert file.read(100, 0) == b"hello"
    file.release()
    assert log() == ["open plain", "read 3 at 0", "write 5 at 3", "read 100 at 0", "release plain"]
    assert write(files, f"{D}/plain", b"x" * 65) == errno.ENOSPC


def test_what_a_file_cannot_do(files: Tree) -> None:
    assert write(files, f"{D}/stream", b"x") == errno.EIO
    with refusal(errno.EIO):
        read(files, f"{D}/none")
    with refusal(errno.EBUSY):
        read(files, f"{D}/refuses")
    file = open_(files, f"{D}/stream")
    assert isinstance(file, File)
    assert not file.seekable
    assert read(files, f"{D}/forever") == b"forever" * 3


# Texts and records


def test_what_is_printed(files: Tree) -> None:
    assert read(files, f"{D}/single").decode() == (
        "single 7    ab|ff   |c\n"
        "puts . 18446744073709551615, -5,-1234567\n"
        "padded      |raw\n"
        "a\\040b\\011c\\134\\012\n"
        "dump 00000000: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
        "dump 00000010: 41 42 43                                         ABC\n"
        "\\057proc\\057proc_files\\057single\n"
    )
    assert read(files, f"{D}/data") == b"data of data, token 1\n"


def test_a_text_is_read_from_anywhere(files: Tree) -> None:
    file = open_(files, f"{D}/single")
    assert file.read(6, 0) == b"single"
    assert file.read(4, 2) == b"ngle"
    assert file.read(4, 23) == b"puts"
    assert file.read(5, 100000) == b""
    with refusal(errno.EBADF):
        file.write(b"x", 0)


def test_a_text_that_does_not_fit_is_made_again(files: Tree, log: Log) -> None:
    parameter(files, "records", 20)
    assert len(read(files, f"{D}/large")) == 20000
    rooms = [text for text in log() if "large" in text]
    assert rooms[:4] == [f"large, room {4096 << i}" for i in range(4)]


def test_an_error_of_the_text_is_that_of_the_read(files: Tree) -> None:
    parameter(files, "fail", 5)
    with refusal(errno.EIO):
        read(files, f"{D}/single")


def test_records_go_into_a_read_as_long_as_they_fit(files: Tree, log: Log) -> None:
    file = open_(files, f"{D}/records")
    assert file.read(20, 0) == b"record 0\nrecord 1\nre"
    assert log() == ["start 0", "show 0", "next 0", "show 1", "next 1", "show 2", "next 2", "stop 0"]
    assert file.read(20, 20) == b"cord 2\n"
    assert log() == ["start 3", "stop 0"]
    assert file.read(20, 27) == b""


def test_a_file_may_begin_with_nothing_and_end_with_an_error(kernel: Kernel, files: Tree) -> None:
    parameter(files, "skip", 1)
    assert read(files, f"{D}/records") == b"record 0\nrecord 2\n"
    parameter(files, "skip", -1)
    parameter(files, "fail", 1001)
    file = open_(files, f"{D}/sub/seq")
    assert file.read(100, 0) == b"record 0\n"
    with refusal(errno.EDOM):
        file.read(100, 9)
    parameter(files, "fail", 0)
    with refusal(errno.ENXIO):
        read(files, f"{D}/sub/seq")
    parameter(files, "records", 0)
    parameter(files, "fail", -1)
    assert read(files, f"{D}/records") == b""


def test_a_record_that_is_larger_than_the_buffer(files: Tree) -> None:
    parameter(files, "width", 9000)
    assert len(read(files, f"{D}/records")) == 3 * 9009


def test_an_iterator_that_does_not_count_is_told_of(kernel: Kernel, files: Tree) -> None:
    assert read(files, f"{D}/buggy") == b"once\n" * 3
    texts = [record.text for record in kernel.log.records()]
    assert texts.count(b"seq_file: buggy .next function buggy_next [proc_files] did not update position index") == 3


def test_each_reader_has_a_state_of_its_own(files: Tree) -> None:
    first, second = (open_(files, f"{D}/sub/list") for _ in range(2))
    text = b"items of list:\n1: 0\n2: 1\n3: 4\n"
    assert (first.read(100, 0), second.read(100, 0)) == (text, text)


# Coming and going


def test_an_entry_that_is_removed_while_it_is_open(files: Tree, log: Log) -> None:
    file = open_(files, f"{D}/plain", os.O_RDWR)
    log()
    assert parameter(files, "act", "remove") is None
    assert log() == ["release plain", "remove: 0"]
    assert "plain" not in names(files, D)
    for refused in (lambda: file.read(1, 0), lambda: file.write(b"x", 0)):
        with refusal(errno.EIO):
            refused()
    file.release()
    assert log() == []
    assert parameter(files, "act", "create") is None
    assert read(files, f"{D}/plain") == b"nothing\n"
    assert log()[:2] == ["create: 0", "open again"]


def test_a_module_goes_though_its_files_are_open(kernel: Kernel, files: Tree) -> None:
    opened = [open_(files, f"{D}/{name}") for name in ("plain", "records", "sub/list", "data")]
    kernel.delete_module("proc_files")
    for file in opened:
        with refusal(errno.EIO):
            file.read(10, 0)
        file.release()


@pytest.mark.parametrize(
    ("act", "code", "message"),
    [
        ("missing", None, "name 'missing'"),
        ("missing_tree", errno.ENOENT, None),
        ("number", errno.EINVAL, "create '/proc/12' by hand"),
        ("empty", errno.EINVAL, "name len 0"),
        ("modules", errno.EINVAL, "proc_dir_entry '/proc/modules' already registered"),
        ("create", errno.EEXIST, "proc_dir_entry 'proc_files/plain' already registered"),
    ],
)
def test_what_cannot_be(kernel: Kernel, files: Tree, act: str, code: int | None, message: str | None) -> None:
    assert parameter(files, "act", act) == code
    texts = [record.text.decode("latin-1") for record in kernel.log.records()]
    assert (message in texts) if message else not any("cut here" in text for text in texts)


def test_subtrees(files: Tree) -> None:
    assert parameter(files, "act", "path") is None
    assert names(files, f"{D}/sub") == {"by_path", "list", "seq"}
    assert stat.filemode(node(files, f"{D}/sub/by_path").mode | stat.S_IFREG) == "-r--r--r--"
    assert parameter(files, "act", "subtree") is None
    assert "sub" not in names(files, D)


def test_size_and_owner_are_those_of_the_first_look(files: Tree) -> None:
    plain = node(files, f"{D}/plain")
    parameter(files, "act", "size")
    parameter(files, "act", "user")
    assert (plain.size, plain.uid, plain.gid) == (80, 1000, 100)
    parameter(files, "act", "remove")
    parameter(files, "act", "create")
    plain = node(files, f"{D}/plain")
    plain.ino = 1
    parameter(files, "act", "size")
    assert plain.size == 0
