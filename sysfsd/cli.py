"""The command line: sysfsd(1)."""

from __future__ import annotations

import argparse
import errno
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sysfsd import __version__
from sysfsd.host.mountinfo import mounts

if TYPE_CHECKING:
    from sysfsd.fs.control import HostFiles
    from sysfsd.fuse.mount import Mounting
    from sysfsd.image.image import KernelImage
    from sysfsd.linux.system import Kernel

__all__ = ["main"]

DEFAULT_MOUNTPOINT: Final = "mountpoint"
_FSTYPE: Final = "fuse.sysfsd"


class Failure(Exception):
    """What went wrong, for the user to read; without a text where that has been said already."""

    def tell(self) -> None:
        if self.args:
            print(f"sysfsd: {self}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    :param argv: the arguments, without the program's name
    :returns: the exit status
    """
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except Failure as failure:
        failure.tell()
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sysfsd",
        description="A Linux module subsystem in one ordinary process: load real .ko files, see them in "
        "/sys/module, /proc/modules, /proc/kallsyms and /dev/kmsg.",
    )
    parser.add_argument("--version", action="version", version=f"sysfsd {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    mount = commands.add_parser("mount", help="mount the kernel's files", description="Mount the kernel's files.")
    mount.add_argument(
        "mountpoint",
        nargs="?",
        default=DEFAULT_MOUNTPOINT,
        metavar="MOUNTPOINT",
        help="an existing directory (default: %(default)s)",
    )
    mount.add_argument("-f", "--foreground", action="store_true", help="do not become a daemon")
    mount.add_argument(
        "-o",
        dest="options",
        action="append",
        default=[],
        metavar="OPTION[,OPTION...]",
        help="options of mount.fuse(8), such as allow_other",
    )
    mount.add_argument(
        "--load",
        action="append",
        default=[],
        metavar='"PATH.ko [NAME=VALUE ...]"',
        help="a module to load before the mount answers; may be given several times",
    )
    _add_kernel_options(mount)
    mount.set_defaults(command=_mount)

    lab = commands.add_parser(
        "lab",
        help="run a command whose kernel modules are sysfsd's",
        usage="%(prog)s [OPTION...] [--] [COMMAND [ARG...]]",
        description="Run a command (default: the shell) in a world of its own, in which insmod, rmmod, modprobe, lsmod,"
        " dmesg and all else that loads modules or looks at them deal with a kernel that is a process.",
    )
    lab.add_argument("--name", metavar="NAME", help="what to call the lab (default: lab1, lab2, ...)")
    lab.add_argument("--join", metavar="NAME", help="run the command in a lab that is running")
    _add_kernel_options(lab)
    lab.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND [ARG...]", help="what to run")
    lab.set_defaults(command=_lab)

    labs = commands.add_parser("labs", help="list the labs that are running", description="List running labs.")
    labs.set_defaults(command=_labs)

    exports = commands.add_parser(
        "exports",
        help="list the kernel's functions and variables that modules can use",
        description="List what of the kernel is modelled for modules to use: its name, the area, GPL if only modules"
        " under the GPL may use it, the file of the Linux tree that it follows, and its declaration.",
    )
    exports.add_argument("name", nargs="*", metavar="NAME", help="only these; says which of them are not modelled")
    exports.add_argument("--kernel", default=None, metavar="RELEASE", help="the kernel to be (default: the only one)")
    exports.set_defaults(command=_exports)

    umount = commands.add_parser("umount", help="unmount, which ends the daemon", description="Unmount.")
    umount.add_argument("mountpoint", nargs="?", default=DEFAULT_MOUNTPOINT, metavar="MOUNTPOINT")
    umount.set_defaults(command=_umount)
    return parser


def _add_kernel_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kernel", default=None, metavar="RELEASE", help="the kernel to be (default: the only one)")
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="CONFIG_NAME=VALUE",
        help="build the kernel differently, such as CONFIG_MODULE_UNLOAD=n",
    )
    parser.add_argument(
        "--cmdline",
        default=None,
        metavar="TEXT",
        help="the kernel's command line, such as 'module_blacklist=hello loglevel=7'",
    )


def _boot(arguments: argparse.Namespace) -> Kernel:
    """The kernel that the options describe."""
    from sysfsd.linux.system import Kernel

    config = dict(_config_item(item) for item in arguments.config)
    kernel = Kernel(_image(arguments.kernel), config, arguments.cmdline)
    if directory := os.environ.get("SYSFSD_DEBUG"):
        from sysfsd.host.debug import watch

        watch(kernel, directory)
    kernel.start_kernel()
    return kernel


def _require_fuse() -> None:
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))  # in a container, it may be there and forbidden
    except OSError as error:
        raise Failure(
            f"/dev/fuse cannot be opened: {error.strerror}: load the host's fuse module or, in a container, add"
            " --device /dev/fuse"
        ) from None


# mount


def _mount(arguments: argparse.Namespace) -> int:
    mountpoint = _usable_mountpoint(arguments.mountpoint)
    options = _fuse_options(arguments.options)
    _require_fuse()
    if arguments.foreground:
        _serve(arguments, mountpoint, options, lambda: None)
        return 0
    return _daemonize(lambda ready: _serve(arguments, mountpoint, options, ready))


def _usable_mountpoint(name: str) -> Path:
    """:raises Failure: where nothing can be mounted on *name*"""
    path = Path(os.path.abspath(name))
    try:
        if not path.is_dir():
            raise Failure(f"{name}: not a directory" if path.exists() else f"{name}: no such directory")
        entries = {entry.name for entry in path.iterdir()} - {".gitkeep"}
    except PermissionError:
        raise Failure(f"{name}: permission denied") from None
    except OSError as error:
        if error.errno == errno.ENOTCONN:
            raise Failure(
                f"{name}: a mount that its daemon left behind when it died; 'sysfsd umount {name}' takes it away"
            ) from None
        raise Failure(f"{name}: {error.strerror}") from None
    if (fstype := _mounted_type(path)) is not None:
        raise Failure(f"{name}: busy: a {fstype} is mounted there already; see 'sysfsd umount {name}'")
    if entries:
        raise Failure(f"{name}: the directory is not empty")
    return path


def _mounted_type(path: Path) -> str | None:
    """The type of the file system that is mounted on *path* itself, if there is one."""
    where = os.path.realpath(path)
    return next((mount.fstype for mount in reversed(list(mounts())) if mount.path == where), None)


def _fuse_options(given: Sequence[str]) -> dict[str, str | bool]:
    options: dict[str, str | bool] = {}
    for option in ",".join(given).split(","):
        name, equals, value = option.strip().partition("=")
        if name:
            options[name] = value if equals else True
    return options


def _serve(
    arguments: argparse.Namespace, mountpoint: Path, options: dict[str, str | bool], ready: Callable[[], None]
) -> None:
    from sysfsd.fs.control import HostFiles
    from sysfsd.fs.tree import tree
    from sysfsd.fuse.mount import Mount
    from sysfsd.host.kernel_read_file import kernel_read_file
    from sysfsd.host.namei import open_as
    from sysfsd.host.usermodehelper import run_usermodehelper

    kernel = _boot(arguments)
    kernel.usermodehelper = run_usermodehelper
    host_files = HostFiles(open_as, kernel_read_file)
    files = tree(kernel, host_files)
    for request in arguments.load:
        _load(kernel, host_files, request)
    try:
        Mount(files, str(mountpoint), kernel.sched, ready).run(options, _mounting())
    except OSError:
        raise Failure from None  # that has been said


def _mounting() -> Mounting:
    """How to mount: with libfuse 2, where there is one."""
    try:
        from sysfsd.fuse import libfuse
    except OSError:
        from sysfsd.fuse import kern_mount

        return kern_mount.Mounted
    return libfuse.Mounted


def _config_item(item: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    return name if name.startswith("CONFIG_") else f"CONFIG_{name}", value if equals else "y"


def _load(kernel: Kernel, host_files: HostFiles, request: str) -> None:
    """Load a module named on the command line.

    :raises Failure: with the kernel's last words about it
    """
    from sysfsd.fs.control import load
    from sysfsd.linux.kernel.cred import INIT_CRED

    before = kernel.log.next_seq
    try:
        load(kernel, host_files, os.fsencode(request), replace(INIT_CRED, pid=os.getpid()))
    except OSError as error:
        last = [record.text.decode("latin-1") for record in kernel.log.records(before)][-1:]
        raise Failure(": ".join([f"could not load {request}", error.strerror or "", *last])) from None


def _daemonize(serve: Callable[[Callable[[], None]], None]) -> int:
    """Run *serve* in a process of its own and return when it says that it is ready, or has failed."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reader)
            os.setsid()

            def ready() -> None:
                os.chdir("/")
                null = os.open(os.devnull, os.O_RDWR)
                for fd in (0, 1, 2):
                    os.dup2(null, fd)
                os.write(writer, b"1")
                os.close(writer)

            serve(ready)
            status = 0
        except Failure as failure:
            failure.tell()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        return 0 if pipe.read(1) else 1


# lab


def _lab(arguments: argparse.Namespace) -> int:
    gc.disable()  # until all is read that stays
    from sysfsd.lab import launcher

    argv: list[str] = arguments.argv
    command = argv[1:] if argv[:1] == ["--"] else argv
    _require_fuse()
    try:
        if arguments.join is not None:
            status = launcher.join(arguments.join, command)
        else:
            image = _image(arguments.kernel)
            status = launcher.run(command, lambda: _boot(arguments), image, arguments.name)
    except launcher.LabError as error:
        raise Failure(*error.args) from None
    launcher.exit_as(status)


def _labs(arguments: argparse.Namespace) -> int:
    from sysfsd.lab.launcher import labs

    for lab in labs():
        print(lab.name, lab.uid, lab.pid, lab.command, sep="\t")
    return 0


# exports


def _image(release: str | None) -> KernelImage:
    """:raises Failure: where there is none of that release"""
    from sysfsd.image.image import KernelImage

    try:
        return KernelImage(release) if release else KernelImage()
    except LookupError as error:
        raise Failure(str(error)) from None


def _exports(arguments: argparse.Namespace) -> int:
    from sysfsd.linux.exports import modelled

    image = _image(arguments.kernel)
    status = 0
    for name in arguments.name or sorted(modelled()):
        symbol, export = image.find_export(name), modelled().get(name)
        if export is not None and symbol is not None:
            licence = "GPL" if symbol.gpl_only else "-"
            print(name, licence, ", ".join(export.area.sources), export.declaration, sep="\t")
        elif arguments.name:
            status = 1
            what = "not modelled" if symbol is not None else "not exported"
            print(f"{name}: {what}", file=sys.stderr)
    return status


# umount


def _umount(arguments: argparse.Namespace) -> int:
    from sysfsd.fuse.kern_mount import fusermount_program

    path = Path(os.path.abspath(arguments.mountpoint))
    if _mounted_type(path) != _FSTYPE:
        raise Failure(f"{arguments.mountpoint}: no sysfsd is mounted there")
    command = ["umount"] if os.geteuid() == 0 else [fusermount_program() or "fusermount", "-u"]
    done = subprocess.run([*command, str(path)], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failure(done.stderr.strip() or f"{arguments.mountpoint}: could not be unmounted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
