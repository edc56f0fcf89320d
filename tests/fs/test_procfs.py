"""/proc: kernel/module/procfs.c, kernel/kallsyms.c, fs/proc/proc_sysctl.c."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Tree
from sysfsd.fs.procfs import proc
from sysfsd.fs.tree import tree
from sysfsd.image.image import KernelImage
from sysfsd.linux.kernel.cred import INIT_CRED, Capability, Cred
from sysfsd.linux.kernel.module.module import ModuleState
from sysfsd.linux.system import Kernel
from tests.fs.user import NOBODY, names, node, open_, read, write
from tests.linux.fake import FakeCpu
from tests.linux.ko import module_path

Load = Callable[..., None]
WITHOUT_SYS_ADMIN = Cred(0, 0, INIT_CRED.capabilities & ~(1 << Capability.SYS_ADMIN))


def lines(files: Tree, cred: Cred = INIT_CRED) -> list[str]:
    return read(files, "/proc/modules", cred).decode().splitlines()


# /proc/modules


def test_no_modules_no_lines(files: Tree) -> None:
    assert read(files, "/proc/modules") == b""


def test_a_line_tells_all_about_a_module(kernel: Kernel, files: Tree, load: Load) -> None:
    load("greeter")
    (mod,) = kernel.modules
    assert lines(files) == [f"greeter 16384 0 - Live 0x{mod.core_layout.base:016x} (OE)"]


def test_users_are_named_the_newest_module_first(files: Tree, load: Load) -> None:
    load("provider")
    load("consumer")
    assert [line.split()[:4] for line in lines(files)] == [
        ["consumer", "16384", "0", "-"],
        ["provider", "16384", "1", "consumer,"],
    ]


def test_a_permanent_module_is_marked(files: Tree, load: Load) -> None:
    load("permanent")
    assert lines(files)[0].startswith("permanent 12288 0 [permanent], Live 0x")


def test_without_taints_nothing_follows_the_address(kernel: Kernel, files: Tree, load: Load) -> None:
    load("signed")
    (mod,) = kernel.modules
    assert lines(files)[0].endswith(f" Live 0x{mod.core_layout.base:016x}")


@pytest.mark.parametrize(
    ("state", "word", "sign"),
    [(ModuleState.COMING, "Loading", "+"), (ModuleState.GOING, "Unloading", "-"), (ModuleState.LIVE, "Live", "")],
)
def test_states(kernel: Kernel, files: Tree, load: Load, state: ModuleState, word: str, sign: str) -> None:
    load("greeter")
    (mod,) = kernel.modules
    mod.state = state
    fields = lines(files)[0].split()
    assert (fields[4], fields[6]) == (word, f"(OE{sign})")


def test_a_module_that_starts_counts_with_its_init_part(kernel: Kernel, files: Tree, load: Load) -> None:
    seen: list[str] = []

    def init(_function: int) -> int:
        seen.extend(lines(files))
        return 0

    kernel.cpu = FakeCpu(init)
    load("greeter")
    name, size, references, users, state, *_ = seen[0].split()
    assert (name, references, users, state) == ("greeter", "1", "-", "Loading")
    assert int(size) > 16384


def test_without_unloading_there_are_neither_references_nor_users() -> None:
    kernel = Kernel(KernelImage(), config={"CONFIG_MODULE_UNLOAD": None})
    files = tree(kernel)
    with open(module_path("greeter"), "rb") as file:
        kernel.init_module(file.read())
    assert lines(files)[0].split()[2:5] == ["-", "-", "Live"]


# Addresses


def test_addresses_are_hidden_from_users(files: Tree, load: Load) -> None:
    load("greeter")
    assert " 0x0000000000000000 " in lines(files, NOBODY)[0]
    text = read(files, "/proc/kallsyms", NOBODY)
    assert {line[:16] for line in text.splitlines()} == {b"0" * 16}


@pytest.mark.parametrize("path", ["/proc/modules", "/proc/kallsyms"])
def test_whether_they_are_shown_is_decided_at_open(kernel: Kernel, files: Tree, load: Load, path: str) -> None:
    load("greeter")
    before, opened = read(files, path), open_(files, path)
    kernel.tunables.kptr_restrict = 2
    assert opened.read(len(before), 0) == before
    assert read(files, path) != before


# /proc/kallsyms


def test_the_kernels_symbols_come_before_those_of_modules(files: Tree, load: Load) -> None:
    load("greeter")
    text = read(files, "/proc/kallsyms").splitlines()
    assert b"\t[" not in text[0]
    assert text[-1].endswith(b"\t[greeter]")


# What else is there


def test_what_is_there(files: Tree) -> None:
    assert {"cmdline", "devices", "kallsyms", "misc", "modules", "sys", "version"} <= names(files, "/proc")


def test_the_version_is_that_of_the_kernel(kernel: Kernel, files: Tree) -> None:
    assert read(files, "/proc/version").startswith(f"Linux version {kernel.image.release} ".encode())


def test_the_command_line_is_that_of_the_kernel() -> None:
    kernel = Kernel(KernelImage(), cmdline="quiet a=b")
    directory = proc(kernel)
    assert read(Tree({"proc": directory}), "/proc/cmdline") == b"quiet a=b\n"


# /proc/sys


@pytest.mark.parametrize(("name", "mode"), [("printk", 0o644), ("osrelease", 0o444), ("tainted", 0o644)])
def test_modes_of_tunables(files: Tree, name: str, mode: int) -> None:
    found = node(files, f"/proc/sys/kernel/{name}")
    assert (found.mode, found.size, found.nlink) == (mode, 0, 1)


def test_a_tunable_is_written_and_read(kernel: Kernel, files: Tree) -> None:
    assert write(files, "/proc/sys/kernel/panic", b"5\n") is None
    assert read(files, "/proc/sys/kernel/panic") == b"5\n"
    assert kernel.tunables.panic == 5


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR])
def test_not_even_root_writes_what_is_only_for_reading(files: Tree, flags: int) -> None:
    with pytest.raises(OSError) as caught:
        open_(files, "/proc/sys/kernel/cap_last_cap", flags)
    assert caught.value.errno == errno.EACCES


def test_capabilities_are_those_of_the_opener(files: Tree) -> None:
    assert write(files, "/proc/sys/kernel/kptr_restrict", b"1", WITHOUT_SYS_ADMIN) == errno.EPERM


def test_writing_nothing_is_fine(files: Tree) -> None:
    assert write(files, "/proc/sys/kernel/panic", b"") is None


@pytest.mark.parametrize("path", ["/proc/sys", "/proc/sys/kernel", "/proc/sys/kernel/panic"])
def test_modes_below_proc_sys_do_not_change(files: Tree, path: str) -> None:
    with pytest.raises(OSError) as caught:
        node(files, path).chmod(0o600)
    assert caught.value.errno == errno.EPERM
    with pytest.raises(OSError) as caught:
        node(files, path).chown(1, 1)
    assert caught.value.errno == errno.EPERM


def test_disabling_modules_takes_effect(files: Tree, load: Load) -> None:
    assert write(files, "/proc/sys/kernel/modules_disabled", b"1\n") is None
    with pytest.raises(OSError) as caught:
        load("greeter")
    assert caught.value.errno == errno.EPERM
