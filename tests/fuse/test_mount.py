"""The mount: what programs see of the files, while the kernel behind them changes."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import HANG, MODULES, SAMPLES, SYSFSD, Mounter, daemons, refusal, wait_until, write

#: Runs a shell command as an ordinary user.
AS_USER: Final = ("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "sh", "-c")
GREETER: Final = "sys/module/greeter"
COUNT: Final = f"{GREETER}/parameters/count"


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def read(path: Path) -> str:
    with opened(path) as fd:
        return os.read(fd, 1 << 16).decode()


def load(mnt: Path, name: str, args: str = "") -> None:
    write(mnt / "control/load", f"{SAMPLES}/{name}.ko {args}\n")


def unload(mnt: Path, name: str) -> None:
    write(mnt / "control/unload", f"{name}\n")


def as_user(where: Path, command: str) -> str:
    """What a shell of user 1000 prints that starts in *where*; the way there need not be open to that user."""
    done = subprocess.run([*AS_USER, command], cwd=where, capture_output=True, text=True, check=False, timeout=HANG)
    return done.stdout + done.stderr


def below(path: Path) -> set[Path]:
    """A directory and all that it holds, each looked at, so that the host knows it."""
    found = {path}
    for directory, subdirectories, files in os.walk(path):
        found |= {Path(directory, name) for name in subdirectories + files}
    for each in found:
        each.lstat()
    return found


def start(work: Callable[[], object]) -> BaseProcess:
    process = get_context("fork").Process(target=work)
    process.start()
    return process


def finish(*processes: BaseProcess) -> None:
    """Wait for processes, which must end of themselves, and well."""
    for process in processes:
        process.join(HANG)
    hanging = [process for process in processes if process.is_alive()]
    for process in hanging:
        process.kill()
        process.join()
    assert not hanging
    assert [process.exitcode for process in processes] == [0] * len(processes)


def waits_in_read(pid: int) -> bool:
    """Whether a process sleeps in read(2), system call 0."""
    return Path(f"/proc/{pid}/syscall").read_text().startswith("0 ")


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A mount that is only looked at, with three modules."""
    where = tmp_path_factory.mktemp("still")
    loads = [f"--load={SAMPLES}/{name}.ko" for name in ("provider", "consumer", "greeter")]
    subprocess.run([SYSFSD, "mount", str(where), "-o", "allow_other", *loads], check=True)
    yield where
    subprocess.run(["umount", "--lazy", str(where)], check=True)


# The tree


def test_the_root_holds_four_directories(still: Path) -> None:
    assert sorted(os.listdir(still)) == ["control", "dev", "proc", "sys"]


@pytest.mark.parametrize(
    ("path", "mode", "links", "size"),
    [
        (".", "drwxr-xr-x", 6, 0),
        ("control", "drwxr-xr-x", 2, 0),
        ("control/load", "--w-------", 1, 0),
        ("control/unload", "--w-------", 1, 0),
        ("dev", "drwxr-xr-x", 2, 0),
        ("dev/kmsg", "-rw-r--r--", 1, 0),
        ("proc", "dr-xr-xr-x", 12, 0),
        ("proc/cmdline", "-r--r--r--", 1, 0),
        ("proc/kallsyms", "-r--r--r--", 1, 0),
        ("proc/modules", "-r--r--r--", 1, 0),
        ("proc/sys", "dr-xr-xr-x", 1, 0),
        ("proc/sys/kernel", "dr-xr-xr-x", 1, 0),
        ("proc/sys/kernel/osrelease", "-r--r--r--", 1, 0),
        ("proc/sys/kernel/printk", "-rw-r--r--", 1, 0),
        ("sys", "dr-xr-xr-x", 13, 0),
        (GREETER, "drwxr-xr-x", 6, 0),
        (f"{GREETER}/holders", "drwxr-xr-x", 2, 0),
        (f"{GREETER}/parameters", "drwxr-xr-x", 2, 0),
        (f"{GREETER}/refcnt", "-r--r--r--", 1, 4096),
        (f"{GREETER}/uevent", "--w-------", 1, 4096),
        (f"{GREETER}/sections/.exit.text", "-r--------", 1, 19),
        (COUNT, "-rw-r--r--", 1, 4096),
        (f"{GREETER}/parameters/secret", "-rw-------", 1, 4096),
        (f"{GREETER}/parameters/whom", "-r--r--r--", 1, 4096),
        ("sys/module/provider/holders/consumer", "lrwxrwxrwx", 1, 0),
        ("sys/module/8250/parameters/nr_uarts", "-rw-r--r--", 1, 4096),
    ],
)
def test_type_mode_links_and_size(still: Path, path: str, mode: str, links: int, size: int) -> None:
    status = (still / path).lstat()
    assert (stat.filemode(status.st_mode), status.st_nlink, status.st_size) == (mode, links, size)


def test_everything_belongs_to_whoever_mounted(still: Path) -> None:
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in below(still)}
    assert owners == {(os.geteuid(), os.getegid())}


def test_sys_module_has_a_link_for_each_module(still: Path) -> None:
    directory = still / "sys/module"
    assert directory.stat().st_nlink == 2 + len(os.listdir(directory))


def test_a_holder_is_a_link_to_the_module_that_uses_this_one(still: Path) -> None:
    holder = still / "sys/module/provider/holders/consumer"
    assert os.readlink(holder) == "../../consumer"
    assert holder.samefile(still / "sys/module/consumer")


