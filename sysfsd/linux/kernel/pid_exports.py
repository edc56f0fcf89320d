"""Processes by their numbers, and signals to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.kernel.sched.core import Task
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("kernel/pid.c")


def _nr(kernel: Kernel, pid: StructView) -> int:
    return kernel.memory.read_int(pid.address + pid.struct.size, 4, signed=True) if pid.address else 0


def task_of_pid(kernel: Kernel, pid: StructView) -> Task | None:
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
    task = task_of_pid(kernel, pid)
    return task.address if task is not None else 0


@export("struct task_struct *get_pid_task(struct pid *pid, enum pid_type type)")
def get_pid_task(kernel: Kernel, pid: StructView, type: int) -> int:
    task = task_of_pid(kernel, pid)
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


export.data("struct pid_namespace init_pid_ns")


@export("pid_t __task_pid_nr_ns(struct task_struct *task, enum pid_type type, struct pid_namespace *ns)")
def __task_pid_nr_ns(kernel: Kernel, task: StructView, type: int, ns: StructView) -> int:
    return task["pid"] if type == 0 else task["tgid"]
