"""Kernel threads, and what tasks are asked about."""

from __future__ import annotations

import errno
import signal
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area, CallVaList
from sysfsd.kernel.exports.wait import complete
from sysfsd.kernel.kthread import Kthread
from sysfsd.kernel.memory import PageFault
from sysfsd.kernel.sched import TIF_SIGPENDING, Signals
from sysfsd.kernel.vsprintf import vsnprintf

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.structs import StructView

export = Area("kthread", "kernel/kthread.c, kernel/sched/core.c, kernel/exit.c, kernel/signal.c")

_SI_KERNEL: Final = 0x80
#: Those that are seen to before others.
_SYNCHRONOUS_MASK: Final = sum(
    1 << sig - 1 for sig in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP, signal.SIGFPE, signal.SIGSYS)
)


@export(
    "struct task_struct *kthread_create_on_node(int (*threadfn)(void *), void *data, int node,"
    " const char *namefmt, ...)"
)
def kthread_create_on_node(
    kernel: Kernel, threadfn: int, data: int, node: int, namefmt: bytes, args: CallVaList
) -> int:
    name = vsnprintf(kernel, namefmt, args).decode("latin-1")
    kthread = kernel.kthreads.create(threadfn, data, name)
    if kthread is None:
        raise err(errno.ENOMEM)
    return kthread.task.address


@export(
    "struct task_struct *kthread_create_on_cpu(int (*threadfn)(void *), void *data, unsigned int cpu,"
    " const char *namefmt)"
)
def kthread_create_on_cpu(kernel: Kernel, threadfn: int, data: int, cpu: int, namefmt: bytes) -> int:
    kthread = kernel.kthreads.create(threadfn, data, namefmt.replace(b"%u", b"%d" % cpu).decode("latin-1"))
    if kthread is None:
        raise err(errno.ENOMEM)
    return kthread.task.address


def _kthread(kernel: Kernel, k: StructView) -> Kthread:
    """:raises OSError: EFAULT for what is no kernel thread"""
    task = kernel.sched.task(k.address)
    if task is None or task.kthread is None:
        raise PageFault(k.address)
    return task.kthread


@export("int kthread_stop(struct task_struct *k)")
def kthread_stop(kernel: Kernel, k: StructView) -> int:
    return kernel.kthreads.stop(_kthread(kernel, k))


@export("bool kthread_should_stop(void)")
def kthread_should_stop(kernel: Kernel) -> bool:
    kthread = kernel.current.kthread
    return kthread is not None and kthread.should_stop


@export("bool kthread_should_park(void)")
def kthread_should_park(kernel: Kernel) -> bool:
    kthread = kernel.current.kthread
    return kthread is not None and kthread.should_park


@export("bool kthread_freezable_should_stop(bool *was_frozen)")
def kthread_freezable_should_stop(kernel: Kernel, was_frozen: int) -> bool:
    if was_frozen:
        kernel.memory.write_int(was_frozen, 0, 1)
    return kthread_should_stop(kernel)  # type: ignore[no-any-return]


@export("int kthread_park(struct task_struct *k)")
def kthread_park(kernel: Kernel, k: StructView) -> int:
    return kernel.kthreads.park(_kthread(kernel, k))


@export("void kthread_unpark(struct task_struct *k)")
def kthread_unpark(kernel: Kernel, k: StructView) -> None:
    kernel.kthreads.unpark(_kthread(kernel, k))


@export("void kthread_parkme(void)")
def kthread_parkme(kernel: Kernel) -> None:
    kthread = kernel.current.kthread
    if kthread is not None:
        kernel.kthreads.parkme(kthread)


@export("void kthread_bind(struct task_struct *p, unsigned int cpu)")
def kthread_bind(kernel: Kernel, p: StructView, cpu: int) -> None:
    """There is one processor."""


@export("void kthread_complete_and_exit(struct completion *comp, long code)")
def kthread_complete_and_exit(kernel: Kernel, comp: StructView, code: int) -> None:
    if comp.address:
        complete(kernel, comp)
    kernel.kthreads.exit(code)


@export("void set_user_nice(struct task_struct *p, long nice)")
def set_user_nice(kernel: Kernel, p: StructView, nice: int) -> None:
    if -20 <= nice <= 19:
        p["static_prio"] = p["prio"] = p["normal_prio"] = 120 + nice


@export("void sched_set_fifo(struct task_struct *p)", "void sched_set_fifo_low(struct task_struct *p)")
def sched_set_fifo(kernel: Kernel, p: StructView) -> None:
    p["policy"] = 1


@export("void sched_set_normal(struct task_struct *p, int nice)")
def sched_set_normal(kernel: Kernel, p: StructView, nice: int) -> None:
    p["policy"] = 0
    set_user_nice(kernel, p, nice)


@export("int set_cpus_allowed_ptr(struct task_struct *p, const struct cpumask *new_mask)")
def set_cpus_allowed_ptr(kernel: Kernel, p: StructView, new_mask: StructView) -> int:
    return 0


@export("char *__get_task_comm(char *buf, size_t buf_size, struct task_struct *tsk)")
def __get_task_comm(kernel: Kernel, buf: int, buf_size: int, tsk: StructView) -> int:
    kernel.memory.write(buf, tsk.string("comm").ljust(buf_size, b"\0")[:buf_size])
    return buf


@export("pid_t __task_pid_nr_ns(struct task_struct *task, enum pid_type type, struct pid_namespace *ns)")
def __task_pid_nr_ns(kernel: Kernel, task: StructView, type: int, ns: StructView) -> int:
    return task["pid"] if type == 0 else task["tgid"]


@export("void __put_task_struct(struct task_struct *tsk)")
def __put_task_struct(kernel: Kernel, tsk: StructView) -> None:
    """The model frees tasks by itself."""


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
