"""The kernel log: kernel/printk/printk.c, Documentation/ABI/testing/dev-kmsg."""

from __future__ import annotations

import pytest

from sysfsd.linux.kernel.printk.printk import LOG_LINE_MAX, Level, PrintkLog


@pytest.fixture
def log() -> PrintkLog:
    """A log whose clock stands still."""
    return PrintkLog(clock=lambda: 12_345_678_901)


def texts(log: PrintkLog) -> list[bytes]:
    return [record.text for record in log.records()]


# Levels


@pytest.mark.parametrize(
    ("text", "level", "stored"),
    [
        (b"\x013x\n", 3, b"x"),
        (b"\x010x\n", 0, b"x"),
        (b"\x017x\n", 7, b"x"),
        (b"x\n", 4, b"x"),
        (b"\x013\x016x\n", 3, b"x"),
        (b"\x01c\x013x\n", 3, b"x"),
        (b"\x018x\n", 4, b"\x018x"),
        (b"\x01", 4, b"\x01"),
        (b"\x013", 3, b""),
    ],
)
def test_a_prefix_gives_the_level(log: PrintkLog, text: bytes, level: int, stored: bytes) -> None:
    log.emit(text)
    log.emit(b"\n")
    record = log.read_valid(0)
    assert record is not None and (record.level, record.text) == (level, stored)


def test_a_level_that_is_given_counts_before_the_prefix(log: PrintkLog) -> None:
    log.emit(b"\x013x\n", Level.INFO)
    record = log.read_valid(0)
    assert record is not None and (record.level, record.text) == (6, b"x")


def test_users_messages_have_no_prefix(log: PrintkLog) -> None:
    log.emit(b"\x013x\n", 6, facility=1)
    record = log.read_valid(0)
    assert record is not None and record.text == b"\x013x"


def test_without_a_level_the_default_one_counts(log: PrintkLog) -> None:
    log.default_message_loglevel = 5
    log.emit(b"x\n")
    record = log.read_valid(0)
    assert record is not None and record.level == 5


# Lines


def test_one_newline_ends_a_message(log: PrintkLog) -> None:
    log.emit(b"x\n\n")
    assert texts(log) == [b"x\n"]


def test_without_a_newline_a_message_waits_for_the_next(log: PrintkLog) -> None:
    log.emit(b"a")
    assert texts(log) == []
    assert log.next_seq == 0
    log.emit(b"b\n")
    assert texts(log) == [b"a", b"b"]


def test_a_continuation_is_appended(log: PrintkLog) -> None:
    log.emit(b"a")
    log.emit(b"\x01cb")
    log.emit(b"\x01cc\n")
    assert texts(log) == [b"abc"]


def test_a_continuation_behind_a_finished_line_is_a_record_of_its_own(log: PrintkLog) -> None:
    log.emit(b"a\n")
    log.emit(b"\x01cb\n")
    assert [(record.text, record.cont) for record in log.records()] == [(b"a", False), (b"b", True)]


def test_a_continuation_of_another_task_is_a_record_of_its_own(log: PrintkLog) -> None:
    log.emit(b"a", caller=1)
    log.emit(b"\x01cb\n", caller=2)
    assert texts(log) == [b"a", b"b"]


def test_a_continuation_that_would_be_too_long_is_a_record_of_its_own(log: PrintkLog) -> None:
    log.emit(b"a" * 900)
    log.emit(b"\x01c" + b"b" * 200 + b"\n")
    assert texts(log) == [b"a" * 900, b"b" * 200]


def test_a_message_is_cut(log: PrintkLog) -> None:
    assert LOG_LINE_MAX == 992
    log.emit(b"x" * 2000 + b"\n")
    log.emit(b"y\n")
    assert texts(log) == [b"x" * 991, b"y"]


def test_device_information_ends_a_message(log: PrintkLog) -> None:
    log.emit(b"x", dev_info={"SUBSYSTEM": "usb"})
    assert texts(log) == [b"x"]


def test_something_is_said_once(log: PrintkLog) -> None:
    for text in ("a", "b"):
        log.pr_notice_once("place", text)
        log.pr_warn_once("another place", text)
    assert [(record.level, record.text) for record in log.records()] == [(5, b"a"), (4, b"a")]


# Records of /dev/kmsg


def kmsg(log: PrintkLog, seq: int = 0) -> bytes:
    record = log.read_valid(seq)
    assert record is not None
    return record.kmsg_text()


def test_a_record_has_level_number_time_and_flag(log: PrintkLog) -> None:
    log.emit(b"\x016hello\n")
    assert kmsg(log) == b"6,0,12345678,-;hello\n"


def test_the_facility_stands_above_the_level(log: PrintkLog) -> None:
    log.emit(b"x\n", 5, facility=3)
    assert kmsg(log).startswith(b"29,0,")


def test_a_continuation_is_flagged(log: PrintkLog) -> None:
    log.emit(b"\x01cx\n")
    assert kmsg(log) == b"4,0,12345678,c;x\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"a\\b", rb"a\x5cb"),
        (b"a\nb", rb"a\x0ab"),
        (b"a\tb", rb"a\x09b"),
        (b"\x7f", rb"\x7f"),
        ("ä".encode(), rb"\xc3\xa4"),
        (b" ~", b" ~"),
    ],
)
def test_what_is_not_printable_is_escaped(log: PrintkLog, text: bytes, shown: bytes) -> None:
    log.emit(text + b"\n", 4, facility=1)
    assert kmsg(log).partition(b";")[2] == shown + b"\n"


def test_device_information_follows_in_lines_of_its_own(log: PrintkLog) -> None:
    log.emit(b"x", 4, dev_info={"SUBSYSTEM": "usb", "EMPTY": "", "DEVICE": "a\\b"})
    assert kmsg(log) == b"4,0,12345678,-;x\n SUBSYSTEM=usb\n DEVICE=a\\x5cb\n"


# The ring


def test_the_oldest_records_give_way() -> None:
    log = PrintkLog(size=1024)
    for number in range(100):
        log.emit(b"%d\n" % number)
    assert texts(log)[-1] == b"99"
    assert log.first_seq > 0
    assert [record.seq for record in log.records()] == list(range(log.first_seq, 100))


def test_reading_what_is_gone_gives_the_oldest_that_is_there() -> None:
    log = PrintkLog(size=1024)
    for number in range(100):
        log.emit(b"%d\n" % number)
    record = log.read_valid(0)
    assert record is not None and record.seq == log.first_seq


def test_an_empty_log_has_no_records(log: PrintkLog) -> None:
    assert (log.first_seq, log.next_seq, log.read_valid(0)) == (0, 0, None)


def test_the_log_never_takes_more_than_its_size() -> None:
    log = PrintkLog(size=4096)
    for _ in range(100):
        log.emit(b"a" * 500)
        log.emit(b"\x01c" + b"b" * 400 + b"\n")
    assert sum(len(record.text) for record in log.records()) <= 4096
