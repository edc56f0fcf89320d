"""The command sysfsd, as a user has it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from sysfsd import __version__
from tests.conftest import HANG, SAMPLES, SYSFSD, daemons, wait_until, write

GREETER: Final = SAMPLES / "greeter.ko"
Result = subprocess.CompletedProcess[str]


def sysfsd(*args: str | Path, cwd: Path | None = None) -> Result:
    """Run the command to its end."""
    return subprocess.run(
        [SYSFSD, *map(str, args)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )


def succeeds_silently(done: Result) -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, "", "")


def complaint(done: Result) -> str:
    """What a command that has failed says: one line."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("sysfsd: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("sysfsd: ").removesuffix("\n")


def is_stale(where: Path) -> bool:
    """Whether a mount's daemon is gone and the mount is not."""
    try:
        where.stat()
    except OSError:
        return True
    return False


@pytest.fixture
def where(tmp_path: Path) -> Iterator[Path]:
    """An empty directory; what is mounted on it is unmounted in the end."""
    path = tmp_path / "where"
    path.mkdir()
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=False, stderr=subprocess.DEVNULL)


# Help


def test_help_names_the_commands() -> None:
    done = sysfsd("--help")
    assert done.returncode == 0
    assert {"mount", "umount"} <= set(done.stdout.split())


