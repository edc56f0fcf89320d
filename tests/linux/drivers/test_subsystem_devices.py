"""Network devices, disks and input devices of modules, and what their drivers see."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import OpenContext
from sysfsd.fs.tree import tree
from sysfsd.linux.block.fops import BlockFile, blkdev_open
from sysfsd.linux.block.genhd import Disks
from sysfsd.linux.block.partitions import Reader, check_partition
from sysfsd.linux.drivers.input.input import Input
from sysfsd.linux.fs.char_dev import MKDEV
from sysfsd.linux.fs.sysfs.file import show, store
from sysfsd.linux.kernel.cred import INIT_CRED
from sysfsd.linux.kernel.params import store_param
from sysfsd.linux.lib.kobject import Sysfs, SysfsDirectory, SysfsFile
from sysfsd.linux.mm.uaccess import UserBuffers
from sysfsd.linux.net.core.dev import NetDevices
from sysfsd.linux.system import Kernel
from tests.conftest import refusal

Load = Callable[..., None]
DISK = MKDEV(254, 0)


def log(kernel: Kernel) -> list[str]:
    return [record.text.decode("latin-1") for record in kernel.log.records()]


def children(kernel: Kernel, path: str) -> set[str]:
    node = kernel.state(Sysfs).lookup(path)
    assert isinstance(node, SysfsDirectory)
    return set(node.children)


def attribute(kernel: Kernel, path: str) -> SysfsFile:
    node = kernel.state(Sysfs).lookup(path)
    assert isinstance(node, SysfsFile)
    return node


def read(kernel: Kernel, path: str) -> str:
    with kernel.lock:
        return show(kernel, attribute(kernel, path)).decode()


def write(kernel: Kernel, path: str, text: str) -> None:
    with kernel.lock:
        store(kernel, attribute(kernel, path), text.encode())


# Network devices


def test_network_devices_come_and_go(kernel: Kernel, load: Load) -> None:
    load("net_devs")
    assert children(kernel, "class/net") == {"lo", "nt0", "nt1", "plain"}
    assert read(kernel, "devices/virtual/net/nt0/address") == "02:00:00:00:00:01\n"
    assert read(kernel, "devices/virtual/net/nt0/uevent") == "INTERFACE=nt0\nIFINDEX=2\n"
    assert read(kernel, "devices/virtual/net/plain/type") == "65534\n"
    kernel.delete_module("net_devs")
    assert children(kernel, "class/net") == {"lo"}
    assert [dev.string("name") for dev in kernel.state(NetDevices).listed()] == [b"lo"]


@pytest.mark.parametrize(("mtu", "error"), [("5", errno.EINVAL), ("100000", errno.EINVAL), ("x", errno.EINVAL)])
def test_a_bad_mtu_is_refused(kernel: Kernel, load: Load, mtu: str, error: int) -> None:
    load("net_devs")
    with pytest.raises(OSError) as caught:
        write(kernel, "devices/virtual/net/nt0/mtu", mtu)
    assert caught.value.errno == error
    assert read(kernel, "devices/virtual/net/nt0/mtu") == "1500\n"


def test_a_device_is_opened_by_its_flags(kernel: Kernel, load: Load) -> None:
    load("net_devs")
    write(kernel, "devices/virtual/net/nt0/flags", "0x1083")
    assert log(kernel)[-3:] == ["event NETDEV_PRE_UP nt0", "nt0: open 1", "event NETDEV_UP nt0"]
    assert read(kernel, "devices/virtual/net/nt0/carrier") == "1\n"
    kernel.delete_module("net_devs")
    assert "nt0: stop" in log(kernel)


def test_packets_get_to_who_wants_them(kernel: Kernel, load: Load) -> None:
    load("net_skbs")
    said = log(kernel)
    assert "got: protocol 0x88b5, type 3, length 20, 0e0f101112131415, on sk0" in said
    assert said[-2:] == ["receive 0", "receive 1"]
    assert read(kernel, "devices/virtual/net/sk0/statistics/rx_dropped") == "2\n"


# Disks


def contents(file: BlockFile, size: int, offset: int = 0) -> bytes:
    return file.read(size, offset)


def test_a_disk_is_looked_at_when_it_comes(kernel: Kernel, load: Load) -> None:
    load("blk_disks")
    said = log(kernel)
    first, last = said.index("open: mode 0x1, openers 0"), said.index("release")
    assert [line.split(", tag")[0] for line in said[first + 1 : last] if line.startswith("request")] == [
        f"request: op 0, sector {sector}, bytes 4096" for sector in (0, 8, 24)
    ]
    assert children(kernel, "block") == {"blkd0"}
    assert read(kernel, "devices/virtual/block/blkd0/size") == "2048\n"
    assert kernel.state(Disks).proc_partitions().endswith(b"\n 254        0       1024 blkd0\n")
    kernel.delete_module("blk_disks")
    assert children(kernel, "block") == set()
    assert kernel.state(Disks).proc_partitions() == b""


def test_partitions(kernel: Kernel, load: Load) -> None:
    load("blk_disks", "table=1")
    assert " blkd0: p1 p2 p3 < p5 p6 >" in log(kernel)
    assert children(kernel, "class/block") == {"blkd0", *(f"blkd0p{n}" for n in (1, 2, 3, 5, 6))}
    assert read(kernel, "devices/virtual/block/blkd0/blkd0p6/start") == "510\n"


def test_what_is_written_is_read_again(kernel: Kernel, load: Load) -> None:
    load("blk_disks", "quiet=1")
    with kernel.lock:
        file = blkdev_open(kernel, DISK, os.O_RDWR)
    assert file.write(b"hello" * 2000, 1000) == 10000
    file.release()
    with kernel.lock:
        file = blkdev_open(kernel, DISK, os.O_RDONLY)
    assert contents(file, 12000) == bytes(1000) + b"hello" * 2000 + bytes(1000)
    assert contents(file, 100, (1 << 20) - 50) == bytes(50)
    buffers = UserBuffers()
    where = buffers.map(size=8)
    assert file.ioctl(0x80081272, where, buffers) == 0  # BLKGETSIZE64
    assert buffers.read(where, 8) == (1 << 20).to_bytes(8, "little")
    assert file.ioctl(0x1234, 0, buffers) == 7
    with pytest.raises(OSError) as caught:
        kernel.delete_module("blk_disks")
    assert caught.value.errno == errno.EWOULDBLOCK
    file.release()
    kernel.delete_module("blk_disks")


def test_a_disk_that_may_only_be_read_is_not_written_to(kernel: Kernel, load: Load) -> None:
    load("blk_disks", "readonly=1 quiet=1")
    with kernel.lock:
        file = blkdev_open(kernel, DISK, os.O_WRONLY)
    with pytest.raises(OSError) as caught:
        file.write(b"x", 0)
    assert caught.value.errno == errno.EPERM
    file.release()


def test_the_node_of_a_disk_has_its_size(kernel: Kernel, load: Load) -> None:
    files = tree(kernel)
    load("blk_disks", "quiet=1")
    node = files.lookup("dev/blkd0")
    assert node.size == 1 << 20
    opened = node.open(OpenContext(INIT_CRED, os.O_RDONLY))  # type: ignore[attr-defined]
    assert opened.read(5, 0) == bytes(5)
    opened.release()


def test_a_chain_of_tables_that_leads_in_a_circle_ends(kernel: Kernel) -> None:
    sector = bytearray(512)
    sector[446 + 4], sector[510:512] = 5, b"\x55\xaa"
    sector[446 + 8 : 446 + 12], sector[446 + 12 : 446 + 16] = bytes(4), b"\xff\0\0\0"
    found = check_partition(Reader("d", 1000, lambda number: bytes(sector)), kernel.log)
    assert found == {1: (0, 2)}


def test_a_disk_without_a_queue_is_given_bios(kernel: Kernel, load: Load) -> None:
    load("blk_bios")
    with kernel.lock:
        file = blkdev_open(kernel, MKDEV(259, 0), os.O_RDONLY)
    assert contents(file, 10) == bytes(10)
    assert log(kernel)[-1] == "bio: op 0, sector 0, bytes 16384"
    file.release()


# Input devices


def test_input_devices_and_their_handlers(kernel: Kernel, load: Load) -> None:
    load("input_devs")
    devices = kernel.state(Input).sysfs.proc_devices().decode()
    assert 'N: Name="Test Mouse"\n' in devices and "H: Handlers=mouse0 \n" in devices
    assert {"input2", "mouse0", "mice"} <= children(kernel, "class/input")
    assert read(kernel, "devices/virtual/input/input2/modalias") == (
        "input:b0006v1234pABCDe0100-e0,1,11,14,kraml1,sfw\n"
    )
    assert read(kernel, "devices/virtual/input/input3/capabilities/key") == "10000 0 0 0 0\n"
    kernel.delete_module("input_devs")
    assert kernel.state(Input).sysfs.proc_devices() == b""
    assert children(kernel, "class/input") == {"mice"}


def test_a_key_that_is_held_repeats(kernel: Kernel, load: Load) -> None:
    load("input_devs")
    with kernel.lock:
        inputs = kernel.state(Input)
        keys = next(known.view for known in inputs.devices.values() if known.view.string("name") == b"Test Keys")
        inputs.events.event(keys, 1, 30, 1)
        inputs.events.event(keys, 0, 0, 0)
        assert kernel.softirq.armed(keys.at("timer"))
        inputs.events.event(keys, 1, 30, 0)
        inputs.events.event(keys, 0, 0, 0)
        assert not kernel.softirq.armed(keys.at("timer"))


# What module-programming books' modules need besides


def test_a_medium_that_changes_is_read_again(kernel: Kernel, load: Load) -> None:
    load("devices_more")
    set_event = next(kp for kp in next(iter(kernel.modules)).kp if kp.name == "event")
    file = blkdev_open(kernel, DISK, os.O_RDONLY)
    assert file.read(1, 0) == b"A"
    with kernel.lock:
        store_param(kernel, set_event, b"1")
    other = blkdev_open(kernel, DISK, os.O_RDONLY)
    assert file.read(1, 0) == b"B"
    file.release()
    other.release()
    assert read(kernel, "devices/virtual/block/medium/events") == "media_change eject_request\n"
    write(kernel, "devices/virtual/block/medium/events_poll_msecs", "500")
    assert read(kernel, "devices/virtual/block/medium/events_poll_msecs") == "500\n"
    for refused in ("-2", "x"):
        with refusal(errno.EINVAL):
            write(kernel, "devices/virtual/block/medium/events_poll_msecs", refused)


def test_a_disk_without_events_says_so(kernel: Kernel, load: Load) -> None:
    load("devices_more", "tells=0")
    assert read(kernel, "devices/virtual/block/medium/events") == ""


def test_too_many_keys_for_an_event_are_left_out(kernel: Kernel, load: Load) -> None:
    load("devices_more")
    modalias = read(kernel, "devices/virtual/input/input2/modalias")
    assert modalias.endswith(",2FD,2FE,ramlsfw\n")
    line = read(kernel, "devices/virtual/input/input2/uevent").splitlines()[-1]
    assert line.startswith("MODALIAS=" + modalias[:40]) and line.endswith(",+,ramlsfw")
    assert not [text for text in log(kernel) if "buffer size too small" in text]


def test_pci_drivers_can_be_told_of_other_devices(kernel: Kernel, load: Load) -> None:
    load("devices_more")
    driver = "bus/pci/drivers/devices_more"
    for text, code in (
        ("1234 5678", errno.EEXIST),
        ("1234 5679", errno.EINVAL),
        ("1234", errno.EINVAL),
        ("1234 5679 ffffffff ffffffff 0 0 4", errno.EINVAL),
    ):
        with refusal(code):
            write(kernel, f"{driver}/new_id", text)
    write(kernel, f"{driver}/new_id", "1234 5679 ffffffff ffffffff 0 0 3")
    write(kernel, f"{driver}/remove_id", "1234 5679")
    with refusal(errno.ENODEV):
        write(kernel, f"{driver}/remove_id", "1234 5679")
