"""/sys/module: kernel/module/sysfs.c, kernel/params.c."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from sysfsd.fs.kernfs import BinAttribute, Symlink, Tree
from sysfsd.fs.tree import tree
from sysfsd.image.image import KernelImage
from sysfsd.linux.kernel.cred import INIT_CRED, Capability, Cred
from sysfsd.linux.system import Kernel
from tests.fs.user import NOBODY, directory, names, node, open_, read, write
from tests.linux.fake import FakeCpu
from tests.linux.ko import module_path

Load = Callable[..., None]
WITHOUT_SYSLOG = Cred(0, 0, INIT_CRED.capabilities & ~(1 << Capability.SYSLOG))


def renamed(path: Path, name: bytes) -> bytes:
    """A module's file with another name in its ``struct module``."""
    image = bytearray(path.read_bytes())
    old = path.stem.encode().ljust(56, b"\0")
    at = image.index(old)
    image[at : at + 56] = name.ljust(56, b"\0")
    return bytes(image)


# A module's directory


def test_a_directory_comes_and_goes_with_its_module(kernel: Kernel, files: Tree, load: Load) -> None:
    load("greeter")
    assert names(files, "/sys/module/greeter") == {
        "coresize",
        "holders",
        "initsize",
        "initstate",
        "notes",
        "parameters",
        "refcnt",
        "sections",
        "srcversion",
        "taint",
        "uevent",
        "version",
    }
    kernel.delete_module("greeter")
    assert "greeter" not in names(files, "/sys/module")


def test_only_what_a_module_has_is_there(files: Tree, load: Load) -> None:
    load("neither")
    assert names(files, "/sys/module/neither") & {"parameters", "version"} == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("initstate", b"live\n"),
        ("coresize", b"16384\n"),
        ("initsize", b"0\n"),
        ("taint", b"OE\n"),
        ("refcnt", b"0\n"),
        ("version", b"1.0\n"),
    ],
)
def test_what_a_module_shows(files: Tree, load: Load, name: str, text: bytes) -> None:
    load("greeter")
    assert read(files, f"/sys/module/greeter/{name}") == text


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("initstate", 0o444),
        ("uevent", 0o200),
        ("parameters/count", 0o644),
        ("parameters/whom", 0o444),
        ("parameters/secret", 0o600),
        ("sections/.data", 0o400),
        ("notes/.note.gnu.build-id", 0o444),
        ("holders", 0o755),
    ],
)
def test_modes(files: Tree, load: Load, name: str, mode: int) -> None:
    load("greeter")
    assert node(files, f"/sys/module/greeter/{name}").mode == mode


def test_while_it_starts_a_module_is_coming(kernel: Kernel, files: Tree, load: Load) -> None:
    seen: list[bytes] = []

    def init(_function: int) -> int:
        seen.append(read(files, "/sys/module/greeter/initstate"))
        seen.append(read(files, "/sys/module/greeter/refcnt"))
        return 0

    kernel.cpu = FakeCpu(init)
    load("greeter")
    assert seen == [b"coming\n", b"1\n"]


def test_without_unloading_there_are_no_references() -> None:
    kernel = Kernel(KernelImage(), config={"CONFIG_MODULE_UNLOAD": None})
    files = tree(kernel)
    kernel.init_module((Path(__file__).resolve().parents[1] / "modules" / "neither.ko").read_bytes())
    assert "refcnt" not in names(files, "/sys/module/neither")


@pytest.mark.parametrize("args", ["count=x", "secret"])
def test_a_refused_module_has_no_directory(files: Tree, load: Load, args: str) -> None:
    with pytest.raises(OSError):
        load("greeter", args)
    assert "greeter" not in names(files, "/sys/module")


def test_a_module_that_fails_to_start_has_none_either(kernel: Kernel, files: Tree, load: Load) -> None:
    load("provider")
    kernel.cpu = FakeCpu(lambda _function: -errno.EIO)
    with pytest.raises(OSError):
        load("consumer")
    assert "consumer" not in names(files, "/sys/module")
    assert names(files, "/sys/module/provider/holders") == set()


def test_open_files_die_with_their_module(kernel: Kernel, files: Tree, load: Load) -> None:
    load("greeter")
    opened = [
        open_(files, f"/sys/module/greeter/{name}")
        for name in ("parameters/count", "refcnt", "sections/.data", "notes/.note.gnu.build-id")
    ]
    kernel.delete_module("greeter")
    load("greeter")
    for file in opened:
        with pytest.raises(OSError) as caught:
            file.read(10, 0)
        assert caught.value.errno == errno.ENODEV


def test_no_name_breaks_the_list_of_modules(kernel: Kernel, files: Tree) -> None:
    kernel.init_module(renamed(module_path("versions"), b"a/b"))
    assert all(name and "/" not in name for name in directory(files, "/sys/module").names())
    assert "a!b" in names(files, "/sys/module")


@pytest.mark.parametrize("name", [b".", b".."])
def test_a_module_cannot_be_called_like_a_directory_itself(kernel: Kernel, files: Tree, name: bytes) -> None:
    before = names(files, "/sys/module")
    try:
        kernel.init_module(renamed(module_path("versions"), name))
        kernel.delete_module(name.decode())
    except OSError as error:
        assert error.errno in (errno.EINVAL, errno.EEXIST)
    assert names(files, "/sys/module") == before


# Holders


def test_a_user_is_a_link_among_the_holders(kernel: Kernel, files: Tree, load: Load) -> None:
    load("provider")
    load("consumer")
    link = node(files, "/sys/module/provider/holders/consumer")
    assert isinstance(link, Symlink) and link.target == "../../consumer"
    assert read(files, "/sys/module/provider/refcnt") == b"1\n"
    kernel.delete_module("consumer")
    assert names(files, "/sys/module/provider/holders") == set()