def test_nothing_has_a_length_to_seek_by_and_all_is_read_to_its_end(still: Path) -> None:
    assert (still / "proc/modules").read_text().count("\n") == 3
    assert (still / "proc/kallsyms").read_bytes().endswith(b"[provider]\n")


# Names that come and go


def test_after_a_load_everything_is_there_though_the_host_knew_better(mnt: Path) -> None:
    for path in (GREETER, COUNT):
        with refusal(errno.ENOENT):
            (mnt / path).stat()
    names, links = set(os.listdir(mnt / "sys/module")), (mnt / "sys/module").stat().st_nlink
    load(mnt, "greeter", "count=3")
    assert (mnt / GREETER).is_dir()
    assert read(mnt / COUNT) == "3\n"
    assert set(os.listdir(mnt / "sys/module")) == names | {"greeter"}
    assert (mnt / "sys/module").stat().st_nlink == links + 1


def test_after_an_unload_nothing_is_there_though_the_host_knew_better(mnt: Path) -> None:
    names, links = set(os.listdir(mnt / "sys/module")), (mnt / "sys/module").stat().st_nlink
    load(mnt, "greeter")
    paths = below(mnt / GREETER)
    assert len(paths) > 20
    unload(mnt, "greeter")
    assert [path for path in paths if os.path.lexists(path)] == []
    assert set(os.listdir(mnt / "sys/module")) == names
    assert (mnt / "sys/module").stat().st_nlink == links


def test_holders_come_and_go_with_the_module_that_holds(mnt: Path) -> None:
    load(mnt, "provider")
    holders = mnt / "sys/module/provider/holders"
    assert os.listdir(holders) == []
    assert not os.path.lexists(holders / "consumer")
    load(mnt, "consumer")
    assert os.listdir(holders) == ["consumer"]
    assert (holders / "consumer/refcnt").exists()
    assert read(mnt / "sys/module/provider/refcnt") == "1\n"
    unload(mnt, "consumer")
    assert not os.path.lexists(holders / "consumer")
    assert os.listdir(holders) == []


def test_what_a_failed_load_showed_for_a_moment_is_gone(mnt: Path) -> None:
    links = (mnt / "sys/module").stat().st_nlink
    with refusal(errno.EINVAL):
        load(mnt, "greeter", "count=many")
    assert not os.path.lexists(mnt / GREETER)
    assert (mnt / "sys/module").stat().st_nlink == links


def test_a_module_that_was_loaded_anew_has_its_first_modes_and_values(mnt: Path) -> None:
    load(mnt, "greeter", "count=3")
    (mnt / COUNT).chmod(0o600)
    unload(mnt, "greeter")
    load(mnt, "greeter")
    assert (mnt / COUNT).stat().st_mode & 0o777 == 0o644
    assert read(mnt / COUNT) == "1\n"


def test_a_process_that_stands_in_an_unloaded_module_stands_nowhere(mnt: Path) -> None:
    load(mnt, "greeter")
    with opened(mnt / GREETER, os.O_RDONLY | os.O_DIRECTORY) as directory:
        os.stat("refcnt", dir_fd=directory)
        unload(mnt, "greeter")
        with refusal(errno.ENOENT):
            os.stat("refcnt", dir_fd=directory)


