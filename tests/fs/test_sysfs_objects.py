"""What modules make below /sys: lib/kobject.c, fs/sysfs/, drivers/base/ (tests/modules/sysfs_*.c)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Symlink, Tree
from sysfsd.linux.system import Kernel
from tests.conftest import refusal
from tests.fs.user import directory, names, node, open_, read, write

Load = Callable[..., None]
OBJ = "/sys/kernel/sysfs_kobj"
FIRST = "/sys/devices/virtual/sysfs_class/first"
BUS = "/sys/bus/sysfs_bus"


@pytest.fixture
def kobj(files: Tree, load: Load) -> None:
    load("sysfs_kobj")


@pytest.fixture
def dev(files: Tree, load: Load) -> None:
    load("sysfs_dev")


def act(files: Tree, module: str, what: str) -> int | None:
    return write(files, f"/sys/module/{module}/parameters/act", what.encode() + b"\n")


def said(kernel: Kernel) -> list[str]:
    return [record.text.decode("latin-1") for record in kernel.log.records()]


def target(files: Tree, path: str) -> str:
    link = node(files, path)
    assert isinstance(link, Symlink)
    return link.target


def test_the_directories_that_there_are_before_any_module(files: Tree) -> None:
    root = directory(files, "/sys")
    assert (root.mode, root.nlink) == (0o555, 13)
    assert directory(files, "/sys/kernel/tracing").mode == 0o555


# Objects


@pytest.mark.usefixtures("kobj")
class TestObjects:
    def test_names_are_listed_by_their_hashes(self, files: Tree) -> None:
        assert directory(files, OBJ).names() == [
            "named", "ret", "fails", "bytes_ro", "a_set", "bytes", "empty", "nothing", "below", "number",
            "no_store", "text", "neither", "huge", "module", "no_show", "endless",
        ]  # fmt: skip

    def test_links(self, files: Tree) -> None:
        assert target(files, f"{OBJ}/module") == "../../module/sysfs_kobj"
        assert target(files, f"{OBJ}/below/up") == "../../sysfs_kobj"
        assert target(files, "/sys/sysfs_top/to_made") == "../kernel/sysfs_kobj"

    def test_values(self, files: Tree) -> None:
        assert read(files, f"{OBJ}/number") == b"7\n"
        assert write(files, f"{OBJ}/number", b"0x10\n") is None
        assert write(files, f"{OBJ}/number", b"zz\n") == errno.EINVAL
        assert read(files, f"{OBJ}/number") == b"16\n"
        assert read(files, f"{OBJ}/named/other") == b"other of sysfs_kobj\n"

    def test_functions_that_are_missing_or_fail(self, files: Tree) -> None:
        for name, code in (("fails", errno.ENODATA), ("no_show", errno.EIO), ("nothing", errno.EACCES)):
            with refusal(code):
                read(files, f"{OBJ}/{name}")
        assert write(files, f"{OBJ}/no_store", b"1") == errno.EIO
        assert read(files, f"{OBJ}/empty") == b""
        node(files, f"{OBJ}/nothing").chmod(0o666)
        assert read(files, f"{OBJ}/nothing") == b"nothing of sysfs_kobj\n"

    def test_more_than_a_page_is_too_much(self, kernel: Kernel, files: Tree) -> None:
        write(files, f"{OBJ}/number", b"4096")
        assert len(read(files, f"{OBJ}/huge")) == 4095
        assert "fill_read_buffer: kobj_attr_show+0x0/0x20 returned bad count" in said(kernel)

    def test_bytes(self, files: Tree) -> None:
        file = open_(files, f"{OBJ}/bytes", os.O_RDWR)
        assert file.read(4, 3) == b"3456"
        assert file.write(b"xyz", 14) == 2
        assert file.read(100, 12) == b"cdxy"
        with refusal(errno.EFBIG):
            file.write(b"x", 16)
        assert len(read(files, f"{OBJ}/endless")) == 10000
        with refusal(errno.EACCES):
            read(files, f"{OBJ}/neither")

    def test_a_type_of_the_modules_own(self, files: Tree) -> None:
        assert [read(files, f"{OBJ}/a_set/counter!0/count") for _ in range(2)] == [b"count 0\n", b"count 1\n"]
        with refusal(errno.EACCES):
            open_(files, f"{OBJ}/a_set/counter!0/count", os.O_WRONLY)

    def test_an_attribute_that_is_removed_while_it_is_open(self, files: Tree) -> None:
        file = open_(files, f"{OBJ}/number")
        assert act(files, "sysfs_kobj", "remove") is None
        with refusal(errno.ENODEV):
            file.read(10, 0)
        assert "number" not in names(files, OBJ)
        assert act(files, "sysfs_kobj", "create") is None
        assert read(files, f"{OBJ}/number") == b"7\n"

    def test_modes_are_the_modules_to_change(self, files: Tree) -> None:
        assert act(files, "sysfs_kobj", "chmod") is None
        assert node(files, f"{OBJ}/number").mode == 0o400

    def test_groups(self, kernel: Kernel, files: Tree) -> None:
        write(files, f"{OBJ}/number", b"8")
        assert act(files, "sysfs_kobj", "update") is None
        assert names(files, f"{OBJ}/named") == {"other", "sometimes"}
        assert act(files, "sysfs_kobj", "merge") is None
        assert "text" in names(files, f"{OBJ}/named")
        assert act(files, "sysfs_kobj", "ungroup") is None
        assert "named" not in names(files, OBJ)
        assert act(files, "sysfs_kobj", "ungroup") is None
        assert any("at fs/sysfs/group.c:278 sysfs_remove_group+0x71/0x80" in text for text in said(kernel))
        assert act(files, "sysfs_kobj", "group") is None
        assert act(files, "sysfs_kobj", "group") == errno.EEXIST

    def test_renamed_and_moved(self, files: Tree) -> None:
        assert act(files, "sysfs_kobj", "rename") is None
        assert "below" not in names(files, OBJ)
        assert read(files, f"{OBJ}/renamed/text") == b"text of renamed\n"
        assert act(files, "sysfs_kobj", "link") is None
        assert target(files, "/sys/sysfs_top/to_below") == "../kernel/sysfs_kobj/renamed"
        assert act(files, "sysfs_kobj", "move") is None
        assert target(files, "/sys/sysfs_top/to_below") == "renamed"
        assert target(files, "/sys/sysfs_top/renamed/up") == "../../kernel/sysfs_kobj"

    def test_what_is_there_already(self, kernel: Kernel, files: Tree) -> None:
        assert act(files, "sysfs_kobj", "twice") == errno.ENOMEM
        assert "sysfs: cannot create duplicate filename '/kernel/sysfs_kobj'" in said(kernel)
        assert act(files, "sysfs_kobj", "refcnt") == errno.EEXIST
        assert act(files, "sysfs_kobj", "opless") == errno.EINVAL

    def test_the_directory_of_a_module_is_an_object_too(self, files: Tree) -> None:
        assert "below_module" in names(files, "/sys/module/sysfs_kobj")
        assert act(files, "sysfs_kobj", "module") is None
        assert read(files, "/sys/module/sysfs_kobj/number") == b"7\n"
        assert act(files, "sysfs_kobj", "unmodule") is None
        assert "number" not in names(files, "/sys/module/sysfs_kobj")

    def test_all_goes_with_the_module(self, kernel: Kernel, files: Tree) -> None:
        kernel.delete_module("sysfs_kobj")
        assert "sysfs_kobj" not in names(files, "/sys/kernel")
        assert "sysfs_top" not in names(files, "/sys")


# Devices, buses, classes


@pytest.mark.usefixtures("dev")
class TestDevices:
    def test_a_class_has_links_to_its_devices(self, files: Tree) -> None:
        assert names(files, "/sys/class/sysfs_class") == {
            "child", "first", "on_root", "se!cond2", "silent", "version",
        }  # fmt: skip
        assert target(files, "/sys/class/sysfs_class/first") == "../../devices/virtual/sysfs_class/first"
        assert target(files, "/sys/dev/char/240:5") == "../../devices/virtual/sysfs_class/first"
        assert target(files, f"{FIRST}/subsystem") == "../../../../class/sysfs_class"
        assert target(files, f"{FIRST}/child/device") == "../../first"

    def test_attributes(self, files: Tree) -> None:
        assert read(files, f"{FIRST}/dev") == b"240:5\n"
        assert read(files, f"{FIRST}/uevent") == b"MAJOR=240\nMINOR=5\nDEVNAME=sysfs_dev/first\nDEVMODE=0640\nLEVEL=3\n"
        assert write(files, f"{FIRST}/level", b"5\n") is None
        assert read(files, f"{FIRST}/level") == b"first 5\n"
        assert read(files, f"{FIRST}/an_int") == b"5\n"
        assert write(files, f"{FIRST}/an_int", b"0x11\n") is None
        assert write(files, f"{FIRST}/an_int", b"x") == errno.EINVAL
        assert read(files, f"{FIRST}/level") == b"first 17\n"
        assert read(files, "/sys/class/sysfs_class/version") == b"version of sysfs_class\n"
        with refusal(errno.EIO):
            read(files, "/sys/class/sysfs_class/silent")

    def test_synthetic_events(self, kernel: Kernel, files: Tree) -> None:
        assert write(files, f"{FIRST}/uevent", b"add\n") is None
        assert write(files, f"{FIRST}/uevent", b"foo\n") == errno.EINVAL
        assert "synth uevent: /devices/virtual/sysfs_class/first: unknown uevent action string" in said(kernel)

    def test_bind_and_unbind(self, files: Tree) -> None:
        driver = f"{BUS}/drivers/thing"
        assert target(files, f"{driver}/thing0") == "../../../../devices/thing0"
        assert "extra" in names(files, "/sys/devices/thing0")
        assert write(files, f"{driver}/unbind", b"thing0\n") is None
        assert {"driver", "extra"}.isdisjoint(names(files, "/sys/devices/thing0"))
        assert write(files, f"{driver}/unbind", b"thing0\n") == errno.ENODEV
        assert write(files, f"{driver}/bind", b"other0\n") == errno.ENODEV
        assert write(files, f"{driver}/bind", b"thing0\n") is None
        assert write(files, f"{driver}/bind", b"thing0\n") == errno.EBUSY
        assert target(files, "/sys/devices/thing0/driver") == "../../bus/sysfs_bus/drivers/thing"

    def test_drivers_probe(self, files: Tree) -> None:
        assert write(files, f"{BUS}/drivers/thing/unbind", b"thing0\n") is None
        assert write(files, f"{BUS}/drivers_probe", b"thing0\n") is None
        assert "driver" in names(files, "/sys/devices/thing0")
        assert write(files, f"{BUS}/drivers_probe", b"nobody\n") == errno.ENODEV

    def test_platform_devices(self, files: Tree) -> None:
        device = "/sys/devices/platform/sysfs_plat.4"
        assert read(files, f"{device}/modalias") == b"platform:sysfs_plat\n"
        assert target(files, f"{device}/driver") == "../../../bus/platform/drivers/sysfs_plat"
        assert write(files, f"{device}/driver_override", b"other\n") is None
        assert read(files, f"{device}/driver_override") == b"other\n"

    def test_a_modules_drivers_are_linked_below_it(self, files: Tree) -> None:
        assert names(files, "/sys/module/sysfs_dev/drivers") == {"platform:sysfs_plat", "sysfs_bus:thing"}

    def test_all_goes_with_the_module(self, kernel: Kernel, files: Tree) -> None:
        file = open_(files, f"{FIRST}/level")
        kernel.delete_module("sysfs_dev")
        with refusal(errno.ENODEV):
            file.read(10, 0)
        for where, name in (
            ("/sys/class", "sysfs_class"),
            ("/sys/bus", "sysfs_bus"),
            ("/sys/devices/virtual", "sysfs_class"),
            ("/sys/devices", "thing0"),
            ("/sys/dev/char", "240:5"),
            ("/sys/class/misc", "sysfs_misc"),
        ):
            assert name not in names(files, where)
