"""Completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import ERESTARTSYS
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.sched.core import TaskState
from sysfsd.linux.kernel.time.timer import MAX_SCHEDULE_TIMEOUT, schedule_timeout

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/sched/completion.c")

_UINT_MAX: Final = (1 << 32) - 1


@export("void complete(struct completion *x)")
def complete(kernel: Kernel, x: StructView) -> None:
    if x["done"] != _UINT_MAX:
        x["done"] += 1
    kernel.sched.wake_waiters(x.address, 1)


@export("void complete_all(struct completion *x)")
def complete_all(kernel: Kernel, x: StructView) -> None:
    x["done"] = _UINT_MAX
    kernel.sched.wake_waiters(x.address)


def wait_for_common(kernel: Kernel, x: StructView, timeout: int, state: int) -> int:
    """``do_wait_for_common()``: until it is done.

    :returns: the ticks that were left, at least 1; 0 when time is up, -ERESTARTSYS after a signal
    """
    while not x["done"]:
        if kernel.current.signal_pending_state(state):
            return -ERESTARTSYS
        if timeout == 0:
            return 0
        kernel.current.state = state
        with kernel.sched.waiting(x.address):
            timeout = schedule_timeout(kernel, timeout)
        kernel.current.state = TaskState.RUNNING
    if x["done"] != _UINT_MAX:
        x["done"] -= 1
    return timeout or 1


def _wait_for(name: str, state: int, timed: bool, returns: str) -> None:
    timeout_ = ", unsigned long timeout" if timed else ""

    @export(f"{returns} {name}(struct completion *x{timeout_})")
    def wait_for(kernel: Kernel, x: StructView, timeout: int = MAX_SCHEDULE_TIMEOUT) -> int:
        left = wait_for_common(kernel, x, min(timeout, MAX_SCHEDULE_TIMEOUT), state)
        return left if timed or left < 0 else 0


_KILLABLE = TaskState.UNINTERRUPTIBLE | TaskState.WAKEKILL

_wait_for("wait_for_completion", TaskState.UNINTERRUPTIBLE, False, "void")

_wait_for("wait_for_completion_io", TaskState.UNINTERRUPTIBLE, False, "void")

_wait_for("wait_for_completion_timeout", TaskState.UNINTERRUPTIBLE, True, "unsigned long")

_wait_for("wait_for_completion_io_timeout", TaskState.UNINTERRUPTIBLE, True, "unsigned long")

_wait_for("wait_for_completion_interruptible", TaskState.INTERRUPTIBLE, False, "int")

_wait_for("wait_for_completion_interruptible_timeout", TaskState.INTERRUPTIBLE, True, "long")

_wait_for("wait_for_completion_killable", _KILLABLE, False, "int")

_wait_for("wait_for_completion_killable_timeout", _KILLABLE, True, "long")


@export("bool try_wait_for_completion(struct completion *x)")
def try_wait_for_completion(kernel: Kernel, x: StructView) -> bool:
    done = x["done"]
    if done and done != _UINT_MAX:
        x["done"] = done - 1
    return bool(done)


@export("bool completion_done(struct completion *x)")
def completion_done(kernel: Kernel, x: StructView) -> bool:
    return bool(x["done"])
