"""Tasks, and whose turn it is (kernel/sched/, kernel/fork.c).

Each task that runs module code has a thread of this process, and holds the kernel lock while it runs. There is one
processor: what sleeps gives up the lock, and what runs for long has it taken away for a moment when others wait.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntFlag
from functools import cached_property
from signal import SIG_DFL, SIG_IGN
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import ref

from sysfsd.linux.arch.x86.traps import Regs, TaskKilled
from sysfsd.linux.kernel.cred import INIT_CRED, Cred
from sysfsd.linux.kernel.panic import Taint, print_tainted
from sysfsd.linux.kernel.printk.printk import Level
from sysfsd.linux.lib.list import INIT_LIST_HEAD
from sysfsd.linux.mm.uaccess import TASK_SIZE_MAX

if TYPE_CHECKING:
    from sysfsd.linux.kernel.fork import Process
    from sysfsd.linux.kernel.kthread import Kthread
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = ["HZ", "Identity", "KernelLock", "Scheduler", "Signals", "Task", "TaskState"]

HZ: Final = 250
#: ``INITIAL_JIFFIES``: five minutes before the 32 bits wrap.
INITIAL_JIFFIES: Final = (-300 * HZ) & 0xFFFFFFFF
THREAD_SIZE: Final = 16 << 10
#: Where a system call's own frames begin, below the top of the stack (bytes).
_STACK_PAD: Final = 512
#: The watchdog looks at intervals, and reports after this many times its threshold.
_LOCKUP_FACTOR: Final = 2.2
#: How often a task that sleeps interruptibly looks for a signal (seconds).
_SIGNAL_POLL: Final = 0.05
#: And any other for the end of the kernel.
_END_POLL: Final = 0.5
_TASK_COMM_LEN: Final = 16
_STACK_END_MAGIC: Final = 0x57AC6E9D
#: How long a task runs at least before another one has its turn (seconds).
_SLICE: Final = 0.012
#: How long the timer goes on when nothing runs (seconds).
_TICKS_IDLE: Final = 1.0

# Parts of preempt_count (include/linux/preempt.h).
SOFTIRQ_OFFSET: Final = 1 << 8
SOFTIRQ_DISABLE_OFFSET: Final = 2 * SOFTIRQ_OFFSET
HARDIRQ_OFFSET: Final = 1 << 16
_INTERRUPT_MASK: Final = 0x00FFFF00
_HARDIRQ_MASK: Final = 0x000F0000
TIF_SIGPENDING: Final = 2
TIF_NOTIFY_SIGNAL: Final = 17
_TIF_SIGNALS: Final = 1 << TIF_SIGPENDING | 1 << TIF_NOTIFY_SIGNAL
SIGKILL_MASK: Final = 1 << 8
_EFLAGS_IF: Final = 0x200
#: The capabilities that there are.
_CAP_FULL_SET: Final = (1 << 41) - 1
PF_KTHREAD: Final = 0x00200000
PF_WQ_WORKER: Final = 0x00000020


class TaskState(IntFlag):
    """``task_struct.__state`` (include/linux/sched.h)."""

    RUNNING = 0
    INTERRUPTIBLE = 1
    UNINTERRUPTIBLE = 2
    PARKED = 0x40
    DEAD = 0x80
    WAKEKILL = 0x100
    NOLOAD = 0x400
    NORMAL = INTERRUPTIBLE | UNINTERRUPTIBLE


class Signals(NamedTuple):
    """Sets of signals: those that wait for a thread, or for its process, and those that it does not want now."""

    pending: int = 0
    shared: int = 0
    blocked: int = 0

    @property
    def fatal(self) -> bool:
        """``__fatal_signal_pending()``."""
        return bool(self.pending & SIGKILL_MASK)


class Identity(NamedTuple):
    """Who a task is; *parent*: its parent's process id and name; *signals*: as of when it was looked at."""

    pid: int
    tgid: int
    comm: str
    parent: tuple[int, str] | None = None
    signals: Signals = Signals()


#: Whoever uses a kernel without being a process.
_NOBODY: Final = (INIT_CRED, lambda: Identity(1, 1, "init"), lambda: False)
#: Tasks of processes that are kept while they make no system call.
_RESTING_MAX: Final = 64
#: Parents whose structures are kept.
_PARENTS_MAX: Final = 64


