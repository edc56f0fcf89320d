"""The control files, as shells and programs write to them."""

from __future__ import annotations

import errno
import gzip
import lzma
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import pytest
import zstandard

from tests.conftest import HANG, MODULES, SAMPLES, Mounter, refusal, write

GREETER: Final = SAMPLES / "greeter.ko"
AS_USER: Final = ("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups")
WITHOUT_PRIVILEGE: Final = ("setpriv", "--bounding-set=-sys_module", "--inh-caps=-sys_module")


def load(mnt: Path, request: str | bytes | Path) -> None:
    write(mnt / "control/load", bytes(request) if isinstance(request, Path) else request)


def unload(mnt: Path, request: str | bytes) -> None:
    write(mnt / "control/unload", request)


def loaded(mnt: Path) -> set[str]:
    return {line.split()[0] for line in (mnt / "proc/modules").read_text().splitlines()}


def parameter(mnt: Path, name: str) -> str:
    return (mnt / "sys/module/greeter/parameters" / name).read_text()


def shell(mnt: Path, command: str, *privileges: str, path: Path = GREETER) -> str:
    """What bash says that runs *command*, in the mount and with *path* in ``$1``."""
    done = subprocess.run(
        [*privileges, "bash", "-c", command, "bash", str(path)],
        cwd=mnt,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )
    return done.stdout + done.stderr


LOAD: Final = 'echo "$1" > control/load'


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that everybody may look into."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


# What shells say


def test_a_shell_loads_and_unloads(mnt: Path) -> None:
    assert shell(mnt, 'echo "$1 whom=you" > control/load; cat sys/module/greeter/parameters/whom') == "you\n"
    assert shell(mnt, "echo greeter > control/unload; ls -d sys/module/greeter").endswith("No such file or directory\n")


@pytest.mark.parametrize(
    ("before", "command", "message"),
    [
        (LOAD, LOAD, "File exists"),
        ("", 'echo "$1.gz" > control/load', "No such file or directory"),
        ("", 'echo "$1 count=x" > control/load', "Invalid argument"),
        ("", 'echo "$1 count=99999999999" > control/load', "Numerical result out of range"),
        ("", 'echo "${1%/*}/consumer.ko" > control/load', "No such file or directory"),
        ("", 'echo "${1%/*}" > control/load', "Invalid argument"),
        ("", 'echo "${1%/*}/greeter.c" > control/load', "Exec format error"),
        ("", "echo greeter > control/unload", "No such file or directory"),
        (
            'for name in provider consumer; do echo "${1%/*}/$name.ko" > control/load; done',
            "echo provider > control/unload",
            "Resource temporarily unavailable",
        ),
    ],
)
def test_a_shell_says_why_a_request_is_refused(mnt: Path, before: str, command: str, message: str) -> None:
    assert shell(mnt, before) == ""
    assert shell(mnt, command) == f"bash: line 1: echo: write error: {message}\n"


# Paths


def test_a_relative_path_starts_where_the_writer_stands(mnt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAMPLES)
    load(mnt, "greeter.ko")
    monkeypatch.chdir(mnt)
    load(mnt, f"{os.path.relpath(SAMPLES, mnt)}/provider.ko")
    assert loaded(mnt) == {"greeter", "provider"}


def test_it_is_the_writer_who_counts_not_who_opened_the_file(mnt: Path) -> None:
    command = 'exec 3> control/load; (cd "${1%/*}" && echo greeter.ko >&3)'
    assert shell(mnt, command) == ""
    assert loaded(mnt) == {"greeter"}


def test_who_opened_the_file_need_not_live_any_more(mnt: Path) -> None:
    ours, theirs = socket.socketpair()

    def opener() -> None:
        socket.send_fds(theirs, [b"fd"], [os.open(mnt / "control/load", os.O_WRONLY)])

    process = get_context("fork").Process(target=opener)
    with ours, theirs:
        process.start()
        process.join()
        _data, (fd,), _flags, _address = socket.recv_fds(ours, 2, 1)
    try:
        os.write(fd, bytes(GREETER))
    finally:
        os.close(fd)
    assert loaded(mnt) == {"greeter"}


