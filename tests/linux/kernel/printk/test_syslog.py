"""syslog(2): kernel/printk/printk.c; the answers are those of a real kernel."""

from __future__ import annotations

import errno
import itertools
import threading

import pytest

from sysfsd.linux.err import err
from sysfsd.linux.kernel.cred import INIT_CRED, Capability, Cred
from sysfsd.linux.kernel.printk.syslog import SyslogAction
from sysfsd.linux.kernel.sched.core import Identity
from sysfsd.linux.system import Kernel
from tests.conftest import HANG, refusal, wait_until

CLOSE, OPEN, READ, READ_ALL, READ_CLEAR, CLEAR = range(6)
CONSOLE_OFF, CONSOLE_ON, CONSOLE_LEVEL, SIZE_UNREAD, SIZE_BUFFER = range(6, 11)

NOBODY = Cred(1000, 1000, 0)
ONLY_SYSLOG = Cred(1000, 1000, 1 << Capability.SYSLOG)
ONLY_SYS_ADMIN = Cred(0, 0, 1 << Capability.SYS_ADMIN)

#: Where a caller's memory begins.
BASE = 0x7F0000000000


class Caller:
    """A process with some memory: *room* bytes from BASE on, and nothing behind them."""

    def __init__(self, kernel: Kernel, room: int = 1 << 20, cred: Cred = INIT_CRED) -> None:
        self.kernel = kernel
        self.memory = bytearray(room)
        self.cred = cred
        self.interrupted = False

    def copy_to_user(self, address: int, data: bytes) -> None:
        at = address - BASE
        if not 0 <= at <= at + len(data) <= len(self.memory):
            raise err(errno.EFAULT)
        self.memory[at : at + len(data)] = data

    def syslog(self, action: int, size: int = 0, buf: int = BASE) -> int:
        return self.kernel.syslog(action, buf, size, self.cred, self.copy_to_user, lambda: self.interrupted)

    def text(self, action: int, size: int = 1 << 20, buf: int = BASE) -> bytes:
        """What a call has read."""
        count = self.syslog(action, size, buf)
        return bytes(self.memory[buf - BASE : buf - BASE + count])


@pytest.fixture
def kernel(kernel: Kernel) -> Kernel:
    """A kernel whose clock stands still."""
    kernel.log.clock = lambda: 6_652_810_000
    return kernel


@pytest.fixture
def caller(kernel: Kernel) -> Caller:
    return Caller(kernel)


def emit(kernel: Kernel, *texts: str) -> None:
    """Messages as a user writes them to /dev/kmsg."""
    for text in texts:
        kernel.log.emit(text.encode() + b"\n", 4, facility=1)


def line(text: str) -> bytes:
    return b"<12>[    6.652810] %s\n" % text.encode()


ONE, TWO, THREE = map(line, ("one", "two", "three"))


@pytest.fixture
def three(kernel: Kernel) -> None:
    """Three records in the log."""
    emit(kernel, "one", "two", "three")


# Who may


@pytest.mark.parametrize("action", [-1, *range(13)])
@pytest.mark.parametrize("cred", [NOBODY, Cred(0, 0, INIT_CRED.capabilities & ~(1 << 34 | 1 << 21))])
def test_without_a_capability_nothing_is_permitted(kernel: Kernel, action: int, cred: Cred) -> None:
    with refusal(errno.EPERM):
        Caller(kernel, cred=cred).syslog(action, -1, 0)


@pytest.mark.parametrize("action", [-1, *range(13)])
def test_unless_the_log_is_restricted_everybody_may_read_it(kernel: Kernel, action: int) -> None:
    kernel.tunables.dmesg_restrict = 0
    caller = Caller(kernel, cred=NOBODY)
    if action in (READ_ALL, SIZE_BUFFER):
        caller.syslog(action)
    else:
        with refusal(errno.EPERM):
            caller.syslog(action)


def test_one_capability_is_enough(kernel: Kernel) -> None:
    Caller(kernel, cred=ONLY_SYSLOG).syslog(CLEAR)
    assert kernel.log.next_seq == 0


def test_the_capability_of_old_is_frowned_upon_once(kernel: Kernel) -> None:
    caller = Caller(kernel, cred=ONLY_SYS_ADMIN)
    with kernel.sched.enter(ONLY_SYS_ADMIN, lambda: Identity(94, 94, "perl"), lambda: False):
        for _ in range(2):
            caller.syslog(SIZE_UNREAD)
    (record,) = kernel.log.records()
    assert record.level == 4
    assert record.text.decode() == (
        "printk: perl (94): Attempt to access syslog with CAP_SYS_ADMIN but no CAP_SYSLOG (deprecated)."
    )


