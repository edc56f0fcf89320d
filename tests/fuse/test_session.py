"""The conversation with the host: here a socket stands for /dev/fuse, and the test for the host."""

from __future__ import annotations

import errno
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from threading import Event, Thread

import pytest

from sysfsd.fuse.session import Init, NotifyCode, Opcode, Operation, Request, Session
from sysfsd.linux.err import err
from tests.conftest import HANG, wait_until

IN_HEADER = struct.Struct("=IIQQIII4x")
OUT_HEADER = struct.Struct("=IiQ")


class Host:
    """Asks, and hears the answers."""

    def __init__(self, operations: dict[int, Operation], begun: Callable[[], None] = lambda: None) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(HANG)
        self._uniques = count(2, 2)
        self.session = Session(operations, begun)
        self.serving = Thread(target=self.session.run, args=(theirs.detach(),))
        self.serving.start()

    def ask(self, opcode: int, body: bytes = b"", nodeid: int = 1) -> int:
        """Returns the request's number."""
        unique = next(self._uniques)
        size = IN_HEADER.size + len(body)
        self.socket.send(IN_HEADER.pack(size, opcode, unique, nodeid, 1000, 100, 4242) + body)
        return unique

    def answer(self) -> tuple[int, int, bytes]:
        """The next one: to which request, its errno, its body."""
        answer = self.socket.recv(1 << 18)
        size, error, unique = OUT_HEADER.unpack_from(answer)
        assert size == len(answer)
        return unique, -error, answer[OUT_HEADER.size :]

    def close(self) -> None:
        self.socket.close()
        self.serving.join(HANG)
        assert not self.serving.is_alive()


Hosts = Callable[[dict[int, Operation]], Host]


@pytest.fixture
def host() -> Iterator[Hosts]:
    hosts: list[Host] = []

    def begin(operations: dict[int, Operation]) -> Host:
        hosts.append(Host(operations))
        return hosts[-1]

    yield begin
    for each in hosts:
        each.close()


def test_an_operation_is_given_the_request_and_its_body_and_returns_that_of_the_answer(host: Hosts) -> None:
    def getattr_(request: Request, body: memoryview) -> bytes:
        assert (request.opcode, request.nodeid, request.uid, request.gid, request.pid) == (
            Opcode.GETATTR,
            7,
            1000,
            100,
            4242,
        )
        return bytes(body)[::-1]

    mount = host({Opcode.GETATTR: getattr_})
    assert (mount.ask(Opcode.GETATTR, b"body", 7), 0, b"ydob") == mount.answer()


def test_what_nobody_carries_out_is_not_implemented(host: Hosts) -> None:
    mount = host({})
    assert (mount.ask(Opcode.READ), errno.ENOSYS, b"") == mount.answer()


def test_an_error_is_answered_with_its_number(host: Hosts) -> None:
    def read(request: Request, body: memoryview) -> bytes:
        raise err(errno.ENODEV)

    mount = host({Opcode.READ: read})
    assert (mount.ask(Opcode.READ), errno.ENODEV, b"") == mount.answer()


def test_an_error_of_ours_keeps_nobody_waiting(host: Hosts, capfd: pytest.CaptureFixture[str]) -> None:
    def read(request: Request, body: memoryview) -> bytes:
        raise KeyError("a mistake")

    mount = host({Opcode.READ: read})
    assert (mount.ask(Opcode.READ), errno.EIO, b"") == mount.answer()
    assert "a mistake" in capfd.readouterr().err


@pytest.mark.parametrize("opcode", [Opcode.FORGET, Opcode.BATCH_FORGET])
def test_what_is_forgotten_is_not_answered(host: Hosts, opcode: int) -> None:
    forgotten = Event()

    def forget(request: Request, body: memoryview) -> bytes:
        forgotten.set()
        return b""

    mount = host({opcode: forget, Opcode.STATFS: lambda request, body: b"next"})
    mount.ask(opcode)
    assert (mount.ask(Opcode.STATFS), 0, b"next") == mount.answer()
    assert forgotten.is_set()


