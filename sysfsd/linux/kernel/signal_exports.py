"""Signals of the current task and to others."""

from __future__ import annotations

import errno
import signal
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area
from sysfsd.linux.kernel.pid_exports import task_of_pid
from sysfsd.linux.kernel.sched.core import PF_KTHREAD, TIF_SIGPENDING, Signals

if TYPE_CHECKING:
    from sysfsd.linux.kernel.sched.core import Task
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/signal.c")

_SI_KERNEL: Final = 0x80

#: Those that are seen to before others.
_SYNCHRONOUS_MASK: Final = sum(
    1 << sig - 1 for sig in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE, signal.SIGSYS)
)


@export("void kernel_sigaction(int sig, __sighandler_t action)")
def kernel_sigaction(kernel: Kernel, sig: int, action: int) -> None:
    kthread = kernel.current.kthread
    if kthread is not None:
        kthread.sigaction(sig, action)
        if action == signal.SIG_IGN:
            bit = 1 << sig - 1
            pending, shared, blocked = kthread.task.signals
            kthread.task.set_signals(Signals(pending & ~bit, shared & ~bit, blocked))
        kthread.task.recalc_sigpending()


@export("void flush_signals(struct task_struct *t)")
def flush_signals(kernel: Kernel, t: StructView) -> None:
    task = kernel.sched.task(t.address)
    t["thread_info.flags"] &= ~(1 << TIF_SIGPENDING)
    if task is not None:
        task.set_signals(Signals(blocked=task.signals.blocked))


@export(
    "int dequeue_signal(struct task_struct *tsk, sigset_t *mask, kernel_siginfo_t *info, enum pid_type *type)",
)
def dequeue_signal(kernel: Kernel, tsk: StructView, mask: StructView, info: StructView, type: int) -> int:
    """Of a kernel thread: others see to their signals on the host."""
    task = kernel.sched.task(tsk.address)
    if task is None or task.kthread is None:
        return 0
    blocked = mask["sig[0]"]
    kernel.memory.write_int(type, kernel.image.constant("PIDTYPE_PID"), 4)
    for shared in (False, True):
        ready = (task.signals.shared if shared else task.signals.pending) & ~blocked
        if ready:
            first = ready & _SYNCHRONOUS_MASK or ready
            bit = first & -first
            pending, all_, its = task.signals
            task.set_signals(Signals(pending & ~bit, all_, its) if not shared else Signals(pending, all_ & ~bit, its))
            if shared:
                kernel.memory.write_int(type, kernel.image.constant("PIDTYPE_TGID"), 4)
            kernel.memory.write(info.address, bytes(info.struct.size))
            info["si_signo"], info["si_code"] = bit.bit_length(), _SI_KERNEL
            task.recalc_sigpending()
            return bit.bit_length()
    task.recalc_sigpending()
    return 0


_SIGRTMAX: Final = 64

#: ``SEND_SIG_NOINFO``, ``SEND_SIG_PRIV``: no address, but who is to be seen as the sender.
_SEND_SIG_PRIV: Final = 1


# Signals


def _send(
    kernel: Kernel, sig: int, task: Task | None, info: bytes = b"", priv: bool = True, shared: bool = False
) -> int:
    """:raises OSError: EINVAL, ESRCH"""
    if not 0 <= sig <= _SIGRTMAX:
        raise err(errno.EINVAL)
    if task is None or task.dead:
        raise err(errno.ESRCH)
    if task.kthread is not None:
        kernel.kthreads.signal(task.kthread, sig, priv, shared)
    elif not task.view["flags"] & PF_KTHREAD:
        kernel.send_signal(task.pid, sig, info)
    return 0


@export("int send_sig_info(int sig, struct kernel_siginfo *info, struct task_struct *p)")
def send_sig_info(kernel: Kernel, sig: int, info: StructView, p: StructView) -> int:
    data = kernel.memory.read(info.address, info.struct.size) if info.address > _SEND_SIG_PRIV else b""
    return _send(kernel, sig, kernel.sched.task(p.address), data, info.address == _SEND_SIG_PRIV)


@export("int send_sig(int sig, struct task_struct *p, int priv)")
def send_sig(kernel: Kernel, sig: int, p: StructView, priv: int) -> int:
    return _send(kernel, sig, kernel.sched.task(p.address), priv=bool(priv))


@export("int kill_pid(struct pid *pid, int sig, int priv)")
def kill_pid(kernel: Kernel, pid: StructView, sig: int, priv: int) -> int:
    return _send(kernel, sig, task_of_pid(kernel, pid), priv=bool(priv), shared=True)
