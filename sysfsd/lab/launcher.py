"""Starting a lab, and joining one.

The launcher makes the namespaces, starts the lab's first process in them (init.py), arranges the files (rootfs.py),
starts the command under the filter, and waits. It stays in the command's session and process group, so terminal, job
control and signals are the command's own. It is outside the lab's process namespace, and when it ends, however that
comes about, the lab ends.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import resource
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from sysfsd.host.callers import CallerCred
from sysfsd.host.mountinfo import mounts
from sysfsd.host.namespaces import (
    CAP_SYS_ADMIN,
    Clone,
    Mount,
    Prctl,
    capabilities,
    in_initial_user_namespace,
    mount,
    prctl,
    setns,
    unshare,
    unshare_user,
)
from sysfsd.host.seccomp import filter_program, filtered, load_filter
from sysfsd.lab.mknod import Link, Links

if TYPE_CHECKING:
    from sysfsd.image.image import KernelImage
    from sysfsd.linux.system import Kernel

__all__ = ["MESSAGE_MAX", "LabError", "RunningLab", "join", "labs", "run"]

CAP_SYS_MODULE: Final = 16
#: The longest message between the processes of a lab (bytes).
MESSAGE_MAX: Final = 1 << 16
_SOCKETS: Final = "sysfsd-lab"
_UCRED: Final = struct.Struct("=3i")
#: Signals that Python ignores, and a command should not.
_PYTHONS_SIGNALS: Final = {signal.SIGPIPE: signal.SIG_DFL, signal.SIGXFSZ: signal.SIG_DFL}
#: Where programs are that the host may lack.
PROGRAMS: Final = "/dev/.lab"
_ROOTS_PATH: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
#: The longest name of a lab (characters).
_NAME_MAX: Final = 64
_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126


class LabError(Exception):
    """Why there can be no lab, for the user to read."""


# Labs that are running: each listens on an abstract socket, which is gone when it is


class RunningLab(NamedTuple):
    """A lab, and the process that launched it."""

    name: str
    uid: int
    pid: int

    @property
    def command(self) -> str:
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode("latin-1")
        except OSError:
            return ""


def _address(name: str, uid: int) -> str:
    return f"\0{_SOCKETS}/{uid}/{name}"


def labs() -> Iterator[RunningLab]:
    """The labs that run here."""
    with open("/proc/net/unix", encoding="latin-1") as sockets:
        paths = {line.rsplit(" ", 1)[-1].rstrip("\n") for line in sockets if f" @{_SOCKETS}/" in line}
    for path in sorted(paths):
        _, uid, name = path.split("/", 2)
        with suppress(OSError, ValueError):
            door, pid = _knock(name, int(uid))
            door.close()
            yield RunningLab(name, int(uid), pid)


def _knock(name: str, uid: int) -> tuple[socket.socket, int]:
    """Speak with a lab of the user *uid*.

    Anybody can listen at such an address: it is that user's lab if that user's process does.

    :returns: the connection, and the process that launched the lab
    :raises OSError: ECONNREFUSED where there is none; EPERM where somebody else has taken its name
    """
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        door.connect(_address(name, uid))
        pid, owner, _gid = _UCRED.unpack(door.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        if owner != uid:
            raise PermissionError(errno.EPERM, "another user's process listens there")
    except OSError:
        door.close()
        raise
    return door, pid


def _check_name(name: str) -> None:
    """:raises LabError: for what cannot be a lab's name"""
    if not name or name in (".", "..") or len(name) > _NAME_MAX or not name.isprintable() or "/" in name:
        raise LabError(f"{name!r} is no name for a lab: no slashes, no control characters, {_NAME_MAX} at most")


def _listen(name: str | None) -> tuple[str, socket.socket]:
    """:raises LabError: where a lab has that name"""
    if name is not None:
        _check_name(name)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for candidate in [name] if name is not None else (f"lab{number}" for number in range(1, 1 << 16)):
        try:
            door.bind(_address(candidate, os.geteuid()))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise LabError(f"{candidate}: {error.strerror}") from None
        else:
            door.listen()
            return candidate, door
    raise LabError(f"{name}: a lab of that name is running; 'sysfsd lab --join {name}' joins it")


# Running a command


