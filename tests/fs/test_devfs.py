"""/dev: drivers/base/devtmpfs.c; the log, kernel/printk/printk.c, Documentation/ABI/testing/dev-kmsg."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import pytest

from sysfsd.fs.devfs import DeviceDirectory, mknod
from sysfsd.fs.kernfs import File, OpenContext, OpenFile, Tree
from sysfsd.linux.drivers.base.devtmpfs import Devtmpfs
from sysfsd.linux.fs.char_dev import MKDEV
from sysfsd.linux.kernel.cred import INIT_CRED, Capability, Cred
from sysfsd.linux.system import Kernel
from tests.fs.user import NOBODY, open_

NONBLOCK = os.O_RDWR | os.O_NONBLOCK


@contextmanager
def refusal(code: int) -> Iterator[None]:
    with pytest.raises(OSError) as caught:
        yield
    assert caught.value.errno == code


@pytest.fixture
def kmsg(files: Tree) -> OpenFile:
    """The log, open for reading and writing."""
    return open_(files, "/dev/kmsg", NONBLOCK)


#: How far each open file has been read: at its beginning, the log begins again.
POSITIONS: WeakKeyDictionary[OpenFile, int] = WeakKeyDictionary()


def records(opened: OpenFile) -> list[bytes]:
    """What is left to read, without numbers and times: level, flag and text."""
    found: list[bytes] = []
    while True:
        position = POSITIONS.get(opened, 0)
        try:
            data = opened.read(8192, position)
        except OSError as error:
            assert error.errno == errno.EAGAIN
            return found
        POSITIONS[opened] = position + len(data)
        head, _, text = data.partition(b";")
        level, _seq, _time, flag = head.split(b",")
        found.append(level + flag + text)


# Opening


@pytest.mark.parametrize(
    ("setting", "restrict", "flags", "cred", "code"),
    [
        ("on", 1, os.O_RDONLY, NOBODY, errno.EPERM),
        ("on", 0, os.O_RDONLY, NOBODY, None),
        ("on", 1, os.O_WRONLY, NOBODY, None),
        ("on", 1, os.O_RDWR, NOBODY, errno.EPERM),
        ("on", 1, os.O_RDONLY, Cred(1, 1, 1 << Capability.SYSLOG), None),
        ("on", 1, os.O_RDONLY, Cred(1, 1, 1 << Capability.SYS_ADMIN), None),
        ("off", 0, os.O_WRONLY, INIT_CRED, errno.EPERM),
        ("off", 0, os.O_RDONLY, INIT_CRED, errno.EPERM),
        ("ratelimit", 0, os.O_WRONLY, INIT_CRED, None),
    ],
)
def test_who_may_open_the_log(
    kernel: Kernel, files: Tree, setting: str, restrict: int, flags: int, cred: Cred, code: int | None
) -> None:
    kernel.tunables.printk_devkmsg = setting
    kernel.tunables.dmesg_restrict = restrict
    if code is None:
        open_(files, "/dev/kmsg", flags, cred)
    else:
        with refusal(code):
            open_(files, "/dev/kmsg", flags, cred)


# Reading


def test_each_read_is_one_record(kernel: Kernel, kmsg: OpenFile) -> None:
    kernel.log.pr_info("one")
    kernel.log.pr_err("two")
    assert records(kmsg) == [b"6-one\n", b"3-two\n"]


def test_reading_begins_with_the_oldest_record(kernel: Kernel, files: Tree) -> None:
    kernel.log.pr_info("one")
    assert records(open_(files, "/dev/kmsg", NONBLOCK)) == [b"6-one\n"]


def test_a_record_that_does_not_fit_is_skipped(kernel: Kernel, kmsg: OpenFile) -> None:
    kernel.log.pr_info("one")
    kernel.log.pr_info("two")
    with refusal(errno.EINVAL):
        kmsg.read(5, 0)
    assert records(kmsg) == [b"6-two\n"]


def test_lost_records_are_told_once(kernel: Kernel, kmsg: OpenFile) -> None:
    for number in range(10_000):
        kernel.log.pr_info(f"{number}")
    with refusal(errno.EPIPE):
        kmsg.read(8192, 0)
    assert kmsg.read(8192, 0).startswith(b"6,%d," % kernel.log.first_seq)


def test_without_a_record_who_will_not_wait_is_told_so(kmsg: OpenFile) -> None:
    with refusal(errno.EAGAIN):
        kmsg.read(8192, 0)


def test_who_waits_gets_the_next_record(kernel: Kernel, files: Tree) -> None:
    opened = open_(files, "/dev/kmsg", os.O_RDONLY)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(opened.read(8192, 0)))
    reader.start()
    kernel.log.pr_info("news")
    reader.join(30)
    assert found[0].endswith(b";news\n")


def test_who_waits_can_be_interrupted(files: Tree) -> None:
    file = files.lookup("/dev/kmsg")
    assert isinstance(file, File)
    opened = file.open(OpenContext(INIT_CRED, os.O_RDONLY, interrupted=lambda: True))
    with refusal(errno.EINTR):
        opened.read(8192, 0)


# Writing


@pytest.mark.parametrize(
    ("data", "record"),
    [
        (b"hello\n", b"12-hello\n"),
        (b"hello", b"12-hello\n"),
        (b"<6>hello\n", b"14-hello\n"),
        (b"<0>hello\n", b"8-hello\n"),
        (b"<30>hello\n", b"30-hello\n"),
        (b"<>hello\n", b"8-hello\n"),
        (b"<2047>x\n", b"2047-x\n"),
        (b"<2048>x\n", b"8-x\n"),
        (b"<4294967302>x\n", b"14-x\n"),
        (b"<x>hello\n", b"12-<x>hello\n"),
        (b"<6hello\n", b"12-<6hello\n"),
        (b"<-6>x\n", b"12-<-6>x\n"),
        (b" <6>x\n", b"12- <6>x\n"),
        (b"a\0b\n", b"12-a\n"),
        (b"a\nb\n", b"12-a\\x0ab\n"),
        (b"\x013x\n", b"12-\\x013x\n"),
        (b"", b"12-\n"),
    ],
)
def test_what_is_written_is_logged(kernel: Kernel, kmsg: OpenFile, data: bytes, record: bytes) -> None:
    assert kmsg.write(data, 0) == len(data)
    kernel.log.pr_info("end")
    assert records(kmsg)[0] == record


@pytest.mark.parametrize(("length", "code"), [(992, None), (993, errno.EINVAL), (5000, errno.EINVAL)])
def test_a_long_message_is_invalid(kmsg: OpenFile, length: int, code: int | None) -> None:
    if code is None:
        assert kmsg.write(b"x" * length, 0) == length
    else:
        with refusal(code):
            kmsg.write(b"x" * length, 0)


def test_who_writes_too_much_is_not_heard(kernel: Kernel, files: Tree, kmsg: OpenFile) -> None:
    for _ in range(20):
        assert kmsg.write(b"x\n", 0) == 2
    assert len(records(kmsg)) == 10
    assert open_(files, "/dev/kmsg", NONBLOCK).write(b"another\n", 0)
    assert records(kmsg) == [b"12-another\n"]


@pytest.mark.parametrize(("setting", "heard"), [("on", 20), ("off", 0)])
def test_the_limit_is_a_setting(kernel: Kernel, kmsg: OpenFile, setting: str, heard: int) -> None:
    kernel.tunables.printk_devkmsg = setting
    for _ in range(20):
        assert kmsg.write(b"x\n", 0) == 2
    assert len(records(kmsg)) == heard


# Nodes of devices, and what users put beside them


@pytest.fixture
def dev(files: Tree) -> DeviceDirectory:
    found = files.lookup("/dev")
    assert isinstance(found, DeviceDirectory)
    return found


def listed(dev: DeviceDirectory) -> dict[str, str]:
    """All paths below, and what is there."""
    found: dict[str, str] = {}
    for name, node in dev.children.items():
        found[name] = stat.filemode(node.type | node.special | node.mode)
        if isinstance(node, DeviceDirectory):
            found |= {f"{name}/{below}": mode for below, mode in listed(node).items()}
    return found


def test_devices_come_and_go_with_their_directories(kernel: Kernel, dev: DeviceDirectory) -> None:
    devtmpfs, before = kernel.state(Devtmpfs), listed(dev)
    devtmpfs.create_node("one", 0o640, MKDEV(240, 0), block=False)
    devtmpfs.create_node("a/b/two", 0, MKDEV(240, 1), block=True)
    devtmpfs.create_node("a/three", 0, MKDEV(240, 2), block=False)
    directories = {"a": "drwxr-xr-x", "a/b": "drwxr-xr-x"}
    nodes = {"one": "?rw-r-----", "a/b/two": "?rw-------", "a/three": "?rw-------"}
    assert listed(dev).keys() == before.keys() | directories.keys() | nodes.keys()
    assert {path: mode for path, mode in listed(dev).items() if path in directories} == directories
    assert {path: mode[1:] for path, mode in listed(dev).items() if path in nodes} == {
        path: mode[1:] for path, mode in nodes.items()
    }
    devtmpfs.delete_node("a/b/two", MKDEV(240, 1), block=True)
    assert "a/b" not in listed(dev)
    devtmpfs.delete_node("a/three", MKDEV(240, 2), block=False)
    devtmpfs.delete_node("one", MKDEV(240, 0), block=False)
    assert listed(dev) == before


def test_what_a_user_has_put_in_a_nodes_place_stays(kernel: Kernel, dev: DeviceDirectory) -> None:
    devtmpfs = kernel.state(Devtmpfs)
    devtmpfs.create_node("one", 0, MKDEV(240, 0), block=False)
    dev.unlink("one")
    dev.mkdir("one", 0o755, INIT_CRED)
    devtmpfs.delete_node("one", MKDEV(240, 0), block=False)
    assert isinstance(dev.children["one"], DeviceDirectory)
    devtmpfs.create_node("one", 0, MKDEV(240, 0), block=False)
    assert isinstance(dev.children["one"], DeviceDirectory)


def test_a_directory_that_a_user_has_made_stays(kernel: Kernel, dev: DeviceDirectory) -> None:
    devtmpfs = kernel.state(Devtmpfs)
    dev.mkdir("a", 0o755, INIT_CRED)
    devtmpfs.create_node("a/one", 0, MKDEV(240, 0), block=False)
    devtmpfs.delete_node("a/one", MKDEV(240, 0), block=False)
    assert "a" in dev.children


def test_nodes_belong_to_who_makes_them(dev: DeviceDirectory) -> None:
    dev.create("file", 0o644, NOBODY)
    node = dev.children["file"]
    assert (node.uid, node.gid, node.mode) == (1000, 1000, 0o644)


def test_a_file_holds_what_is_written(dev: DeviceDirectory) -> None:
    file = dev.create("file", 0o644, INIT_CRED)
    opened = file.open(OpenContext(INIT_CRED, os.O_RDWR))
    assert opened.write(b"text", 2) == 4
    assert (opened.read(10, 0), file.size) == (b"\0\0text", 6)
    file.truncate(3)
    assert opened.read(10, 1) == b"\0t"
    with refusal(errno.EFBIG):
        opened.write(b"x", 1 << 30)
    with refusal(errno.EFBIG):
        file.truncate(1 << 30)


def test_room_is_given_back_when_a_file_is_gone_and_closed(dev: DeviceDirectory) -> None:
    for _ in range(40):
        opened = dev.create("file", 0o644, INIT_CRED).open(OpenContext(INIT_CRED, os.O_RDWR))
        opened.write(bytes(1 << 20), 0)
        dev.unlink("file")
        assert opened.read(1, 0) == b"\0"
        opened.release()
    files = [dev.create(f"file{number}", 0o644, INIT_CRED) for number in range(20)]
    with refusal(errno.ENOSPC):
        for file in files:
            file.open(OpenContext(INIT_CRED, os.O_WRONLY)).write(bytes(1 << 20), 0)


def test_there_is_an_end_to_what_users_may_make(dev: DeviceDirectory) -> None:
    with refusal(errno.ENOSPC):
        for number in range(5000):
            dev.create(f"file{number}", 0o644, INIT_CRED)
    dev.unlink("file0")
    dev.mkdir("file0", 0o755, INIT_CRED)


def test_names_are_changed_as_they_may_be(dev: DeviceDirectory) -> None:
    dev.mkdir("a", 0o755, INIT_CRED)
    dev.mkdir("b", 0o755, INIT_CRED)
    dev.create("file", 0o644, INIT_CRED)
    a, b = dev.children["a"], dev.children["b"]
    assert isinstance(a, DeviceDirectory) and isinstance(b, DeviceDirectory)
    dev.rename("file", a, "moved")
    a.symlink("link", "moved", INIT_CRED)
    with refusal(errno.ENOTEMPTY):
        dev.rename("b", dev, "a")
    with refusal(errno.ENOTEMPTY):
        dev.rmdir("a")
    with refusal(errno.EISDIR):
        dev.unlink("a")
    with refusal(errno.ENOTDIR):
        a.rmdir("moved")
    with refusal(errno.ENOENT):
        a.unlink("file")
    with refusal(errno.ENAMETOOLONG):
        a.rename("moved", dev, "x" * 256)
    a.rename("link", a, "moved")
    assert listed(dev).keys() >= {"a", "b", "a/moved"} and "a/link" not in listed(dev)
    dev.rename("a", dev, "b")
    assert "b/moved" in listed(dev)


@pytest.mark.parametrize(
    ("mode", "cred", "code"),
    [
        (stat.S_IFCHR | 0o600, INIT_CRED, None),
        (stat.S_IFBLK | 0o600, INIT_CRED, None),
        (stat.S_IFREG | 0o600, INIT_CRED, None),
        (stat.S_IFIFO | 0o600, INIT_CRED, None),
        (stat.S_IFCHR | 0o600, Cred(0, 0, 1 << Capability.DAC_OVERRIDE), errno.EPERM),
        (stat.S_IFCHR | 0o600, NOBODY, errno.EACCES),
        (stat.S_IFDIR | 0o600, INIT_CRED, errno.EINVAL),
    ],
)
def test_who_may_make_which_nodes(dev: DeviceDirectory, mode: int, cred: Cred, code: int | None) -> None:
    if code is not None:
        with refusal(code):
            mknod(dev, "node", mode, MKDEV(240, 0), cred)
        return
    mknod(dev, "node", mode, MKDEV(240, 0), cred)
    assert stat.S_IFMT(mode) in (dev.children["node"].type, dev.children["node"].special)
    with refusal(errno.EEXIST):
        mknod(dev, "node", mode, MKDEV(240, 0), cred)


def test_a_device_cannot_be_cut_off(kernel: Kernel, dev: DeviceDirectory) -> None:
    mknod(dev, "node", stat.S_IFCHR | 0o600, MKDEV(240, 0), INIT_CRED)
    with refusal(errno.EINVAL):
        dev.children["node"].truncate(0)
