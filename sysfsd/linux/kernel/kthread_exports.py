"""Kernel threads, and what tasks are asked about."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area, CallVaList
from sysfsd.linux.kernel.kthread import Kthread
from sysfsd.linux.kernel.sched.completion_exports import complete
from sysfsd.linux.lib.vsprintf import vsnprintf
from sysfsd.linux.mm.memory import PageFault

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/kthread.c")


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
    return kthread_should_stop(kernel)


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
