"""What the tests share: kernels, modules to load, mounts."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sysfsd.fs.control import HostFiles
from sysfsd.host.debug import SYSFSD_DEBUG
from sysfsd.host.kernel_read_file import kernel_read_file
from sysfsd.host.namei import open_as
from sysfsd.image.image import KernelImage
from sysfsd.linux.system import Kernel
from tests import ledger
from tests.linux.ko import MODULES, SAMPLES, module_path

__all__ = ["HANG", "MODULES", "SAMPLES", "SYSFSD", "Mounter", "daemons", "refusal", "wait_until", "write"]

#: How this process gets at files of the host.
HOST_FILES = HostFiles(open_as, kernel_read_file)
#: The command, as a user has it.
SYSFSD = str(Path(sys.executable).with_name("sysfsd"))

#: Nothing takes that long, unless it hangs (seconds).
HANG = 30

Mounter = Callable[..., Path]


@contextmanager
def refusal(code: int) -> Iterator[None]:
    """What is within is refused with this errno."""
    with pytest.raises(OSError) as caught:
        yield
    assert errno.errorcode[caught.value.errno or 0] == errno.errorcode[code]


def write(path: Path, request: str | bytes, flags: int = 0) -> None:
    """Write with one write(2)."""
    data = os.fsencode(request)
    fd = os.open(path, os.O_WRONLY | flags)
    try:
        assert os.write(fd, data) == len(data)
    finally:
        os.close(fd)


def wait_until(condition: Callable[[], bool]) -> None:
    """Give others time until something is so."""
    end = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()


def daemons(where: Path) -> list[int]:
    """The processes that serve a mount; one that has ended and waits for its parent has no command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and os.fsencode(where) in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


@pytest.fixture(scope="session", autouse=True)
def dev_fuse() -> None:
    """/dev/fuse is for everyone on every distribution; where udev does not run, it has to be made so."""
    if os.geteuid() == 0:
        os.chmod("/dev/fuse", 0o666)


@pytest.fixture(scope="session", autouse=True)
def debug_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the kernels of mounts and labs write what modules call of them, and what the model itself does wrong."""
    with tempfile.TemporaryDirectory(prefix="sysfsd-debug-") as name:
        os.chmod(name, 0o1777)
        os.environ[SYSFSD_DEBUG] = name
        yield Path(name)
        del os.environ[SYSFSD_DEBUG]


@pytest.fixture(scope="session", autouse=True)
def kernels_hide_nothing() -> None:
    """The kernels of this process tell what modules call of them, and end the test when the model makes a mistake."""
    boot = Kernel.__init__

    def init(self: Kernel, *args: Any, **kwargs: Any) -> None:
        boot(self, *args, **kwargs)
        self.first_called = ledger.called.add
        self.model_failed = ledger.fail

    Kernel.__init__ = init  # type: ignore[method-assign]


@pytest.fixture(scope="module", autouse=True)
def no_failures(debug_directory: Path) -> Iterator[None]:
    """No kernel of a mount or a lab has made a mistake while a module's tests ran."""
    yield
    assert ledger.read(debug_directory) == []


@pytest.fixture(scope="session")
def image() -> KernelImage:
    """The kernel's description, which no test changes."""
    return KernelImage()


@pytest.fixture
def kernel(image: KernelImage) -> Iterator[Kernel]:
    """A kernel that has just booted."""
    kernel = Kernel(image)
    yield kernel
    kernel.stop()


@pytest.fixture
def load(kernel: Kernel) -> Callable[..., None]:
    """Load a module by the name of its file: ``load("greeter", "count=2")``."""

    def init_module(name: str, args: str = "") -> None:
        kernel.init_module(module_path(name).read_bytes(), args.encode("latin-1"))

    return init_module


@pytest.fixture
def sysfsd_mount(tmp_path: Path) -> Iterator[Mounter]:
    """Mounts: call it with the command's options; all is unmounted in the end."""
    mounted: list[Path] = []

    def mount(*options: str) -> Path:
        where = tmp_path / f"mount{len(mounted)}"
        where.mkdir()
        subprocess.run([SYSFSD, "mount", str(where), *options], check=True)
        mounted.append(where)
        return where

    yield mount
    for where in mounted:
        subprocess.run(["umount", "--lazy", str(where)], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture
def mnt(sysfsd_mount: Mounter) -> Path:
    """A mount that everybody may look at."""
    return sysfsd_mount("-o", "allow_other")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The ledger is looked at in the end, if all tests have run."""
    ledgers = [item for item in items if item.path.name == "test_ledger.py"]
    others = [item for item in items if item not in ledgers]
    whole = config.args == config.getini("testpaths") and not config.option.keyword and not config.option.markexpr
    items[:] = others + (ledgers if whole else [])
    if ledgers and not whole:
        config.hook.pytest_deselected(items=ledgers)
