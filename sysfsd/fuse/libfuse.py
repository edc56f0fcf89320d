"""libfuse 2, which mounts and unmounts for whoever runs the daemon (fuse_mount(), fusermount(1)), by way of fusepy.

Only where it is at hand: importing this module raises OSError elsewhere, and kern_mount.py does what it does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

# Spares fusepy a search with ldconfig and a compiler.
os.environ.setdefault("FUSE_LIBRARY_PATH", "libfuse.so.2")
import fuse

from sysfsd.linux.err import err

__all__ = ["Mounted"]


class _Args(ctypes.Structure):
    """``struct fuse_args``."""

    _fields_ = (("argc", ctypes.c_int), ("argv", ctypes.POINTER(ctypes.c_char_p)), ("allocated", ctypes.c_int))


_POINTER: Final = ctypes.c_void_p
_libfuse: Final = fuse._libfuse
#: Functions of libfuse: what they return, and what they are given.
_PROTOTYPES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "fuse_chan_fd": (ctypes.c_int, (_POINTER,)),
    "fuse_mount": (_POINTER, (ctypes.c_char_p, ctypes.POINTER(_Args))),
    "fuse_opt_free_args": (None, (ctypes.POINTER(_Args),)),
    "fuse_unmount": (None, (ctypes.c_char_p, _POINTER)),
}
for _name, (_result, _arguments) in _PROTOTYPES.items():
    getattr(_libfuse, _name).restype, getattr(_libfuse, _name).argtypes = _result, _arguments


class Mounted:
    """A mount; as a context, until its end.

    :param mountpoint: where
    :param options: those of mount.fuse(8), by name
    :raises OSError: EIO where FUSE cannot mount, EINVAL of an option that it does not know; standard error says why
    """

    def __init__(self, mountpoint: str, options: Mapping[str, str | bool]) -> None:
        self._mountpoint = os.fsencode(mountpoint)
        given = ",".join(
            name if value is True else f"{name}={value}" for name, value in options.items() if value is not False
        )
        argv = (b"sysfsd", b"-o", os.fsencode(given))
        args = _Args(len(argv), (ctypes.c_char_p * len(argv))(*argv), 0)
        self._channel = _libfuse.fuse_mount(self._mountpoint, ctypes.byref(args))
        unknown = [args.argv[index] for index in range(1, args.argc)]
        _libfuse.fuse_opt_free_args(ctypes.byref(args))
        if not self._channel:
            raise err(errno.EIO, mountpoint)
        if unknown:
            self.__exit__()
            print(f"fuse: unknown option `{os.fsdecode(unknown[-1]).removeprefix('-o')}'", file=sys.stderr)
            raise err(errno.EINVAL, mountpoint)
        #: /dev/fuse, for this mount.
        self.fd: Final[int] = _libfuse.fuse_chan_fd(self._channel)

    def __enter__(self) -> Mounted:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        exc_traceback: TracebackType | None = None,
    ) -> None:
        _libfuse.fuse_unmount(self._mountpoint, self._channel)