@pytest.mark.parametrize("command", ["mount", "umount"])
def test_each_command_has_help(command: str) -> None:
    done = sysfsd(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: sysfsd {command}" in done.stdout


def test_version() -> None:
    done = sysfsd("--version")
    assert (done.returncode, done.stdout) == (0, f"sysfsd {__version__}\n")


@pytest.mark.parametrize("args", [[], ["frobnicate"], ["mount", "--frobnicate"], ["umount", "a", "b"]])
def test_a_command_that_is_none_gets_the_usage(args: list[str]) -> None:
    done = sysfsd(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: sysfsd")


# The daemon


def test_mount_returns_once_the_mount_answers(where: Path) -> None:
    assert succeeds_silently(sysfsd("mount", where))
    assert stat.S_ISDIR((where / "sys/module").stat().st_mode)
    assert os.path.ismount(where)
    assert len(daemons(where)) == 1


def test_the_daemon_lets_go_of_the_terminal_and_of_the_directory(where: Path) -> None:
    sysfsd("mount", where)
    process = Path("/proc", str(daemons(where)[0]))
    assert {os.readlink(process / "fd" / fd) for fd in "012"} == {"/dev/null"}
    assert os.readlink(process / "cwd") == "/"
    assert os.getsid(int(process.name)) == int(process.name)


@pytest.mark.parametrize("command", [[SYSFSD, "umount"], ["umount"], ["fusermount", "-u"]])
def test_unmounting_ends_the_daemon(where: Path, command: list[str]) -> None:
    sysfsd("mount", where)
    done = subprocess.run([*command, str(where)], capture_output=True, text=True, check=False, timeout=HANG)
    assert succeeds_silently(done)
    assert not os.path.ismount(where)
    wait_until(lambda: not daemons(where))


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_daemon_and_unmounts(where: Path, signal_: signal.Signals) -> None:
    sysfsd("mount", where)
    os.kill(daemons(where)[0], signal_)
    wait_until(lambda: not daemons(where))
    assert not os.path.ismount(where)


@contextmanager
def foreground(where: Path) -> Iterator[subprocess.Popen[str]]:
    """A mount in the foreground, once it answers."""
    command = [SYSFSD, "mount", "-f", str(where)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: os.path.ismount(where))
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_in_the_foreground_a_signal_ends_it(where: Path, signal_: signal.Signals) -> None:
    with foreground(where) as process:
        assert (where / "sys/module").is_dir()
        assert process.poll() is None
        process.send_signal(signal_)
        assert process.communicate(timeout=HANG) == ("", "")
    assert process.returncode == 0
    assert not os.path.ismount(where)


def test_in_the_foreground_unmounting_ends_it(where: Path) -> None:
    with foreground(where) as process:
        assert succeeds_silently(sysfsd("umount", where))
        assert process.communicate(timeout=HANG) == ("", "")
    assert process.returncode == 0


def test_a_signal_ends_it_while_somebody_waits_for_the_log(where: Path) -> None:
    with foreground(where) as process:
        with subprocess.Popen(["cat", f"{where}/dev/kmsg"], stderr=subprocess.DEVNULL) as reader:
            try:
                wait_until(lambda: Path(f"/proc/{reader.pid}/syscall").read_text().startswith("0 "))
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
                assert reader.wait(HANG) != 0
            finally:
                process.kill()
                reader.kill()
    assert not os.path.ismount(where)


# Where


def test_the_mount_point_is_by_default_below_the_current_directory(tmp_path: Path, where: Path) -> None:
    default = where.rename(tmp_path / "mountpoint")
    (default / ".gitkeep").touch()
    assert succeeds_silently(sysfsd("mount", cwd=tmp_path))
    assert (default / "sys/module").is_dir()
    assert succeeds_silently(sysfsd("umount", cwd=tmp_path))
    assert os.listdir(default) == [".gitkeep"]


@pytest.mark.parametrize(
    "name", ["a b", "mödül", "\N{PENGUIN}", "tab\there", "back\\slash", "a\\040b", "new\nline", "-x"]
)
def test_names_of_mount_points_may_hold_anything(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.mkdir()
    try:
        assert succeeds_silently(sysfsd("mount", path))
        assert (path / "sys/module").is_dir()
        assert "mounted there already" in sysfsd("mount", path).stderr
        assert succeeds_silently(sysfsd("umount", path))
        assert os.listdir(path) == []
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=False, stderr=subprocess.DEVNULL)


def test_a_mount_point_may_be_a_symbolic_link(tmp_path: Path, where: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(where)
    assert succeeds_silently(sysfsd("mount", link))
    assert os.path.ismount(where)
    assert succeeds_silently(sysfsd("umount", link))


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing", "no such directory"), ("file", "not a directory"), ("full", "the directory is not empty")],
)
def test_what_is_no_empty_directory_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    assert complaint(sysfsd("mount", name, cwd=tmp_path)) == f"{name}: {message}"


def test_two_mounts_on_one_directory_are_refused(where: Path) -> None:
    sysfsd("mount", where)
    assert complaint(sysfsd("mount", where)).startswith(f"{where}: busy: a fuse.sysfsd is mounted there already")
    assert len(daemons(where)) == 1


def test_what_is_not_mounted_cannot_be_unmounted(where: Path) -> None:
    for path in (where, where / "nothing", Path("/proc")):
        assert complaint(sysfsd("umount", path)) == f"{path}: no sysfsd is mounted there"


def test_what_is_in_use_cannot_be_unmounted(where: Path) -> None:
    sysfsd("mount", where)
    fd = os.open(where / "sys", os.O_RDONLY)
    try:
        assert "busy" in complaint(sysfsd("umount", where))
    finally:
        os.close(fd)
    assert succeeds_silently(sysfsd("umount", where))


def test_a_mount_whose_daemon_was_killed_can_be_taken_away(where: Path) -> None:
    sysfsd("mount", where)
    os.kill(daemons(where)[0], signal.SIGKILL)
    wait_until(lambda: is_stale(where))
    assert f"'sysfsd umount {where}' takes it away" in complaint(sysfsd("mount", where))
    assert succeeds_silently(sysfsd("umount", where))
    assert succeeds_silently(sysfsd("mount", where))
    assert (where / "sys/module").is_dir()


# Options


def test_an_unknown_kernel_is_refused(where: Path) -> None:
    assert "no image of kernel 2.4.18" in complaint(sysfsd("mount", "--kernel", "2.4.18", where))
    assert not os.path.ismount(where)


def test_the_kernel_can_be_named(where: Path) -> None:
    assert succeeds_silently(sysfsd("mount", "--kernel", "6.1.0-56-amd64", where))
    assert (where / "proc/sys/kernel/osrelease").read_text() == "6.1.0-56-amd64\n"


def test_an_unknown_option_of_fuse_is_refused(where: Path) -> None:
    done = sysfsd("mount", "-o", "bogus", where)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "fuse: unknown option `bogus'\n")
    assert not os.path.ismount(where)


def test_options_of_fuse_are_obeyed(where: Path) -> None:
    sysfsd("mount", "-o", "ro,noexec", "-o", "fsname=my kernel", where)
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        line = next(line for line in mounts if f" {where} " in line)
    assert line.split()[5].startswith("ro,")
    assert "noexec" in line
    assert " - fuse.sysfsd my\\040kernel " in line


def test_modules_can_be_loaded_from_the_start(where: Path, tmp_path: Path) -> None:
    (tmp_path / "my module.ko").write_bytes((SAMPLES / "kinds.ko").read_bytes())
    loads = [f'--load={GREETER} count=3 whom="dear class"', f"--load={os.path.relpath(SAMPLES, tmp_path)}/provider.ko"]
    loads += [f"--load={SAMPLES}/consumer.ko", '--load="my module.ko" level=5']
    assert succeeds_silently(sysfsd("mount", where, *loads, cwd=tmp_path))
    assert (where / "sys/module/greeter/parameters/whom").read_text() == "dear class\n"
    assert (where / "sys/module/kinds/parameters/level").read_text() == "5\n"
    modules = [line.split()[0] for line in (where / "proc/modules").read_text().splitlines()]
    assert modules == ["kinds", "consumer", "provider", "greeter"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (f"{GREETER} count=many", "Invalid argument: greeter: `many' invalid for parameter `count'"),
        (f"{SAMPLES}/consumer.ko", "No such file or directory: consumer: Unknown symbol provider_value (err -2)"),
        ("nothing.ko", "No such file or directory"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["-f"]])
def test_a_module_that_cannot_be_loaded_leaves_nothing_mounted(
    where: Path, request_: str, message: str, flags: list[str]
) -> None:
    done = sysfsd("mount", where, *flags, "--load", f"{SAMPLES}/kinds.ko", "--load", request_)
    assert complaint(done) == f"could not load {request_}: {message}"
    assert not os.path.ismount(where)
    assert not daemons(where)


def test_a_kernel_built_without_unloading(where: Path) -> None:
    sysfsd("mount", "--config", "CONFIG_MODULE_UNLOAD=n", "--load", str(GREETER), where)
    assert not (where / "sys/module/greeter/refcnt").exists()
    assert " - - Live " in (where / "proc/modules").read_text()
    with pytest.raises(OSError, match="Function not implemented"):
        write(where / "control/unload", "greeter")


def kmsg(where: Path) -> list[str]:
    """The messages in the log."""
    fd = os.open(where / "dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    messages = []
    with suppress(BlockingIOError):
        while True:
            messages.append(os.read(fd, 8192).decode().partition(";")[2].removesuffix("\n"))
    os.close(fd)
    return messages


def test_a_blacklist_on_the_command_line(where: Path) -> None:
    sysfsd("mount", "--cmdline", "quiet module_blacklist=other,greeter", where)
    with pytest.raises(PermissionError):
        write(where / "control/load", str(GREETER))
    assert kmsg(where)[-1] == "Module greeter is blacklisted"
    assert (where / "proc/cmdline").read_text() == "quiet module_blacklist=other,greeter\n"
    write(where / "control/load", f"{SAMPLES}/provider.ko")


def test_modules_switched_off_on_the_command_line(where: Path) -> None:
    sysfsd("mount", "--cmdline", "nomodule", where)
    with pytest.raises(PermissionError):
        write(where / "control/load", str(GREETER))
    assert (where / "proc/sys/kernel/modules_disabled").read_text() == "1\n"


# An ordinary user


class User:
    """An ordinary user, at home: one that every system has, since fusermount wants to know the name."""

    UID = 65534

    def __init__(self, home: Path) -> None:
        self.home = home

    def root(self, *command: str) -> Result:
        """What root sees who looks in."""
        return subprocess.run(
            command,
            cwd=self.home,
            env={**os.environ, "HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=HANG,
        )

    def __call__(self, *command: str) -> Result:
        return self.root("setpriv", f"--reuid={self.UID}", f"--regid={self.UID}", "--clear-groups", *command)


@pytest.fixture
def user() -> Iterator[User]:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "mountpoint").mkdir()
        for path in (name, f"{name}/mountpoint"):
            os.chown(path, User.UID, User.UID)
        one = User(Path(name))
        yield one
        one.root("umount", "--lazy", "mountpoint")


def test_an_ordinary_user_needs_no_root(user: User) -> None:
    assert succeeds_silently(user(SYSFSD, "mount"))
    assert user("stat", "-c", "%u", "mountpoint/sys/module").stdout == f"{user.UID}\n"
    assert succeeds_silently(user("bash", "-c", f"echo '{GREETER} count=2' > mountpoint/control/load"))
    parameters = "mountpoint/sys/module/greeter/parameters"
    assert succeeds_silently(user("bash", "-c", f"echo 3 > {parameters}/count"))
    assert user("cat", f"{parameters}/count", f"{parameters}/secret").stdout == "3\n42\n"
    assert user("bash", "-c", f"echo x > {parameters}/count").stderr.endswith("write error: Invalid argument\n")
    assert " 0xffffffffc0000000 " in user("cat", "mountpoint/proc/modules").stdout
    assert succeeds_silently(user("bash", "-c", "echo greeter > mountpoint/control/unload"))
    assert user("ls", parameters).returncode == 2
    assert succeeds_silently(user(SYSFSD, "umount"))
    assert user("ls", "mountpoint").stdout == ""


def test_relative_paths_of_an_ordinary_user(user: User) -> None:
    (user.home / "mine.ko").write_bytes(GREETER.read_bytes())
    assert succeeds_silently(user(SYSFSD, "mount", "--load", "mine.ko"))
    assert user("bash", "-c", "echo mine.ko > mountpoint/control/load").stderr.endswith("File exists\n")


def test_not_even_root_looks_into_the_mount_of_an_ordinary_user(user: User) -> None:
    assert succeeds_silently(user(SYSFSD, "mount"))
    assert "Permission denied" in user.root("ls", "mountpoint").stderr


def test_the_daemon_of_an_ordinary_user_ends_with_the_mount(user: User) -> None:
    user(SYSFSD, "mount", f"{user.home}/mountpoint")
    assert len(daemons(user.home / "mountpoint")) == 1
    assert succeeds_silently(user("fusermount", "-u", "mountpoint"))
    wait_until(lambda: not daemons(user.home / "mountpoint"))


def test_a_stale_mount_of_an_ordinary_user(user: User) -> None:
    user(SYSFSD, "mount", f"{user.home}/mountpoint")
    os.kill(daemons(user.home / "mountpoint")[0], signal.SIGKILL)
    wait_until(lambda: "not connected" in user("ls", "mountpoint").stderr)
    assert "takes it away" in complaint(user(SYSFSD, "mount"))
    assert succeeds_silently(user(SYSFSD, "umount"))
    assert succeeds_silently(user(SYSFSD, "mount"))


def test_users_may_not_mount_where_they_may_not_write(user: User) -> None:
    (user.home / "roots").mkdir()
    done = user(SYSFSD, "mount", "roots")
    assert (done.returncode, done.stdout) == (1, "")
    assert not os.path.ismount(user.home / "roots")