@pytest.mark.parametrize("name", ["my module.ko", "mödül.ko", "a'b.ko", "-f.ko", "new\nline.ko"])
def test_a_path_in_double_quotes_may_hold_anything_else(mnt: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(GREETER, tmp_path / name)
    load(mnt, f'"{tmp_path / name}" count=4\n')
    assert parameter(mnt, "count") == "4\n"


def test_a_path_without_quotes_ends_at_a_space(mnt: Path, tmp_path: Path) -> None:
    shutil.copy(GREETER, tmp_path / "my module.ko")
    with refusal(errno.ENOENT):
        load(mnt, tmp_path / "my module.ko")


def test_a_path_that_is_not_utf_8(mnt: Path, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.ko"
    shutil.copy(os.fsencode(GREETER), path)
    load(mnt, path)
    assert loaded(mnt) == {"greeter"}


def test_a_symbolic_link_is_followed(mnt: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(GREETER)
    load(mnt, tmp_path / "link")
    assert loaded(mnt) == {"greeter"}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("fifo", errno.EINVAL),
        ("link to fifo", errno.EINVAL),
        ("directory", errno.EINVAL),
        ("empty file", errno.EINVAL),
        ("/dev/null", errno.EINVAL),
        ("/dev/zero", errno.EINVAL),
        ("/dev/tty", errno.ENXIO),
        ("nothing", errno.ENOENT),
        ("dangling link", errno.ENOENT),
        ("loop", errno.ELOOP),
        ("empty file/below", errno.ENOTDIR),
        ("text", errno.ENOEXEC),
        ("x" * 256, errno.ENAMETOOLONG),
        ("x/" * 2048, errno.ENAMETOOLONG),
    ],
)
def test_what_is_no_module_is_refused_and_not_waited_for(mnt: Path, tmp_path: Path, kind: str, code: int) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link to fifo").symlink_to("fifo")
    (tmp_path / "directory").mkdir()
    (tmp_path / "empty file").touch()
    (tmp_path / "dangling link").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "text").write_text("text\n" * 100)
    with refusal(code):
        load(mnt, f'"{tmp_path / kind}"')


def test_a_file_in_the_mount_itself_is_no_module(mnt: Path) -> None:
    for path in ("proc/modules", "sys/module/8250/uevent", "dev/kmsg"):
        with pytest.raises(OSError):
            load(mnt, mnt / path)
    load(mnt, GREETER)


# Parameters


@pytest.mark.parametrize(
    ("args", "value"),
    [
        ('whom="dear world"', "dear world"),
        ('"whom=dear world"', "dear world"),
        ("whom=dear count=2", "dear"),
        ("  count=2   whom=dear  ", "dear"),
        ("whom=one whom=two", "two"),
        ("whom=a=b", "a=b"),
        ("whom=", ""),
        ("whom=you -- whom=me", "you"),
        ("whom=b\xfcrger", "b\xfcrger"),
    ],
)
def test_parameters_are_parsed_as_the_kernel_does(mnt: Path, args: str, value: str) -> None:
    load(mnt, bytes(GREETER) + b" " + args.encode("latin-1") + b"\n")
    assert (mnt / "sys/module/greeter/parameters/whom").read_bytes() == value.encode("latin-1") + b"\n"


