"""What modules register: buses, drivers, devices, numbers, entries of /proc and debugfs (tests/modules/reg_drivers.c).

What the log says is what the real kernel says when it loads the same module.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Directory, Symlink
from sysfsd.fs.tree import tree
from sysfsd.linux.drivers.base.core import DriverCore
from sysfsd.linux.drivers.base.devtmpfs import Devtmpfs
from sysfsd.linux.fs.char_dev import MKDEV, DeviceNumbers
from sysfsd.linux.fs.debugfs.inode import DebugFs
from sysfsd.linux.fs.proc.generic import ProcFs
from sysfsd.linux.lib.kobject import Sysfs, SysfsDirectory, SysfsFile, SysfsLink, SysfsNode
from sysfsd.linux.registrations import Registrations
from sysfsd.linux.system import Kernel

ONCE = """\
reg: bus 0
reg: device 0
reg: bus probes reg0
reg: driver 0
reg: platform driver 0
reg: platform probes regplat 3
reg: platform probes regplat 7
regplat: probe of regplat.7 failed with error -5
reg: region 0
reg: 246:2
reg: class device reg!2
reg: misc 0
reg: minor 124
reg: proc 1
"""
TWICE = {
    "Error: Driver 'regdrv' is already registered, aborting...",
    "reg: driver again -16",
    "sysfs: cannot create duplicate filename '/devices/platform/regplat.3'",
    "kobject_add_internal failed for regplat.3 with -EEXIST, don't try to register things with the same name in the"
    " same directory.",
    "reg: device again -17",
    "reg: region again -16",
    "sysfs: cannot create duplicate filename '/class/regclass'",
    "kobject_add_internal failed for regclass with -EEXIST, don't try to register things with the same name in the"
    " same directory.",
    "reg: class again -17",
    "proc_dir_entry 'reg/file' already registered",
    "reg: proc again 0",
    "debugfs: Directory 'reg' with parent '/' already present!",
    "reg: debugfs again -17",
}

Load = Callable[..., None]


def log(kernel: Kernel) -> list[str]:
    return [record.text.decode("latin-1") for record in kernel.log.records()]


def find(kernel: Kernel, path: str) -> SysfsNode | None:
    node: SysfsNode = kernel.state(Sysfs).root
    for name in path.split("/"):
        if not isinstance(node, SysfsDirectory) or name not in node.children:
            return None
        node = node.children[name]
    return node


def names(kernel: Kernel, path: str) -> set[str]:
    node = find(kernel, path)
    assert isinstance(node, SysfsDirectory)
    return set(node.children)


def test_what_is_registered_once_is_there(kernel: Kernel, load: Load) -> None:
    load("reg_drivers")
    said = [line for line in log(kernel) if "reg" in line and not line.startswith("reg_drivers:")]
    assert said == ONCE.splitlines()


def test_what_is_registered_twice_is_refused_as_the_real_kernel_does(kernel: Kernel, load: Load) -> None:
    load("reg_drivers", "twice=1")
    assert set(log(kernel)) >= TWICE


def test_the_tree_of_sysfs_is_the_real_kernels(kernel: Kernel, load: Load) -> None:
    load("reg_drivers")
    assert names(kernel, "bus/regbus") == {"devices", "drivers", "drivers_autoprobe", "drivers_probe", "uevent"}
    assert names(kernel, "bus/regbus/drivers/regdrv") == {"bind", "module", "reg0", "uevent", "unbind"}
    assert names(kernel, "devices/virtual/regclass/reg!2") == {"dev", "power", "subsystem", "uevent"}
    assert names(kernel, "devices/virtual/regclass/reg!2/power") == {
        "async", "autosuspend_delay_ms", "control", "runtime_active_kids", "runtime_active_time", "runtime_enabled",
        "runtime_status", "runtime_suspended_time", "runtime_usage",
    }  # fmt: skip
    link = find(kernel, "class/regclass/reg!2")
    assert isinstance(link, SysfsLink)
    assert link.target is find(kernel, "devices/virtual/regclass/reg!2")
    assert isinstance(find(kernel, "dev/char/246:2"), SysfsLink)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("devices/virtual/regclass/reg!2/uevent", b"MAJOR=246\nMINOR=2\nDEVNAME=reg/2\n"),
        ("devices/virtual/misc/regmisc/uevent", b"MAJOR=10\nMINOR=124\nDEVNAME=reg/misc\nDEVMODE=0640\n"),
        ("devices/reg0/uevent", b"DRIVER=regdrv\n"),
        ("devices/virtual/regclass/reg!2/dev", b"246:2\n"),
    ],
)
def test_devices_say_what_they_are(kernel: Kernel, load: Load, path: str, text: bytes) -> None:
    load("reg_drivers")
    node = find(kernel, path)
    assert isinstance(node, SysfsFile)
    assert node.show is not None
    assert node.show() == text


def test_a_modules_drivers_are_linked_below_it(kernel: Kernel, load: Load) -> None:
    files = tree(kernel)
    load("reg_drivers")
    drivers = files.lookup("sys/module/reg_drivers/drivers")
    assert isinstance(drivers, Directory)
    assert {name: node.target for name, node in drivers.children.items() if isinstance(node, Symlink)} == {
        "platform:regplat": "../../../bus/platform/drivers/regplat",
        "regbus:regdrv": "../../../bus/regbus/drivers/regdrv",
    }


def test_a_tree_of_files_that_comes_later_shows_them_too(kernel: Kernel, load: Load) -> None:
    load("reg_drivers")
    drivers = tree(kernel).lookup("sys/module/reg_drivers/drivers")
    assert isinstance(drivers, Directory)
    assert set(drivers.children) == {"platform:regplat", "regbus:regdrv"}


def test_device_numbers_and_nodes(kernel: Kernel, load: Load) -> None:
    load("reg_drivers")
    numbers, nodes = kernel.state(DeviceNumbers), kernel.state(Devtmpfs).nodes
    assert [region.name for region in numbers.regions if region.major == 246] == ["regchar"]
    assert (nodes["reg/2"].mode, nodes["reg/2"].devt) == (0o600, MKDEV(246, 2))
    assert (nodes["reg/misc"].mode, nodes["reg/misc"].devt) == (0o640, MKDEV(10, 124))


def test_entries_of_proc_and_debugfs(kernel: Kernel, load: Load) -> None:
    load("reg_drivers")
    reg = kernel.state(ProcFs).root.children["reg"]
    assert (reg.mode, list(reg.children)) == (0o040555, ["file"])
    assert (reg.children["file"].mode, bool(reg.children["file"].operations)) == (0o100444, True)
    assert set(kernel.state(DebugFs).root.children) == {"reg"}


def test_all_is_gone_with_the_module(kernel: Kernel, load: Load) -> None:
    load("reg_drivers", "twice=1")
    kernel.delete_module("reg_drivers")
    assert log(kernel)[-3:] == ["reg: platform removes 3", "reg: bus removes reg0", "reg: reg0 released"]
    for path in ("bus/regbus", "class/regclass", "devices/reg0", "devices/platform/regplat.3", "dev/char/246:2"):
        assert find(kernel, path) is None, path
    core = kernel.state(DriverCore)
    assert not kernel.state(Devtmpfs).nodes
    assert not core.driver.drivers
    assert "reg" not in kernel.state(ProcFs).root.children
    assert not kernel.state(DebugFs).root.children


def test_it_can_be_loaded_again(kernel: Kernel, load: Load) -> None:
    load("reg_drivers")
    kernel.delete_module("reg_drivers")
    load("reg_drivers")
    assert log(kernel)[-1] == "reg: proc 1"


def test_majors_are_handed_out_from_above(kernel: Kernel) -> None:
    numbers = kernel.state(DeviceNumbers)
    majors = [numbers.register_region(0, 0, 1, "x").major for _ in range(15)]
    assert majors == [246, 245, 244, 243, 242, 241, 240, 239, 238, 237, 236, 235, 234, 511, 510]


@pytest.mark.parametrize(
    ("region", "errno_name", "text"),
    [
        ((512, 0, 1), 22, 'CHRDEV "x" major requested (512) is greater than the maximum (511)'),
        (
            (300, 1, 1 << 20),
            22,
            'CHRDEV "x" minor range requested (1-1048576) is out of range of maximum range (0-1048575) for a single'
            " major",
        ),
        ((4, 0, 1), 16, ""),
    ],
)
def test_regions_that_cannot_be(kernel: Kernel, region: tuple[int, int, int], errno_name: int, text: str) -> None:
    with pytest.raises(OSError) as caught:
        kernel.state(DeviceNumbers).register_region(*region, "x")
    assert caught.value.errno == errno_name
    assert log(kernel)[-1:] == ([text] if text else [])


def test_registrations_of_one_kind_are_bounded(kernel: Kernel) -> None:
    registered = kernel.state(Registrations)
    for key in range(1 << 16):
        registered.add("kind", key, key)
    with pytest.raises(OSError, match="Cannot allocate memory"):
        registered.add("kind", -1, 0)
