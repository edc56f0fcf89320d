"""libfuse and fusepy: what fusepy leaves out, and the loop that takes requests from the host.

libfuse's own loop would do, but for two things. A file is released after close(2) has returned, so that the next
request could overtake that; here it does not. And some answers say more than libfuse 2 knows how to.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
from threading import Condition, Event, Lock, Thread, current_thread, local, main_thread
from typing import Any, Final

# Spares fusepy a search with ldconfig and a compiler.
os.environ.setdefault("FUSE_LIBRARY_PATH", "libfuse.so.2")
try:
    import fuse
except OSError:
    del os.environ["FUSE_LIBRARY_PATH"]
    import fuse

from sysfsd.libc import libc

__all__ = ["Fuse", "OpenFlag", "fuse", "libfuse", "reply"]

libfuse: Final = fuse._libfuse

_POINTER: Final = ctypes.c_void_p
#: Functions of libfuse: what they return, and what they are given.
_PROTOTYPES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "fuse_chan_bufsize": (ctypes.c_size_t, (_POINTER,)),
    "fuse_chan_fd": (ctypes.c_int, (_POINTER,)),
    "fuse_chan_new": (_POINTER, (_POINTER, ctypes.c_int, ctypes.c_size_t, _POINTER)),
    "fuse_get_session": (_POINTER, (_POINTER,)),
    "fuse_lowlevel_notify_inval_entry": (ctypes.c_int, (_POINTER, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_size_t)),
    "fuse_lowlevel_notify_inval_inode": (
        ctypes.c_int,
        (_POINTER, ctypes.c_ulong, ctypes.c_longlong, ctypes.c_longlong),
    ),
    "fuse_notify_poll": (ctypes.c_int, (_POINTER,)),
    "fuse_pollhandle_destroy": (None, (_POINTER,)),
    "fuse_session_exit": (None, (_POINTER,)),
    "fuse_session_exited": (ctypes.c_int, (_POINTER,)),
    "fuse_session_next_chan": (_POINTER, (_POINTER, _POINTER)),
    "fuse_session_process": (None, (_POINTER, _POINTER, ctypes.c_size_t, _POINTER)),
    "fuse_setup": (_POINTER, (ctypes.c_int, _POINTER, _POINTER, ctypes.c_size_t, _POINTER, _POINTER, _POINTER)),
    "fuse_teardown": (None, (_POINTER, _POINTER)),
}
for _name, (_result, _arguments) in _PROTOTYPES.items():
    getattr(libfuse, _name).restype, getattr(libfuse, _name).argtypes = _result, _arguments


class Opcode:
    """``enum fuse_opcode`` (include/uapi/linux/fuse.h), as far as it matters here."""

    GETATTR: Final = 3
    SETATTR: Final = 4
    MKNOD: Final = 8
    OPEN: Final = 14
    READ: Final = 15
    WRITE: Final = 16
    RELEASE: Final = 18
    FLUSH: Final = 25
    CREATE: Final = 35
    IOCTL: Final = 39
    POLL: Final = 40


class OpenFlag:
    """What the host is told of a file that has been opened (``FOPEN_*``), where libfuse has no word for it."""

    STREAM: Final = 1 << 4
    NOFLUSH: Final = 1 << 5


#: What must not overtake a release. None of it is asked while the host holds a lock on a directory.
_ORDERED: Final = {
    Opcode.OPEN,
    Opcode.READ,
    Opcode.WRITE,
    Opcode.RELEASE,
    Opcode.FLUSH,
    Opcode.IOCTL,
    Opcode.POLL,
}
#: Requests whose answers are amended.
_AMENDED: Final = {Opcode.MKNOD, Opcode.OPEN, Opcode.CREATE}
#: How long others wait for a release, which may itself be waiting for them (seconds).
_RELEASE_MAX: Final = 1.0
#: How many threads wait for requests at most.
_IDLE_MAX: Final = 8
#: ``opcode`` in ``struct fuse_in_header``.
_OPCODE: Final = struct.Struct("=4xI")
#: Where and how large in ``struct fuse_entry_out`` that is what says how long it holds (bytes).
_VALID: Final = (16, 24)
#: How far before the end of ``struct fuse_open_out`` ``open_flags`` are (bytes).
_OPEN_FLAGS: Final = 8


class _Reply(local):
    """How a thread wants the answer to the request that it carries out to be amended."""

    #: ``FOPEN_*`` besides those that libfuse sets.
    open_flags = 0
    #: The host is to ask again at once.
    forget = False
    #: What has been asked.
    opcode = 0


#: The answer of this thread.
reply: Final = _Reply()


class _Operations(ctypes.Structure):
    """``struct fuse_operations``, with what fusepy leaves out at its end."""

    _fields_ = (
        *fuse.fuse_operations._fields_,
        (
            "poll",
            ctypes.CFUNCTYPE(
                ctypes.c_int,
                ctypes.c_char_p,
                ctypes.POINTER(fuse.fuse_file_info),
                ctypes.c_void_p,
                ctypes.POINTER(ctypes.c_uint),
            ),
        ),
    )


class Fuse(fuse.FUSE):  # type: ignore[misc]
    """fusepy, with what it leaves out."""

    def ioctl(self, path: bytes, cmd: int, arg: int | None, fip: Any, flags: int, data: int | None) -> Any:
        return self.operations("ioctl", path.decode(self.encoding), cmd, arg or 0, fip.contents, flags, data or 0)

    def poll(self, path: bytes, fip: Any, handle: int | None, events: Any) -> Any:
        return self.operations("poll", path.decode(self.encoding), fip.contents, handle, events.contents)


def _main(argc: int, argv: Any, operations: Any, size: int, user_data: Any) -> int:
    """``fuse_main_real()``, with a loop of our own."""
    mountpoint, multithreaded = ctypes.c_void_p(), ctypes.c_int()
    handle = libfuse.fuse_setup(
        argc, argv, operations, size, ctypes.byref(mountpoint), ctypes.byref(multithreaded), user_data
    )
    if not handle:
        return 1
    session = libfuse.fuse_get_session(handle)
    _Loop(session).run()
    libfuse.fuse_teardown(handle, mountpoint)
    return 0


fuse.fuse_operations = _Operations
libfuse.fuse_main_real = _main


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


_SEND: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Iovec), ctypes.c_size_t)


class _ChannelOperations(ctypes.Structure):
    """``struct fuse_chan_ops``."""

    _fields_ = (("receive", ctypes.c_void_p), ("send", _SEND), ("destroy", ctypes.c_void_p))


class _Loop:
    """Serves a session, until the host unmounts it or a signal ends it.

    One thread at a time waits for a request. When it has one, it lets another wait, and carries the request out.
    """

    def __init__(self, session: int) -> None:
        self._session = session
        self._channel = libfuse.fuse_session_next_chan(session, None)
        self._fd = libfuse.fuse_chan_fd(self._channel)
        self._size = libfuse.fuse_chan_bufsize(self._channel)
        self._operations = _ChannelOperations(None, _SEND(self._send), None)
        self._amending = libfuse.fuse_chan_new(ctypes.byref(self._operations), self._fd, self._size, None)
        self._turn = Lock()
        self._changed = Condition()
        self._idle = self._busy = 0
        self._ended = Event()
        #: Releases that have not been carried out.
        self._releases: list[Event] = []

    def run(self) -> None:
        """Serve, in threads of its own."""
        signals = [
            signum
            for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
            if current_thread() is main_thread() and signal.getsignal(signum) == signal.SIG_DFL
        ]
        for signum in signals:
            signal.signal(signum, lambda number, frame: self._ended.set())
        self._start()
        self._ended.wait()
        libfuse.fuse_session_exit(self._session)
        with self._changed:
            self._changed.wait_for(lambda: not self._busy)
        for signum in signals:
            signal.signal(signum, signal.SIG_DFL)

    def _start(self) -> None:
        with self._changed:
            self._idle += 1
        Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        buffer = ctypes.create_string_buffer(self._size)
        address = ctypes.addressof(buffer)
        while True:
            with self._turn:
                size = self._receive(address)
                if size == 0:
                    self._ended.set()
                    return
                (opcode,) = _OPCODE.unpack_from(buffer)
                earlier = self._releases.copy() if self._releases and opcode in _ORDERED else ()
                release = Event() if opcode == Opcode.RELEASE else None
                if release is not None:
                    self._releases.append(release)
                with self._changed:
                    self._idle -= 1
                    self._busy += 1
                    if not self._idle:
                        self._start()
            for event in earlier:
                if not event.wait(_RELEASE_MAX):
                    event.set()
            reply.opcode = opcode
            channel = self._amending if opcode in _AMENDED else self._channel
            libfuse.fuse_session_process(self._session, address, size, channel)
            if release is not None:
                release.set()
                self._releases.remove(release)
            with self._changed:
                self._busy -= 1
                if libfuse.fuse_session_exited(self._session):
                    self._ended.set()
                if self._ended.is_set():
                    self._changed.notify_all()
                    return
                if self._idle >= _IDLE_MAX:
                    return
                self._idle += 1

    def _receive(self, address: int) -> int:
        """Wait for a request.

        :returns: its size; 0: there will be none any more
        """
        while not self._ended.is_set():
            size: int = libc.read(self._fd, ctypes.c_void_p(address), ctypes.c_size_t(self._size))
            if size > 0:
                return size
            if ctypes.get_errno() not in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                break
        return 0

    def _send(self, channel: int, iov: Any, count: int) -> int:
        """Amend an answer, and give it."""
        flags, reply.open_flags = reply.open_flags, 0
        forget, reply.forget = reply.forget, False
        if count > 1:
            base, size = iov[1].base, iov[1].len
            if flags:
                ctypes.c_uint32.from_address(base + size - _OPEN_FLAGS).value |= flags
            if forget:
                at, length = _VALID
                ctypes.memset(base + at, 0, length)
        if libc.writev(self._fd, iov, ctypes.c_int(count)) < 0:
            return -ctypes.get_errno()
        return 0
