"""The files that load and unload modules, for where there are no system calls to catch.

``echo "hello.ko whom=me" > control/load`` is insmod(8); ``echo hello > control/unload`` is rmmod(8), with ``-f`` behind
the name for rmmod -f. One write() is one request, and answers what the system call would.
"""

from __future__ import annotations

import errno
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from sysfsd.fs.kernfs import Directory, File, FileSystemType, OpenContext, OpenFile
from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import Cred
from sysfsd.linux.kernel.module.syscalls import MODULE_FILE_MAX
from sysfsd.linux.lib.cmdline import skip_spaces
from sysfsd.linux.system import Kernel

__all__ = ["HostFiles", "control", "load_file"]

#: The longest request (bytes). FUSE hands on a longer write in pieces, and a piece must not pass for the whole.
REQUEST_MAX: Final = 1 << 16


class HostFiles(NamedTuple):
    """How files of the host are got at."""

    #: Opens a path for a process that asked, as that process would have opened it.
    open_as: Callable[[Cred, bytes], int]
    #: Reads all of an open file, as the kernel reads a module.
    read: Callable[[int], bytes]


def control(kernel: Kernel, files: HostFiles) -> Directory:
    """The directory of control files.

    :param files: where modules are loaded from
    """
    return Directory(
        {
            "load": ControlFile(lambda data, cred: load(kernel, files, data, cred)),
            "unload": ControlFile(lambda data, cred: unload(kernel, data, cred)),
        },
        fstype=FileSystemType(create=errno.EACCES),
    )


class ControlFile(File):
    """A file whose writes are requests.

    :param request: carries one out, for whoever writes it
    """

    def __init__(self, request: Callable[[bytes, Cred], None]) -> None:
        super().__init__(0o200)
        self.request = request

    def open(self, context: OpenContext) -> OpenFile:
        """:raises OSError: EACCES for reading"""
        if context.readable:
            raise err(errno.EACCES)
        return _OpenControl(self.request, context)


class _OpenControl:
    def __init__(self, request: Callable[[bytes, Cred], None], context: OpenContext) -> None:
        self._request = request
        self._context = context

    def read(self, size: int, offset: int) -> bytes:
        raise err(errno.EACCES)

    def write(self, data: bytes, offset: int) -> int:
        """:raises OSError: E2BIG for what may be only the beginning of a request, or what the request answers"""
        if len(data) > REQUEST_MAX:
            raise err(errno.E2BIG)
        self._request(data, self._context.current)
        return len(data)

    def release(self) -> None:
        pass


def load(kernel: Kernel, files: HostFiles, data: bytes, cred: Cred) -> None:
    """``PATH.ko [NAME=VALUE ...]``; a path with spaces stands in double quotes.

    :raises OSError: as open(2) and finit_module(2)
    """
    request = skip_spaces(data.split(b"\0", 1)[0]).rstrip(b"\n")
    if not request:
        raise err(errno.EINVAL)
    if request.startswith(b'"'):
        path, _, args = request[1:].partition(b'"')
    else:
        path, _, args = request.partition(b" ")
    fd = files.open_as(cred, path)
    try:
        load_file(kernel, files, fd, skip_spaces(args), cred)
    finally:
        os.close(fd)


def unload(kernel: Kernel, data: bytes, cred: Cred) -> None:
    """``NAME [-f]``; as with rmmod(8), a file name or a dash in the name will do.

    :raises OSError: as delete_module(2)
    """
    name, _, rest = skip_spaces(data.split(b"\0", 1)[0]).rstrip(b" \n").partition(b" ")
    rest = rest.strip(b" ")
    if rest not in (b"", b"-f"):
        raise err(errno.EINVAL)
    flags = os.O_NONBLOCK | (os.O_TRUNC if rest else 0)
    kernel.delete_module(_modname(name), flags, cred)


def _modname(name: bytes) -> str:
    """The module's name from what a user may call it: ``./my-module.ko`` is ``my_module``."""
    base = name.rsplit(b"/", 1)[-1]
    return base.split(b".ko", 1)[0].replace(b"-", b"_").decode("latin-1")


# Compressed files, which kmod unpacks before it hands them to the kernel


class Compression(NamedTuple):
    """How a compressed file begins, and how it is unpacked up to a number of bytes."""

    magic: bytes
    unpack: Callable[[bytes, int], bytes]


class Decompressor(Protocol):
    """What zlib and lzma give for one member of a file."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, limit: int, /) -> bytes: ...


def _unpack_members(data: bytes, limit: int, decompressor: Callable[[], Decompressor]) -> bytes:
    """Unpack what may be several files, one behind the other, up to *limit* bytes or the first that is cut off."""
    unpacked = b""
    while data and len(unpacked) < limit:
        member = decompressor()
        unpacked += member.decompress(data, limit - len(unpacked))
        if not member.eof:
            break
        data = member.unused_data
    return unpacked


def _gunzip(data: bytes, limit: int) -> bytes:
    return _unpack_members(data, limit, lambda: zlib.decompressobj(wbits=31))


def _unxz(data: bytes, limit: int) -> bytes:
    return _unpack_members(data, limit, lambda: lzma.LZMADecompressor(memlimit=limit))


def _unzstd(data: bytes, limit: int) -> bytes:
    import zstandard  # rarely needed, and slow to import

    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data, read_across_frames=True) as reader:
            return reader.read(limit)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None


COMPRESSIONS: Final = (
    Compression(b"\x1f\x8b", _gunzip),
    Compression(b"\xfd7zXZ\0", _unxz),
    Compression(b"\x28\xb5\x2f\xfd", _unzstd),
)
_MAGIC_MAX: Final = max(len(compression.magic) for compression in COMPRESSIONS)


def load_file(kernel: Kernel, files: HostFiles, fd: int, args: bytes, cred: Cred) -> None:
    """Load an open file as insmod(8) does: a compressed one through init_module(2).

    :raises OSError: as finit_module(2); EINVAL where it cannot be unpacked, EFBIG where it would be too large
    """
    try:
        head = os.pread(fd, _MAGIC_MAX, 0)
    except OSError:
        head = b""
    for compression in COMPRESSIONS:
        if head.startswith(compression.magic):
            size = min(os.fstat(fd).st_size, MODULE_FILE_MAX)
            try:
                image = compression.unpack(os.pread(fd, size, 0), MODULE_FILE_MAX + 1)
            except (zlib.error, lzma.LZMAError, ValueError):
                raise err(errno.EINVAL) from None
            if len(image) > MODULE_FILE_MAX:
                raise err(errno.EFBIG)
            return kernel.init_module(image, args, cred)
    return kernel.finit_module(lambda: files.read(fd), args, 0, cred)
