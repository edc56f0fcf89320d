"""What the host says of its processes."""

from __future__ import annotations

import os
import signal
import subprocess

from sysfsd.host.callers import _signals, address_space, signals
from sysfsd.linux.kernel.sched.core import Signals


def test_an_address_space_is_described() -> None:
    found = address_space(os.getpid())
    assert found["start_code"] < found["end_code"]
    assert found["start_brk"] <= found["brk"]
    assert found["arg_start"] < found["arg_end"] <= found["env_start"] < found["env_end"]
    assert found["map_count"] > 4
    assert found["total_vm"] > found["stack_vm"] > 0


def test_nothing_is_known_of_who_is_gone() -> None:
    assert address_space(1 << 22) == {}


def test_signals_that_are_not_seen_to() -> None:
    sleeper = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {15, 10}))
    try:
        sleeper.send_signal(signal.SIGUSR1)
        assert signals(sleeper.pid) == Signals(0, 1 << 9, 1 << 14 | 1 << 9)
    finally:
        sleeper.kill()
        sleeper.wait()
    assert signals(1 << 22) == Signals()


def test_a_fatal_signal_kills_whatever_else_there_is() -> None:
    sets = {"SigPnd": "0", "ShdPnd": "4200", "SigBlk": "0", "SigIgn": "0", "SigCgt": "200"}  # TERM, USR1
    assert _signals(sets) == Signals(1 << 8, 0x4200, 0)
    assert _signals({**sets, "SigCgt": "4200"}) == Signals(0, 0x4200, 0)
    assert _signals({**sets, "SigBlk": "4000"}) == Signals(0, 0x4200, 0x4000)
    assert _signals({**sets, "ShdPnd": "220"}) == Signals(0, 0x220, 0)  # ABRT dumps core