# Compressed files


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [("gz", gzip.compress), ("xz", lzma.compress), ("zst", zstandard.ZstdCompressor().compress)],
)
def test_a_compressed_module_is_unpacked(
    mnt: Path, tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"greeter.ko.{suffix}"
    packed = pack(GREETER.read_bytes())
    path.write_bytes(packed)
    load(mnt, f"{path} count=3")
    assert parameter(mnt, "count") == "3\n"
    path.write_bytes(packed[:-100])
    unload(mnt, "greeter")
    with pytest.raises(OSError):
        load(mnt, path)
    assert loaded(mnt) == set()


# Whose rights count


def test_users_may_not_write_requests(mnt: Path) -> None:
    assert "Permission denied" in shell(mnt, LOAD, *AS_USER)


def test_a_file_is_opened_with_the_rights_of_the_writer(mnt: Path, public: Path) -> None:
    (mnt / "control/load").chmod(0o222)
    module = Path(shutil.copy(GREETER, public))
    link = public / "link.ko"
    link.symlink_to(module.name)
    for path in (module, link):
        module.chmod(0o600)
        assert shell(mnt, LOAD, *AS_USER, path=path).endswith("write error: Permission denied\n")
        module.chmod(0o644)
        assert shell(mnt, LOAD, *AS_USER, path=path).endswith("write error: Operation not permitted\n")
    public.chmod(0o700)
    assert shell(mnt, LOAD, *AS_USER, path=module).endswith("write error: Permission denied\n")
    assert loaded(mnt) == set()


def test_the_groups_of_the_writer_count(mnt: Path, public: Path) -> None:
    (mnt / "control/load").chmod(0o222)
    module = Path(shutil.copy(GREETER, public))
    os.chown(module, 0, 2000)
    module.chmod(0o640)
    assert "Permission denied" in shell(mnt, LOAD, *AS_USER, path=module)
    member = ("setpriv", "--reuid=1000", "--regid=1000", "--groups=3000,2000")
    assert "Operation not permitted" in shell(mnt, LOAD, *member, path=module)


def test_root_needs_cap_sys_module(mnt: Path) -> None:
    assert shell(mnt, LOAD, *WITHOUT_PRIVILEGE) == "bash: line 1: echo: write error: Operation not permitted\n"
    load(mnt, GREETER)
    command = "echo greeter > control/unload"
    assert "Operation not permitted" in shell(mnt, command, *WITHOUT_PRIVILEGE)
    assert loaded(mnt) == {"greeter"}


def test_a_user_with_cap_sys_module_may(mnt: Path) -> None:
    (mnt / "control/load").chmod(0o222)
    capable = ("--inh-caps=+sys_module", "--ambient-caps=+sys_module")
    assert shell(mnt, LOAD, *AS_USER, *capable) == ""
    assert loaded(mnt) == {"greeter"}


def test_root_of_a_user_namespace_is_not_root(mnt: Path) -> None:
    """Its capabilities are none over what lies outside of the namespace."""
    (mnt / "control/load").chmod(0o222)
    answer = shell(mnt, LOAD, *AS_USER, "unshare", "--user", "--map-root-user")
    assert answer.endswith("write error: Operation not permitted\n")
    assert loaded(mnt) == set()


# A writer with a root of its own


def load_in_jail(mnt: Path, jail: Path, request: str) -> int:
    """The errno of a request that a process makes whose root is *jail*; 0 where it is taken."""

    def imprisoned() -> None:
        fd = os.open(mnt / "control/load", os.O_WRONLY)
        os.chroot(jail)
        os.chdir("/")
        try:
            os.write(fd, os.fsencode(request))
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)

    process = get_context("fork").Process(target=imprisoned)
    process.start()
    process.join(HANG)
    process.kill()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


@pytest.mark.parametrize("request_", ["/inside.ko", "inside.ko", "/link.ko", "../../inside.ko", "/up.ko"])
def test_in_a_chroot_paths_are_those_inside(mnt: Path, tmp_path: Path, request_: str) -> None:
    jail = tmp_path / "jail"
    jail.mkdir()
    shutil.copy(GREETER, jail / "inside.ko")
    (jail / "link.ko").symlink_to("/inside.ko")
    (jail / "up.ko").symlink_to("../../../inside.ko")
    assert load_in_jail(mnt, jail, request_) == 0
    assert loaded(mnt) == {"greeter"}


def test_no_path_leads_out_of_a_chroot(mnt: Path, tmp_path: Path) -> None:
    jail = tmp_path / "jail"
    jail.mkdir()
    outside = Path(shutil.copy(GREETER, tmp_path / "outside.ko"))
    (jail / "absolute.ko").symlink_to(outside)
    (jail / "up.ko").symlink_to("../outside.ko")
    for request in (str(outside), "../outside.ko", "/../outside.ko", "/absolute.ko", "up.ko"):
        assert load_in_jail(mnt, jail, request) == errno.ENOENT
    assert loaded(mnt) == set()


