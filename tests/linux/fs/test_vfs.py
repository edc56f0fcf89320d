"""Open files as module code sees them: fs/open.c, fs/read_write.c, fs/file_table.c, fs/ioctl.c, fs/char_dev.c."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable

import pytest

from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.drivers.base.devtmpfs import Devtmpfs
from sysfsd.linux.fs.char_dev import MISC_MAJOR, MKDEV, DeviceNumbers
from sysfsd.linux.fs.vfs import File, FMode, Inode, chrdev_open
from sysfsd.linux.mm.uaccess import UserBuffers
from sysfsd.linux.system import Kernel
from tests.conftest import HANG, refusal, wait_until

Open = Callable[..., File]


@pytest.fixture
def open_(kernel: Kernel) -> Open:
    """Open the device of a node that the kernel has made."""

    def open_device(name: str, flags: int = os.O_RDWR) -> File:
        node = kernel.state(Devtmpfs).nodes[name]
        inode = Inode(kernel, name, stat.S_IFCHR | node.mode, node.devt)
        try:
            return File(kernel, inode, flags).open(chrdev_open)
        finally:
            inode.put()

    return open_device


@pytest.fixture
def mem(load: Callable[..., None], open_: Open) -> File:
    """An open device over memory."""
    load("dev_mem")
    return open_("dev_mem")


@pytest.fixture
def fifo(load: Callable[..., None], open_: Open) -> File:
    """An open FIFO."""
    load("dev_fifo")
    return open_("dev_fifo")


def messages(kernel: Kernel, module: str) -> list[str]:
    """What a module has logged."""
    texts = [record.text.decode() for record in kernel.log.records(kernel.log.first_seq)]
    return [text.removeprefix(f"{module}: ") for text in texts if text.startswith(f"{module}: ")]


def refcount(kernel: Kernel, name: str) -> int:
    mod = kernel.modules.find(name)
    assert mod is not None
    return mod.refcount


# Open and close


def test_an_open_file_is_one_of_its_reader_or_writer(mem: File, open_: Open) -> None:
    assert mem.view["f_mode"] & (FMode.READ | FMode.WRITE) == FMode.READ | FMode.WRITE
    reader = open_("dev_mem", os.O_RDONLY)
    with refusal(errno.EBADF):
        reader.write(b"x", 0)
    with refusal(errno.EBADF):
        open_("dev_mem", os.O_WRONLY).read(1, 0)


def test_flags_that_are_about_opening_are_not_kept(mem: File, open_: Open) -> None:
    file = open_("dev_mem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_EXCL | os.O_NOCTTY)
    assert file.view["f_flags"] == os.O_WRONLY | 0o100000


def test_direct_access_needs_a_mapping_that_has_it(mem: File, open_: Open, kernel: Kernel) -> None:
    before = refcount(kernel, "dev_mem")
    with refusal(errno.EINVAL):
        open_("dev_mem", os.O_RDWR | os.O_DIRECT)
    assert refcount(kernel, "dev_mem") == before
    assert messages(kernel, "dev_mem")[-1] == "release dev_mem"


def test_an_open_file_holds_its_module(mem: File, kernel: Kernel) -> None:
    assert refcount(kernel, "dev_mem") == 2  # the cdev's reference, and that of the operations
    with refusal(errno.EWOULDBLOCK):
        kernel.delete_module("dev_mem")
    mem.release()
    mem.release()
    assert refcount(kernel, "dev_mem") == 0
    kernel.delete_module("dev_mem")


def test_a_device_may_refuse_a_second_file(mem: File, open_: Open, kernel: Kernel) -> None:
    alone = open_("dev_mem_dir/alone")
    before = refcount(kernel, "dev_mem")
    with refusal(errno.EBUSY):
        open_("dev_mem_dir/alone")
    assert refcount(kernel, "dev_mem") == before
    alone.release()
    open_("dev_mem_dir/alone")


@pytest.mark.parametrize(("rdev", "code"), [(MKDEV(300, 0), errno.ENXIO), (MKDEV(MISC_MAJOR, 250), errno.ENODEV)])
def test_nobody_serves_a_number(kernel: Kernel, rdev: int, code: int) -> None:
    with refusal(code):
        File(kernel, Inode(kernel, "none", stat.S_IFCHR | 0o600, rdev), os.O_RDONLY).open(chrdev_open)


def test_an_inode_forgets_a_device_that_is_gone(mem: File, kernel: Kernel) -> None:
    inode = mem.inode.get()
    assert inode.view["i_cdev"]
    mem.release()
    kernel.delete_module("dev_mem")
    assert inode.view["i_cdev"] == 0
    with refusal(errno.ENXIO):
        File(kernel, inode, os.O_RDONLY).open(chrdev_open)


def test_memory_is_given_back(mem: File, open_: Open, kernel: Kernel) -> None:
    objects = (mem.address, mem.inode.address, mem.inode.dentry.address, mem.view["f_cred"])
    caches = {kernel.slab.cache_of(address) for address in objects}

    def used() -> list[int]:
        return [len(cache.objects) for cache in caches if cache is not None]

    open_("dev_mem").release()
    before = used()
    for _ in range(5):
        file = open_("dev_mem")
        file.write(b"x", 0)
        file.poll(lambda: None)
        file.release()
    assert used() == before


# Positions


def test_each_transfer_goes_on_where_the_last_one_ended(mem: File) -> None:
    assert mem.write(b"0123456789", 0) == 10
    assert (mem.read(2, 10), mem.read(2), mem.view["f_pos"]) == (b"\0\0", b"\0\0", 14)
    assert mem.read(3, 2) == b"234"
    assert mem.read(3, 5) == b"567"


def test_who_moves_elsewhere_asks_the_module(mem: File) -> None:
    with refusal(errno.EINVAL):
        mem.read(1, 257)
    with refusal(errno.EINVAL):
        mem.llseek(-1, os.SEEK_SET)
    assert mem.llseek(-6, os.SEEK_END) == 250
    assert len(mem.read(100)) == 6


def test_a_stream_has_no_position(fifo: File) -> None:
    assert not fifo.seekable
    fifo.write(b"01234567", 100)
    assert (fifo.read(3, 0), fifo.read(10, 7), fifo.view["f_pos"]) == (b"012", b"34567", 0)
    with refusal(errno.ESPIPE):
        fifo.llseek(0, os.SEEK_CUR)


def test_appending_does_not_move_a_device(mem: File) -> None:
    mem.append(b"ab", 0)
    mem.append(b"cd", 1000)
    mem.llseek(0, os.SEEK_SET)
    assert mem.read(4) == b"abcd"


# Waiting


def test_who_will_not_wait_is_told_so(fifo: File) -> None:
    fifo.set_flags(os.O_RDWR | os.O_NONBLOCK)
    with refusal(errno.EAGAIN):
        fifo.read(1)
    fifo.write(b"x" * 16)
    with refusal(errno.EAGAIN):
        fifo.write(b"x")


def test_who_waits_is_woken(fifo: File, open_: Open) -> None:
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(fifo.read(10)))
    reader.start()
    open_("dev_fifo").write(b"news")
    reader.join(HANG)
    assert found == [b"news"]


def test_a_file_tells_of_its_events(fifo: File, open_: Open) -> None:
    woken: list[str] = []
    readable, writable = 0x41, 0x104
    assert fifo.poll() == writable
    assert fifo.poll(lambda: woken.append("first")) == writable
    assert fifo.poll(lambda: woken.append("second")) == writable
    other = open_("dev_fifo")
    other.write(b"x" * 16)
    other.read(1)
    wait_until(lambda: woken == ["second"])
    assert fifo.poll() == readable | writable
    fifo.poll(lambda: woken.append("third"))
    fifo.release()
    other.write(b"x")
    assert woken == ["second"]


def test_what_has_no_poll_is_always_ready(mem: File) -> None:
    assert mem.poll(lambda: None) == 0x145


# The others


def test_an_ioctl_reaches_its_callers_memory(mem: File) -> None:
    space = UserBuffers()
    address = space.map((41).to_bytes(8, "little"))
    assert mem.ioctl(0xC0086D04, address, space) == 7
    assert int.from_bytes(space.read(address, 8), "little", signed=True) == -42
    with refusal(errno.EFAULT):
        mem.ioctl(0xC0086D04, 0x1000, space)
    with refusal(errno.ENOTTY):
        mem.ioctl(0x5401, address, space)
    with refusal(errno.ENOTTY):
        mem.ioctl(0xC0086D04, address, space, compat=True)


def test_syncing_is_the_modules_business(mem: File, fifo: File) -> None:
    mem.fsync(datasync=False)
    with refusal(errno.EIO):
        mem.fsync(datasync=True)
    with refusal(errno.EINVAL):
        fifo.fsync(datasync=False)


def test_who_wants_signals_is_on_the_devices_list(fifo: File) -> None:
    fifo.fasync(3, on=True)
    assert fifo.view["f_flags"] & 0o20000
    fifo.write(b"x")
    fifo.fasync(3, on=False)
    assert not fifo.view["f_flags"] & 0o20000


# /proc/devices, /proc/misc


def test_numbers_are_listed_while_they_are_taken(kernel: Kernel, load: Callable[..., None]) -> None:
    numbers = kernel.state(DeviceNumbers)
    devices, misc = numbers.devices(), numbers.misc_devices()
    assert devices.decode("latin-1") == kernel.image.proc["devices"]
    assert misc.decode("latin-1") == kernel.image.proc["misc"]
    load("dev_mem")
    load("dev_fifo")
    (major,) = (line.split()[0] for line in numbers.devices().splitlines() if line.endswith(b" dev_mem"))
    assert numbers.devices().replace(b"%3d dev_mem\n" % int(major), b"") == devices
    first, rest = numbers.misc_devices().split(b"\n", 1)
    assert (first.split()[1], rest) == (b"dev_fifo", misc)
    kernel.delete_module("dev_mem")
    kernel.delete_module("dev_fifo")
    assert (numbers.devices(), numbers.misc_devices()) == (devices, misc)


# Memory of a process


def test_a_users_pointer_cannot_be_followed(kernel: Kernel, load: Callable[..., None], open_: Open) -> None:
    load("dev_copies", "experiment=direct")
    with pytest.raises(TaskKilled):
        open_("dev_copies").write(b"text", 0)
    lines = [record.text.decode() for record in kernel.log.records(kernel.log.first_seq)]
    assert "#PF: supervisor read access in kernel mode" in lines
    assert "#PF: error_code(0x0001) - permissions violation" in lines
    assert any(line.startswith("Oops: 0001 [#1]") for line in lines)
