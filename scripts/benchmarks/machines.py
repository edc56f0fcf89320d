"""Other kernels to load modules into: User Mode Linux, and a machine in QEMU."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from . import worlds
from .measure import Bench, Unavailable
from .modules import HELLO, ROOT

__all__ = ["LAB", "QEMU", "UML", "World"]

RELEASE: Final = "6.1.0-56-amd64"
KERNEL: Final = ROOT / f"build/linux-image-{RELEASE}/boot/vmlinuz-{RELEASE}"
UML_MODULES: Final = Path("/usr/lib/uml/modules")
#: No module of ours can be built for User Mode Linux, whose headers Debian does not have; this one of its own is as
#: small as ours, has a parameter, and registers something that is a pointer in a list.
UML_MODULE: Final = "tcp_hybla"

#: How long a machine may take, whatever is asked (seconds), and how long to find out whether KVM works.
LIMIT: Final = 120
KVM_LIMIT: Final = 8


class World(NamedTuple):
    """Somewhere with a kernel of its own.

    :param start: boots it, for as long as it is wanted
    :param module: a small module there, and a file of a parameter of it
    """

    name: str
    start: Callable[[Bench], AbstractContextManager[worlds.Client]]
    module: Callable[[], Path]
    parameter: str

    def load(self) -> list[object]:
        return ["insmod", self.module()]

    def unload(self) -> list[object]:
        return ["rmmod", Path(self.parameter).parts[3]]

    def cat(self) -> list[object]:
        return ["cat", self.parameter]


@contextmanager
def uml(bench: Bench) -> Iterator[worlds.Client]:
    """User Mode Linux: a kernel that is a process. Its files are the host's, its first process is the client."""
    worlds.need("linux.uml", "insmod")
    options = ["rootfstype=hostfs", "rootflags=/", "ro", "mem=64M", "con=null", "con0=fd:0,fd:1", "quiet"]
    command = ["linux.uml", *options, f"uml_dir={bench.scratch}/", f"init={bench.client}"]
    with worlds.running(worlds.Client(command, limit=LIMIT)) as client:
        yield client


@cache
def uml_module() -> Path:
    found = next(UML_MODULES.rglob(f"{UML_MODULE}.ko*"), None)
    if found is None:
        raise Unavailable(f"no {UML_MODULE} below {UML_MODULES}")
    return found


def _libraries(program: Path) -> list[Path]:
    """The shared objects that a program needs, its loader among them."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)]


@cache
def _initramfs(bench: Bench) -> Path:
    """The client, insmod, rmmod, cat, and a module."""
    worlds.need("cpio", "kmod", "cat", "ldd")
    root, archive = bench.scratch / "initramfs", bench.scratch / "initramfs.cpio"
    for name in ("dev", "proc", "sys", "bin"):
        (root / name).mkdir(parents=True)
    shutil.copy(bench.client, root / "init")
    shutil.copy(HELLO, root)
    for name, links in (("kmod", ("insmod", "rmmod")), ("cat", ())):
        program = Path(shutil.which(name, path=worlds.PATH) or name)
        shutil.copy(program, root / "bin" / name)
        for link in links:
            (root / "bin" / link).symlink_to("kmod")
        for library in _libraries(program):
            (there := root / str(library)[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, there)
    names = subprocess.run(["find", "."], cwd=root, stdout=subprocess.PIPE, check=True).stdout
    with archive.open("wb") as file:
        command = ["cpio", "--create", "--format=newc", "--owner=+0:+0", "--quiet"]
        subprocess.run(command, cwd=root, input=names, stdout=file, check=True)
    return archive


def _machine(bench: Bench, accelerator: str, limit: float) -> worlds.Client:
    cpu = {"kvm": "max,-arch-capabilities"}.get(accelerator, "max")
    machine = ["qemu-system-x86_64", "-accel", accelerator, "-cpu", cpu, "-m", "256"]
    devices = ["-nodefaults", "-no-reboot", "-display", "none", "-nic", "none", "-serial", "stdio"]
    boot = ["-kernel", str(KERNEL), "-initrd", str(_initramfs(bench)), "-append", "console=ttyS0 panic=-1 quiet"]
    return worlds.Client([*machine, *devices, *boot], limit=limit)


@cache
def accelerator(bench: Bench) -> str:
    """KVM, where it works."""
    try:
        with worlds.running(_machine(bench, "kvm", KVM_LIMIT)):
            return "kvm"
    except Unavailable:
        return "tcg,thread=multi"


@contextmanager
def qemu(bench: Bench) -> Iterator[worlds.Client]:
    """The same kernel as ours, in QEMU; from an initramfs with nothing but what is needed."""
    worlds.need("qemu-system-x86_64")
    if platform.machine() != "x86_64":
        raise Unavailable(f"it would have to emulate another machine than {platform.machine()}")
    if not KERNEL.exists():
        raise Unavailable(f"no {KERNEL.name}")
    with worlds.running(_machine(bench, accelerator(bench), LIMIT)) as client:
        yield client


LAB: Final = World("sysfsd", worlds.lab, lambda: HELLO, "/sys/module/hello/parameters/count")
UML: Final = World("User Mode Linux", uml, uml_module, f"/sys/module/{UML_MODULE}/parameters/rtt0")
QEMU: Final = World("QEMU", qemu, lambda: Path("/hello.ko"), LAB.parameter)