def test_the_first_answer_says_what_both_can_do() -> None:
    begun = Event()
    mount = Host({}, begun.set)
    mount.ask(Opcode.INIT, struct.pack("=4I48x", 7, 45, 1 << 17, 0xFFFFFFFF))
    _unique, error, body = mount.answer()
    major, minor, max_readahead, flags = struct.unpack_from("=4I", body)
    assert (error, len(body), major, minor, max_readahead, flags) == (0, 64, 7, 31, 1 << 17, Init.WANTED)
    assert begun.is_set()
    mount.close()


def test_a_host_that_is_too_old_is_told_so(host: Hosts) -> None:
    mount = host({})
    assert (mount.ask(Opcode.INIT, struct.pack("=4I", 7, 8, 0, 0)), errno.EPROTO, b"") == mount.answer()


class Sleeper:
    """An operation that takes its time."""

    def __init__(self) -> None:
        self.session: Session
        self.asleep = Event()
        self.wake = Event()
        self.interrupted = False

    def __call__(self, request: Request, body: memoryview) -> bytes:
        self.session.hand_over()
        self.asleep.set()
        assert self.wake.wait(HANG)
        self.interrupted = self.session.interrupted
        return b"awake"


def asleep(host: Hosts, opcode: int) -> tuple[Host, Sleeper, int]:
    """A host that waits for something, what that is, and its number."""
    sleeper = Sleeper()
    mount = host({opcode: sleeper, Opcode.STATFS: lambda request, body: b"statfs", Opcode.OPEN: lambda *_: b"open"})
    sleeper.session = mount.session
    unique = mount.ask(opcode)
    assert sleeper.asleep.wait(HANG)
    return mount, sleeper, unique


def test_what_takes_its_time_does_not_hold_up_the_others(host: Hosts) -> None:
    mount, sleeper, unique = asleep(host, Opcode.READ)
    assert (mount.ask(Opcode.STATFS), 0, b"statfs") == mount.answer()
    assert (mount.ask(Opcode.OPEN), 0, b"open") == mount.answer()
    sleeper.wake.set()
    assert (unique, 0, b"awake") == mount.answer()


def test_nothing_is_opened_before_an_earlier_release_is_done(host: Hosts) -> None:
    mount, sleeper, release = asleep(host, Opcode.RELEASE)
    open_ = mount.ask(Opcode.OPEN)
    assert (mount.ask(Opcode.STATFS), 0, b"statfs") == mount.answer()
    sleeper.wake.set()
    assert [mount.answer()[0], mount.answer()[0]] == [release, open_]


def test_who_waits_hears_of_a_signal(host: Hosts) -> None:
    mount, sleeper, unique = asleep(host, Opcode.READ)
    mount.ask(Opcode.INTERRUPT, struct.pack("=Q", unique))
    assert (mount.ask(Opcode.STATFS), 0, b"statfs") == mount.answer()
    sleeper.wake.set()
    assert mount.answer()[0] == unique
    assert sleeper.interrupted


def test_a_signal_for_what_is_done_is_no_matter(host: Hosts) -> None:
    mount = host({Opcode.STATFS: lambda request, body: b"statfs"})
    mount.ask(Opcode.INTERRUPT, struct.pack("=Q", 98))
    assert (mount.ask(Opcode.STATFS), 0, b"statfs") == mount.answer()


def test_the_host_is_told_things_unasked(host: Hosts) -> None:
    mount = host({})
    mount.session.notify(NotifyCode.INVAL_ENTRY, b"name")
    assert mount.answer() == (0, -NotifyCode.INVAL_ENTRY, b"name")


def test_the_end_waits_for_who_is_busy(host: Hosts) -> None:
    mount, sleeper, _unique = asleep(host, Opcode.READ)
    mount.socket.close()
    wait_until(lambda: mount.session.exited)
    assert mount.serving.is_alive()
    sleeper.wake.set()
    mount.close()
    assert sleeper.interrupted


@pytest.mark.parametrize("signum", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_whenever_it_comes(signum: int) -> None:
    """It may come just when the main thread is about to sleep."""
    code = f"""if 1:
        import os, socket
        from sysfsd.fuse.session import Session
        host, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for _ in range(50):
            session = Session({{}}, lambda: None)
            end = session._threads.start
            session._threads.start = lambda: (end(), os.kill(os.getpid(), {signum:d}))
            session.run(ours.fileno())
        os._exit(7)
        """
    done = subprocess.run([sys.executable, "-c", code], timeout=HANG, check=False)
    assert done.returncode == 7