# Parameters


def test_a_written_parameter_reads_back(files: Tree, load: Load) -> None:
    load("greeter")
    path = "/sys/module/greeter/parameters/count"
    assert write(files, path, b"0x10\n") is None
    assert read(files, path) == b"16\n"


@pytest.mark.parametrize(
    ("data", "code"), [(b"x\n", errno.EINVAL), (b"99999999999\n", errno.ERANGE), (b"\n", errno.EINVAL), (b"", None)]
)
def test_a_bad_value_is_refused(files: Tree, load: Load, data: bytes, code: int | None) -> None:
    load("greeter", "count=3")
    path = "/sys/module/greeter/parameters/count"
    assert write(files, path, data) == code
    assert read(files, path) == b"3\n"


def test_a_read_only_parameter_stays_so_whatever_its_mode(files: Tree, load: Load) -> None:
    load("callbacks")
    path = "/sys/module/callbacks/parameters/no_set_0444"
    assert write(files, path, b"1") == errno.EACCES
    node(files, path).chmod(0o644)
    assert write(files, path, b"1") == errno.EIO


def test_a_parameter_without_a_mode_has_no_file(files: Tree, load: Load) -> None:
    load("kinds")
    assert "hidden" not in names(files, "/sys/module/kinds/parameters")


def test_what_is_in_memory_is_what_is_shown(kernel: Kernel, files: Tree, load: Load) -> None:
    load("greeter")
    (mod,) = kernel.modules
    kernel.memory.write_int(next(kp.arg for kp in mod.kp if kp.name == "count"), 77)
    assert read(files, "/sys/module/greeter/parameters/count") == b"77\n"


def test_two_parameters_of_one_name_are_refused(kernel: Kernel, files: Tree) -> None:
    image = bytearray(module_path("callbacks").read_bytes())
    at = image.index(b"no_get_0200\0")
    image[at : at + 12] = b"no_set_0444\0"
    with pytest.raises(OSError) as caught:
        kernel.init_module(bytes(image))
    assert caught.value.errno == errno.EEXIST
    assert "callbacks" not in names(files, "/sys/module")


# Sections and notes


def test_sections_tell_their_addresses(kernel: Kernel, files: Tree, load: Load) -> None:
    load("greeter")
    (mod,) = kernel.modules
    for section in mod.sections:
        assert read(files, f"/sys/module/greeter/sections/{section.name}") == b"0x%016x\n" % section.address


def test_sections_are_hidden_from_who_may_not_see_addresses(files: Tree, load: Load) -> None:
    load("greeter")
    assert read(files, "/sys/module/greeter/sections/.data", WITHOUT_SYSLOG) == b"0x0000000000000000\n"


@pytest.mark.parametrize("offset", [1, 18])
def test_a_section_is_read_from_its_beginning(files: Tree, load: Load, offset: int) -> None:
    load("greeter")
    opened = open_(files, "/sys/module/greeter/sections/.data")
    with pytest.raises(OSError) as caught:
        opened.read(10, offset)
    assert caught.value.errno == errno.EINVAL
    assert opened.read(10, 19) == b""


def test_a_note_is_the_section_itself(files: Tree, load: Load) -> None:
    load("many_sections")
    path = "/sys/module/many_sections/notes/.own.note"
    assert read(files, path) == struct.pack("<III4sI", 4, 4, 1, b"Own\0", 7)
    note = node(files, path)
    assert isinstance(note, BinAttribute) and note.size == 20


# uevent


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"add\n", None),
        (b"remove", None),
        (b"change\0", None),
        (b"add 11111111-2222-3333-4444-555555555555 A=1\n", None),
        (b"add A=1", errno.EINVAL),
        (b"ad", errno.EINVAL),
        (b"added", errno.EINVAL),
        (b"\n", errno.EINVAL),
        (b"add\n\n", errno.EINVAL),
        (b"add 11111111-2222-3333-4444-555555555555 A", errno.EINVAL),
    ],
)
def test_events_can_be_asked_for(files: Tree, load: Load, data: bytes, code: int | None) -> None:
    load("greeter")
    assert write(files, "/sys/module/greeter/uevent", data) == code


# Modules that are part of the kernel


def test_built_in_modules_show_their_parameters(files: Tree) -> None:
    assert read(files, "/sys/module/printk/parameters/time") in (b"Y\n", b"N\n")
    assert {"uevent", "parameters"} <= names(files, "/sys/module/printk")


def test_a_built_in_parameter_takes_values_of_its_kind(files: Tree) -> None:
    path = "/sys/module/printk/parameters/time"
    assert write(files, path, b"n\n") is None
    assert read(files, path) == b"N\n"
    assert write(files, path, b"x\n") == errno.EINVAL


def test_a_built_in_name_is_not_free(kernel: Kernel, files: Tree) -> None:
    with pytest.raises(OSError) as caught:
        kernel.init_module(renamed(module_path("versions"), b"printk"))
    assert caught.value.errno == errno.EINVAL
    assert read(files, "/sys/module/printk/parameters/time")


# Who may


def test_the_mode_holds_for_everybody(files: Tree, load: Load) -> None:
    load("greeter")
    assert read(files, "/sys/module/greeter/parameters/whom", NOBODY) == b"world\n"
    with pytest.raises(OSError) as caught:
        open_(files, "/sys/module/greeter/uevent", os.O_RDONLY)
    assert caught.value.errno == errno.EACCES