def run(command: Sequence[str], boot: Callable[[], Kernel], image: KernelImage, name: str | None = None) -> int:
    """Run a command in a new lab.

    :param command: the command; none: the user's shell
    :param boot: makes the lab's kernel
    :param image: what that kernel is
    :param name: the lab's; None: one that is free
    :returns: its exit status as wait(2) has it
    :raises LabError: where there can be no lab
    """
    if "SYSFSD_LAB" in os.environ:
        raise LabError(f"this is a lab already: {os.environ['SYSFSD_LAB']}")
    if os.getpid() == 1:
        _stay_first()
    name, door = _listen(name)
    rights = Rights.of_this_process()
    # What another filter does to ours is found out here, before anything else fails; else the kernel makes it.
    program = _filter(rights) if filtered() else b""
    covered = [mount.path for mount in mounts() if mount.path.startswith("/proc/")]
    _make_namespaces(rights)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kernel = os.fork()
    if kernel == 0:
        ours.close()
        _become_init(boot, theirs, door, rights, covered, program)
    theirs.close()
    door.close()
    cwd = os.getcwd()
    program = ours.recv(MESSAGE_MAX)
    if not program:
        os.waitpid(kernel, 0)
        raise LabError  # it has said why
    if rights.mounts_only:
        setns(os.pidfd_open(kernel), Clone.NEWUSER | Clone.NEWNS)
    from sysfsd.lab.rootfs import arrange

    unshare(Clone.NEWNS)
    try:
        arrange(image, rights.host_root)
    except OSError as error:
        raise LabError(f"the lab's files cannot be mounted: {error.filename or ''}: {error.strerror}") from None
    with suppress(OSError):
        os.chdir(cwd)
    session = Session(ours, program, name)
    try:
        return session.run(command)
    finally:
        os.kill(kernel, signal.SIGKILL)
        os.waitpid(kernel, 0)  # which is after the end of everything in the lab
        session.links.remove()


def _stay_first() -> None:
    """Go on in a child of a container's first process.

    The first stays in the container's namespaces: what a runtime starts in a container later, it starts in those. It
    also buries the container's orphans.
    """
    child = os.fork()
    if child == 0:
        return
    for signum in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_IGN)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, partial(_pass_on, child))
    while True:
        ended, status = os.wait()
        if ended == child:
            exit_as(status)


def _pass_on(child: int, signum: int, _frame: object) -> None:
    """Send a signal that has come here on to *child*, which may have ended."""
    with suppress(ProcessLookupError):
        os.kill(child, signum)


def join(name: str, command: Sequence[str]) -> int:
    """Run a command in a lab that is running.

    :returns: its exit status as wait(2) has it
    :raises LabError: where there is none of that name
    """
    _check_name(name)
    try:
        door, pid = _knock(name, os.geteuid())
        lab = os.pidfd_open(pid)
        launched_by = CallerCred.of(pid)  # of the process that the descriptor is of: its number may be another's by now
        if not launched_by.status or launched_by.uid != os.geteuid():
            raise ProcessLookupError
    except PermissionError as error:
        raise LabError(f"{name}: {error.strerror}: this is not your lab") from None
    except OSError:
        raise LabError(f"{name}: no such lab; 'sysfsd labs' lists those that are running") from None
    program = _filter(Rights.of_this_process())
    cwd = os.getcwd()
    try:
        _enter(pid)
        signal.pidfd_send_signal(lab, 0)  # it is still the process that was asked
    except OSError as error:
        raise LabError(f"{name}: {error.strerror}") from None
    with suppress(OSError):
        os.chdir(cwd)
    return Session(door, program, name).run(command)


def _enter(pid: int) -> None:
    """Go into the namespaces of a lab.

    :param pid: its launcher
    :raises OSError: as setns(2)
    """
    kinds = {"user": Clone.NEWUSER, "mnt": Clone.NEWNS, "pid_for_children": Clone.NEWPID}
    namespaces = {kind: os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in kinds}
    if Path(f"/proc/{pid}/ns/user").samefile("/proc/self/ns/user"):
        del namespaces["user"]
    with suppress(PermissionError):  # unless it belongs to the lab's user namespace, which is to be entered before
        setns(namespaces["pid_for_children"], Clone.NEWPID)
        del namespaces["pid_for_children"]
    for kind, namespace in namespaces.items():
        setns(namespace, kinds[kind])


class Rights(NamedTuple):
    """What whoever starts a lab may do without it.

    :param host_root: all that root of the host may
    :param mounts_only: mount, but not load modules: root of a container that has CAP_SYS_ADMIN
    :param remedy: what to do where too little is allowed
    """

    host_root: bool
    mounts_only: bool
    remedy: str

    @classmethod
    def of_this_process(cls) -> Rights:
        is_root = os.geteuid() == 0
        held = capabilities() if is_root else 0
        admin = bool(held >> CAP_SYS_ADMIN & 1)
        host_root = admin and bool(held >> CAP_SYS_MODULE & 1) and in_initial_user_namespace()
        needed = _CONTAINERS_ROOT if is_root else _CONTAINERS_USER
        return cls(host_root, admin and not host_root, f"a container needs {_CONTAINERS} {needed}")


