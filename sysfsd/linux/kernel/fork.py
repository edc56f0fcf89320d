"""The processes of the host as module code finds them that walks from one to the next (kernel/fork.c).

A process has a task when it makes a system call, or when somebody asks for it. Where modules walk, all have one, with
their threads, parents and children.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from sysfsd.linux.kernel.sched.core import PF_KTHREAD

if TYPE_CHECKING:
    from sysfsd.linux.kernel.sched.core import Task
    from sysfsd.linux.system import Kernel

__all__ = ["WALKERS", "Process", "Processes"]

#: Who imports one of these walks.
WALKERS: Final = frozenset(
    ("init_task", "find_vpid", "find_pid_ns", "find_get_pid", "pid_task", "get_pid_task", "find_get_task_by_vpid")
)
#: How often what is not done for a process of the host looks at them again (seconds).
_LOOK_AGAIN: Final = 0.05
_EXIT_ZOMBIE: Final = 0x20
_TASK_DEAD: Final = 0x80
#: What proc(5) calls a state, as ``task_struct.__state`` has it.
_STATES: Final = {
    "R": 0,
    "S": 1,
    "D": 2,
    "T": 0x104,
    "t": 0x108,
    "P": 0x40,
    "I": 0x402,
    "X": _TASK_DEAD,
    "Z": _TASK_DEAD,
}
_INIT_PID: Final = 1


class Process(NamedTuple):
    """A process of the host (proc(5)); *start*: nanoseconds since the boot; *threads*: the others' numbers."""

    pid: int
    comm: str
    state: str
    parent: int
    kthread: bool
    start: int
    uid: int
    threads: tuple[int, ...] = ()


class Processes:
    """Those of one kernel's host."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._looked = 0.0
        #: By its number and its process's: the tasks that there were when this began to look.
        self._known: dict[tuple[int, int], Task] = {}

    def look(self, task: Task) -> None:
        """Have tasks for all processes that there are; *task* is about to run module code."""
        sched, now = self._kernel.sched, time.monotonic()
        if task.identity is None and now - self._looked < _LOOK_AGAIN:
            return
        self._looked = now
        there = {process.pid: process for process in sched.processes()}
        if there:
            self._sync(there)

    def _sync(self, there: dict[int, Process]) -> None:
        sched = self._kernel.sched
        tasks: dict[int, Task] = {}
        sched.keep(sum(1 + len(process.threads) for process in there.values()))
        self._known = sched.known_tasks()
        for process in there.values():
            task = self._task(process.pid, process.pid)
            if task is None:
                continue
            tasks[process.pid] = task
            if task.comm != process.comm or task.cred.uid != process.uid:
                sched.look_again(task)
            if sched.is_resting(task):
                task.view["__state"] = _STATES.get(process.state, 1)
            task.view["exit_state"] = _EXIT_ZOMBIE if process.state == "Z" else 0
            task.view["start_time"] = task.view["start_boottime"] = process.start
            if process.kthread:
                task.view["flags"] = task.view["flags"] | PF_KTHREAD
            if process.kthread or process.state == "Z":
                task.view["mm"] = 0
        self._link(tasks, there)

    def _task(self, number: int, pid: int) -> Task | None:
        """The task of a thread, or of a process."""
        return self._known.get((number, pid)) or self._kernel.sched.adopt(number)

    def _link(self, tasks: dict[int, Task], there: dict[int, Process]) -> None:
        """The list of all, and who is whose child and whose thread."""
        kernel, sched = self._kernel, self._kernel.sched
        first = kernel.exports.data_address("init_task")
        kthreadd = sched.kthreadd
        own = [task for task in sched.tasks.values() if task.kthread is not None or task is kthreadd]
        every = sorted((*tasks.values(), *own), key=lambda task: task.pid)
        known = {task.address for task in every}
        for task in sched.tasks.values():
            if task.address not in known:  # another's parent that nobody had looked for, or a thread
                self._ring("tasks", task.address, [])
        self._ring("tasks", first, [task.address for task in every])
        children: dict[int, list[int]] = {}
        for task in every:
            process = there.get(task.pid) if tasks.get(task.pid) is task else None
            if process is not None:
                parent = tasks.get(process.parent) or (tasks.get(_INIT_PID) if task.pid != _INIT_PID else None)
                task.view["real_parent"] = task.view["parent"] = parent.address if parent is not None else first
            elif task is kthreadd:
                task.view["real_parent"] = task.view["parent"] = first
            children.setdefault(task.view["real_parent"], []).append(task.address)
        for address in (first, *known):
            self._ring("children", address, children.get(address, []), "sibling")
        for pid, task in tasks.items():
            self._link_threads(task, there[pid])

    def _link_threads(self, leader: Task, process: Process) -> None:
        kernel = self._kernel
        signal = leader.view["signal"]
        members = [leader.address]
        for number in process.threads:
            thread = self._task(number, process.pid)
            if thread is None:
                continue
            members.append(thread.address)
            thread.view["signal"], thread.view["group_leader"] = signal, leader.address
            thread.view["real_parent"] = thread.view["parent"] = leader.view["real_parent"]
            thread.view["mm"] = thread.view["active_mm"] = leader.view["mm"]
            self._ring("tasks", thread.address, [])
        view = kernel.struct("signal_struct", signal)
        view["nr_threads"] = view["live.counter"] = len(members)
        node = kernel.image.offset("task_struct", "thread_node")
        self._join(view.at("thread_head"), [address + node for address in members])
        group = kernel.image.offset("task_struct", "thread_group")
        self._join(members[0] + group, [address + group for address in members[1:]])

    def _ring(self, head: str, address: int, members: list[int], node: str = "") -> None:
        """Make the tasks *members* the list whose head is in the task at *address*."""
        offset = self._kernel.image.offset
        at = offset("task_struct", node or head)
        self._join(address + offset("task_struct", head), [member + at for member in members])

    def _join(self, head: int, nodes: list[int]) -> None:
        memory, ring = self._kernel.memory, [head, *nodes]
        for at, following in zip(ring, [*ring[1:], head], strict=True):
            memory.write_pointer(at, following)
            memory.write_pointer(following + 8, at)