# Requests that are none


@pytest.mark.parametrize("request_", [b"\n", b" ", b" \n", b"\0", b"\0/x.ko", b'""', b"\n\n"])
def test_an_empty_request_is_refused(mnt: Path, request_: bytes) -> None:
    with pytest.raises(OSError) as caught:
        load(mnt, request_)
    assert caught.value.errno in (errno.EINVAL, errno.ENOENT)
    with pytest.raises(OSError) as caught:
        unload(mnt, request_)
    assert caught.value.errno in (errno.EINVAL, errno.ENOENT)


def test_writing_nothing_is_no_request(mnt: Path) -> None:
    load(mnt, b"")
    unload(mnt, b"")


def test_a_request_ends_at_a_nul(mnt: Path) -> None:
    load(mnt, bytes(GREETER) + b" count=3\0 count=4")
    assert parameter(mnt, "count") == "3\n"
    unload(mnt, b"greeter\0-f")
    assert loaded(mnt) == set()


@pytest.mark.parametrize("length", [1 << 17, 1 << 18, 3 << 20])
def test_a_request_that_is_too_long_is_refused_as_a_whole(mnt: Path, length: int) -> None:
    for request in (f"{GREETER} whom=".ljust(length, "x"), f"{GREETER} count=1 ".ljust(length) + "count=2"):
        with pytest.raises(OSError):
            load(mnt, request)
        assert loaded(mnt) == set()
    with pytest.raises(OSError):
        unload(mnt, "x" * length)


def test_a_control_file_takes_one_request_after_the_other(mnt: Path) -> None:
    fd = os.open(mnt / "control/load", os.O_WRONLY)
    os.write(fd, bytes(GREETER))
    with refusal(errno.EEXIST):
        os.write(fd, bytes(GREETER))
    os.write(fd, bytes(SAMPLES / "provider.ko"))
    os.close(fd)
    assert loaded(mnt) == {"greeter", "provider"}


# unload


@pytest.mark.parametrize(
    "name", ["dashed-name", "dashed_name", "dashed-name.ko", "./dir/dashed_name.ko.xz", " dashed-name "]
)
def test_a_module_is_unloaded_by_what_its_file_or_the_kernel_calls_it(mnt: Path, name: str) -> None:
    load(mnt, MODULES / "dashed-name.ko")
    assert loaded(mnt) == {"dashed_name"}
    unload(mnt, f"{name}\n")
    assert loaded(mnt) == set()


@pytest.mark.parametrize("request_", ["greeter -x", "greeter -f -f", "greeter provider", "greeter\nprovider"])
def test_unload_takes_one_name_and_one_option(mnt: Path, request_: str) -> None:
    load(mnt, GREETER)
    with pytest.raises(OSError):
        unload(mnt, request_)
    assert loaded(mnt) == {"greeter"}


def test_force_takes_away_what_has_no_exit_and_taints(mnt: Path) -> None:
    load(mnt, MODULES / "permanent.ko")
    with refusal(errno.EBUSY):
        unload(mnt, "permanent")
    unload(mnt, "permanent -f")
    assert loaded(mnt) == set()
    assert int((mnt / "proc/sys/kernel/tainted").read_text()) & 1 << 3


def test_not_even_force_takes_away_what_others_use(mnt: Path) -> None:
    for name in ("provider", "consumer"):
        load(mnt, SAMPLES / f"{name}.ko")
    with refusal(errno.EAGAIN):
        unload(mnt, "provider -f")
    assert loaded(mnt) == {"provider", "consumer"}


def test_what_is_built_in_cannot_be_unloaded(mnt: Path) -> None:
    with refusal(errno.ENOENT):
        unload(mnt, "8250")


def test_a_request_of_another_mount_changes_nothing_here(sysfsd_mount: Mounter) -> None:
    one, two = sysfsd_mount(), sysfsd_mount()
    load(one, GREETER)
    with refusal(errno.ENOENT):
        unload(two, "greeter")
    assert (loaded(one), loaded(two)) == ({"greeter"}, set())
