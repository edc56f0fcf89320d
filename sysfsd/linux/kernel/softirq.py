"""What happens by itself in interrupt context: timers, tasklets, what waits for RCU.

Follows kernel/softirq.c, kernel/time/timer.c and hrtimer.c.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Final

from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.kernel.cred import INIT_CRED
from sysfsd.linux.kernel.sched.core import HARDIRQ_OFFSET, SOFTIRQ_OFFSET, Identity, Task

if TYPE_CHECKING:
    from sysfsd.linux.system import Kernel

__all__ = ["HARDIRQ", "KSOFTIRQD", "SOFTIRQ", "Softirq"]

_EFLAGS_IF: Final = 1 << 9
_PF_IDLE: Final = 0x00000002
_PF_KTHREAD: Final = 0x00200000

#: Where something happens: in a timer interrupt of an idle processor, in ksoftirqd; the preempt_count there.
HARDIRQ: Final = HARDIRQ_OFFSET + 1
SOFTIRQ: Final = SOFTIRQ_OFFSET + 1
KSOFTIRQD: Final = SOFTIRQ_OFFSET
_KSOFTIRQD_PID: Final = 14
#: How long the thread stays when nothing is armed (seconds).
_IDLE_TIMEOUT: Final = 1.0


class Softirq:
    """The interrupts of one kernel: one thread, which is the idle task while it runs something.

    What is armed is known by an address; arming it again replaces what was armed there.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._due = kernel.condition()
        self._heap: list[tuple[float, int, int]] = []
        #: What is armed at an address: the entry of the heap that counts, what to do, and in which kind of interrupt.
        self._armed: dict[int, tuple[int, Callable[[], None], int]] = {}
        self._sequence = count()
        #: What is to be done as soon as possible: whether before the others, and what, by address.
        self._pending: dict[int, tuple[bool, Callable[[], None]]] = {}
        #: Whether ksoftirqd is to run, and has not come to it; and whether timers wait for that.
        self._ksoftirqd_woken = False
        self._timers_wait = False
        self._thread: threading.Thread | None = None
        self._tasks: dict[int, Task] = {}
        self._stopped = False

    def arm(self, address: int, deadline: float, action: Callable[[], None], context: int = SOFTIRQ) -> bool:
        """Have *action* done once, at *deadline* (of time.monotonic()).

        :param context: HARDIRQ, SOFTIRQ, KSOFTIRQD
        :returns: whether something was armed at *address* before
        """
        pending = address in self._armed
        number = next(self._sequence)
        self._armed[address] = (number, action, context)
        heapq.heappush(self._heap, (deadline, number, address))
        self._wake_up()
        return pending

    def _wake_up(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="softirq", daemon=True)
            self._thread.start()
        self._due.notify_all()

    def disarm(self, address: int) -> bool:
        """:returns: whether something was armed at *address*"""
        armed = self._armed.pop(address, None) is not None
        return self._pending.pop(address, None) is not None or armed

    def armed(self, address: int) -> bool:
        return address in self._armed or address in self._pending

    def soon(self, address: int, action: Callable[[], None], high: bool = False) -> None:
        """``raise_softirq()``: have *action* done as soon as whatever runs now lets it.

        :param high: before the others
        """
        self._pending[address] = (high, action)
        task = self._kernel.sched.running
        self._ksoftirqd_woken |= task is not None and not task.in_interrupt
        self._wake_up()

    def do_softirq(self) -> None:
        """``do_softirq()``: what is to be done soon is done now, in the current task, which has just allowed it."""
        if self._pending or self._timers_wait:
            sched = self._kernel.sched
            sched.preempt_count += SOFTIRQ_OFFSET
            try:
                while self._timers_wait and (due := self._next()) is not None:
                    due[0]()
                self._timers_wait = False
                self._run_pending()
            finally:
                sched.preempt_count -= SOFTIRQ_OFFSET

    def interrupt(self) -> None:
        """What the timer interrupt does on top of the current task, which keeps the processor busy for the kernel.

        Once somebody has woken ksoftirqd, timers are left to it, but ``irq_exit()`` does tasklets all the same.
        """
        sched, cpu = self._kernel.sched, self._kernel.cpu
        task = sched.running
        if task is None or cpu.loaded is not task or task.in_interrupt:
            return
        if not cpu.set_interrupts(True) & _EFLAGS_IF:
            cpu.set_interrupts(False)
            return
        soft = bool(self._pending) or not self._ksoftirqd_woken
        while (due := self._next(soft)) is not None:
            action, context = due
            offset = HARDIRQ_OFFSET if context == HARDIRQ else SOFTIRQ_OFFSET
            sched.preempt_count += offset
            cpu.set_interrupts(context != HARDIRQ)
            try:
                action()
            finally:
                cpu.set_interrupts(True)
                sched.preempt_count -= offset
        if soft:
            self.do_softirq()

    def _run_pending(self) -> None:
        """Do what is pending now, not what comes to be meanwhile."""
        pending, self._pending = self._pending, {}
        for high in (True, False):
            for first, action in pending.values():
                if first is high:
                    action()

    def stop(self) -> None:
        """Nothing is done any more."""
        self._stopped = True
        self._due.notify_all()

    def _next(self, soft: bool = True) -> tuple[Callable[[], None], int] | None:
        """What is due now.

        :param soft: also what is not done in hard interrupts
        """
        while self._heap:
            deadline, number, address = self._heap[0]
            armed = self._armed.get(address)
            if armed is None or armed[0] != number:
                heapq.heappop(self._heap)
                continue
            if deadline > time.monotonic():
                return None
            if not soft and armed[2] != HARDIRQ:
                self._timers_wait = True
                return None
            heapq.heappop(self._heap)
            del self._armed[address]
            return armed[1], armed[2]
        return None

    def _task(self, context: int) -> Task:
        """The task that is interrupted, or does the work."""
        sched = self._kernel.sched
        task = self._tasks.get(context)
        if task is None:
            if context == KSOFTIRQD:
                identity = Identity(_KSOFTIRQD_PID, _KSOFTIRQD_PID, "ksoftirqd/0")
                task = sched.new_task(identity, INIT_CRED, flags=_PF_KTHREAD)
            else:
                task = sched.new_task(Identity(0, 0, "swapper/0"), INIT_CRED, flags=_PF_IDLE | _PF_KTHREAD)
            self._tasks[context] = task
        sched.become(task)
        return task

    def _run(self) -> None:
        kernel = self._kernel
        with kernel.lock:
            while not self._stopped:
                due = (self._run_pending, KSOFTIRQD) if self._pending else self._next()
                if due is None:
                    wait = self._heap[0][0] - time.monotonic() if self._heap else _IDLE_TIMEOUT
                    if not self._due.wait(max(wait, 0)) and not self._heap and not self._pending:
                        break
                    continue
                action, context = due
                self._ksoftirqd_woken = self._timers_wait = False
                task = self._task(context)
                task.irq_enter(context)
                try:
                    action()
                except TaskKilled:
                    del self._tasks[context]
                    kernel.sched.free_task(task)
                finally:
                    task.irq_exit()
            self._thread = None