def test_an_unchanged_path_is_answered_by_the_host_alone(mnt: Path) -> None:
    load(mnt, "greeter")
    paths = below(mnt / GREETER)
    pid = daemons(mnt)[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        finish(start(lambda: [path.lstat() for path in paths for _ in range(100)]))
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_change_of_one_module_leaves_the_others_with_the_host(mnt: Path) -> None:
    load(mnt, "provider")
    load(mnt, "greeter")
    paths = below(mnt / "sys/module/provider/parameters")
    unload(mnt, "greeter")
    (mnt / "sys/module").stat()
    pid = daemons(mnt)[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        finish(start(lambda: [path.lstat() for path in paths]))
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_name_is_gone_also_where_a_directory_above_the_mount_was_renamed(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    where = above / "mount"
    where.mkdir()
    subprocess.run([SYSFSD, "mount", str(where)], check=True)
    moved = tmp_path / "moved"
    above.rename(moved)
    (tmp_path / "above/mount/sys/module").mkdir(parents=True)  # another directory has taken its place
    try:
        load(moved / "mount", "greeter")
        assert (moved / "mount" / COUNT).exists()
        unload(moved / "mount", "greeter")
        assert not os.path.lexists(moved / "mount" / GREETER)
    finally:
        subprocess.run(["umount", str(moved / "mount")], check=True)


def test_at_any_moment_a_module_is_there_as_a_whole_or_not_at_all(mnt: Path) -> None:
    load(mnt, "greeter")
    whole = set(os.listdir(mnt / GREETER))
    parameters = set(os.listdir(mnt / GREETER / "parameters"))
    unload(mnt, "greeter")

    removed: set[str] = set()  # what a directory holds that goes while it is open

    def watch() -> None:
        while not done.is_set():
            with suppress(FileNotFoundError):
                assert set(os.listdir(mnt / GREETER)) in (whole, removed)
            with suppress(FileNotFoundError):
                assert set(os.listdir(mnt / GREETER / "parameters")) in (parameters, removed)
            with suppress(FileNotFoundError):
                assert (mnt / COUNT).stat().st_size == 4096
            try:
                assert read(mnt / COUNT) == "7\n"
            except OSError as error:
                assert error.errno in (errno.ENOENT, errno.ENODEV), error
            assert read(mnt / "proc/modules") in lines
            assert len(os.listdir(mnt / "sys/module")) in (builtin, builtin + 1)

    def load_and_unload() -> None:
        with ThreadPoolExecutor(1) as pool:
            watcher = pool.submit(watch)
            try:
                for _ in range(200):
                    load(mnt, "greeter", "count=7")
                    unload(mnt, "greeter")
            finally:
                done.set()
            watcher.result()

    done = threading.Event()
    builtin = len(os.listdir(mnt / "sys/module"))
    states = ("16384 0 - Live {} (OE)", "28672 1 - Loading {} (OE+)", "16384 -1 - Unloading {} (OE-)")
    lines = ["", *(f"greeter {state.format('0xffffffffc0000000')}\n" for state in states)]
    finish(start(load_and_unload))
    assert not os.path.lexists(mnt / GREETER)


# Files that stay open


def test_a_file_of_an_unloaded_module_answers_enodev(mnt: Path) -> None:
    load(mnt, "greeter")
    with opened(mnt / COUNT, os.O_RDWR) as fd:
        os.read(fd, 1)
        unload(mnt, "greeter")
        for use in (lambda: os.read(fd, 10), lambda: os.pread(fd, 10, 0), lambda: os.write(fd, b"1")):
            with refusal(errno.ENODEV):
                use()


def test_it_does_not_come_back_with_the_module(mnt: Path) -> None:
    load(mnt, "greeter")
    with opened(mnt / COUNT, os.O_RDWR) as fd:
        unload(mnt, "greeter")
        load(mnt, "greeter", "count=5")
        with refusal(errno.ENODEV):
            os.pread(fd, 10, 0)
        with refusal(errno.ENODEV):
            os.write(fd, b"6")
    assert read(mnt / COUNT) == "5\n"


def test_an_open_file_does_not_keep_its_module(mnt: Path) -> None:
    load(mnt, "greeter")
    with opened(mnt / COUNT):
        assert read(mnt / GREETER / "refcnt") == "0\n"
        unload(mnt, "greeter")
    assert read(mnt / "proc/modules") == ""


# Reading and writing


def test_reads_at_offsets(still: Path) -> None:
    with opened(still / GREETER / "parameters/whom") as fd:
        parts = [os.pread(fd, size, offset) for size, offset in ((2, 0), (2, 2), (99, 4), (99, 6), (3, 1), (9, 5000))]
    assert parts == [b"wo", b"rl", b"d\n", b"", b"orl", b""]


def test_a_value_is_read_in_parts_as_it_was_when_reading_began(mnt: Path) -> None:
    load(mnt, "greeter", "count=1234")
    with opened(mnt / COUNT) as fd:
        first = os.read(fd, 2)
        write(mnt / COUNT, "9")
        assert first + os.read(fd, 2) + os.read(fd, 9) == b"1234\n"
        os.lseek(fd, 0, os.SEEK_SET)
        assert os.read(fd, 9) == b"9\n"


def test_each_descriptor_reads_for_itself(mnt: Path) -> None:
    load(mnt, "greeter", "count=12")
    with opened(mnt / COUNT) as one:
        assert os.read(one, 1) == b"1"
        write(mnt / COUNT, "34")
        with opened(mnt / COUNT) as two:
            assert os.read(two, 1) + os.read(one, 1) == b"32"


@pytest.mark.parametrize("flags", [0, os.O_APPEND, os.O_TRUNC, os.O_CREAT, os.O_SYNC])
def test_a_write_is_a_value_however_the_file_was_opened(mnt: Path, flags: int) -> None:
    load(mnt, "greeter", "count=12")
    with opened(mnt / COUNT, os.O_WRONLY | flags) as fd:
        for value in (b"34", b"5\n"):
            os.write(fd, value)
    assert read(mnt / COUNT) == "5\n"


def test_writing_does_not_change_the_size(mnt: Path) -> None:
    load(mnt, "greeter")
    write(mnt / COUNT, "3", os.O_TRUNC)
    os.truncate(mnt / COUNT, 0)
    assert (mnt / COUNT).stat().st_size == 4096
    assert (mnt / "control/load").stat().st_size == 0


def test_opening_with_o_trunc_leaves_the_value(mnt: Path) -> None:
    load(mnt, "greeter")
    with opened(mnt / COUNT, os.O_WRONLY | os.O_TRUNC):
        assert read(mnt / COUNT) == "1\n"


def test_a_refused_value_leaves_the_old_one(mnt: Path) -> None:
    load(mnt, "greeter")
    for value, code in (("many", errno.EINVAL), ("99999999999", errno.ERANGE)):
        with refusal(code):
            write(mnt / COUNT, value)
    assert read(mnt / COUNT) == "1\n"


@pytest.mark.parametrize(
    ("path", "flags"),
    [
        (f"{GREETER}/refcnt", os.O_RDWR),
        (f"{GREETER}/parameters/whom", os.O_WRONLY),
        (f"{GREETER}/sections/.exit.text", os.O_RDWR),
        (f"{GREETER}/uevent", os.O_RDONLY),
        ("proc/sys/kernel/osrelease", os.O_WRONLY),
        ("control/load", os.O_RDONLY),
        ("control/unload", os.O_RDWR),
    ],
)
def test_not_even_root_gets_past_these_modes(still: Path, path: str, flags: int) -> None:
    with refusal(errno.EACCES):
        os.open(still / path, flags)


def test_a_write_bit_does_not_make_a_parameter_writable(mnt: Path) -> None:
    load(mnt, "greeter")
    whom = mnt / GREETER / "parameters/whom"
    whom.chmod(0o644)
    with opened(whom, os.O_RDWR) as fd, refusal(errno.EIO):
        os.write(fd, b"you")
    assert read(whom) == "world\n"


# Attributes that are changed


def test_a_mode_holds_for_other_users(mnt: Path) -> None:
    load(mnt, "greeter")
    secret = mnt / GREETER / "parameters/secret"
    assert "Permission denied" in as_user(secret.parent, "cat secret")
    secret.chmod(0o604)
    assert as_user(secret.parent, "cat secret") == "42\n"
    (mnt / COUNT).chmod(0o600)
    assert "Permission denied" in as_user(secret.parent, "cat count")


def test_an_owner_may_do_what_the_mode_allows_owners(mnt: Path) -> None:
    load(mnt, "greeter")
    assert "Permission denied" in as_user(mnt / GREETER / "parameters", "echo 5 > count")
    os.chown(mnt / COUNT, 1000, -1)
    assert as_user(mnt / GREETER / "parameters", "echo 5 > count; cat count") == "5\n"
    os.chown(mnt / COUNT, 0, 1000)
    (mnt / COUNT).chmod(0o664)
    assert as_user(mnt / GREETER / "parameters", "echo 6 > count; cat count") == "6\n"


def test_a_user_changes_only_what_is_his(mnt: Path) -> None:
    load(mnt, "greeter")
    assert "not permitted" in as_user(mnt / GREETER / "parameters", "chmod 666 count")
    os.chown(mnt / COUNT, 1000, 1000)
    assert as_user(mnt / GREETER / "parameters", "chmod 640 count; stat -c '%a %u %g' count") == "640 1000 1000\n"
    assert "not permitted" in as_user(mnt / GREETER / "parameters", "chown 0 count")


def test_times_are_set_each_for_itself(mnt: Path) -> None:
    load(mnt, "greeter")
    os.utime(mnt / COUNT, ns=(1_000_000_001, 2_000_000_002))
    status = (mnt / COUNT).stat()
    assert (status.st_atime_ns, status.st_mtime_ns) == (1_000_000_001, 2_000_000_002)
    subprocess.run(["touch", "-c", "-a", "-d", "@5", str(mnt / COUNT)], check=True)
    status = (mnt / COUNT).stat()
    assert (status.st_atime_ns, status.st_mtime_ns) == (5_000_000_000, 2_000_000_002)


def test_a_touched_file_is_of_now(mnt: Path) -> None:
    load(mnt, "greeter")
    before = time.time_ns()
    os.utime(mnt / COUNT, ns=(0, 0))
    os.utime(mnt / COUNT)
    assert before <= (mnt / COUNT).stat().st_mtime_ns <= time.time_ns()


def test_a_module_is_as_old_as_its_load(mnt: Path) -> None:
    before = time.time_ns()
    load(mnt, "greeter")
    assert before <= (mnt / GREETER).stat().st_mtime_ns <= time.time_ns()


def test_modes_below_proc_sys_stay(still: Path) -> None:
    with refusal(errno.EPERM):
        (still / "proc/sys/kernel/printk").chmod(0o666)
    with refusal(errno.EPERM):
        os.chown(still / "proc/sys/kernel/printk", 1000, -1)


# Names that nobody may change

PLACES: Final = {
    ".": (errno.EPERM, errno.EPERM, errno.EPERM, "sys"),
    "sys/module": (errno.EACCES, errno.EPERM, errno.EPERM, "greeter"),
    f"{GREETER}/parameters": (errno.EACCES, errno.EPERM, errno.EPERM, "count"),
    "proc": (errno.ENOENT, errno.ENOENT, errno.EPERM, "modules"),
    "proc/sys/kernel": (errno.ENOENT, errno.ENOENT, errno.EACCES, "printk"),
    "control": (errno.EACCES, errno.EPERM, errno.EPERM, "load"),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_file_is_created(still: Path, place: str) -> None:
    with refusal(PLACES[place][0]):
        os.open(still / place / "new", os.O_CREAT | os.O_WRONLY, 0o644)
    with refusal(PLACES[place][0]):
        os.mknod(still / place / "new", stat.S_IFREG | 0o644)


@pytest.mark.parametrize("place", PLACES)
def test_no_other_name_is_made(still: Path, place: str) -> None:
    new, old = still / place / "new", still / place / PLACES[place][3]
    makers: list[Callable[[], object]] = [
        new.mkdir,
        lambda: new.symlink_to("/"),
        lambda: os.mkfifo(new),
        lambda: os.mknod(new, stat.S_IFCHR | 0o666, os.makedev(1, 3)),
        lambda: os.rename(old, new),
    ]
    if not old.is_dir():
        makers.append(lambda: os.link(old, new))
    for make in makers:
        with refusal(PLACES[place][1]):
            make()
    assert not os.path.lexists(new)


@pytest.mark.parametrize("place", PLACES)
def test_no_name_is_removed(still: Path, place: str) -> None:
    old = still / place / PLACES[place][3]
    with refusal(PLACES[place][2]):
        if old.is_dir():
            old.rmdir()
        else:
            old.unlink()
    assert old.exists()


def test_no_file_takes_the_place_of_another(still: Path) -> None:
    with refusal(errno.EPERM):
        os.rename(still / COUNT, still / GREETER / "parameters/loud")


def test_what_is_not_there_cannot_be_removed(still: Path) -> None:
    with refusal(errno.ENOENT):
        (still / "sys/module/new").rmdir()


# /dev


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The /dev of a mount with a FIFO (dev_fifo), memory (dev_mem), and memory that only one may open (alone)."""
    where = tmp_path_factory.mktemp("devices")
    loads = [f"--load={MODULES}/{name}.ko" for name in ("dev_fifo", "dev_mem")]
    subprocess.run([SYSFSD, "mount", str(where), "-o", "allow_other", *loads], check=True)
    yield where / "dev"
    subprocess.run(["umount", "--lazy", str(where)], check=True)


def device_number(devices: Path, name: str, minor: int = 0) -> int:
    lines = read(devices.parent / "proc/devices").splitlines()
    return os.makedev(next(int(line.split()[0]) for line in lines if line.endswith(f" {name}")), minor)


def logged(mnt: Path) -> list[str]:
    """All that the log holds."""
    with opened(mnt / "dev/kmsg", os.O_RDONLY | os.O_NONBLOCK) as fd:
        return [record.decode().partition(";")[2].rstrip() for record in drain(fd)]


def test_a_device_is_read_and_written_where_the_descriptor_is(devices: Path) -> None:
    with opened(devices / "dev_mem", os.O_RDWR) as fd:
        os.write(fd, b"0123456789")
        assert os.read(fd, 2) == b"\0\0"
        os.lseek(fd, -7, os.SEEK_CUR)
        assert os.read(fd, 3) == b"567"
        assert os.pread(fd, 4, 1) == b"1234"
        assert os.read(fd, 1) == b"8"
        os.lseek(fd, 256, os.SEEK_SET)
        assert os.read(fd, 1) == b""
        with refusal(errno.ENOSPC):
            os.write(fd, b"x")


def test_appending_moves_the_position_of_no_device(devices: Path) -> None:
    for _ in range(2):
        with opened(devices / "dev_mem", os.O_WRONLY | os.O_APPEND) as fd:
            os.write(fd, b"ab")
            os.write(fd, b"cd")
    with opened(devices / "dev_mem") as fd:
        assert os.read(fd, 4) == b"abcd"


def test_an_ioctl_takes_and_gives(devices: Path) -> None:
    size, fill, swap, add = 0x80046D02, 0x40016D03, 0xC0086D04, 0x6D05
    with opened(devices / "dev_mem", os.O_RDWR) as fd:
        number = bytearray(8)
        assert fcntl.ioctl(fd, size, number) == 0
        assert number == (256).to_bytes(8, "little")
        fcntl.ioctl(fd, fill, b"Z")
        assert os.read(fd, 300) == b"Z" * 256
        number = bytearray((41).to_bytes(8, "little"))
        assert fcntl.ioctl(fd, swap, number) == 7
        assert number == (-42).to_bytes(8, "little", signed=True)
        assert fcntl.ioctl(fd, add, 41) == 42
        with refusal(errno.ENOTTY):
            fcntl.ioctl(fd, 0x6D09)
    with opened(devices / "kmsg") as fd, refusal(errno.ENOTTY):
        fcntl.ioctl(fd, add, 41)


def test_an_ioctl_goes_where_its_number_does_not_say(devices: Path) -> None:
    reverse, wrong_way = 0x6D06, 0x80086D07
    ioctl = ctypes.CDLL(None, use_errno=True).ioctl
    with opened(devices / "dev_mem", os.O_RDWR) as fd:
        text = ctypes.create_string_buffer(b"some text", 64)
        assert ioctl(fd, ctypes.c_ulong(reverse), text) == 9
        assert text.value == b"txet emos"
        assert ioctl(fd, ctypes.c_ulong(reverse), ctypes.c_void_p(16)) == -1
        assert ctypes.get_errno() == errno.EFAULT
        number = (ctypes.c_uint32 * 2)(41, 7)
        assert ioctl(fd, ctypes.c_ulong(wrong_way), number) == 41
        assert list(number) == [42, 7]


def test_who_will_not_wait_for_a_device_is_told_so(devices: Path) -> None:
    with opened(devices / "dev_fifo", os.O_RDWR) as fd:
        os.set_blocking(fd, False)
        with refusal(errno.EAGAIN):
            os.read(fd, 1)
        assert os.write(fd, b"x" * 20) == 16
        with refusal(errno.EAGAIN):
            os.write(fd, b"x")
        assert os.read(fd, 20) == b"x" * 16
        with refusal(errno.ESPIPE):
            os.lseek(fd, 0, os.SEEK_SET)


@contextmanager
def fifo_reader(devices: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for bytes from the FIFO, and tells what came of it."""
    script = (
        "import os, signal, sys; signal.signal(signal.SIGALRM, lambda *_: print('interrupted'));"
        " print(os.read(os.open(sys.argv[1], os.O_RDWR), 100).decode())"
    )
    command = [sys.executable, "-c", script, str(devices / "dev_fifo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: waits_in_read(process.pid))
        try:
            yield process
        finally:
            process.kill()


def test_who_waits_for_a_device_is_woken(devices: Path) -> None:
    with fifo_reader(devices) as waiting:
        write(devices / "dev_fifo", "hello")
        assert waiting.communicate(timeout=HANG)[0] == b"hello\n"


def test_who_waits_for_a_device_hears_signals(devices: Path) -> None:
    with fifo_reader(devices) as waiting:
        waiting.send_signal(signal.SIGALRM)
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == b"interrupted\n"  # and Python reads again
        write(devices / "dev_fifo", "hello")
        assert waiting.communicate(timeout=HANG)[0] == b"hello\n"
    with fifo_reader(devices) as waiting:
        waiting.send_signal(signal.SIGTERM)
        assert waiting.wait(HANG) == -signal.SIGTERM


def test_the_end_of_the_kernel_is_not_that_of_who_waits(mnt: Path) -> None:
    write(mnt / "control/load", f"{MODULES}/dev_fifo.ko")
    with fifo_reader(mnt / "dev") as waiting:
        (daemon,) = daemons(mnt)
        os.kill(daemon, signal.SIGTERM)
        assert waiting.wait(HANG) == 1  # an exception
        wait_until(lambda: not daemons(mnt))


def test_a_device_is_polled(devices: Path) -> None:
    both = select.POLLIN | select.POLLOUT
    with opened(devices / "dev_fifo", os.O_RDWR) as fd, opened(devices / "dev_fifo", os.O_RDWR) as other:
        poll = select.poll()
        poll.register(fd, both)
        assert poll.poll(0) == [(fd, select.POLLOUT)]
        poll.modify(fd, select.POLLIN)
        for _ in range(2):
            writer = threading.Timer(0.05, os.write, (other, b"x"))
            writer.start()
            assert poll.poll(HANG * 1000) == [(fd, select.POLLIN)]
            writer.join()
            assert os.read(fd, 1) == b"x"
        os.write(fd, b"x" * 16)
        poll.modify(fd, both)
        assert poll.poll(0) == [(fd, select.POLLIN)]
        assert os.read(fd, 16) == b"x" * 16


def test_a_descriptor_is_closed_when_close_returns(devices: Path) -> None:
    for _ in range(200):
        with opened(devices / "dev_mem_dir/alone"):
            pass
        assert read(devices.parent / "sys/module/dev_mem/refcnt") == "0\n"
    with opened(devices / "dev_mem_dir/alone"):
        assert read(devices.parent / "sys/module/dev_mem/refcnt") == "2\n"
        with refusal(errno.EBUSY):
            os.open(devices / "dev_mem_dir/alone", os.O_RDONLY)


def test_a_device_hears_of_fsync_and_of_each_close(devices: Path) -> None:
    before = len(logged(devices.parent))
    with opened(devices / "dev_mem", os.O_RDWR) as fd:
        os.fsync(fd)
        with refusal(errno.EIO):
            os.fdatasync(fd)
        os.close(os.dup(fd))
    lines = [line.removeprefix("dev_mem: ") for line in logged(devices.parent)[before:]]
    assert re.match(r"open dev_mem \d+:0 flags 100002 mode 3 pos 0 by \S", lines.pop(0))
    fsync = "fsync 0..9223372036854775807"
    assert lines == [fsync, f"{fsync} of the data", "flush dev_mem", "flush dev_mem", "release dev_mem"]


def test_a_device_knows_who_is_there(mnt: Path) -> None:
    write(mnt / "control/load", f"{MODULES}/dev_stacks.ko")
    subprocess.run(["head", "-c", "1", mnt / "dev/dev_stacks"], check=True, timeout=HANG)
    wait_until(lambda: "dev_stacks: release" in logged(mnt))
    calls = "|".join(("open", "read", "flush", "release"))
    text = "\n".join(logged(mnt))
    found = re.findall(rf"dev_stacks: ({calls})\n.*?CPU: \d+ PID: (\d+) Comm: (\S+)", text, re.DOTALL)
    assert [name for name, _pid, _comm in found] == ["open", "read", "flush", "release"]
    assert {comm for _name, _pid, comm in found} == {"head"}
    assert len({pid for _name, pid, _comm in found}) == 1


def test_a_node_leads_to_the_device_of_its_number(devices: Path) -> None:
    node = devices / "node"
    for _ in range(50):
        os.mknod(node, stat.S_IFCHR | 0o600, device_number(devices, "dev_mem"))
        with opened(node, os.O_RDWR) as fd:
            os.write(fd, b"through a node")
        node.unlink()
    with opened(devices / "dev_mem") as fd:
        assert os.read(fd, 14) == b"through a node"
    os.mknod(node, stat.S_IFCHR | 0o600, device_number(devices, "dev_mem", 7))
    with refusal(errno.ENXIO):
        os.open(node, os.O_RDONLY)
    node.unlink()
    os.mknod(node, stat.S_IFBLK | 0o600, os.makedev(7, 0))
    with refusal(errno.ENXIO):
        os.open(node, os.O_RDONLY)
    node.unlink()


def test_files_are_made_and_changed_beside_devices(devices: Path) -> None:
    file, directory = devices / "file", devices / "directory"
    file.write_text("text\n")
    with opened(file, os.O_WRONLY | os.O_APPEND) as fd:
        os.write(fd, b"more\n")
    assert read(file) == "text\nmore\n"
    os.truncate(file, 3)
    assert (read(file), file.stat().st_size) == ("tex", 3)
    directory.mkdir()
    with refusal(errno.EEXIST):
        directory.mkdir()
    file.rename(directory / "moved")
    assert (os.listdir(directory), file.exists()) == (["moved"], False)
    with refusal(errno.ENOTEMPTY):
        directory.rmdir()
    (directory / "link").symlink_to("moved")
    assert read(directory / "link") == "tex"
    os.mkfifo(directory / "fifo")
    assert stat.S_ISFIFO((directory / "fifo").stat().st_mode)
    shutil.rmtree(directory)
    assert not directory.exists()
    assert "Permission denied" in as_user(devices, "echo > file")


def test_what_is_open_outlives_its_name(devices: Path) -> None:
    for path in (devices / "file", devices / "node"):
        if path.name == "file":
            path.touch()
        else:
            os.mknod(path, stat.S_IFCHR | 0o600, device_number(devices, "dev_mem"))
        with opened(path, os.O_RDWR) as fd:
            path.unlink()
            assert path.name not in os.listdir(devices)
            assert os.fstat(fd).st_mode & 0o700 == 0o600
            os.write(fd, b"still there")
            assert os.pread(fd, 11, 0) == b"still there"
            path.touch()
            assert read(path) == ""
            path.unlink()
    assert not [name for name in os.listdir(devices) if name.startswith(".")]


def test_a_node_that_a_user_has_taken_away_comes_back_with_its_device(mnt: Path) -> None:
    write(mnt / "control/load", f"{MODULES}/dev_fifo.ko")
    (mnt / "dev/dev_fifo").unlink()
    assert not (mnt / "dev/dev_fifo").exists()
    unload(mnt, "dev_fifo")
    write(mnt / "control/load", f"{MODULES}/dev_fifo.ko")
    assert (mnt / "dev/dev_fifo").stat().st_mode & 0o777 == 0o666
    unload(mnt, "dev_fifo")
    assert os.listdir(mnt / "dev") == ["kmsg"]


# /proc


def test_users_without_privilege_see_no_addresses(still: Path) -> None:
    modules = re.compile(r"greeter \d+ 0 - Live 0x(\w{16}) \(OE\)")
    (address,) = modules.findall(read(still / "proc/modules"))
    assert int(address, 16) >= 0xFFFFFFFFC0000000
    assert modules.findall(as_user(still / "proc", "cat modules")) == ["0" * 16]
    symbols = as_user(still / "proc", "grep -w -e _text -e greeter_init -e greeter_exit kallsyms").splitlines()
    assert {line.split()[0] for line in symbols} == {"0" * 16}
    ours = (still / "proc/kallsyms").read_text().splitlines()
    assert re.fullmatch(r"ffffffffc\w{7} t greeter_exit\t\[greeter\]", next(x for x in ours if "greeter_exit" in x))


def test_who_sees_addresses_is_decided_when_the_file_is_opened(still: Path) -> None:
    with opened(still / "proc") as proc:
        for name in ("modules", "kallsyms"):
            root = os.open(name, os.O_RDONLY, dir_fd=proc)
            os.seteuid(1000)
            try:
                user = os.open(name, os.O_RDONLY, dir_fd=proc)
                as_root = os.read(root, 1 << 16)
            finally:
                os.seteuid(0)
            as_user = os.read(user, 1 << 16)
            os.close(root)
            os.close(user)
            assert b"0000000000000000" in as_user
            assert b"ffffffff" in as_root
            assert b"ffffffff" not in as_user


def test_the_tunables_of_the_kernel_are_read_and_written(mnt: Path) -> None:
    kernel = mnt / "proc/sys/kernel"
    assert read(kernel / "ostype") == "Linux\n"
    assert read(kernel / "osrelease").startswith("6.1.")
    write(kernel / "printk", "8 3\n")
    assert read(kernel / "printk") == "8\t3\t1\t7\n"
    write(kernel / "kptr_restrict", "2\n")
    load(mnt, "greeter")
    assert " 0x0000000000000000 " in read(mnt / "proc/modules")
    with refusal(errno.EINVAL):
        write(kernel / "kptr_restrict", "3\n")
    assert "Permission denied" in as_user(kernel, "echo 0 > kptr_restrict")


def test_a_tunable_can_be_appended_to_after_it_was_written(mnt: Path) -> None:
    panic = mnt / "proc/sys/kernel/panic"
    write(panic, "10\n")
    write(panic, "20\n", os.O_APPEND)
    assert read(panic) == "20\n"


def test_modules_disabled_holds_for_good(mnt: Path) -> None:
    write(mnt / "proc/sys/kernel/modules_disabled", "1")
    with refusal(errno.EPERM):
        load(mnt, "greeter")
    with refusal(errno.EINVAL):
        write(mnt / "proc/sys/kernel/modules_disabled", "0")


# /dev/kmsg


def drain(fd: int) -> list[bytes]:
    """The records that are left to read from a descriptor that does not wait."""
    records = []
    with refusal(errno.EAGAIN):
        while True:
            records.append(os.read(fd, 8192))
    return records


#: The records that the log begins with.
BOOTING: Final = 2


def test_the_log_begins_with_the_kernels_name_and_command_line(mnt: Path) -> None:
    with opened(mnt / "dev/kmsg", os.O_RDONLY | os.O_NONBLOCK) as fd:
        version, command_line = drain(fd)
    assert version == b"5,0,0,-;" + (mnt / "proc/version").read_bytes()
    assert command_line == b"6,1,0,-;Command line: " + (mnt / "proc/cmdline").read_bytes()


def test_each_read_of_the_log_is_one_record(mnt: Path) -> None:
    for message in ("<3>one\n", "two\n", "<30>three\n"):
        write(mnt / "dev/kmsg", message)
    with opened(mnt / "dev/kmsg", os.O_RDONLY | os.O_NONBLOCK) as fd:
        records = drain(fd)[BOOTING:]
    assert [re.sub(rb",\d+,\d+,", b",*,", record) for record in records] == [
        b"11,*,-;one\n",
        b"12,*,-;two\n",
        b"30,*,-;three\n",
    ]


def test_each_descriptor_reads_the_log_for_itself(mnt: Path) -> None:
    write(mnt / "dev/kmsg", "one\n")
    flags = os.O_RDONLY | os.O_NONBLOCK
    with opened(mnt / "dev/kmsg", flags) as a, opened(mnt / "dev/kmsg", flags) as b:
        assert drain(a) == drain(b) != []
        write(mnt / "dev/kmsg", "two\n")
        assert drain(a) == drain(b) != []


def test_waiting_can_be_switched_off_later(mnt: Path) -> None:
    with opened(mnt / "dev/kmsg") as fd:
        os.set_blocking(fd, False)
        assert len(drain(fd)) == BOOTING


def test_a_record_that_does_not_fit_is_lost(mnt: Path) -> None:
    for message in ("one\n", "two\n"):
        write(mnt / "dev/kmsg", message)
    with opened(mnt / "dev/kmsg", os.O_RDONLY | os.O_NONBLOCK) as fd:
        for _ in range(BOOTING):
            os.read(fd, 8192)
        with refusal(errno.EINVAL):
            os.read(fd, 5)
        assert [record.endswith(b";two\n") for record in drain(fd)] == [True]


def test_a_message_without_a_newline_is_shown_when_the_next_one_comes(mnt: Path) -> None:
    with opened(mnt / "dev/kmsg", os.O_RDWR | os.O_NONBLOCK) as fd:
        drain(fd)
        os.write(fd, b"one")
        assert drain(fd) == []
        os.write(fd, b"two")
        assert [record.endswith(b";one\n") for record in drain(fd)] == [True]


def test_loads_are_logged(mnt: Path) -> None:
    with opened(mnt / "dev/kmsg", os.O_RDONLY | os.O_NONBLOCK) as fd:
        drain(fd)
        with refusal(errno.EINVAL):
            load(mnt, "greeter", "count=many")
        assert drain(fd)[-1].endswith(b";greeter: `many' invalid for parameter `count'\n")


@contextmanager
def reader(mnt: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for a record."""
    command = ["dd", f"if={mnt}/dev/kmsg", "bs=8192", f"count={BOOTING + 1}", "status=none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        wait_until(lambda: waits_in_read(process.pid))
        try:
            yield process
        finally:
            process.kill()


def test_a_reader_waits_until_there_is_a_record(mnt: Path) -> None:
    with reader(mnt) as waiting:
        write(mnt / "dev/kmsg", "hello\n")
        assert waiting.communicate(timeout=HANG)[0].endswith(b";hello\n")


def test_all_who_wait_are_woken_and_others_served_meanwhile(mnt: Path) -> None:
    with ExitStack() as stack:
        waiting = [stack.enter_context(reader(mnt)) for _ in range(12)]
        load(mnt, "provider")
        for process in waiting:
            assert b";" in process.communicate(timeout=HANG)[0]


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_reader_that_is_killed_stops_waiting(mnt: Path, signal_: signal.Signals) -> None:
    with reader(mnt) as waiting:
        waiting.send_signal(signal_)
        assert waiting.wait(HANG) == -signal_
    subprocess.run(["umount", str(mnt)], check=True)


def test_users_cannot_write_to_the_log_and_not_read_it_while_that_is_restricted(mnt: Path) -> None:
    assert "not permitted" in as_user(mnt / "dev", "dd if=kmsg iflag=nonblock")
    assert "Permission denied" in as_user(mnt / "dev", "echo hello > kmsg")
    write(mnt / "proc/sys/kernel/dmesg_restrict", "0")
    write(mnt / "dev/kmsg", "hello\n")
    assert ";hello\n" in as_user(mnt / "dev", f"dd if=kmsg bs=8192 count={BOOTING + 1} status=none")


# Many at once


def test_many_readers_and_writers_see_whole_values_only(mnt: Path) -> None:
    load(mnt, "kinds")
    value = mnt / "sys/module/kinds/parameters/a_charp"
    write(value, "z" * 1000)

    def writer(letter: str) -> None:
        for _ in range(100):
            write(value, letter * 1000)

    def reader() -> None:
        for _ in range(100):
            text = read(value)
            assert text == text[0] * 1000 + "\n"

    finish(*(start(partial(writer, letter)) for letter in "abcd"), *(start(reader) for _ in range(4)))


def test_of_many_loads_at_once_one_succeeds(mnt: Path) -> None:
    def loads() -> None:
        together = threading.Barrier(16)

        def one(_: int) -> int:
            with opened(mnt / "control/load", os.O_WRONLY) as fd:
                together.wait()
                try:
                    os.write(fd, os.fsencode(SAMPLES / "greeter.ko"))
                except OSError as error:
                    return error.errno or -1
                return 0

        with ThreadPoolExecutor(16) as pool:
            assert sorted(pool.map(one, range(16))) == [0] + [errno.EEXIST] * 15

    finish(start(loads))
    assert read(mnt / "proc/modules").count("\n") == 1


def test_of_many_unloads_at_once_one_succeeds(mnt: Path) -> None:
    load(mnt, "greeter")

    def unloads() -> None:
        def one(_: int) -> int:
            try:
                unload(mnt, "greeter")
            except OSError as error:
                return error.errno or -1
            return 0

        with ThreadPoolExecutor(16) as pool:
            assert sorted(pool.map(one, range(16))) == [0] + [errno.ENOENT] * 15

    finish(start(unloads))
    assert not os.path.lexists(mnt / GREETER)


def test_two_mounts_are_two_kernels(sysfsd_mount: Mounter) -> None:
    one, two = sysfsd_mount(), sysfsd_mount()
    load(one, "greeter")
    assert not os.path.lexists(two / GREETER)
    load(two, "greeter", "count=2")
    assert (read(one / COUNT), read(two / COUNT)) == ("1\n", "2\n")
