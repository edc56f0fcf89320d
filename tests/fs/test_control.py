"""The files that load and unload modules."""

from __future__ import annotations

import errno
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from sysfsd.fs import control
from sysfsd.fs.control import load_file
from sysfsd.fs.kernfs import Tree
from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.kernel.cred import INIT_CRED, Cred
from sysfsd.linux.system import Kernel
from tests.conftest import HOST_FILES
from tests.fs.user import NOBODY, open_, write
from tests.linux.ko import module_path
from tests.linux.state import bury

ROOT = Cred(0, 0, INIT_CRED.capabilities, os.getpid())
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


@pytest.fixture
def greeter(tmp_path: Path) -> Path:
    """A copy of a module's file."""
    path = tmp_path / "greeter.ko"
    path.write_bytes(module_path("greeter").read_bytes())
    return path


def load_bytes(kernel: Kernel, path: Path, contents: bytes) -> int | None:
    """Load what is put into a file; the errno, or None."""
    path.write_bytes(contents)
    fd = os.open(path, os.O_RDONLY)
    try:
        load_file(kernel, HOST_FILES, fd, b"", INIT_CRED)
    except OSError as error:
        return error.errno
    finally:
        os.close(fd)
    return None


def loaded(kernel: Kernel) -> list[str]:
    return [mod.name for mod in kernel.modules]


# load


@pytest.mark.parametrize(
    ("request_", "args"),
    [
        ("{}", b""),
        ("{}\n", b""),
        ("  {}\n", b""),
        ("{} count=2\n", b"count=2"),
        ('"{}" count=2 loud\n', b"count=2 loud"),
        ('{} whom="two words"\n', b'whom="two words"'),
        ("{}\0 count=x", b""),
    ],
)
def test_a_path_and_arguments_load_a_module(
    kernel: Kernel, files: Tree, greeter: Path, request_: str, args: bytes
) -> None:
    assert write(files, "/control/load", request_.format(greeter).encode(), ROOT) is None
    (mod,) = kernel.modules
    assert mod.args == args


def test_a_path_with_spaces_stands_in_quotes(kernel: Kernel, files: Tree, greeter: Path) -> None:
    spaced = greeter.rename(greeter.with_name("a module.ko"))
    assert write(files, "/control/load", f'"{spaced}"'.encode(), ROOT) is None
    assert loaded(kernel) == ["greeter"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"/nothing.ko", errno.ENOENT),
        (b"/", errno.EINVAL),
        (b"/dev/null", errno.EINVAL),
        (b"\n", errno.EINVAL),
        (b"  \n", errno.EINVAL),
        (b"\0", errno.EINVAL),
        (b'"', errno.ENOENT),
    ],
)
def test_what_cannot_be_loaded(kernel: Kernel, files: Tree, request_: bytes, code: int) -> None:
    assert write(files, "/control/load", request_, ROOT) == code
    assert loaded(kernel) == []


def test_the_writer_needs_the_capability(kernel: Kernel, files: Tree, greeter: Path) -> None:
    cred = Cred(ROOT.uid, ROOT.gid, 0, os.getpid())
    assert write(files, "/control/load", str(greeter).encode(), cred) == errno.EPERM
    assert loaded(kernel) == []


def test_no_descriptor_is_left_open(kernel: Kernel, files: Tree, greeter: Path) -> None:
    write(files, "/control/load", f"{greeter}".encode(), ROOT)
    before = len(os.listdir("/proc/self/fd"))
    for request in (f"{greeter}", f"{greeter}", f"{greeter} count=x", "/nothing"):
        write(files, "/control/load", request.encode(), ROOT)
    assert len(os.listdir("/proc/self/fd")) == before


# unload


@pytest.mark.parametrize("request_", [b"greeter", b"greeter\n", b" greeter \n", b"./greeter.ko", b"/x/greeter.ko.xz"])
def test_a_name_unloads_a_module(kernel: Kernel, files: Tree, load: Callable[..., None], request_: bytes) -> None:
    load("greeter")
    assert write(files, "/control/unload", request_, ROOT) is None
    assert loaded(kernel) == []