def _make_namespaces(rights: Rights) -> None:
    """Give this process mounts of its own, and its children process numbers of their own.

    :raises LabError: where the host does not allow it
    """
    if not rights.host_root and not rights.mounts_only:
        _unshare_user(rights)
    try:
        unshare(Clone.NEWNS | Clone.NEWPID)
        mount("none", "/", "", Mount.REC | Mount.SLAVE)
    except OSError as error:
        raise LabError(
            f"no namespaces for mounts and processes can be made here: {error.strerror}; {rights.remedy}"
        ) from None


def _mount_proc(rights: Rights, covered: Iterable[str]) -> None:
    """Show the process namespace that this process is the first of.

    A container's /proc is covered in parts, and a user namespace in it can have no other /proc. Its root, with
    CAP_SYS_ADMIN, can: so the user namespace is made after that.

    :param covered: what is mounted below the /proc that there is
    :raises LabError: where the host does not allow it
    """
    from sysfsd.lab.rootfs import mount_proc

    try:
        mount_proc(covered if rights.host_root or rights.mounts_only else ())
    except OSError as error:
        raise LabError(f"no /proc can be mounted here: {error.strerror}; {rights.remedy}") from None
    if rights.mounts_only:
        _unshare_user(rights)
        unshare(Clone.NEWNS)


def _unshare_user(rights: Rights) -> None:
    """:raises LabError: where the host does not allow it"""
    try:
        unshare_user()
    except OSError as error:
        raise LabError(_no_user_namespace(error, rights)) from None


#: What a container needs, as options of docker(1): every one, one in which root starts a lab, and any other.
_CONTAINERS: Final = "--device /dev/fuse --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
_CONTAINERS_ROOT: Final = "--cap-add SYS_ADMIN"
_CONTAINERS_USER: Final = "--security-opt systempaths=unconfined (podman: unmask=ALL)"

#: What forbids user namespaces, by the file that says so, and how it is allowed.
_USER_NAMESPACE_SWITCHES: Final = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
)


def _no_user_namespace(error: OSError, rights: Rights) -> str:
    for path, value, remedy in _USER_NAMESPACE_SWITCHES:
        with suppress(OSError):
            if Path(path).read_text().strip() == value:
                return f"the host lets no ordinary user make a user namespace ({path} is {value}): {remedy}"
    return f"no user namespace can be made here: {error.strerror}; {rights.remedy}"