# Arguments


@pytest.mark.parametrize("action", [READ, READ_ALL, READ_CLEAR])
@pytest.mark.parametrize(("buf", "size"), [(0, -1), (0, 0), (0, 10), (BASE, -1), (BASE, -(1 << 31))])
@pytest.mark.usefixtures("three")
def test_a_buffer_that_is_none(caller: Caller, action: int, buf: int, size: int) -> None:
    with refusal(errno.EINVAL):
        caller.syslog(action, size, buf)


@pytest.mark.parametrize("action", [READ, READ_ALL, READ_CLEAR])
@pytest.mark.parametrize("buf", [BASE, 1, (1 << 64) - 1])
def test_no_bytes_are_read_from_an_empty_log_without_waiting(caller: Caller, action: int, buf: int) -> None:
    assert caller.syslog(action, 0, buf) == 0


@pytest.mark.parametrize("action", [READ, READ_ALL, READ_CLEAR])
@pytest.mark.parametrize(("buf", "size"), [(1 << 63, 5), ((1 << 64) - 1, 5), (0x7FFFFFFFEFFC, 5), (1 << 47, 1)])
@pytest.mark.usefixtures("three")
def test_where_no_process_has_memory_nothing_is_tried(caller: Caller, action: int, buf: int, size: int) -> None:
    with refusal(errno.EFAULT):
        caller.syslog(action, size, buf)
    assert caller.text(READ_ALL) == caller.text(READ) == ONE + TWO + THREE


@pytest.mark.parametrize("action", [-(1 << 31), -1, 11, 12])
def test_actions_that_there_are_not(caller: Caller, action: int) -> None:
    with refusal(errno.EINVAL):
        caller.syslog(action)


@pytest.mark.parametrize("action", [CLOSE, OPEN, CLEAR, CONSOLE_OFF, CONSOLE_ON, SIZE_UNREAD])
@pytest.mark.parametrize(("buf", "size"), [(0, -1), (0, 0), (BASE, 5)])
def test_the_other_actions_do_not_look_at_the_buffer(caller: Caller, action: int, buf: int, size: int) -> None:
    assert caller.syslog(action, size, buf) == 0


def test_the_size_of_the_log(caller: Caller) -> None:
    assert caller.syslog(SIZE_BUFFER) == 131072


def test_the_actions_have_their_numbers() -> None:
    assert [action.name for action in SyslogAction] == [
        *("CLOSE", "OPEN", "READ", "READ_ALL", "READ_CLEAR", "CLEAR"),
        *("CONSOLE_OFF", "CONSOLE_ON", "CONSOLE_LEVEL", "SIZE_UNREAD", "SIZE_BUFFER"),
    ]


# Reading what is new


@pytest.mark.usefixtures("three")
def test_a_record_that_does_not_fit_is_read_in_parts(caller: Caller) -> None:
    assert caller.syslog(SIZE_UNREAD) == 71
    assert caller.text(READ, 5) == b"<12>["
    assert caller.syslog(SIZE_UNREAD) == 66
    assert caller.text(READ, 5) == b"    6"
    assert caller.text(READ, 1000) == (ONE + TWO + THREE)[10:]
    assert caller.syslog(SIZE_UNREAD) == 0


@pytest.mark.usefixtures("three")
def test_only_the_first_record_is_read_in_part(caller: Caller) -> None:
    assert caller.text(READ, 35) == ONE
    assert caller.text(READ, len(TWO)) == TWO
    assert caller.text(READ, len(THREE) - 1) == THREE[:-1]
    assert caller.text(READ, 35) == b"\n"


@pytest.mark.usefixtures("three")
def test_what_could_not_be_copied_is_lost(caller: Caller) -> None:
    with refusal(errno.EFAULT):
        caller.syslog(READ, 1000, BASE + len(caller.memory))
    assert caller.syslog(SIZE_UNREAD) == 48
    with refusal(errno.EFAULT):
        caller.syslog(READ, 5, BASE + len(caller.memory))
    assert caller.syslog(SIZE_UNREAD) == 43
    assert caller.text(READ) == (TWO + THREE)[5:]


@pytest.mark.usefixtures("three")
def test_a_fault_behind_the_first_record_ends_the_reading(kernel: Kernel) -> None:
    caller = Caller(kernel, 30)
    assert caller.text(READ, 1000) == ONE
    assert Caller(kernel).text(READ) == THREE


