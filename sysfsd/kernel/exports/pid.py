"""Processes by their numbers, and signals to them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.kernel.err import err
from sysfsd.kernel.exports.registry import Area
from sysfsd.kernel.sched import PF_KTHREAD

if TYPE_CHECKING:
    from sysfsd.kernel.kernel import Kernel
    from sysfsd.kernel.sched import Task
    from sysfsd.kernel.structs import StructView

export = Area("pid", "kernel/pid.c, kernel/signal.c, kernel/fork.c")

_SIGRTMAX: Final = 64
#: ``SEND_SIG_NOINFO``, ``SEND_SIG_PRIV``: no address, but who is to be seen as the sender.
_SEND_SIG_PRIV: Final = 1


def _nr(kernel: Kernel, pid: StructView) -> int:
    return kernel.memory.read_int(pid.address + pid.struct.size, 4, signed=True) if pid.address else 0


def _task_of(kernel: Kernel, pid: StructView) -> Task | None:
    return kernel.sched.find_task(_nr(kernel, pid)) if pid.address else None


@export("struct pid *find_vpid(int nr)")
def find_vpid(kernel: Kernel, nr: int) -> int:
    task = kernel.sched.find_task(nr)
    return task.pid_address if task is not None else 0


@export("struct pid *find_pid_ns(int nr, struct pid_namespace *ns)")
def find_pid_ns(kernel: Kernel, nr: int, ns: StructView) -> int:
    return int(find_vpid(kernel, nr))


@export("struct pid *find_get_pid(pid_t nr)")
def find_get_pid(kernel: Kernel, nr: int) -> int:
    address: int = find_vpid(kernel, nr)
    if address:
        kernel.struct("pid", address)["count.refs.counter"] += 1
    return address


@export("void put_pid(struct pid *pid)")
def put_pid(kernel: Kernel, pid: StructView) -> None:
    if pid.address:
        pid["count.refs.counter"] -= 1


@export("pid_t pid_vnr(struct pid *pid)")
def pid_vnr(kernel: Kernel, pid: StructView) -> int:
    return _nr(kernel, pid)


@export("pid_t pid_nr_ns(struct pid *pid, struct pid_namespace *ns)")
def pid_nr_ns(kernel: Kernel, pid: StructView, ns: StructView) -> int:
    return _nr(kernel, pid)


@export("struct pid_namespace *task_active_pid_ns(struct task_struct *tsk)")
def task_active_pid_ns(kernel: Kernel, tsk: StructView) -> int:
    return kernel.exports.data_address("init_pid_ns")


@export("struct task_struct *pid_task(struct pid *pid, enum pid_type type)")
def pid_task(kernel: Kernel, pid: StructView, type: int) -> int:
    task = _task_of(kernel, pid)
    return task.address if task is not None else 0


@export("struct task_struct *get_pid_task(struct pid *pid, enum pid_type type)")
def get_pid_task(kernel: Kernel, pid: StructView, type: int) -> int:
    task = _task_of(kernel, pid)
    if task is None:
        return 0
    task.view["usage.refs.counter"] += 1
    return task.address


@export("struct pid *get_task_pid(struct task_struct *task, enum pid_type type)")
def get_task_pid(kernel: Kernel, task: StructView, type: int) -> int:
    address: int = task["thread_pid"]
    if address:
        kernel.struct("pid", address)["count.refs.counter"] += 1
    return address


# Address spaces


@export("struct mm_struct *get_task_mm(struct task_struct *task)")
def get_task_mm(kernel: Kernel, task: StructView) -> int:
    address: int = task["mm"]
    if not address or task["flags"] & PF_KTHREAD:
        return 0
    kernel.struct("mm_struct", address)["mm_users.counter"] += 1
    return address


@export("void mmput(struct mm_struct *mm)")
def mmput(kernel: Kernel, mm: StructView) -> None:
    """The process itself holds it as long as it is there."""
    mm["mm_users.counter"] -= 1


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
    return _send(kernel, sig, _task_of(kernel, pid), priv=bool(priv), shared=True)
