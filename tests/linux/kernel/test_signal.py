"""Signals as module code sees them (kernel/signal.c)."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from sysfsd.linux.kernel.cred import INIT_CRED
from sysfsd.linux.kernel.params import store_param
from sysfsd.linux.kernel.sched.core import Identity, Signals, TaskState
from sysfsd.linux.system import Kernel
from tests.conftest import wait_until
from tests.linux.state import log

KILL, TERM, USR1 = (1 << sig - 1 for sig in (signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1))


@pytest.fixture
def wait(kernel: Kernel, load: Callable[..., None]) -> Callable[..., str]:
    """Wait as a process, for which there are signals once it does so; returns what the module has seen."""
    load("signals_seen")

    def wait(how: str, signals: Signals | None, before: Signals = Signals()) -> str:  # noqa: B008 - unchangeable
        if signals is not None:
            kernel.sched.signals = lambda pid: signals
        who = Identity(4000, 4000, "sh", None, before)
        with kernel.sched.enter(INIT_CRED, lambda: who, lambda: signals is not None):
            set_(kernel, "wait", how)
        return log(kernel)[-1].removeprefix("signals_seen: ")

    return wait


def set_(kernel: Kernel, name: str, value: str) -> None:
    mod = kernel.modules.find("signals_seen")
    assert mod is not None
    with kernel.lock:
        store_param(kernel, next(kp for kp in mod.kp if kp.name == name), value.encode())


@pytest.mark.parametrize("how", ["event", "timeout", "msleep", "sleeps", "spins", "sets", "killable"])
def test_who_is_to_end_sees_why(wait: Callable[..., str], how: str) -> None:
    said = wait(how, Signals(KILL, TERM))
    assert said.endswith(", 1 1 1, pending 100, shared 4000, blocked 0")


def test_a_signal_that_does_not_kill_ends_no_killable_wait(wait: Callable[..., str]) -> None:
    assert wait("killable", Signals(0, USR1)) == "killable: 0, 1 0 1, pending 0, shared 200, blocked 0"


def test_the_next_call_begins_without(wait: Callable[..., str]) -> None:
    wait("event", Signals(0, USR1))
    assert wait("now", None) == "now: 0, 0 0 0, pending 0, shared 0, blocked 0"


def test_what_is_blocked_waits(wait: Callable[..., str]) -> None:
    assert wait("now", None, Signals(0, USR1, USR1)) == "now: 0, 0 0 0, pending 0, shared 200, blocked 200"
    assert wait("now", None) == "now: 0, 0 0 0, pending 0, shared 0, blocked 0"


def test_a_kernel_thread_gets_what_it_asks_for(kernel: Kernel, wait: Callable[..., str]) -> None:
    talkers = [task for task in kernel.sched.tasks.values() if task.comm.startswith("talk")]
    wait_until(lambda: all(task.state == TaskState.INTERRUPTIBLE for task in talkers))
    set_(kernel, "send", f"1 {signal.SIGTERM:d}")
    wait_until(lambda: len(log(kernel)) >= 3 and "flushed" in log(kernel)[-1])
    assert log(kernel)[-3:] == [
        "signals_seen: listens: -512, 1 0 1, pending 4000, shared 0, blocked 0",
        "signals_seen: dequeued: 15, 0 0 0, pending 0, shared 0, blocked 0",
        "signals_seen: flushed: 0, 0 0 0, pending 0, shared 0, blocked 0",
    ]
    for which, sig in ((0, signal.SIGTERM), (1, signal.SIGINT), (1, signal.SIGKILL)):
        set_(kernel, "send", f"{which} {sig:d}")
    assert [task.signals for task in talkers] == [Signals(), Signals()]
    kernel.delete_module("signals_seen")
    assert "signals_seen: deaf: 0, 1 0 0, pending 0, shared 0, blocked 0" in log(kernel)
