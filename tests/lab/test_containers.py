"""Labs in containers, and a mount that containers look at: with the runtimes that Docker and podman start them with.

Each container has the host's files under a layer of its own, as an image's are, and the settings that Docker gives.
docs/containers.md says which of Docker's options is which setting.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest

from tests.conftest import HANG, MODULES, SYSFSD, Mounter, daemons, wait_until, write

Result = subprocess.CompletedProcess[str]

NOBODY: Final = 65534

#: What Docker leaves to a container's root.
CAPABILITIES: Final = (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID"
    " SYS_CHROOT"
)
#: What a lab needs and Docker's default seccomp profile refuses: without CAP_SYS_ADMIN, and with it too.
REFUSED_WITHOUT_ADMIN: Final = (
    "fsconfig fsmount fsopen mount mount_setattr move_mount open_tree setdomainname sethostname setns syslog umount2"
    " unshare"
)
REFUSED: Final = "delete_module finit_module init_module pidfd_getfd"
#: What Docker hides of /proc and /sys, and what it lets nobody change there.
MASKED: Final = (
    "/proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list"
    " /proc/timer_stats /sys/firmware"
)
READ_ONLY: Final = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger"

FUSE: Final = {"type": "c", "major": 10, "minor": 229}
#: The file systems of every container: what is mounted where, and how.
MOUNTS: Final = (
    ("/proc", "proc", "nosuid noexec nodev"),
    ("/dev", "tmpfs", "nosuid strictatime mode=755 size=64m"),
    ("/dev/pts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620"),
    ("/dev/shm", "tmpfs", "nosuid noexec nodev mode=1777"),
    ("/dev/mqueue", "mqueue", "nosuid noexec nodev"),
    ("/sys", "sysfs", "nosuid noexec nodev ro"),
)

#: Starts a runtime: crun does not like to see both versions of cgroups.
AGAIN: Final = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"'
#: Gives a container its files before that, in its directory. All that is mounted ends with it.
START: Final = f"""
mount -t tmpfs -o mode=755 tmpfs layer && mkdir layer/upper layer/work &&
mount -t overlay -o lowerdir=/,upperdir=layer/upper,workdir=layer/work overlay rootfs || exit
path=rootfs{Path(SYSFSD).parents[2]}
while [ $path != rootfs ]; do mkdir -p $path; chmod a+rx $path; path=${{path%/*}}; done
{AGAIN}
"""


def bind(source: str | Path, destination: str | Path, *options: str) -> dict[str, Any]:
    return {"type": "bind", "source": str(source), "destination": str(destination), "options": ["rbind", *options]}


def _repository() -> list[dict[str, Any]]:
    """What the program needs that is not in the file system of /."""
    wanted = {Path(SYSFSD).parents[2], Path(sys.prefix), Path(sys.base_prefix)}
    return [bind(path, path, "ro") for path in wanted if path.stat().st_dev != Path("/").stat().st_dev]


@dataclass(frozen=True)
class Settings:
    """How a container is started: as a rule as Docker does without options.

    :param uid: as whom (``--user``)
    :param added: further capabilities (``--cap-add``)
    :param device: whether it may use /dev/fuse (``--device``)
    :param confined: whether Docker's seccomp profile holds (``--security-opt seccomp=unconfined``)
    :param refused: what a profile refuses besides
    :param masked: whether parts of /proc are hidden (``--security-opt systempaths=unconfined``)
    :param users: which users of the host a container's are, from its root on; None: the same (``--userns``)
    :param rootless: whether it is an ordinary user who starts it
    :param listener: whom the runtime hands system calls over to
    :param mounts: further mounts (``--volume``)
    """

    uid: int = 0
    added: tuple[str, ...] = ()
    device: bool = True
    confined: bool = True
    refused: tuple[str, ...] = ()
    masked: bool = True
    users: tuple[int, int] | None = None
    rootless: bool = False
    listener: Path | None = None
    mounts: tuple[dict[str, Any], ...] = ()

    def config(self, args: list[str]) -> dict[str, Any]:
        """config.json of the OCI runtime specification."""
        held = [f"CAP_{name}" for name in (*CAPABILITIES.split(), *self.added)]
        sets = ("bounding", "effective", "permitted") if self.uid == 0 else ("bounding",)
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": self.uid, "gid": self.uid},
                "args": args,
                "cwd": "/srv",
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/srv"],
                "capabilities": dict.fromkeys(sets, held),
            },
            "root": {"path": "rootfs"},
            "hostname": "container",
            "mounts": [
                *(
                    {"destination": where, "type": fstype, "source": fstype, "options": options.split()}
                    for where, fstype, options in MOUNTS
                ),
                bind("srv", "/srv"),
                *_repository(),
                *([bind("/dev/fuse", "/dev/fuse")] if self.device and self.users else []),
                *self.mounts,
            ],
            "linux": {
                "namespaces": [{"type": name} for name in self._namespaces()],
                "maskedPaths": MASKED.split() if self.masked else [],
                "readonlyPaths": READ_ONLY.split() if self.masked else [],
                **self._devices(),
                **self._seccomp(),
                **self._users(),
            },
        }

    def _namespaces(self) -> list[str]:
        return ["ipc", "mount", "network", "pid", "uts", *(["user"] if self.users else [])]

    def _devices(self) -> dict[str, Any]:
        if self.rootless:
            return {}
        allowed = [{"allow": True, "access": "rwm", **FUSE}] if self.device else []
        nodes = [{"path": "/dev/fuse", "fileMode": 0o666, **FUSE}] if self.device and not self.users else []
        return {"resources": {"devices": [{"allow": False, "access": "rwm"}, *allowed]}, "devices": nodes}

    def _seccomp(self) -> dict[str, Any]:
        refused = [*self.refused]
        if self.confined:
            refused += REFUSED.split()
            refused += [] if "SYS_ADMIN" in self.added else REFUSED_WITHOUT_ADMIN.split()
        rules = [{"names": refused, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}] if refused else []
        if self.listener:
            rules.append({"names": ["quotactl"], "action": "SCMP_ACT_NOTIFY"})
        profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}
        if self.listener:
            profile["listenerPath"] = str(self.listener)
        return {"seccomp": profile} if rules else {}

    def _users(self) -> dict[str, Any]:
        if not self.users:
            return {}
        first, count = self.users
        mapping = [{"containerID": 0, "hostID": first, "size": count}]
        return {"uidMappings": mapping, "gidMappings": mapping}


#: What docs/containers.md tells to start a lab's container with: for its root, and for another user in it.
FOR_ROOT: Final = Settings(added=("SYS_ADMIN",), confined=False)
FOR_A_USER: Final = Settings(uid=1000, confined=False, masked=False)
#: Docker with userns-remap.
REMAPPED: Final = Settings(added=("SYS_ADMIN",), confined=False, users=(100000, 65536))
#: podman of an ordinary user.
ROOTLESS: Final = Settings(added=("SYS_ADMIN",), confined=False, users=(NOBODY, 1), rootless=True)


class Runtime:
    """An OCI runtime, and the one container that it runs.

    :param name: the program's
    :param bundle: the container's directory, with what it has in /srv
    """

    def __init__(self, name: str, bundle: Path) -> None:
        self._name = name
        self._bundle = bundle
        self._container = uuid.uuid4().hex

    def __call__(self, script: str, settings: Settings) -> Result:
        """Run a script in the container."""
        (self._bundle / "config.json").write_text(json.dumps(settings.config(["bash", "-c", script])))
        become: list[str] = []
        options: list[str] = []
        if settings.rootless:
            become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            become += ["env", f"XDG_RUNTIME_DIR={self._bundle}/run"]
            os.chown(self._bundle / "run", NOBODY, NOBODY)
            if self._name == "crun":
                options = ["--cgroup-manager=disabled"]
        try:
            return self._call(START, *become, self._name, *options, "--root", "run", "run", self._container)
        finally:
            command = [self._name, "--root", "run", "delete", "--force", self._container]
            subprocess.run(command, cwd=self._bundle, check=False, stderr=subprocess.DEVNULL)

    def exec(self, uid: int, *argv: str) -> Result:
        """Run a command in the container that runs."""
        user = f"{uid}:{uid}"
        return self._call(AGAIN, self._name, "--root", "run", "exec", "--user", user, self._container, *argv)

    def _call(self, script: str, *argv: str) -> Result:
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *argv],
            cwd=self._bundle,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=HANG,
        )


@pytest.fixture
def bundle() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        for directory in ("layer", "rootfs", "srv", "run"):
            (path / directory).mkdir()
        (path / "srv").chmod(0o777)
        for module in ("hello", "chardev"):
            shutil.copy(MODULES / f"{module}.ko", path / "srv")
        yield path


@pytest.fixture(params=["runc", "crun"])
def run(request: pytest.FixtureRequest, bundle: Path) -> Runtime:
    return Runtime(request.param, bundle)


#: For what one runtime does as the other.
ANY_RUNTIME: Final = pytest.mark.parametrize("run", ["runc"], indirect=True)


def lines(result: Result) -> list[str]:
    assert (result.stderr, result.returncode) == ("", 0)
    return result.stdout.splitlines()


# Labs


@pytest.mark.parametrize("settings", [FOR_ROOT, FOR_A_USER, REMAPPED, ROOTLESS], ids=["root", "user", "remap", "less"])
def test_the_life_of_a_module(run: Runtime, settings: Settings) -> None:
    script = f"""
    exec {SYSFSD} lab -- bash -c '
        uname -r
        insmod hello.ko whom=me
        lsmod
        dmesg -t | tail -n 1
        cat /sys/module/hello/parameters/whom
        sudo rmmod hello
        dmesg -t | tail -n 1
        insmod chardev.ko && cat /dev/oraclechr
    '
    """
    assert lines(run(script, settings)) == [
        "6.1.0-56-amd64",
        "Module                  Size  Used by",
        "hello                  16384  0",
        "hello: (0) Hello, me",
        "me",
        "hello: Goodbye, me, count is now 1",
        "initial",
    ]


@ANY_RUNTIME
def test_roots_lab_has_all_users(run: Runtime) -> None:
    script = f"{SYSFSD} lab -- bash -c 'id -u; su -s /bin/sh nobody -c \"id -u; insmod hello.ko\"; lsmod | wc -l'"
    result = run(script, FOR_ROOT)
    assert result.stdout.split() == ["0", str(NOBODY), "1"]
    assert result.stderr == "insmod: ERROR: could not insert module hello.ko: Operation not permitted\n"


def test_what_the_runtime_hides_stays_hidden(run: Runtime) -> None:
    script = """
    cat /proc/keys | wc -c
    ls /proc/acpi | wc -l
    (echo 60 > /proc/sys/vm/swappiness) 2>&1 | cut -d: -f4-
    """
    assert lines(run(f"{SYSFSD} lab -- bash -c '{script}'", FOR_ROOT)) == ["0", "0", " Read-only file system"]


@contextmanager
def running(run: Runtime, bundle: Path, script: str, settings: Settings) -> Iterator[list[Result]]:
    """A container, from when it makes a file *begun* until there is a file *end*.

    :returns: its result, when it has ended
    """
    results: list[Result] = []
    thread = Thread(target=lambda: results.append(run(script, settings)))
    thread.start()
    try:
        wait_until(lambda: (bundle / "srv/begun").exists() or not thread.is_alive())
        yield results
    finally:
        (bundle / "srv/end").touch()
        thread.join()


UNTIL_END: Final = "touch begun; until [ -e end ]; do sleep 0.05; done"


@pytest.mark.parametrize("settings", [FOR_ROOT, FOR_A_USER], ids=["root", "user"])
def test_a_second_terminal(run: Runtime, bundle: Path, settings: Settings) -> None:
    """The lab is all that the container does; what the runtime starts in it later comes from outside of the lab."""
    script = f"exec {SYSFSD} lab --name first -- sh -c 'insmod hello.ko; {UNTIL_END}; lsmod | wc -l'"
    with running(run, bundle, script, settings) as results:
        command = f"ls -d /dev/.lab; {SYSFSD} lab --join first -- sh -c 'ls -d /dev/.lab; rmmod hello'"
        second = run.exec(settings.uid, "sh", "-c", command)
    assert second.stdout == "/dev/.lab\n"
    assert second.stderr == "ls: cannot access '/dev/.lab': No such file or directory\n"
    assert lines(results[0]) == ["1"]


@ANY_RUNTIME
@pytest.mark.parametrize(("end", "status"), [("exit 7", 7), ("kill -TERM $$", 128 + signal.SIGTERM)])
def test_the_containers_status(run: Runtime, end: str, status: int) -> None:
    assert run(f"exec {SYSFSD} lab -- sh -c '{end}'", FOR_ROOT).returncode == status


@ANY_RUNTIME
def test_nothing_is_left(run: Runtime) -> None:
    script = f"""
    {SYSFSD} lab -- sh -c 'insmod chardev.ko; mknod here c 240 0; setsid sleep 1000 &'
    ls /srv
    cat /proc/[0-9]*/comm
    grep -c sysfsd /proc/self/mountinfo || true
    """
    assert lines(run(script, FOR_ROOT)) == ["chardev.ko", "hello.ko", "bash", "0"]


# What runtimes refuse

NEEDED: Final = (
    "a container needs --device /dev/fuse --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
)
ROOT_NEEDS: Final = f"{NEEDED} --cap-add SYS_ADMIN"
USER_NEEDS: Final = f"{NEEDED} --security-opt systempaths=unconfined (podman: unmask=ALL)"
NO_FUSE: Final = (
    "/dev/fuse cannot be opened: {}: load the host's fuse module or, in a container, add --device /dev/fuse"
)


@ANY_RUNTIME
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (replace(FOR_ROOT, device=False), NO_FUSE.format("No such file or directory")),
        (
            replace(FOR_ROOT, device=False, mounts=(bind("/dev/fuse", "/dev/fuse"),)),
            NO_FUSE.format("Operation not permitted"),
        ),
        (
            Settings(),
            "a seccomp profile refuses delete_module, finit_module, init_module, mount, pidfd_getfd, setdomainname,"
            f" sethostname, syslog; {ROOT_NEEDS}",
        ),
        (
            replace(FOR_ROOT, confined=True),
            f"a seccomp profile refuses delete_module, finit_module, init_module, pidfd_getfd; {ROOT_NEEDS}",
        ),
        (
            replace(FOR_ROOT, refused=("process_vm_readv",)),
            f"a seccomp profile refuses process_vm_readv; {ROOT_NEEDS}",
        ),
        (
            replace(FOR_A_USER, refused=("unshare",)),
            f"no user namespace can be made here: Operation not permitted; {USER_NEEDS}",
        ),
        (
            replace(FOR_ROOT, refused=("mount",)),
            f"a seccomp profile refuses mount; {ROOT_NEEDS}",
        ),
        (replace(FOR_ROOT, added=()), f"no /proc can be mounted here: Operation not permitted; {ROOT_NEEDS}"),
        (replace(FOR_A_USER, masked=True), f"no /proc can be mounted here: Operation not permitted; {USER_NEEDS}"),
        (replace(ROOTLESS, added=()), f"no /proc can be mounted here: Operation not permitted; {ROOT_NEEDS}"),
        (
            replace(FOR_ROOT, refused=("seccomp",)),
            f"system calls cannot be handed over: Invalid argument; {ROOT_NEEDS}",
        ),
    ],
    ids=[
        "no-device",
        "forbidden-device",
        "no-options",
        "profile",
        "profile-of-others-memory",
        "no-unshare",
        "no-mount",
        "root-without-capability",
        "user-with-masks",
        "rootless-with-masks",
        "no-seccomp",
    ],
)
def test_what_a_container_lacks(run: Runtime, settings: Settings, message: str) -> None:
    result = run(f"exec {SYSFSD} lab -- true", settings)
    assert (result.stderr, result.stdout, result.returncode) == (f"sysfsd: {message}\n", "", 1)


def test_somebody_else_takes_system_calls(run: Runtime, bundle: Path) -> None:
    received: list[int] = []

    def listen() -> None:
        connection, _address = agent.accept()
        with connection:
            _state, fds, _flags, _address = socket.recv_fds(connection, 1 << 16, 4)
        received.extend(fds)

    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(bundle / "agent"))
        agent.listen()
        thread = Thread(target=listen, daemon=True)
        thread.start()
        result = run(f"exec {SYSFSD} lab -- true", replace(FOR_ROOT, listener=bundle / "agent"))
        thread.join(HANG)
    for fd in received:
        os.close(fd)
    assert received
    why = "somebody takes them already, another lab or a container's runtime"
    assert (result.stderr, result.returncode) == (
        f"sysfsd: system calls cannot be handed over: {why}; {ROOT_NEEDS}\n",
        1,
    )


# Mounts


@pytest.fixture
def mnt(sysfsd_mount: Mounter) -> Path:
    return sysfsd_mount("-o", "allow_other", "--load", f"{MODULES}/hello.ko whom=me")


PARAMETERS: Final = "/sys/module/hello/parameters"


def test_a_mount_of_the_hosts(run: Runtime, mnt: Path) -> None:
    script = f"""
    exec 2>&1
    ls {PARAMETERS}
    cat {PARAMETERS}/whom
    echo 3 > {PARAMETERS}/count && cat {PARAMETERS}/count
    echo x > {PARAMETERS}/count
    echo you > {PARAMETERS}/whom
    ls /sys/module/none
    """
    result = run(script, Settings(device=False, mounts=(bind(mnt / "sys/module", "/sys/module"),)))
    assert result.stdout.splitlines() == [
        "count",
        "whom",
        "me",
        "3",
        "bash: line 6: echo: write error: Invalid argument",
        f"bash: line 7: {PARAMETERS}/whom: Permission denied",
        "ls: cannot access '/sys/module/none': No such file or directory",
    ]
    assert (mnt / "sys/module/hello/parameters/count").read_text() == "3\n"


@pytest.mark.parametrize("settings", [Settings(uid=1000), Settings(users=(100000, 65536))], ids=["user", "remapped"])
def test_who_is_not_the_hosts_root(run: Runtime, mnt: Path, settings: Settings) -> None:
    script = f"""
    exec 2>&1
    cat {PARAMETERS}/whom {PARAMETERS}/count
    echo 3 > {PARAMETERS}/count
    """
    settings = replace(settings, device=False, mounts=(bind(mnt / "sys/module", "/sys/module"),))
    refusal = f"bash: line 4: {PARAMETERS}/count: Permission denied"
    assert run(script, settings).stdout.splitlines() == ["me", "1", refusal]


@ANY_RUNTIME
def test_read_only(run: Runtime, mnt: Path) -> None:
    settings = Settings(device=False, mounts=(bind(mnt / "sys/module", "/sys/module", "ro"),))
    result = run(f"echo 3 > {PARAMETERS}/count", settings)
    assert result.stderr == f"bash: line 1: {PARAMETERS}/count: Read-only file system\n"


def test_what_is_loaded_on_the_host_shows(run: Runtime, mnt: Path, bundle: Path) -> None:
    script = f"ls -d /sys/module/hello; {UNTIL_END}; ls -d /sys/module/hello"
    settings = Settings(device=False, mounts=(bind(mnt / "sys/module", "/sys/module"),))
    with running(run, bundle, script, settings) as results:
        write(mnt / "control/unload", "hello")
    [result] = results
    assert result.stdout == "/sys/module/hello\n"
    assert result.stderr == "ls: cannot access '/sys/module/hello': No such file or directory\n"


@ANY_RUNTIME
def test_a_daemon_that_ends(run: Runtime, mnt: Path, bundle: Path) -> None:
    """A container keeps the mount that it was started with."""
    script = f"{UNTIL_END}; cat {PARAMETERS}/whom"
    settings = Settings(device=False, mounts=(bind(mnt / "sys/module", "/sys/module"),))
    with running(run, bundle, script, settings) as results:
        [daemon] = daemons(mnt)
        os.kill(daemon, signal.SIGKILL)
        wait_until(lambda: not daemons(mnt))
    assert results[0].stderr == f"cat: {PARAMETERS}/whom: Transport endpoint is not connected\n"


def test_all_of_a_mount(run: Runtime, mnt: Path) -> None:
    """A container's root may load modules if the host's capability says so, which no runtime gives by itself."""
    write(mnt / "proc/sys/kernel/dmesg_restrict", "0\n")
    script = """
    cut -d' ' -f1 /kernel/proc/modules
    dmesg --notime | tail -n 1
    echo hello > /kernel/control/unload
    """
    mounts = (bind(mnt, "/kernel"), bind(mnt / "dev/kmsg", "/dev/kmsg"))
    result = run(script, Settings(device=False, mounts=mounts))
    assert result.stdout.splitlines() == ["hello", "hello: (0) Hello, me"]
    assert result.stderr == "bash: line 4: echo: write error: Operation not permitted\n"


@pytest.mark.parametrize(
    "settings", [Settings(added=("SYS_ADMIN",)), Settings(uid=1000, added=("SYS_ADMIN",))], ids=["root", "user"]
)
def test_mounting_in_a_container(run: Runtime, settings: Settings) -> None:
    """Whoever mounts is this kernel's root, and needs no capability for modules."""
    script = f"""
    mkdir mnt
    {SYSFSD} mount mnt && echo hello.ko whom=me > mnt/control/load
    cat mnt/sys/module/hello/parameters/whom
    echo hello > mnt/control/unload && {SYSFSD} umount mnt
    """
    assert lines(run(script, settings)) == ["me"]
