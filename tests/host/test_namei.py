"""Opening files of the host for others."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sysfsd.host.namei import open_as
from sysfsd.linux.kernel.cred import Cred

ME = Cred(os.getuid(), os.getgid(), 0, os.getpid())


@contextmanager
def refusal(code: int) -> Iterator[None]:
    with pytest.raises(OSError) as caught:
        yield
    assert caught.value.errno == code


def contents(cred: Cred, path: bytes) -> bytes:
    fd = open_as(cred, path)
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"contents")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize("name", ["file", "link", "./file", "../{}/file"])
def test_a_file_is_opened(folder: Path, name: str) -> None:
    assert contents(ME, os.fsencode(folder / name.format(folder.name))) == b"contents"


def test_a_relative_path_starts_at_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert contents(ME, b"file") == b"contents"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nothing", errno.ENOENT),
        ("file/x", errno.ENOTDIR),
        ("loop", errno.ELOOP),
        ("x" * 300, errno.ENAMETOOLONG),
        ("x/" * 3000, errno.ENAMETOOLONG),
    ],
)
def test_a_path_that_leads_nowhere(folder: Path, name: str, code: int) -> None:
    with refusal(code):
        open_as(ME, os.fsencode(f"{folder}/{name}"))


def test_a_process_that_is_gone() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    with refusal(errno.ESRCH):
        open_as(Cred(0, 0, 0, child), b"/etc/passwd")


def test_magic_links_lead_nowhere() -> None:
    with refusal(errno.ELOOP):
        open_as(ME, b"/proc/self/root/etc/passwd")


def test_the_descriptor_is_for_reading_and_not_inherited(folder: Path) -> None:
    fd = open_as(ME, os.fsencode(folder / "file"))
    with refusal(errno.EBADF):
        os.write(fd, b"x")
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_a_pipe_without_a_writer_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    os.close(open_as(ME, os.fsencode(folder / "pipe")))


def test_no_descriptor_is_left_open(folder: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for name in ("nothing", "file/x", "loop"):
        with pytest.raises(OSError):
            open_as(ME, os.fsencode(folder / name))
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_what_a_user_may_not_read_is_not_read_for_him(folder: Path) -> None:
    secret = folder / "secret"
    secret.write_bytes(b"secret")
    secret.chmod(0o600 if os.geteuid() == 0 else 0)
    with refusal(errno.EACCES):
        open_as(Cred(12345, 12345, 0, os.getpid()), os.fsencode(secret))


def test_the_daemon_is_itself_again_afterwards(folder: Path) -> None:
    groups = os.getgroups()
    secret = folder / "secret"
    secret.write_bytes(b"secret")
    secret.chmod(0o600)
    with pytest.raises(OSError):
        open_as(Cred(12345, 12345, 0, os.getpid()), os.fsencode(folder / "nothing"))
    assert os.getgroups() == groups
    assert secret.read_bytes() == b"secret"
    status = Path("/proc/thread-self/status").read_text()
    uids = next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
    assert len(set(uids)) == 1
