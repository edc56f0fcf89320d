"""Who is told of modules, and modules that hide (tests/modules/module_watch.c)."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from sysfsd.fs.kernfs import Tree
from sysfsd.linux.system import Kernel
from tests.conftest import refusal
from tests.fs.user import names, read, write
from tests.linux.state import log

Load = Callable[..., None]


@pytest.fixture(autouse=True)
def watch(load: Load) -> None:
    load("module_watch")


def listed(files: Tree) -> list[str]:
    return [line.split()[0] for line in read(files, "/proc/modules").decode().splitlines()]


def test_who_watches_is_told(kernel: Kernel, load: Load) -> None:
    load("hello")
    kernel.delete_module("hello")
    told = [line for line in log(kernel) if ": hello " in line]
    assert told == [f"{who}: hello {what}" for what in ("coming", "live", "going") for who in ("first", "second")]


def test_who_watches_may_refuse(kernel: Kernel, files: Tree, load: Load) -> None:
    assert write(files, "/sys/module/module_watch/parameters/refuse", b"hello\n") is None
    with refusal(errno.EPERM):
        load("hello")
    assert listed(files) == ["module_watch"]
    told = [line for line in log(kernel) if ": hello " in line]
    assert told == ["first: hello coming", "second: hello coming", "first: hello going"]


def test_a_module_takes_itself_off_the_list(kernel: Kernel, files: Tree, load: Load) -> None:
    load("hello")
    assert write(files, "/proc/module_watch", b"l") is None
    assert listed(files) == ["hello"]
    assert "module_watch" in names(files, "/sys/module")
    with refusal(errno.ENOENT):
        kernel.delete_module("module_watch")
    assert write(files, "/proc/module_watch", b"b") is None
    assert listed(files) == ["hello", "module_watch"]
    kernel.delete_module("module_watch")
    assert listed(files) == ["hello"]


def test_a_module_takes_itself_out_of_sysfs(kernel: Kernel, files: Tree, load: Load) -> None:
    assert write(files, "/proc/module_watch", b"d") is None
    assert "module_watch" not in names(files, "/sys/module")
    assert listed(files) == ["module_watch"]
    load("hello")
    kernel.delete_module("hello")
    kernel.delete_module("module_watch")
    assert listed(files) == []
