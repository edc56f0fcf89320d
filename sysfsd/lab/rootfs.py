"""The files that a lab sees: its kernel's over the host's.

All of it is done with mounts in a mount namespace of the lab's own, so it ends with the lab.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from sysfsd.host.namespaces import Mount, clone_tree, mount, move_mount, protect, umount
from sysfsd.image.image import KernelImage

__all__ = ["FUSE", "HOST", "LAB", "MOUNTED_ON", "arrange", "mount_proc"]

#: Where the kernel's tree is mounted for a start: a directory that every /proc has, and that nobody misses.
FUSE: Final = Path("/proc/fs")
#: Where a lab keeps what it adds to the host's files, below /dev.
LAB: Final = ".lab"
#: The directory with the host's own files.
HOST: Final = ".host"
#: What programs look at closely, and a link would not do for.
MOUNTED_ON: Final = tuple(
    f"dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "console", "pts", "shm", "mqueue")
)
#: What controls the host's kernel: to be looked at only.
SWITCHES: Final = ("proc/bus", "proc/irq", "proc/sys", "proc/sysrq-trigger", "sys")
#: Directories in which changes stay in the lab.
_PRIVATE: Final = ("/etc/modprobe.d", "/etc/modules-load.d")
_SUDO: Final = Path(__file__).with_name("sudo")


def mount_proc(covered: Iterable[str]) -> None:
    """Mount a /proc that shows this process's process namespace.

    :param covered: what is mounted below the /proc that there is, such as what containers cover for others' safety: it
        is below the new one too
    :raises OSError: as mount(2); EPERM in a user namespace where something is covered
    """
    covers = {path: clone_tree(path, recursive=True) for path in covered}
    mount("proc", "/proc", "proc", Mount.NOSUID | Mount.NODEV | Mount.NOEXEC)
    for path, tree in covers.items():
        with suppress(FileNotFoundError):
            move_mount(tree, path)


def arrange(image: KernelImage, host_root: bool) -> None:
    """Put the kernel's files, which are mounted on ``FUSE``, in their places.

    :param image: the kernel's
    :param host_root: root here is the host's root: whom programs like sudo(8) make somebody else
    :raises OSError: as mount(2)
    """
    ours = {name: clone_tree(FUSE / name) for name in ("dev", "proc", "sys")}
    umount(FUSE)
    scratch = FUSE  # what is mounted there now is out of sight as soon as /proc is covered
    mount("sysfsd", scratch, "tmpfs", Mount.NOSUID | Mount.NODEV, "mode=755")
    _keep_changes(image, scratch, host_root)
    bin_ = scratch / "bin"
    bin_.mkdir()
    sudo = bin_ / "sudo"
    shutil.copyfile(_SUDO, sudo)
    sudo.chmod(0o755)
    if not host_root and (hosts_sudo := shutil.which("sudo")):
        move_mount(clone_tree(sudo), hosts_sudo)
    added = clone_tree(bin_)
    for name, tree in ours.items():
        top = Path("/", name)
        hosts = clone_tree(top, recursive=True)
        move_mount(tree, top)
        move_mount(hosts, top / HOST)
    for path in SWITCHES:
        name, _, below = path.partition("/")
        with suppress(FileNotFoundError):
            protect(Path("/", name, HOST, below))
    move_mount(added, Path("/dev", LAB))
    for path in MOUNTED_ON:
        name = path.removeprefix("dev/")
        with suppress(FileNotFoundError):
            place = Path("/dev", name)
            if not place.is_symlink():
                move_mount(clone_tree(Path("/dev", HOST, name), recursive=True), place)


def _keep_changes(image: KernelImage, scratch: Path, host_root: bool) -> None:
    """Lay a file system of the lab's own over the directories in which kmod(8) is configured."""
    modules = Path("/lib/modules").resolve()
    covered = modules
    while not covered.is_dir():
        covered = covered.parent
    within = modules.relative_to(covered)
    for number, directory in enumerate([covered, *map(Path, _PRIVATE)]):
        if not directory.is_dir():
            continue
        upper, work = scratch / f"upper{number}", scratch / f"work{number}"
        work.mkdir()
        upper.mkdir()
        if directory == covered:
            own = upper / within / image.release
            _own_directories(modules / image.release, own)
            for name, data in image.modules_files().items():
                if not Path(modules, image.release, name).exists():
                    (own / name).write_bytes(data)
        options = f"lowerdir={directory},upperdir={upper},workdir={work}"
        mount("sysfsd", directory, "overlay", Mount.NODEV, options if host_root else f"{options},userxattr")


def _own_directories(lower: Path, upper: Path) -> None:
    """What the lab may change: in a user namespace, others' directories are not even root's."""
    upper.mkdir(parents=True)
    for above, directories, _files in os.walk(lower):
        for name in directories:
            if not Path(above, name).is_symlink():
                (upper / Path(above).relative_to(lower) / name).mkdir()