def test_a_dash_in_the_name_will_do(kernel: Kernel, files: Tree, load: Callable[..., None]) -> None:
    load("dashed-name")
    assert write(files, "/control/unload", b"dashed-name", ROOT) is None


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"permanent", errno.EBUSY),
        (b"permanent -f", None),
        (b"permanent -f\n", None),
        (b"permanent force", errno.EINVAL),
        (b"nothing", errno.ENOENT),
        (b"\n", errno.ENOENT),
    ],
)
def test_force_stands_behind_the_name(
    files: Tree, load: Callable[..., None], request_: bytes, code: int | None
) -> None:
    load("permanent")
    assert write(files, "/control/unload", request_, ROOT) == code


def test_unloading_needs_the_capability(files: Tree, load: Callable[..., None]) -> None:
    load("greeter")
    assert write(files, "/control/unload", b"greeter", NOBODY) == errno.EPERM


@pytest.mark.parametrize("name", ["load", "unload"])
def test_nothing_can_be_read(files: Tree, name: str) -> None:
    with pytest.raises(OSError) as caught:
        open_(files, f"/control/{name}", os.O_RDONLY)
    assert caught.value.errno == errno.EACCES


# Compressed files


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_a_compressed_module_is_unpacked(kernel: Kernel, greeter: Path, kind: str) -> None:
    assert load_bytes(kernel, greeter, PACKERS[kind](greeter.read_bytes())) is None
    assert loaded(kernel) == ["greeter"]


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_a_compressed_module_may_come_in_pieces(kernel: Kernel, greeter: Path, kind: str) -> None:
    image, pack = greeter.read_bytes(), PACKERS[kind]
    assert load_bytes(kernel, greeter, pack(image[:1000]) + pack(image[1000:])) is None


@pytest.mark.parametrize("kind", sorted(PACKERS))
@pytest.mark.parametrize("length", [6, 10, 20, 100, -1])
def test_a_truncated_file_is_no_module(kernel: Kernel, greeter: Path, kind: str, length: int) -> None:
    packed = PACKERS[kind](os.urandom(5000))[:length]
    assert load_bytes(kernel, greeter, packed) in (errno.EINVAL, errno.ENOEXEC)


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_a_damaged_file_is_no_module(kernel: Kernel, greeter: Path, kind: str) -> None:
    kernel.sched.softlockup_thresh = 0.2
    packed = bytearray(PACKERS[kind](greeter.read_bytes()))
    for place in range(7, len(packed), 37):
        damaged = bytearray(packed)
        damaged[place] ^= 0xFF
        try:
            assert load_bytes(kernel, greeter, bytes(damaged)) in (None, errno.EINVAL, errno.ENOEXEC, errno.EEXIST)
            for name in loaded(kernel):
                kernel.delete_module(name)
        except TaskKilled:
            bury(kernel)
    assert loaded(kernel) == []


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_a_bomb_is_too_large(kernel: Kernel, greeter: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(control, "MODULE_FILE_MAX", 16 << 20)
    packed = PACKERS[kind](bytes(32 << 20))
    assert len(packed) < 1 << 20
    assert load_bytes(kernel, greeter, packed) == errno.EFBIG


@pytest.mark.parametrize("magic", [b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"])
def test_a_magic_alone_is_no_module(kernel: Kernel, greeter: Path, magic: bytes) -> None:
    for contents in (magic, magic + bytes(1000), magic + b"\xff" * 1000):
        assert load_bytes(kernel, greeter, contents) in (errno.EINVAL, errno.ENOEXEC)


def test_what_cannot_be_loaded_unpacked_cannot_be_loaded_packed(kernel: Kernel, greeter: Path) -> None:
    assert load_bytes(kernel, greeter, gzip.compress(b"")) == errno.ENOEXEC
    assert load_bytes(kernel, greeter, b"") == errno.EINVAL


def test_a_pipe_is_no_module(kernel: Kernel) -> None:
    reading, writing = os.pipe()
    with pytest.raises(OSError) as caught:
        load_file(kernel, HOST_FILES, reading, b"", INIT_CRED)
    assert caught.value.errno == errno.EINVAL
    os.close(reading)
    os.close(writing)
