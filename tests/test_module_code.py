"""Modules' own code, as the processes see it that make it run through a mount."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import HANG, MODULES, SYSFSD, Mounter, daemons, wait_until, write

WRITE = "import os, sys; os.write(os.open(sys.argv[1], os.O_WRONLY), sys.argv[2].encode())"


def load(mnt: Path, name: str, *args: str) -> None:
    write(mnt / "control/load", " ".join([str(MODULES / f"{name}.ko"), *args]))


def parameter(mnt: Path, module: str, name: str) -> Path:
    return mnt / "sys/module" / module / "parameters" / name


def log(mnt: Path) -> list[str]:
    """The texts of the kernel log."""
    fd = os.open(mnt / "dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    texts = []
    try:
        while True:
            texts.append(os.read(fd, 8192).decode("latin-1").split(";", 1)[1].split("\n")[0])
    except BlockingIOError:
        return texts
    finally:
        os.close(fd)


@pytest.fixture
def writers() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait(HANG)


def start_writing(writers: list[subprocess.Popen[bytes]], path: Path, value: str) -> subprocess.Popen[bytes]:
    """A process that writes *value*, which may take it long."""
    process = subprocess.Popen([sys.executable, "-I", "-c", WRITE, str(path), value], stderr=subprocess.DEVNULL)
    writers.append(process)
    return process


def test_init_and_exit_print(mnt: Path) -> None:
    load(mnt, "hello", "count=2", "whom=me")
    write(mnt / "control/unload", "hello")
    assert log(mnt)[-3:] == ["hello: (0) Hello, me", "hello: (1) Hello, me", "hello: Goodbye, me, count is now 2"]


def test_code_sees_who_makes_it_run(mnt: Path) -> None:
    load(mnt, "context")
    value = parameter(mnt, "context", "value")
    subprocess.run(["sh", "-c", 'echo $$ > "$1"', "sh", str(value)], check=True)
    pid = value.read_text().strip()
    line = next(text for text in reversed(log(mnt)) if "set: comm" in text)
    assert f"comm=sh pid={pid} tgid={pid} parent={Path('/proc/self/comm').read_text().strip()} " in line


@pytest.mark.parametrize(
    ("how", "signum", "text"),
    [
        (1, signal.SIGKILL, "BUG: unable to handle page fault for address: 0000000000001234"),
        (3, signal.SIGSEGV, "divide error: 0000 [#1] PREEMPT SMP NOPTI"),
        (4, signal.SIGSEGV, "kernel BUG at /usr/src/oracle/oops.c:15!"),
    ],
)
def test_an_oops_kills_the_process_that_caused_it_and_nobody_else(
    mnt: Path, writers: list[subprocess.Popen[bytes]], how: int, signum: signal.Signals, text: str
) -> None:
    process = start_writing(writers, mnt / "control/load", f"{MODULES}/oops.ko how={how}")
    assert process.wait(HANG) == -signum
    assert text in log(mnt)
    assert (mnt / "sys/module/oops/initstate").read_text() == "coming\n"
    load(mnt, "hello")
    assert "hello: (0) Hello, world" in log(mnt)


def test_while_a_write_sleeps_others_are_served(mnt: Path, writers: list[subprocess.Popen[bytes]]) -> None:
    load(mnt, "naps")
    sleeper = start_writing(writers, parameter(mnt, "naps", "nap"), "2000")
    wait_until(lambda: log(mnt)[-1] == "naps: asleep")
    load(mnt, "hello")
    assert sleeper.poll() is None
    assert sleeper.wait(HANG) == 0
    assert log(mnt)[-1] == "naps: awake"


def test_one_process_wakes_another(mnt: Path, writers: list[subprocess.Popen[bytes]]) -> None:
    load(mnt, "naps")
    sleeper = start_writing(writers, parameter(mnt, "naps", "await"), "1")
    write(parameter(mnt, "naps", "wake"), "1")
    assert sleeper.wait(HANG) == 0
    assert log(mnt)[-1] == "naps: waited, 0"


def test_a_signal_ends_an_interruptible_sleep(mnt: Path, writers: list[subprocess.Popen[bytes]]) -> None:
    load(mnt, "naps")
    sleeper = start_writing(writers, parameter(mnt, "naps", "await"), "1")
    wait_until(lambda: log(mnt)[-1] == "naps: waiting")
    sleeper.send_signal(signal.SIGTERM)
    assert sleeper.wait(HANG) == -signal.SIGTERM
    wait_until(lambda: log(mnt)[-1] == "naps: waited, -512")


def test_code_that_does_not_stop_lets_others_have_their_turn_and_is_stopped(
    mnt: Path, writers: list[subprocess.Popen[bytes]]
) -> None:
    load(mnt, "naps")
    write(mnt / "proc/sys/kernel/watchdog_thresh", "1")
    spinner = start_writing(writers, parameter(mnt, "naps", "spin"), "3600000")
    wait_until(lambda: log(mnt)[-1] == "naps: spinning")
    assert parameter(mnt, "naps", "left").read_text() == "0\n"
    assert spinner.wait(HANG) == -signal.SIGKILL
    lockups = [text for text in log(mnt) if "soft lockup" in text]
    assert len(lockups) == 1
    assert lockups[0].startswith("watchdog: BUG: soft lockup - CPU#0 stuck for 2s! [")
    assert lockups[0].endswith(f":{spinner.pid}]")
    load(mnt, "hello")


@pytest.mark.parametrize(("name", "text"), [("nap", "asleep"), ("await", "waiting"), ("spin", "spinning")])
def test_the_daemon_ends_whatever_a_module_does_at_the_time(
    sysfsd_mount: Mounter, writers: list[subprocess.Popen[bytes]], name: str, text: str
) -> None:
    mount = sysfsd_mount()
    load(mount, "naps")
    start_writing(writers, parameter(mount, "naps", name), "3600000")
    wait_until(lambda: log(mount)[-1] == f"naps: {text}")
    os.kill(daemons(mount)[0], signal.SIGTERM)
    wait_until(lambda: not daemons(mount))


def test_what_is_modelled_can_be_listed() -> None:
    done = subprocess.run([SYSFSD, "exports"], check=True, capture_output=True, text=True)
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in done.stdout.splitlines()}
    sources, declaration = "kernel/printk/printk.c, kernel/printk/printk_safe.c", "int _printk(const char *fmt, ...)"
    assert rows["_printk"] == ["-", sources, declaration]
    assert rows["__symbol_get"][0] == "GPL"


def test_a_name_that_is_not_modelled_is_told_apart_from_one_that_is_not_exported() -> None:
    done = subprocess.run([SYSFSD, "exports", "_printk", "do_init_module"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("_printk\t")
    assert done.stderr == "do_init_module: not exported\n"