def test_each_line_of_a_record_has_a_prefix(kernel: Kernel, caller: Caller) -> None:
    emit(kernel, "a\nb\nc")
    assert caller.syslog(SIZE_UNREAD) == 63
    assert caller.text(READ) == line("a") + line("b") + line("c")


def test_a_record_of_many_lines_is_cut(kernel: Kernel, caller: Caller) -> None:
    emit(kernel, "x\n" * 480)
    assert caller.syslog(SIZE_UNREAD) == 10100
    assert caller.text(READ) == line("x") * 48
    assert caller.syslog(SIZE_UNREAD) == 0


@pytest.mark.parametrize("partial", [0, 5])
def test_records_that_are_gone_are_passed_over(kernel: Kernel, caller: Caller, partial: int) -> None:
    emit(kernel, "lost")
    assert caller.syslog(READ, partial) == partial
    emit(kernel, *("x" * 900 for _ in range(200)))
    assert kernel.log.first_seq > 1
    left = 200 - (kernel.log.first_seq - 1)
    assert caller.syslog(SIZE_UNREAD) == left * 920
    assert caller.text(READ, 5) == b"<12>["
    assert caller.syslog(SIZE_UNREAD) == left * 920 - 5


def test_a_reader_that_has_lost_its_record_begins_with_the_next(kernel: Kernel, caller: Caller) -> None:
    emit(kernel, "lost")
    assert caller.text(READ, 5) == b"<12>["
    emit(kernel, *(f"{number:0900}" for number in range(200)))
    assert caller.text(READ, 920) == line(f"{kernel.log.first_seq - 1:0900}")


def test_a_line_that_is_not_finished_is_not_read(kernel: Kernel, caller: Caller) -> None:
    emit(kernel, "one")
    kernel.log.emit(b"two", 4, facility=1)
    assert caller.text(READ) == ONE
    assert caller.syslog(SIZE_UNREAD) == 0


# Waiting


def test_a_reader_waits_for_a_record(kernel: Kernel, caller: Caller) -> None:
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(caller.text(READ)))
    with kernel.lock:
        reader.start()
        reader.join(0.3)
        assert not got
        emit(kernel, "one")
        reader.join(HANG)
    assert got == [ONE]


def test_a_signal_ends_the_waiting(kernel: Kernel, caller: Caller) -> None:
    caller.interrupted = True
    with refusal(errno.EINTR):
        caller.syslog(READ, 100)
    emit(kernel, "one")
    assert caller.text(READ, 100) == ONE


def test_each_record_goes_to_one_of_several_readers(kernel: Kernel) -> None:
    count = 300
    got: list[bytes] = []
    callers = [Caller(kernel) for _ in range(4)]

    def read(caller: Caller) -> None:
        try:
            while True:
                got.append(caller.text(READ, 1000))
        except OSError as error:
            assert error.errno == errno.EINTR

    readers = [threading.Thread(target=read, args=(caller,)) for caller in callers]
    for reader in readers:
        reader.start()
    for number in range(count):
        emit(kernel, str(number))
    wait_until(lambda: b"".join(got).count(b"\n") == count)
    for caller in callers:
        caller.interrupted = True
    for reader in readers:
        reader.join(HANG)
    assert sorted(b"".join(got).splitlines(keepends=True)) == sorted(line(str(number)) for number in range(count))


def test_several_readers_share_the_parts_of_a_record(kernel: Kernel) -> None:
    """A reader that is still copying holds up no other."""
    first, second = Caller(kernel), Caller(kernel)
    copied = first.copy_to_user
    parts: list[bytes] = []

    def copy_to_user(address: int, data: bytes) -> None:
        parts.append(second.text(READ, 1000))
        copied(address, data)

    first.copy_to_user = copy_to_user  # type: ignore[method-assign]
    emit(kernel, "one", "two")
    assert first.text(READ, 5) == ONE[:5]
    assert parts == [ONE[5:] + TWO]


# Reading everything


@pytest.mark.usefixtures("three")
def test_the_last_whole_records_that_fit_are_read(caller: Caller) -> None:
    assert caller.text(READ_ALL) == ONE + TWO + THREE
    assert caller.text(READ_ALL, 71) == ONE + TWO + THREE
    assert caller.text(READ_ALL, 70) == TWO + THREE
    assert caller.text(READ_ALL, 47) == THREE
    assert caller.text(READ_ALL, 5) == b""
    assert caller.syslog(SIZE_UNREAD) == 71