def _become_init(
    boot: Callable[[], Kernel],
    launcher: socket.socket,
    door: socket.socket,
    rights: Rights,
    covered: Iterable[str],
    program: bytes,
) -> NoReturn:
    """Turn this process into the lab's first.

    :param program: the filter, if there is one already
    """
    status = 1
    try:
        os.setsid()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        from sysfsd.lab.init import serve

        program = program or _filter(rights)
        _mount_proc(rights, covered)
        serve(boot, launcher, door, rights.host_root, program)
        status = 0
    except LabError as error:
        print(f"sysfsd: {error}", file=sys.stderr)
    except OSError as error:
        print(f"sysfsd: the lab's kernel cannot start: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _filter(rights: Rights) -> bytes:
    """The program that hands system calls over to the kernel.

    :raises LabError: where libseccomp is missing, or another filter is in its way
    """
    from sysfsd.lab.probe import refused
    from sysfsd.lab.supervisor import RULES

    try:
        program = filter_program(RULES)
        calls = refused(program) if filtered() else []
    except OSError as error:
        if error.errno is not None:
            raise LabError(f"{_not_handed_over(error)}; {rights.remedy}") from None
        raise LabError("libseccomp.so.2 is missing: install the package libseccomp2") from None  # the loader says so
    if calls:
        raise LabError(f"a seccomp profile refuses {', '.join(calls)}; {rights.remedy}")
    return program


def _not_handed_over(error: OSError) -> str:
    taken = "somebody takes them already, another lab or a container's runtime"
    return f"system calls cannot be handed over: {taken if error.errno == errno.EBUSY else error.strerror}"


class Session:
    """A command in a lab, and the programs that the lab's kernel wants to be started.

    :param kernel: the lab's kernel
    :param program: the filter
    :param name: the lab's name
    """

    def __init__(self, kernel: socket.socket, program: bytes, name: str) -> None:
        self._kernel = kernel
        self._program = program
        #: What the lab has made in the host's directories.
        self.links = Links()
        self._name = name
        #: What to do when a process has ended, by a descriptor of it.
        self._ends: dict[int, tuple[int, Callable[[int], None]]] = {}
        self._poll = select.poll()

    def run(self, command: Sequence[str]) -> int:
        """:returns: the exit status as wait(2) has it"""
        terminal = _foreground_terminal()
        statuses: list[int] = []
        environment = {
            **os.environ,
            "SYSFSD_LAB": self._name,
            "PATH": _path(os.environ.get("PATH", os.defpath)),
        }
        if not command:
            command = [os.environ.get("SHELL") or pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"]
            environment["debian_chroot"] = self._name
        before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGQUIT)}
        for signum in before:
            signal.signal(signum, signal.SIG_IGN)
        child, error = self._start(command, environment, before, statuses.append)
        if error:
            print(f"sysfsd: {command[0]}: {os.strerror(error)}", file=sys.stderr)
        for signum in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, partial(_pass_on, child))
        self._poll.register(self._kernel, select.POLLIN)
        while not statuses:
            for fd, _events in self._poll.poll():
                if fd != self._kernel.fileno():
                    self._ended(fd)
                elif not self._asked():
                    self._poll.unregister(fd)  # the kernel has ended, and so will the command
        if terminal is not None:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
            with suppress(OSError):
                os.tcsetpgrp(terminal, os.getpgrp())
        return statuses[0]

    def _start(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        signals: Mapping[signal.Signals, Any],
        ended: Callable[[int], None],
        detached: bool = False,
    ) -> tuple[int, int]:
        """Start a program in the lab.

        :param signals: how to treat signals
        :param ended: called with its exit status when it has ended
        :returns: its process number, and the errno of execve(2) where it could not be run
        """
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                prctl(Prctl.SET_PDEATHSIG, signal.SIGKILL)
                for signum, action in {
                    **signals,
                    signal.SIGPIPE: signal.SIG_DFL,
                    signal.SIGXFSZ: signal.SIG_DFL,
                }.items():
                    signal.signal(signum, signal.SIG_DFL if action is signal.default_int_handler else action)
                if detached:
                    os.setsid()
                    os.chdir("/")
                    null = os.open(os.devnull, os.O_RDWR)
                    for fd in (0, 1, 2):
                        os.dup2(null, fd)
                self._enter_filter()
                os.execvpe(command[0], list(command), environment)
            except LabError as error:
                print(f"sysfsd: {error}", file=sys.stderr)
            except OSError as error:
                os.write(writer, struct.pack("=i", error.errno))
                os._exit(_NOT_FOUND if error.errno == errno.ENOENT else _NOT_EXECUTABLE)
            finally:
                sys.stderr.flush()
                os._exit(1)
        os.close(writer)
        with open(reader, "rb") as pipe:
            said = pipe.read()
        pidfd = os.pidfd_open(child)
        self._ends[pidfd] = child, ended
        self._poll.register(pidfd, select.POLLIN)
        return child, struct.unpack("=i", said)[0] if said else 0

    def _enter_filter(self) -> None:
        """:raises LabError: where the host does not allow it"""
        try:
            listener = load_filter(self._program)
        except OSError as error:
            raise LabError(_not_handed_over(error)) from None
        socket.send_fds(self._kernel, [b"{}"], [listener])
        os.close(listener)

    def _ended(self, pidfd: int) -> None:
        child, ended = self._ends.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        ended(os.waitpid(child, 0)[1])

    def _asked(self) -> bool:
        """Carry out what the kernel asks for; False: it has ended."""
        message, fds, _flags, _address = socket.recv_fds(self._kernel, MESSAGE_MAX, 1)
        if not message:
            return False
        said = json.loads(message)
        for directory in fds:
            self.links.add(Link(directory, said["name"], said["target"]))
        if fds:
            return True

        def answer(status: int) -> None:
            number = said.pop("number", None)
            if number is not None:
                with suppress(OSError):
                    self._kernel.send(json.dumps({"number": number, "status": status}).encode())

        environment = {"HOME": "/", "TERM": "linux", "PATH": "/sbin:/usr/sbin:/bin:/usr/bin"}
        argv = said["run"]
        ended = answer if said["wait"] else lambda status: None
        _child, error = self._start(argv, environment, {}, ended, detached=True)
        if error or not said["wait"]:
            answer(-error)
        return True


def _path(path: str) -> str:
    """Where a command looks for programs: root's where its user is root here, and what the host may lack."""
    directories = path.split(":")
    if os.geteuid() == 0:
        directories += [directory for directory in _ROOTS_PATH if directory not in directories]
    return ":".join([*directories, PROGRAMS])


def _foreground_terminal() -> int | None:
    """A descriptor of the terminal that this process is in the foreground of."""
    for fd in (0, 1, 2):
        with suppress(OSError):
            if os.tcgetpgrp(fd) == os.getpgrp():
                return fd
    return None


def exit_as(status: int) -> NoReturn:
    """End as the command did."""
    if os.WIFSIGNALED(status):
        signum = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if signum != signal.SIGKILL:
            signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
        os._exit(128 + signum)  # the first process of a container is not killed; shells say it so
    sys.stdout.flush()
    os._exit(os.waitstatus_to_exitcode(status))