class KernelLock:
    """The kernel lock: reentrant, and able to be handed on.

    It can be the lock of a :class:`threading.Condition`: what waits there gives it up entirely.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        #: Those who wait: which thread, and what it sleeps on.
        self._waiters: deque[tuple[int, threading.Lock]] = deque()

    @property
    def contended(self) -> bool:
        """Whether somebody waits for it."""
        return bool(self._waiters)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        me = threading.get_ident()
        if self._owner == me:
            self._depth += 1
            return True
        with self._mutex:
            if self._owner is None:
                self._owner, self._depth = me, 1
                return True
            if not blocking:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._waiters.append((me, turn))
        self._await_turn(me, turn)
        return True

    def _await_turn(self, me: int, turn: threading.Lock) -> None:
        """Sleep until the lock is free or has been handed over; whoever comes by in between may be faster."""
        while True:
            turn.acquire()
            with self._mutex:
                if self._owner is None:
                    self._owner, self._depth = me, 1
                if self._owner == me:
                    return
                self._waiters.appendleft((me, turn))

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            with self._mutex:
                self._owner = None
                if self._waiters:
                    self._waiters.popleft()[1].release()

    def yield_(self) -> None:
        """Hand it over to whoever has waited longest, and get it back in turn."""
        me, depth = threading.get_ident(), self._depth
        turn = threading.Lock()
        turn.acquire()
        with self._mutex:
            if not self._waiters:
                return
            self._owner, first = self._waiters.popleft()
            self._depth = 1
            self._waiters.append((me, turn))
            first.release()
        self._await_turn(me, turn)
        self._depth = depth

    @contextmanager
    def released(self) -> Iterator[None]:
        """Without it for a while."""
        depth = self._release_save()
        try:
            yield
        finally:
            self._acquire_restore(depth)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    # What threading.Condition asks of a reentrant lock

    def _is_owned(self) -> bool:
        return self._owner == threading.get_ident()

    def _release_save(self) -> int:
        depth, self._depth = self._depth, 1
        self.release()
        return depth

    def _acquire_restore(self, depth: int) -> None:
        self.acquire()
        self._depth = depth


def _cred_key(cred: Cred) -> object:
    return cred.uid, cred.gid, cred.real_ids(), cred.effective()


class Task:
    """``struct task_struct``, and what the kernel model knows of a task besides.

    :param address: of its structure in the kernel's memory
    :param stack: of the lowest byte of its stack
    :param cred_address: of its credentials, as module code sees them
    :param pid_address: of its ``struct pid``
    :param pristine: what its structure holds before anything is known of it
    """

    def __init__(
        self, sched: Scheduler, address: int, stack: int, cred_address: int, pid_address: int, pristine: bytes
    ) -> None:
        self._sched = sched
        self.address = address
        self.view = sched.kernel.struct("task_struct", address)
        self.stack = stack
        self.stack_end = stack + THREAD_SIZE
        self.stack_top = self.stack_end - _STACK_PAD
        self.stack_guard = range(stack - 4096, stack)
        self.pid = self.tgid = 0
        self.comm = ""
        self.cred: Cred = INIT_CRED
        self.cpu = 0
        self.canary = 0
        self.cred_address = cred_address
        self.pid_address = pid_address
        self.pristine = pristine
        #: Where module code that it runs called the kernel (stack pointer and function), 0 while it runs none.
        self.sp = 0
        self.ip = 0
        #: Its registers while another task is on the processor.
        self.regs: Regs | None = None
        self.saved_preempt_count = 0
        self.wakeup = threading.Condition(sched.kernel.lock)  # type: ignore[arg-type]
        self.interrupted: Callable[[], bool] = lambda: False
        self.signals = Signals()
        #: Locks that it holds: what lets each go, by address.
        self.held: dict[int, Callable[[], None]] = {}
        self.thread: threading.Thread | None = None
        self.kthread: Kthread | None = None
        self.on_cpu_since = 0.0
        self.dead = False
        #: Which process of the host it is, and with what rights.
        self.identity: Identity | None = None
        self.cred_key: object = None

    @property
    def fit(self) -> bool:
        """Whether it can make another system call."""
        return not (self.dead or self.sp or self.preempt_count) and self.state == TaskState.RUNNING

    @property
    def preempt_count(self) -> int:
        """``preempt_count()``, which lives in the per-CPU data while the task is on the processor."""
        sched = self._sched
        if sched.kernel.cpu.loaded is self:
            return sched.preempt_count & 0x7FFFFFFF
        return self.saved_preempt_count

    @property
    def in_interrupt(self) -> bool:
        return bool(self.preempt_count & _INTERRUPT_MASK)

    @property
    def in_hardirq(self) -> bool:
        return bool(self.preempt_count & _HARDIRQ_MASK)

    @property
    def state(self) -> int:
        return self.view["__state"]

    @state.setter
    def state(self, value: int) -> None:
        self.view["__state"] = value

    def signal_pending(self) -> bool:
        """``signal_pending()``; module code that asks, or looks at the signals themselves, sees the same."""
        if self.kthread is not None:
            return bool(self.view["thread_info.flags"] & _TIF_SIGNALS)
        if self.interrupted():
            self.view["thread_info.flags"] |= 1 << TIF_SIGPENDING
            self.set_signals(self._sched.signals(self.pid))
            return True
        return False

    def signal_pending_state(self, state: int) -> bool:
        """``signal_pending_state()``: whether a sleep in *state* ends with a signal that there is."""
        if not state & (TaskState.INTERRUPTIBLE | TaskState.WAKEKILL) or not self.signal_pending():
            return False
        return bool(state & TaskState.INTERRUPTIBLE) or self.signals.fatal

    def set_signals(self, signals: Signals) -> None:
        """Have module code see which signals there are."""
        if signals != self.signals:
            self.signals = signals
            self.view["pending.signal.sig[0]"] = signals.pending
            self.view.to("signal")["shared_pending.signal.sig[0]"] = signals.shared
            self.view["blocked.sig[0]"] = signals.blocked

    def recalc_sigpending(self) -> None:
        """``recalc_sigpending()`` of a kernel thread."""
        self.view["thread_info.flags"] &= ~(1 << TIF_SIGPENDING)
        if (self.signals.pending | self.signals.shared) & ~self.signals.blocked:
            self.view["thread_info.flags"] |= 1 << TIF_SIGPENDING

    def forget_signals(self) -> None:
        """On its way back to user space it sees to what there is."""
        if self.signals.pending or self.signals.shared:
            self.view["thread_info.flags"] &= ~(1 << TIF_SIGPENDING)
            self.set_signals(Signals(blocked=self.signals.blocked))

    def caller_regs(self) -> Regs:
        """The registers at the call that the task has made of the kernel, for a backtrace that begins there."""
        regs = self._sched.kernel.cpu.regs() if self._sched.kernel.cpu.loaded is self else self.regs or Regs()
        return regs._replace(rip=self.ip, rsp=self.sp) if self.sp else regs._replace(rip=0, rsp=self.stack_top)

    def run_ended(self) -> None:
        """It runs no module code any more."""
        self._sched.run_ended(self)

    def on_cpu(self) -> None:
        """It begins something new: how long it has been running counts from here."""
        self.on_cpu_since = time.monotonic()

    def irq_enter(self, context: int) -> None:
        """It is interrupted: *context* is its preempt_count meanwhile."""
        self.saved_preempt_count = context
        self._sched.kernel.cpu.load(self)
        self._sched.preempt_count = context | 0x80000000
        self._sched.kernel.cpu.set_interrupts(not context & HARDIRQ_OFFSET)
        self.on_cpu()

    def irq_exit(self) -> None:
        """The interrupt is over."""
        self.saved_preempt_count = 0
        if self._sched.kernel.cpu.loaded is self:
            self._sched.preempt_count = 0x80000000


def _tick_loop(scheduler: ref[Scheduler]) -> None:
    """Has the timer interrupt happen; of no use to anybody, and no reason to keep the kernel."""
    while (sched := scheduler()) is not None and sched.timer_interrupt():
        del sched
        time.sleep(1 / HZ)


class Scheduler:
    """All tasks of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._local = threading.local()
        self.tasks: dict[int, Task] = {}
        self._free: list[Task] = []
        self._next_pid = 60
        self._parents: dict[tuple[int, str], Task] = {}
        #: Seconds that code may run without a break before that counts as a lockup.
        self.softlockup_thresh = 22.0
        self._boot = time.monotonic()
        #: The timer interrupt, while there is one.
        self.ticker: threading.Thread | None = None
        self._tick_mutex = threading.Lock()
        self._last_run = 0.0
        #: Whether the kernel is no more: whatever runs or sleeps ends.
        self.ended: Callable[[], bool] = lambda: False
        self._need_resched = False
        #: When a task that did not sleep has last been told of signals.
        self._last_look = 0.0
        #: By process id: tasks that make no system call right now, whoever called last at the end.
        self._resting: dict[int, Task] = {}
        #: Whether a process of the host is still there, and who it is if it has not made a system call.
        self.exists: Callable[[int], bool] = lambda pid: False
        self.find: Callable[[int], tuple[Cred, Identity] | None] = lambda pid: None
        #: The signals of a thread of the host; without a host, what interrupts a task is its end.
        self.signals: Callable[[int], Signals] = lambda pid: Signals(pending=SIGKILL_MASK)
        #: The processes of the host, and whether module code may walk from one to the next.
        self.processes: Callable[[], list[Process]] = list
        self.walked = False
        self._resting_max = _RESTING_MAX
        #: What the ``struct mm_struct`` of a process of the host holds.
        self.address_space: Callable[[int], dict[str, int]] = lambda pid: {}
        #: By the address of a task: that of its own address space, should it have one.
        self._mms: dict[int, int] = {}
        #: Tasks that wait for something at an address, in the order in which they came.
        self._waiters: dict[int, list[Task]] = {}

    @property
    def watchdog_thresh(self) -> int:
        """Seconds, as in /proc/sys/kernel: about twice as long is too long; 0: nothing is."""
        return round(self.softlockup_thresh / _LOCKUP_FACTOR) if self.softlockup_thresh < float("inf") else 0

    @watchdog_thresh.setter
    def watchdog_thresh(self, value: int) -> None:
        self.softlockup_thresh = _LOCKUP_FACTOR * value if value else float("inf")

    # Whose turn it is

    @property
    def current(self) -> Task:
        """``current``: the task that this thread is."""
        task: Task | None = getattr(self._local, "task", None)
        if task is None:
            assert self.kernel.cpu  # once there is one, there is the first task as well
            task = self._local.task = self._caller_task(*getattr(self._local, "caller", _NOBODY))
        return task

    def _caller_task(self, cred: Cred, identity: Callable[[], Identity], interrupted: Callable[[], bool]) -> Task:
        """The task of a process of the host: as long as it lives, the same."""
        who = identity()
        who, signals = who._replace(signals=Signals()), who.signals
        task = self._resting.pop(who.pid, None)
        if task is not None:
            task.state = TaskState.RUNNING
            task.set_signals(signals)
        if task is not None and (task.identity, task.cred_key) == (who, _cred_key(cred)):
            task.cred, task.interrupted = cred, interrupted
            return task
        if task is not None and task.identity is not None and task.identity._replace(comm=who.comm) == who:
            self._changed(task, who, cred)
            task.interrupted = interrupted
            return task
        if task is not None:
            self.free_task(task)
        task = self._process(who, cred, interrupted)
        task.set_signals(signals)
        return task

    def _changed(self, task: Task, who: Identity, cred: Cred) -> None:
        """A process runs another program, or for another user."""
        task.comm, task.cred = who.comm, cred
        task.view["comm"] = who.comm.encode("latin-1", "replace")[: _TASK_COMM_LEN - 1]
        self._fill_cred(task.cred_address, cred)
        task.identity, task.cred_key = who, _cred_key(cred)
        self._exec_mmap(task)

    def look_again(self, task: Task) -> None:
        """Have a task be what its process is now."""
        found = self._find(task.pid)
        if found is not None:
            self._changed(task, *found)

    def _process(self, who: Identity, cred: Cred, interrupted: Callable[[], bool] = lambda: False) -> Task:
        """A task for a process that has none."""
        self._forget_gone()
        task = self.new_task(who, cred, interrupted)
        task.identity, task.cred_key = who, _cred_key(cred)
        self._exec_mmap(task)
        return task

    def _exec_mmap(self, task: Task) -> None:
        """``exec_mmap()``: give a task the address space that its process has."""
        kernel = self.kernel
        mm = kernel.struct("mm_struct", self._mms.get(task.address) or kernel.slab.kmalloc(self._mm_size))
        self._mms[task.address] = mm.address
        structure = bytearray(self._mm_size)
        fields = {"mm_users.counter": 1, "mm_count.counter": 1, "owner": task.address, "task_size": TASK_SIZE_MAX}
        mm.struct.fill(structure, {**fields, **self.address_space(task.pid)})
        kernel.memory.write(mm.address, structure)
        for head in ("mmap_lock.wait_list", "mmlist"):
            INIT_LIST_HEAD(kernel.memory, mm.at(head))
        task.view["mm"] = task.view["active_mm"] = mm.address

    @cached_property
    def _mm_size(self) -> int:
        return self.kernel.image.structs["mm_struct"].size

    def _rest(self, task: Task) -> None:
        """Its system call is over: it may make another."""
        if task.identity is None or not task.fit or task.pid in self._resting:
            self.free_task(task)
            return
        task.forget_signals()
        task.state = TaskState.INTERRUPTIBLE  # as far as others can tell
        self._resting[task.pid] = task
        if len(self._resting) > self._resting_max:
            self.free_task(self._resting.pop(next(iter(self._resting))))

    def _find(self, pid: int) -> tuple[Identity, Cred] | None:
        """Who a process of the host is; which signals it has matters only to a system call."""
        found = self.find(pid)
        return None if found is None else (found[1]._replace(signals=Signals()), found[0])

    def _forget_gone(self) -> None:
        """The tasks of processes that are gone go."""
        for pid in [pid for pid in self._resting if not self.exists(pid)]:
            self.free_task(self._resting.pop(pid))

    def find_task(self, pid: int) -> Task | None:
        """``find_task_by_vpid()``."""
        known = [task for task in self.tasks.values() if task.pid == pid and not task.dead]
        if known:
            return max(known, key=lambda task: task.identity is not None)  # rather than what is only a parent
        found = self._find(pid)
        if found is None:
            return None
        task = self._process(*found)
        self._rest(task)
        return task

    def keep(self, count: int) -> None:
        """Let as many processes have tasks while they make no system call."""
        self._resting_max = count + _RESTING_MAX

    def is_resting(self, task: Task) -> bool:
        """Whether its process makes no system call right now."""
        return self._resting.get(task.pid) is task

    def known_tasks(self) -> dict[tuple[int, int], Task]:
        """The tasks that processes and threads of the host have, by their own number and their process's."""
        self._forget_gone()
        return {(task.pid, task.tgid): task for task in self.tasks.values() if task.identity is not None}

    def adopt(self, pid: int) -> Task | None:
        """A task for a process or thread of the host that has none, if it is still there."""
        found = self._find(pid)
        if found is None:
            return None
        if (other := self._resting.pop(pid, None)) is not None:  # of another that had the number before
            self.free_task(other)
        task = self._process(*found)
        self._rest(task)
        return task

    def signal_pending(self) -> bool:
        """``signal_pending(current)``, which needs no structure of it either."""
        task = self.running
        if task is not None:
            return task.signal_pending()
        interrupted: Callable[[], bool] = getattr(self._local, "caller", _NOBODY)[2]
        return interrupted()

    @property
    def identity(self) -> Identity:
        """Who ``current`` is, which it needs no structure for."""
        task: Task | None = getattr(self._local, "task", None)
        if task is not None:
            return Identity(task.pid, task.tgid, task.comm)
        who: Identity = getattr(self._local, "caller", _NOBODY)[1]()
        return who

    @cached_property
    def kthreadd(self) -> Task:
        """The parent of all kernel threads."""
        task = self.new_task(Identity(2, 2, "kthreadd"), INIT_CRED, flags=PF_KTHREAD)
        task.state = TaskState.INTERRUPTIBLE
        return task

    def _parent(self, identity: Identity) -> int:
        """The structure of a task's parent, which is there only to be looked at."""
        if identity.parent is None:
            return self.kernel.exports.data_address("init_task")
        parent = self._parents.get(identity.parent)
        if parent is None:
            if len(self._parents) >= _PARENTS_MAX:
                _, gone = self._parents.popitem()
                self.free_task(gone)
            pid, comm = identity.parent
            parent = self._parents[identity.parent] = self.new_task(Identity(pid, pid, comm), INIT_CRED)
            parent.state = TaskState.INTERRUPTIBLE
            self._exec_mmap(parent)
        return parent.address

    @property
    def running(self) -> Task | None:
        """The current task, if it runs module code or has done so."""
        return getattr(self._local, "task", None)

    @contextmanager
    def enter(
        self,
        cred: Cred,
        identity: Callable[[], Identity],
        interrupted: Callable[[], bool] = lambda: False,
    ) -> Iterator[None]:
        """A system call of some process of the host, whose task this thread is meanwhile.

        :param identity: tells who it is; called only if it matters
        :param interrupted: whether a signal is pending for it
        """
        outer = self._local.__dict__.copy()
        self._local.__dict__.pop("task", None)
        self._local.caller = (cred, identity, interrupted)
        killed = True
        try:
            yield
            killed = False
        except OSError:
            killed = False
            raise
        finally:
            task: Task | None = getattr(self._local, "task", None)
            if task is not None and killed:
                task.identity = None
            self._local.__dict__.clear()
            self._local.__dict__.update(outer)
            if task is not None:
                with self.kernel.lock:
                    self._rest(task)

    def become(self, task: Task) -> None:
        """Be *task* from now on: this thread."""
        self._local.task = task

    # Tasks

    def new_pid(self) -> int:
        """The process id of the next kernel thread."""
        self._next_pid += 1
        return self._next_pid

    def new_task(
        self,
        identity: Identity,
        cred: Cred,
        interrupted: Callable[[], bool] = lambda: False,
        flags: int = 0,
    ) -> Task:
        """A task with a stack of its own."""
        task = self._free.pop() if self._free else self._alloc_task()
        task.pid, task.tgid, task.comm, task.cred = pid, tgid, comm, cred = *identity[:3], cred
        task.interrupted = interrupted
        kernel, view = self.kernel, task.view
        task.canary = int.from_bytes(kernel.random_bytes(7), "little") << 8
        parent = self.kthreadd.address if flags & PF_KTHREAD and pid > 2 else self._parent(identity)
        structure = bytearray(task.pristine)
        view.struct.fill(
            structure,
            {
                "pid": pid,
                "tgid": tgid,
                "flags": flags,
                "comm": comm.encode("latin-1", "replace")[: _TASK_COMM_LEN - 1],
                "stack_canary": task.canary,
                "real_parent": parent,
                "parent": parent,
            },
        )
        kernel.memory.write(task.address, structure)
        kernel.memory.write_int(task.stack, _STACK_END_MAGIC, 8)
        kernel.memory.write(view["sighand"], self._sighands[bool(flags & PF_KTHREAD)])
        self._fill_cred(task.cred_address, cred)
        kernel.memory.write_int(task.pid_address + self._pid_size, pid, 4)
        self._link(task)
        self.tasks[task.address] = task
        return task

    #: The kernel's own credentials.
    init_cred = INIT_CRED

    def new_cred(self, cred: Cred) -> int:
        """``struct cred`` for module code to look at.

        :returns: its address
        """
        return self._fill_cred(self.kernel.slab.kmalloc(self.kernel.image.structs["cred"].size), cred)

    def _fill_cred(self, address: int, cred: Cred) -> int:
        kernel, layout = self.kernel, self.kernel.image.structs["cred"]
        held = cred.effective() & _CAP_FULL_SET
        uid, gid = cred.real_ids()
        structure = bytearray(layout.size)
        layout.fill(
            structure,
            {
                "usage.counter": 2,
                "uid.val": uid,
                "gid.val": gid,
                **dict.fromkeys(("suid.val", "euid.val", "fsuid.val"), cred.uid),
                **dict.fromkeys(("sgid.val", "egid.val", "fsgid.val"), cred.gid),
                **dict.fromkeys(("cap_permitted", "cap_effective", "cap_bset"), held),
                "user_ns": kernel.exports.data_address("init_user_ns"),
            },
        )
        kernel.memory.write(address, structure)
        return address

    def _alloc_task(self) -> Task:
        kernel = self.kernel
        address = kernel.memory.alloc_pages(kernel.image.structs["task_struct"].size)
        stack = kernel.memory.vmalloc_area.alloc(THREAD_SIZE)
        cred = kernel.slab.kmalloc(kernel.image.structs["cred"].size)
        view = kernel.struct("task_struct", address)
        view["stack"], view["usage.refs.counter"] = stack, 1
        view["cred"] = view["real_cred"] = cred
        view["group_leader"] = address
        view["nsproxy"] = kernel.struct("task_struct", kernel.exports.data_address("init_task"))["nsproxy"]
        for head in ("children", "sibling", "thread_group", "tasks", "thread_node"):
            view[f"{head}.next"] = view[f"{head}.prev"] = view.at(head)
        view["prio"] = view["static_prio"] = view["normal_prio"] = 120
        pid = kernel.struct("pid", kernel.slab.kmalloc(self._pid_size + kernel.image.structs["upid"].size))
        pid["count.refs.counter"] = 1
        kernel.struct("upid", pid.address + self._pid_size)["ns"] = kernel.exports.data_address("init_pid_ns")
        INIT_LIST_HEAD(kernel.memory, pid.at("wait_pidfd.head"))
        view["thread_pid"] = pid.address
        view["signal"] = self._new_signal(view)
        view["sighand"] = kernel.slab.kmalloc(self._sighand_size)
        INIT_LIST_HEAD(kernel.memory, view.at("pending.list"))
        return Task(self, address, stack, cred, pid.address, kernel.memory.read(address, view.struct.size))

    def _new_signal(self, task: StructView) -> int:
        """``copy_signal()``: what the threads of a process share, of which *task* is the only one."""
        signal = self.kernel.struct("signal_struct", self.kernel.slab.kmalloc(self._signal_size))
        for name in ("sigcnt.refs.counter", "live.counter", "nr_threads", "quick_threads"):
            signal[name] = 1
        head, node = signal.at("thread_head"), task.at("thread_node")
        signal["thread_head.next"] = signal["thread_head.prev"] = node
        task["thread_node.next"] = task["thread_node.prev"] = head
        signal["wait_chldexit.head.next"] = signal["wait_chldexit.head.prev"] = signal.at("wait_chldexit.head")
        INIT_LIST_HEAD(self.kernel.memory, signal.at("shared_pending.list"))
        return signal.address

    @cached_property
    def _sighands(self) -> tuple[bytes, bytes]:
        """What is done about signals by processes, nothing special, and by kernel threads, which ignore them."""
        layout = self.kernel.image.structs["sighand_struct"]
        action, actions = layout.element("action"), layout.member("action")
        start = bytearray(actions.offset)
        layout.fill(start, {"count.refs.counter": 1})
        default, ignore = (
            bytes(start) + int(handler).to_bytes(action.size, "little") * actions.length
            for handler in (SIG_DFL, SIG_IGN)
        )
        return default, ignore

    @cached_property
    def _sighand_size(self) -> int:
        return self.kernel.image.structs["sighand_struct"].size

    @cached_property
    def _signal_size(self) -> int:
        return self.kernel.image.structs["signal_struct"].size

    @cached_property
    def _pid_size(self) -> int:
        """Where in a ``struct pid`` its number is: at the end (bytes)."""
        return self.kernel.image.structs["pid"].size

    def _link(self, task: Task) -> None:
        """Put a task at the end of the list that for_each_process() walks."""
        memory, offset = self.kernel.memory, self.kernel.image.offset("task_struct", "tasks")
        head = self.kernel.exports.data_address("init_task") + offset
        last, node = memory.read_pointer(head + 8), task.address + offset
        memory.write_pointer(node, head)
        memory.write_pointer(node + 8, last)
        memory.write_pointer(last, node)
        memory.write_pointer(head + 8, node)

    def free_task(self, task: Task) -> None:
        """The task is no more."""
        memory, node = self.kernel.memory, task.view.at("tasks")
        following, before = memory.read_pointer(node), memory.read_pointer(node + 8)
        memory.write_pointer(before, following)
        memory.write_pointer(following + 8, before)
        self.tasks.pop(task.address, None)
        task.dead = True
        cpu = self.kernel.cpu
        if cpu.loaded is task:
            cpu.forget()
        if not task.held:  # else others still find its address in what it holds
            self._free.append(Task(self, task.address, task.stack, task.cred_address, task.pid_address, task.pristine))

    def task(self, address: int) -> Task | None:
        """The task whose structure is at *address*."""
        return self.tasks.get(address)

    # On and off the processor

    @property
    def preempt_count(self) -> int:
        """``__preempt_count`` of the processor."""
        return self.kernel.memory.read_int(self.kernel.percpu.address("__preempt_count"), 4)

    @preempt_count.setter
    def preempt_count(self, value: int) -> None:
        self.kernel.memory.write_int(self.kernel.percpu.address("__preempt_count"), value, 4)

    def switch_to(self, previous: Task | None, task: Task) -> None:
        """The processor's own variables change with the task."""
        percpu, memory = self.kernel.percpu, self.kernel.memory
        if previous is not None:
            previous.saved_preempt_count = self.preempt_count & 0x7FFFFFFF
        memory.write_pointer(percpu.address("current_task"), task.address)
        memory.write_pointer(percpu.cpu_base(0) + 0x28, task.canary)
        self.preempt_count = task.saved_preempt_count | 0x80000000

    def run_begins(self, task: Task) -> None:
        """*task* is about to run module code."""
        task.on_cpu_since = self._last_run = time.monotonic()
        self.update_jiffies()
        if self.walked:
            self.kernel.look_at_processes(task)

    def run_ended(self, task: Task) -> None:
        self._last_run = time.monotonic()

    @property
    def jiffies(self) -> int:
        """Ticks since some moment before the boot."""
        return INITIAL_JIFFIES + int((time.monotonic() - self._boot) * HZ)

    def seconds_until(self, jiffies: int) -> float:
        """How long it is until a tick; negative if it has been."""
        return self._boot + (jiffies - INITIAL_JIFFIES) / HZ - time.monotonic()

    def update_jiffies(self) -> None:
        """Module code reads ``jiffies`` from memory."""
        self.kernel.memory.write_int(self.kernel.exports.data_address("jiffies"), self.jiffies, 8)

    def start_ticks(self) -> None:
        """Module code is about to run, for however long."""
        with self._tick_mutex:
            if self.ticker is None:
                self.ticker = threading.Thread(target=_tick_loop, args=(ref(self),), name="tick", daemon=True)
                self.ticker.start()

    def timer_interrupt(self) -> bool:
        """As long as something runs, time passes and others get their turn.

        :returns: False where nothing has run for long, and this was the last one
        """
        cpu, now = self.kernel.cpu, time.monotonic()
        self.update_jiffies()
        if cpu.running:
            self._last_run = now
            task = cpu.loaded
            expired = task is not None and now - task.on_cpu_since > self.softlockup_thresh
            look = task is not None and task.identity is not None and now - self._last_look > _SIGNAL_POLL
            turn = self.kernel.lock.contended and (task is None or now - task.on_cpu_since > _SLICE)
            if turn or expired or look or self.ended():
                self._need_resched = True
                cpu.stop()
        elif now - self._last_run > _TICKS_IDLE or self.ended():
            with self._tick_mutex:
                ticker, self.ticker = self.ticker, None
                if not cpu.running:
                    return False
                self.ticker = ticker
        return True

    def tick(self, task: Task, regs: Callable[[], Regs]) -> None:
        """Module code has been interrupted: others may have a turn; it may have had too much of it."""
        self._need_resched = False
        if self.ended():
            raise TaskKilled(task)
        self._last_look = time.monotonic()
        task.signal_pending()
        if time.monotonic() - task.on_cpu_since > self.softlockup_thresh:
            self.softlockup(task, regs())
        if not task.preempt_count:
            self.kernel.lock.yield_()

    def softlockup(self, task: Task, regs: Regs) -> None:
        """``watchdog_timer_fn()``: report what has not let anybody else run for too long, and end it."""
        kernel = self.kernel
        stuck = int(time.monotonic() - task.on_cpu_since)
        traps = kernel.traps
        kernel.log.emit(
            f"watchdog: BUG: soft lockup - CPU#{task.cpu} stuck for {stuck}s! [{task.comm}:{task.pid}]\n".encode(),
            Level.EMERG,
        )
        traps.print_modules()
        traps.show_regs(task, regs)
        kernel.add_taint(Taint.SOFTLOCKUP)
        traps.kill(task)

    # Sleeping

    def schedule(self, timeout: float | None = None) -> None:
        """``schedule()``: sleep until the task's state is TASK_RUNNING again; yield if it is.

        :param timeout: seconds after which it wakes by itself
        """
        task = self.current
        if task.preempt_count and not task.in_interrupt:
            self._scheduling_while_atomic(task)
        state = task.state
        if state == TaskState.RUNNING:
            self.kernel.lock.yield_()
        deadline = None if timeout is None else time.monotonic() + timeout
        interruptible = state & (TaskState.INTERRUPTIBLE | TaskState.WAKEKILL)
        while task.state != TaskState.RUNNING:
            if interruptible and task.signal_pending_state(state):
                task.state = TaskState.RUNNING
                break
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                task.state = TaskState.RUNNING
                break
            poll = _SIGNAL_POLL if interruptible else _END_POLL
            self._sleep(task, poll if left is None else min(left, poll))
            if self.ended():
                raise TaskKilled(task)
        if not interruptible:
            task.signal_pending()  # module code may look for itself
        task.on_cpu_since = time.monotonic()
        self.update_jiffies()

    def _sleep(self, task: Task, timeout: float | None) -> None:
        if task.view["flags"] & PF_WQ_WORKER:
            self.kernel.workqueues.sleeping(task, True)
            try:
                task.wakeup.wait(timeout)
            finally:
                self.kernel.workqueues.sleeping(task, False)
        else:
            task.wakeup.wait(timeout)

    def _scheduling_while_atomic(self, task: Task) -> None:
        self.kernel.log.emit(
            f"BUG: scheduling while atomic: {task.comm}/{task.pid}/0x{task.preempt_count + 1:08x}\n".encode(), Level.ERR
        )
        self.kernel.traps.print_modules()
        sites = self.kernel.image.call_sites
        asked = self.kernel.image.export_at(task.ip)
        site = f"schedule_bug.{asked.name}" if asked is not None else ""
        self.kernel.traps.dump_stack(site if site in sites else "schedule_bug")
        self.kernel.add_taint(Taint.WARN)
        self.preempt_count = 0x80000000

    def sleep(self, seconds: float, state: int = TaskState.UNINTERRUPTIBLE) -> float:
        """Sleep for a time.

        :returns: the seconds that were left when it was woken before
        """
        task = self.current
        deadline = time.monotonic() + seconds
        task.state = state
        self.schedule(seconds)
        return max(0.0, deadline - time.monotonic())

    def wake_up(self, task: Task, state: int = TaskState.NORMAL) -> bool:
        """``try_to_wake_up()``: whether *task* slept in one of the *state*s."""
        if task.dead or not task.state & state:
            return False
        task.state = TaskState.RUNNING
        task.wakeup.notify_all()
        return True

    def restore_context(self) -> str:
        """Allow preemption and interrupts again, where what the current task has called has left them off.

        :returns: what was off, as do_one_initcall() says it
        """
        task, cpu, left = self.running, self.kernel.cpu, ""
        if task is not None and cpu.loaded is task:
            if task.preempt_count:
                left += "preemption imbalance "
                self.preempt_count = 0x80000000
            if not cpu.set_interrupts(True) & _EFLAGS_IF:
                left += "disabled interrupts "
        return left

    def cond_resched(self) -> None:
        """``cond_resched()``: who asks so often whether others want to run is not stuck."""
        task = self.current
        task.on_cpu_since = time.monotonic()
        if self.kernel.lock.contended and not task.preempt_count:
            self.kernel.lock.yield_()

    def relax(self) -> None:
        """``cpu_relax()`` of a task that spins: another processor would go on meanwhile."""
        self.kernel.lock.yield_()
        if not self.kernel.lock.contended:
            with self.kernel.lock.released():
                time.sleep(1 / HZ)

    @contextmanager
    def waiting(self, address: int) -> Iterator[None]:
        """The current task waits for something at *address*."""
        task = self.current
        queue = self._waiters.setdefault(address, [])
        queue.append(task)
        try:
            yield
        finally:
            if task in queue:
                queue.remove(task)
            if not queue and self._waiters.get(address) is queue:
                del self._waiters[address]

    def wake_waiters(self, address: int, count: int = -1) -> None:
        """Wake those who have waited longest at *address*; all unless *count* says how many."""
        queue = self._waiters.get(address, [])
        for task in list(queue):
            if count == 0:
                break
            queue.remove(task)
            self.wake_up(task, TaskState.NORMAL | TaskState.WAKEKILL)
            count -= 1

    def hung_task(self, task: Task) -> None:
        """``check_hung_task()``: report a task that cannot go on any more, and end it."""
        kernel = self.kernel
        kernel.log.pr_err(f"INFO: task {task.comm}:{task.pid} blocked for more than 120 seconds.")
        kernel.log.pr_err(
            f"      {print_tainted(kernel.tainted)} {kernel.image.release} {' '.join(kernel.image.build_version)}"
        )
        kernel.log.pr_err('"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.')
        kernel.traps.dump_stack()
        kernel.traps.kill(task)

    # Locks

    def release_locks(self, task: Task) -> None:
        """Let go of what a task that is dead still holds."""
        while task.held:
            _address, release = task.held.popitem()
            release()
        task.saved_preempt_count = 0
        if self.kernel.cpu.loaded is task:
            self.preempt_count = 0x80000000
            self.kernel.cpu.set_interrupts(True)

    def stop(self) -> None:
        """The kernel is no more."""
        self.ended = lambda: True
        with self.kernel.lock:
            for task in self.tasks.values():
                task.wakeup.notify_all()
