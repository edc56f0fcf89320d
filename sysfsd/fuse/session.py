"""/dev/fuse: what the host asks, and what it is told (include/uapi/linux/fuse.h, fs/fuse/dev.c).

The part of libfuse that speaks with the host would do, but each request would pass through C, a path, and C again. Here
a request costs a few microseconds of Python; and a file is not overtaken by what follows its release, of which the host
tells after close(2) has returned.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, current_thread, local, main_thread
from time import monotonic
from typing import Final

from sysfsd.fuse import wire
from sysfsd.fuse.leader_followers import LeaderFollowers
from sysfsd.linux.err import err

__all__ = ["Init", "NotifyCode", "Opcode", "OpenFlag", "Request", "Session"]


class Opcode:
    """``enum fuse_opcode``."""

    LOOKUP: Final = 1
    FORGET: Final = 2
    GETATTR: Final = 3
    SETATTR: Final = 4
    READLINK: Final = 5
    SYMLINK: Final = 6
    MKNOD: Final = 8
    MKDIR: Final = 9
    UNLINK: Final = 10
    RMDIR: Final = 11
    RENAME: Final = 12
    LINK: Final = 13
    OPEN: Final = 14
    READ: Final = 15
    WRITE: Final = 16
    STATFS: Final = 17
    RELEASE: Final = 18
    FSYNC: Final = 20
    FLUSH: Final = 25
    INIT: Final = 26
    OPENDIR: Final = 27
    READDIR: Final = 28
    RELEASEDIR: Final = 29
    CREATE: Final = 35
    INTERRUPT: Final = 36
    DESTROY: Final = 38
    IOCTL: Final = 39
    POLL: Final = 40
    BATCH_FORGET: Final = 42
    READDIRPLUS: Final = 44


class NotifyCode:
    """``enum fuse_notify_code``."""

    POLL: Final = 1
    INVAL_INODE: Final = 2
    INVAL_ENTRY: Final = 3


class OpenFlag:
    """What the host is told of a file that has been opened (``FOPEN_*``)."""

    DIRECT_IO: Final = 1 << 0
    KEEP_CACHE: Final = 1 << 1
    NONSEEKABLE: Final = 1 << 2
    CACHE_DIR: Final = 1 << 3
    STREAM: Final = 1 << 4
    NOFLUSH: Final = 1 << 5


class Init:
    """What both sides can do (``FUSE_*``, struct fuse_init_out)."""

    ATOMIC_O_TRUNC: Final = 1 << 3
    BIG_WRITES: Final = 1 << 5
    DO_READDIRPLUS: Final = 1 << 13
    READDIRPLUS_AUTO: Final = 1 << 14
    PARALLEL_DIROPS: Final = 1 << 18
    NO_OPENDIR_SUPPORT: Final = 1 << 24

    WANTED: Final = (
        ATOMIC_O_TRUNC | BIG_WRITES | DO_READDIRPLUS | READDIRPLUS_AUTO | PARALLEL_DIROPS | NO_OPENDIR_SUPPORT
    )


#: The version of the protocol that is spoken here, and the oldest that knows all of it.
_VERSION: Final = (7, 31)
_MINOR_MIN: Final = 23
#: How much one write brings at most (bytes), and the most that comes with it.
_MAX_WRITE: Final = 128 << 10
_BUFFER_SIZE: Final = _MAX_WRITE + 4096
_MAX_BACKGROUND: Final = (12, 9)

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
#: What has no answer.
_UNANSWERED: Final = {Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT}
#: How long a thread looks for another request before it sleeps (seconds).
_LINGER: Final = 0.0001
#: How long others wait for a release, which may itself be waiting for them (seconds).
_RELEASE_MAX: Final = 1.0
#: Signals that end the process.
_SIGNALS: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
#: What stands for the end of the mount among their numbers.
_END: Final = 0
#: What happens at a signal that nobody has asked for.
_DEFAULT: Final = (signal.SIG_DFL, signal.default_int_handler)
#: read(2) of /dev/fuse: try again.
_AGAIN: Final = {errno.ENOENT, errno.EINTR, errno.EAGAIN}


class Request:
    """One request: what for, from whom."""

    __slots__ = ("gid", "interrupted", "nodeid", "opcode", "pid", "released", "uid", "unique")

    def __init__(self, opcode: int, unique: int, nodeid: int, uid: int, gid: int, pid: int) -> None:
        self.opcode = opcode
        self.unique = unique
        self.nodeid = nodeid
        self.uid = uid
        self.gid = gid
        self.pid = pid
        #: Whoever made it has a signal to see to.
        self.interrupted = False
        #: Where others may have to wait for it: set when it has been carried out.
        self.released: Event | None = None


#: Carries out a request with a body, and returns that of the answer.
Operation = Callable[[Request, memoryview], bytes]


class _Thread(local):
    """What a thread carries out, and where it takes requests."""

    request: Request | None = None
    buffer: bytearray | None = None


class Session:
    """A mount's conversation with the host.

    Whoever takes a request carries it out. Before something that may take its time, or that the host answers in its
    turn, another thread is to take the next one (:meth:`hand_over`).

    :param operations: by opcode; what is not there is ENOSYS
    :param begun: called when the host has begun
    """

    def __init__(self, operations: Mapping[int, Operation], begun: Callable[[], None]) -> None:
        self._fd = -1
        self._begun = begun
        self._operations = {
            **operations,
            Opcode.INIT: self._init,
            Opcode.DESTROY: lambda request, body: b"",
            Opcode.INTERRUPT: self._interrupt,
        }
        self._threads = LeaderFollowers(self._lead)
        self._thread = _Thread()
        #: What is carried out by threads that have handed over, by ``unique``.
        self._pending: dict[int, Request] = {}
        #: Releases that have not been carried out.
        self._releases: list[Event] = []
        #: It is over: whoever still carries something out is to stop.
        self.exited = False

    # For operations

    @property
    def interrupted(self) -> bool:
        """Whether nobody waits for what this thread carries out any longer, or nobody must."""
        request = self._thread.request
        return self.exited or (request is not None and request.interrupted)

    def hand_over(self) -> None:
        """Have another thread take the next request: this one may be busy for long, or wait for the host."""
        request = self._thread.request
        if request is None or not self._threads.leads:
            return
        self._pending[request.unique] = request
        if request.opcode == Opcode.RELEASE:
            request.released = Event()
            self._releases.append(request.released)
        self._threads.hand_over()

    def notify(self, code: int, body: bytes) -> None:
        """Tell the host something unasked. It may have us wait until it has heard the answer to what it has asked."""
        self.hand_over()
        with suppress(OSError):  # it does not know what this is about
            os.write(self._fd, wire.OUT_HEADER.pack(wire.OUT_HEADER.size + len(body), code, 0) + body)

    # The loop

    def run(self, fd: int) -> None:
        """Serve, in threads of its own, until the host unmounts or a signal ends the process.

        :param fd: /dev/fuse, mounted
        """
        self._fd = fd
        requests = select.poll()
        requests.register(fd, select.POLLIN)
        self._asked = requests.poll
        self._woken, self._waker = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._waker, False)
        with self._caught_signals() as signals:
            self._threads.start()
            ends = {_END, *signals}
            while ends.isdisjoint(os.read(self._woken, 1)):
                pass
            self.exited = True
            self._threads.end()

    @contextmanager
    def _caught_signals(self) -> Iterator[list[int]]:
        """Signals that end the process, unless somebody has asked for another end of it, come by the pipe instead.

        A handler in Python would not do: a signal just before the main thread sleeps would not wake it.
        """
        signals: list[int] = []
        if current_thread() is main_thread():
            signals = [number for number in _SIGNALS if signal.getsignal(number) in _DEFAULT]
        handlers = [signal.signal(number, lambda number, frame: None) for number in signals]
        waker = signal.set_wakeup_fd(self._waker) if signals else -1
        try:
            yield signals
        finally:
            if signals:
                signal.set_wakeup_fd(waker)
            for number, handler in zip(signals, handlers, strict=True):
                signal.signal(number, handler)

    def _end(self) -> None:
        os.write(self._waker, bytes([_END]))

    def _lead(self) -> bool:
        """Carry out requests until another thread leads."""
        thread = self._thread
        buffer = thread.buffer = thread.buffer or bytearray(_BUFFER_SIZE)
        view, buffers = memoryview(buffer), [buffer]
        unpack, start = wire.IN_HEADER.unpack_from, wire.IN_HEADER.size
        while True:
            try:
                size = os.readv(self._fd, buffers)
            except OSError as error:
                if error.errno in _AGAIN:
                    continue
                self._end()
                return False
            if size < start:
                self._end()
                return False
            _len, opcode, unique, nodeid, uid, gid, pid = unpack(buffer)
            request = thread.request = Request(opcode, unique, nodeid, uid, gid, pid)
            if self._releases and opcode in _ORDERED:
                self._await_releases()
            answer = self._carry_out(request, view[start:size])
            if opcode not in _UNANSWERED:
                with suppress(OSError):  # nobody waits any longer
                    os.writev(self._fd, answer)
            thread.request = None
            if not self._threads.leads:
                self._pending.pop(unique, None)
                if request.released is not None:
                    request.released.set()
                    self._releases.remove(request.released)
                return True
            self._linger()

    def _carry_out(self, request: Request, body: memoryview) -> tuple[bytes, ...]:
        """Returns the answer, in parts."""
        try:
            operation = self._operations.get(request.opcode)
            if operation is None:
                raise err(errno.ENOSYS)
            out = operation(request, body)
            return wire.OUT_HEADER.pack(wire.OUT_HEADER.size + len(out), 0, request.unique), out
        except OSError as error:
            code = error.errno or errno.EIO
        except Exception:  # an error of ours is no reason for others to wait for ever
            traceback.print_exc()
            code = errno.EIO
        return (wire.OUT_HEADER.pack(wire.OUT_HEADER.size, -code, request.unique),)

    def _linger(self) -> None:
        """After an answer, look whether something is asked before going to sleep: to be woken takes longer."""
        until = monotonic() + _LINGER
        while not self._asked(0) and monotonic() < until:
            os.sched_yield()

    def _await_releases(self) -> None:
        earlier = self._releases.copy()
        self.hand_over()
        for event in earlier:
            if not event.wait(_RELEASE_MAX):
                event.set()

    # What is between the host and us

    def _init(self, request: Request, body: memoryview) -> bytes:
        major, minor, max_readahead, flags = wire.INIT_IN.unpack_from(body)
        if (major, minor) < (_VERSION[0], _MINOR_MIN):
            raise err(errno.EPROTO)
        minor = min(minor, _VERSION[1])
        self._begun()
        return wire.INIT_OUT.pack(
            _VERSION[0], minor, max_readahead, flags & Init.WANTED, *_MAX_BACKGROUND, _MAX_WRITE, 1
        )

    def _interrupt(self, request: Request, body: memoryview) -> bytes:
        pending = self._pending.get(int.from_bytes(body[:8], "little"))
        if pending is not None:
            pending.interrupted = True
        return b""