@pytest.mark.usefixtures("three")
def test_one_fault_and_nothing_has_been_read(kernel: Kernel) -> None:
    caller = Caller(kernel, 30)
    with refusal(errno.EFAULT):
        caller.syslog(READ_ALL, 1000)
    assert caller.memory.startswith(ONE)
    assert caller.syslog(READ_ALL, 5, BASE + 30) == 0


def test_what_has_no_room_in_a_record_counts_where_room_is_sought(kernel: Kernel, caller: Caller) -> None:
    emit(kernel, "first", "x\n" * 480, "last")
    assert caller.text(READ_ALL, 2000) == line("last")
    assert caller.text(READ_ALL, 20000) == line("first") + line("x") * 48 + line("last")


@pytest.mark.usefixtures("three")
def test_clearing_hides_what_was_there(kernel: Kernel, caller: Caller) -> None:
    caller.syslog(CLEAR)
    assert caller.text(READ_ALL) == b""
    emit(kernel, "four")
    assert caller.text(READ_CLEAR) == line("four")
    assert caller.text(READ_ALL) == b""
    assert caller.text(READ) == ONE + TWO + THREE + line("four")


@pytest.mark.usefixtures("three")
def test_reading_and_clearing_clears_what_did_not_fit(caller: Caller) -> None:
    assert caller.text(READ_CLEAR, 5) == b""
    assert caller.text(READ_ALL) == b""


@pytest.mark.usefixtures("three")
def test_reading_and_clearing_clears_what_was_copied_before_a_fault(kernel: Kernel, caller: Caller) -> None:
    with refusal(errno.EFAULT):
        Caller(kernel, 30).syslog(READ_CLEAR, 1000)
    assert caller.text(READ_ALL) == TWO + THREE
    with refusal(errno.EFAULT):
        Caller(kernel, 0).syslog(READ_CLEAR, 1000)
    assert caller.text(READ_ALL) == TWO + THREE


@pytest.mark.usefixtures("three")
def test_what_is_logged_meanwhile_is_read_as_far_as_there_is_room(kernel: Kernel, caller: Caller) -> None:
    more = itertools.chain(["four", "five"])
    copied = caller.copy_to_user

    def copy_to_user(address: int, data: bytes) -> None:
        emit(kernel, *itertools.islice(more, 1))
        copied(address, data)

    caller.copy_to_user = copy_to_user  # type: ignore[method-assign]
    assert caller.text(READ_CLEAR, 71 + 24) == ONE + TWO + THREE + line("four")
    assert caller.text(READ_ALL) == line("four") + line("five")


# The console


def levels(kernel: Kernel) -> list[int]:
    return list(kernel.log.console_printk)


@pytest.mark.parametrize("level", range(1, 9))
def test_the_console_has_eight_levels(kernel: Kernel, caller: Caller, level: int) -> None:
    assert caller.syslog(CONSOLE_LEVEL, level, 0) == 0
    assert levels(kernel) == [level, 4, 1, 7]


@pytest.mark.parametrize("level", [-1, 0, 9])
def test_other_console_levels_are_invalid(caller: Caller, level: int) -> None:
    with refusal(errno.EINVAL):
        caller.syslog(CONSOLE_LEVEL, level)


def test_the_console_is_not_set_below_its_minimum(kernel: Kernel, caller: Caller) -> None:
    kernel.log.minimum_console_loglevel = 3
    caller.syslog(CONSOLE_LEVEL, 1)
    assert levels(kernel) == [3, 4, 3, 7]


def test_switching_the_console_off_and_on(kernel: Kernel, caller: Caller) -> None:
    kernel.log.console_loglevel = 6
    assert [caller.syslog(CONSOLE_OFF), caller.syslog(CONSOLE_OFF)] == [0, 0]
    assert levels(kernel) == [1, 4, 1, 7]
    assert [caller.syslog(CONSOLE_ON), caller.syslog(CONSOLE_ON)] == [0, 0]
    assert levels(kernel) == [6, 4, 1, 7]


def test_a_level_that_is_set_meanwhile_stays(kernel: Kernel, caller: Caller) -> None:
    for action, size in ((CONSOLE_OFF, 0), (CONSOLE_LEVEL, 5), (CONSOLE_ON, 0)):
        caller.syslog(action, size)
    assert levels(kernel) == [5, 4, 1, 7]
